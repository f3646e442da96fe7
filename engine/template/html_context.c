#include "html_priv.h"

bool html_same(struct html_context a, struct html_context b)
{
    return a.state == b.state && a.delim == b.delim && a.part == b.part && a.attr == b.attr &&
           a.element == b.element;
}

bool html_in_comment(struct html_context c)
{
    return c.state == HTML_COMMENT || c.state == HTML_STYLE_BLOCK_COMMENT ||
           c.state == HTML_STYLE_LINE_COMMENT;
}

static const char *const states[] = {
    [HTML_TEXT] = "stateText",
    [HTML_TAG] = "stateTag",
    [HTML_ATTR_NAME] = "stateAttrName",
    [HTML_AFTER_NAME] = "stateAfterName",
    [HTML_BEFORE_VALUE] = "stateBeforeValue",
    [HTML_COMMENT] = "stateHTMLCmt",
    [HTML_RCDATA] = "stateRCDATA",
    [HTML_ATTR] = "stateAttr",
    [HTML_URL] = "stateURL",
    [HTML_SRCSET] = "stateSrcset",
    [HTML_META] = "stateMetaContent",
    [HTML_META_URL] = "stateMetaContentURL",
    [HTML_SCRIPT] = "stateJS",
    [HTML_STYLE] = "stateCSS",
    [HTML_STYLE_DOUBLE] = "stateCSSDqStr",
    [HTML_STYLE_SINGLE] = "stateCSSSqStr",
    [HTML_STYLE_URL_DOUBLE] = "stateCSSDqURL",
    [HTML_STYLE_URL_SINGLE] = "stateCSSSqURL",
    [HTML_STYLE_URL] = "stateCSSURL",
    [HTML_STYLE_BLOCK_COMMENT] = "stateCSSBlockCmt",
    [HTML_STYLE_LINE_COMMENT] = "stateCSSLineCmt",
    [HTML_DEAD] = "stateDead",
};
static const char *const delims[] = {"delimNone", "delimDoubleQuote", "delimSingleQuote",
                                     "delimSpaceOrTagEnd"};
static const char *const parts[] = {"urlPartNone", "urlPartPreQuery", "urlPartQueryOrFrag", "urlPartUnknown"};
static const char *const attrs[] = {"attrNone", "attrScript", "attrStyle",
                                    "attrURL",  "attrSrcset", "attrMetaContent"};
static const char *const elements[] = {"elementNone",     "elementScript", "elementStyle",
                                       "elementTextarea", "elementTitle",  "elementMeta"};

/* The middle is about scripts, which are not told apart here. */
void html_context_print(struct buf *out, struct html_context c)
{
    buf_format(out, "{%s %s %s jsCtxRegexp [] %s %s <nil>}", states[c.state], delims[c.delim], parts[c.part],
               attrs[c.attr], elements[c.element]);
}

static void add_part(struct buf *out, const char *name, int value)
{
    if (value != 0)
        buf_format(out, "_%s", name);
}

void html_context_suffix(struct buf *out, struct html_context c)
{
    if (c.state == HTML_TEXT)
        return;
    buf_format(out, "$htmltemplate_%s", states[c.state]);
    add_part(out, delims[c.delim], (int)c.delim);
    add_part(out, parts[c.part], (int)c.part);
    add_part(out, attrs[c.attr], (int)c.attr);
    add_part(out, elements[c.element], (int)c.element);
}

/* {{.}} in `<a {{.}}>` is a name, in `<a b={{.}}>` a value without quotes. */
struct html_context html_nudge(struct html_context c)
{
    static const enum html_state values[] = {HTML_ATTR, HTML_SCRIPT, HTML_STYLE,
                                             HTML_URL,  HTML_SRCSET, HTML_META};
    if (c.state == HTML_TAG)
        c.state = HTML_ATTR_NAME;
    else if (c.state == HTML_BEFORE_VALUE)
        c = (struct html_context){
            .state = values[c.attr], .delim = HTML_DELIM_SPACE, .part = c.part, .element = c.element};
    else if (c.state == HTML_AFTER_NAME)
        c = (struct html_context){
            .state = HTML_ATTR_NAME, .delim = c.delim, .part = c.part, .element = c.element};
    return c;
}

bool html_join(struct html_context a, struct html_context b, struct html_context *out)
{
    *out = a.state == HTML_DEAD ? b : a;
    if (a.state == HTML_DEAD || b.state == HTML_DEAD || html_same(a, b))
        return true;
    struct html_context c = a;
    c.part = b.part;
    if (html_same(c, b)) {
        out->part = HTML_PART_UNKNOWN;
        return true;
    }
    /* `<p title={{if .C}}{{.}}{{end}}>`: the other branch stands before a value, this one in it. */
    struct html_context d = html_nudge(a), e = html_nudge(b);
    return (!html_same(a, d) || !html_same(b, e)) && html_join(d, e, out);
}
