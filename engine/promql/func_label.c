#include "call_priv.h"

/* Labels changed: what became equal is an error here and now, if it meets at one step. */
static int finish(struct call *c, struct vector *out)
{
    return vector_merge_equal(c->ev, out, c->grid);
}

static int set_label(struct call *c, struct column *column, struct str name, struct str value)
{
    value = str_copy(c->ev->arena, value);
    if (value.p == NULL)
        return eval_no_memory(c->ev);
    column->labels = labels_with(c->ev->arena, column->labels, name, value);
    /* A name that was written on purpose stays. */
    if (str_is(name, LABEL_METRIC_NAME))
        column->drop_name = false;
    return column->labels != NULL ? 0 : eval_no_memory(c->ev);
}

static int check_name(struct call *c, struct str name)
{
    if (label_name_is_valid(name))
        return 0;
    return eval_fail(c->ev, ERR_EXEC, "invalid destination label name in %s(): %.*s",
                     c->expr->call.function->name, STR_ARG(name));
}

struct replacement {
    struct str to, with, from;
    const struct regex *regex;
    struct buf text;
};

static int replace_label(struct call *c, struct replacement *r, struct column *column)
{
    buf_clear(&r->text);
    if (!regex_expand(r->regex, labels_get(column->labels, r->from), r->with, &r->text))
        return 0;
    if (buf_overflow(&r->text))
        return eval_fail(c->ev, ERR_LIMIT, "a label made by label_replace() is too long");
    return set_label(c, column, r->to, buf_slice(&r->text));
}

static int replace_labels(struct call *c, struct replacement *r, struct vector *out)
{
    TRY(eval_vector(c->ev, call_arg(c, 0), c->grid, out));
    for (size_t i = 0; i < out->count; i++)
        TRY(replace_label(c, r, out->items[i]));
    return finish(c, out);
}

int call_label_replace(struct call *c, struct vector *out)
{
    struct replacement r = {.to = eval_string(call_arg(c, 1)),
                            .with = eval_string(call_arg(c, 2)),
                            .from = eval_string(call_arg(c, 3)),
                            .regex = plan_node(c->ev->q, c->expr)->regex};
    if (r.regex == NULL)
        return eval_fail(c->ev, ERR_EXEC, "invalid regular expression in label_replace(): %.*s",
                         STR_ARG(eval_string(call_arg(c, 4))));
    buf_init(&r.text, 1 << 20);
    int code = check_name(c, r.to);
    if (code == 0)
        code = replace_labels(c, &r, out);
    buf_release(&r.text);
    return code;
}

static void join_values(const struct call *c, const struct labels *ls, struct buf *text)
{
    struct str separator = eval_string(call_arg(c, 2));
    for (size_t i = 3; i < c->expr->call.args.count; i++) {
        if (i > 3)
            buf_str(text, separator);
        buf_str(text, labels_get(ls, eval_string(call_arg(c, i))));
    }
}

static int join_labels(struct call *c, struct vector *out, struct buf *text)
{
    struct str to = eval_string(call_arg(c, 1));
    for (size_t i = 0; i < out->count; i++) {
        buf_clear(text);
        join_values(c, out->items[i]->labels, text);
        if (buf_overflow(text))
            return eval_fail(c->ev, ERR_LIMIT, "a label made by label_join() is too long");
        TRY(set_label(c, out->items[i], to, buf_slice(text)));
    }
    return finish(c, out);
}

static int check_sources(struct call *c)
{
    for (size_t i = 3; i < c->expr->call.args.count; i++) {
        struct str name = eval_string(call_arg(c, i));
        if (!label_name_is_valid(name))
            return eval_fail(c->ev, ERR_EXEC, "invalid source label name in label_join(): %.*s",
                             STR_ARG(name));
    }
    return check_name(c, eval_string(call_arg(c, 1)));
}

int call_label_join(struct call *c, struct vector *out)
{
    struct buf text;
    TRY(check_sources(c));
    TRY(eval_vector(c->ev, call_arg(c, 0), c->grid, out));
    buf_init(&text, 1 << 20);
    int code = join_labels(c, out, &text);
    buf_release(&text);
    return code;
}
