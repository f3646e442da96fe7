#include "amconfig_priv.h"

#include "tocsin/gotext.h"

static bool is_scheme_byte(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return !first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.');
}

/* The text before "://" or ":", as Go's url.Parse finds it; false: it begins with a colon. */
static bool scheme_of(struct str text, struct str *scheme)
{
    *scheme = (struct str){text.p, 0};
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':') {
            scheme->n = i;
            return i > 0;
        }
        if (!is_scheme_byte(text.p[i], i == 0))
            return true;
    }
    return true;
}

static void complain(struct strict *s, const struct tree *node, struct str text, const char *why)
{
    struct buf quoted;
    buf_init(&quoted, ERR_TEXT_MAX);
    go_quote(&quoted, text);
    strict_fail(s, node, "parse %s: %s", buf_text(&quoted), why);
    buf_release(&quoted);
}

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return true;
    }
    return false;
}

static bool has_host(struct str text, size_t scheme_bytes)
{
    struct str rest = {text.p + scheme_bytes + 1, text.n - scheme_bytes - 1};
    if (!str_starts(rest, STR("//")) || rest.n < 3)
        return false;
    return strchr("/?#", rest.p[2]) == NULL;
}

bool am_check_url(struct strict *s, const struct tree *node, struct str text)
{
    struct str scheme;
    if (has_control(text))
        complain(s, node, text, "net/url: invalid control character in URL");
    else if (!scheme_of(text, &scheme))
        complain(s, node, text, "missing protocol scheme");
    else if (!str_eq_nocase(scheme, STR("http")) && !str_eq_nocase(scheme, STR("https")))
        strict_fail(s, node, "unsupported scheme \"%.*s\" for URL", STR_ARG(scheme));
    else if (!has_host(text, scheme.n))
        strict_fail(s, node, "missing host for URL");
    return !strict_stopped(s);
}

void am_url_text(struct strict *s, const struct tree *node, void *target)
{
    size_t before = s->problem_count;
    strict_text(s, node, target);
    if (!tree_is_null(node) && s->problem_count == before)
        am_check_url(s, node, *(struct str *)target);
}

/* The API prints secrets as <secret>, and amtool reads that text again. */
void am_secret_url_text(struct strict *s, const struct tree *node, void *target)
{
    if (node->kind == TREE_SCALAR && str_is(node->text, "<secret>"))
        strict_text(s, node, target);
    else
        am_url_text(s, node, target);
}
