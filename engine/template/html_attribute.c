#include "html_priv.h"

/* What attributes of HTML hold, in the order of names. The rest is text. */
static const struct {
    const char *name;
    enum html_attr holds;
} known[] = {
    {"accept-charset", HTML_HOLDS_CONTROL},
    {"action", HTML_HOLDS_URL},
    {"archive", HTML_HOLDS_URL},
    {"async", HTML_HOLDS_CONTROL},
    {"background", HTML_HOLDS_URL},
    {"challenge", HTML_HOLDS_CONTROL},
    {"charset", HTML_HOLDS_CONTROL},
    {"cite", HTML_HOLDS_URL},
    {"classid", HTML_HOLDS_URL},
    {"codebase", HTML_HOLDS_URL},
    {"content", HTML_HOLDS_CONTROL},
    {"crossorigin", HTML_HOLDS_CONTROL},
    {"data", HTML_HOLDS_URL},
    {"defer", HTML_HOLDS_CONTROL},
    {"enctype", HTML_HOLDS_CONTROL},
    {"form", HTML_HOLDS_CONTROL},
    {"formaction", HTML_HOLDS_URL},
    {"formenctype", HTML_HOLDS_CONTROL},
    {"formmethod", HTML_HOLDS_CONTROL},
    {"formnovalidate", HTML_HOLDS_CONTROL},
    {"href", HTML_HOLDS_URL},
    {"http-equiv", HTML_HOLDS_CONTROL},
    {"icon", HTML_HOLDS_URL},
    {"keytype", HTML_HOLDS_CONTROL},
    {"language", HTML_HOLDS_CONTROL},
    {"longdesc", HTML_HOLDS_URL},
    {"manifest", HTML_HOLDS_URL},
    {"method", HTML_HOLDS_CONTROL},
    {"novalidate", HTML_HOLDS_CONTROL},
    {"pattern", HTML_HOLDS_CONTROL},
    {"poster", HTML_HOLDS_URL},
    {"profile", HTML_HOLDS_URL},
    {"rel", HTML_HOLDS_CONTROL},
    {"sandbox", HTML_HOLDS_CONTROL},
    {"src", HTML_HOLDS_URL},
    {"srcdoc", HTML_HOLDS_HTML},
    {"srclang", HTML_HOLDS_TEXT},
    {"srcset", HTML_HOLDS_SRCSET},
    {"style", HTML_HOLDS_STYLE},
    {"type", HTML_HOLDS_CONTROL},
    {"usemap", HTML_HOLDS_URL},
    {"value", HTML_HOLDS_CONTROL},
    {"xmlns", HTML_HOLDS_URL},
};

static bool contains(struct str s, const char *part)
{
    struct str wanted = str_of(part);
    for (size_t i = 0; i + wanted.n <= s.n; i++)
        if (memcmp(s.p + i, wanted.p, wanted.n) == 0)
            return true;
    return false;
}

/* data-href and xlink:href are meant as href is. */
static bool cut_prefix(struct str *name, enum html_attr *holds)
{
    if (str_starts(*name, STR("data-"))) {
        *name = (struct str){name->p + 5, name->n - 5};
        return false;
    }
    size_t colon = str_find_char(*name, ':');
    if (colon == name->n)
        return false;
    *holds = HTML_HOLDS_URL;
    if (str_is(html_before(*name, colon), "xmlns"))
        return true;
    *name = (struct str){name->p + colon + 1, name->n - colon - 1};
    return false;
}

/* Names nobody knows are judged by what scripts tend to do with such ones. */
enum html_attr html_attribute_holds(struct str name)
{
    enum html_attr holds;
    if (cut_prefix(&name, &holds))
        return holds;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_is(name, known[i].name))
            return known[i].holds;
    if (str_starts(name, STR("on")))
        return HTML_HOLDS_SCRIPT;
    if (contains(name, "src") || contains(name, "uri") || contains(name, "url"))
        return HTML_HOLDS_URL;
    return HTML_HOLDS_TEXT;
}
