#include "field_priv.h"

#include "tocsin/url.h"

bool am_check_url(struct strict *s, const struct tree *node, struct str text)
{
    struct url url;
    struct err why;
    if (url_parse(text, &url, &why) != 0)
        strict_stop(s, node, &why);
    else if (!str_eq_nocase(url.scheme, STR("http")) && !str_eq_nocase(url.scheme, STR("https")))
        strict_fail(s, node, "unsupported scheme \"%.*s\" for URL", STR_ARG(url.scheme));
    else if (url.authority.n == 0)
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
