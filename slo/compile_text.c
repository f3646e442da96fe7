/* Texts of expressions. */
#include "compile_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/limits.h"

static struct str take(struct arena *arena, struct buf *text)
{
    struct str copy = buf_overflow(text) ? STR("") : str_copy(arena, buf_slice(text));
    arena->exhausted |= buf_overflow(text);
    buf_release(text);
    return copy;
}

struct str compile_format(struct arena *arena, const char *form, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text, (size_t)limits.query_text_bytes);
    va_start(args, form);
    buf_vformat(&text, form, args);
    va_end(args);
    return take(arena, &text);
}

struct str compile_number(struct arena *arena, double value)
{
    struct buf text;
    buf_init(&text, (size_t)limits.query_text_bytes);
    go_float_json(&text, value);
    return take(arena, &text);
}

struct str compile_duration(struct arena *arena, int64_t ms)
{
    struct buf text;
    buf_init(&text, (size_t)limits.query_text_bytes);
    duration_print(&text, ms);
    return take(arena, &text);
}

struct str compile_quote(struct arena *arena, struct str text)
{
    struct buf quoted;
    buf_init(&quoted, (size_t)limits.query_text_bytes);
    go_quote(&quoted, text);
    return take(arena, &quoted);
}

struct str compile_grouping(struct arena *arena, const struct objective *o)
{
    struct buf text;
    buf_init(&text, (size_t)limits.query_text_bytes);
    for (size_t i = 0; i < o->by_count; i++) {
        buf_puts(&text, i == 0 ? "(" : ", ");
        if (label_name_is_classic(o->by[i]))
            buf_str(&text, o->by[i]);
        else
            go_quote(&text, o->by[i]);
    }
    buf_puts(&text, o->by_count == 0 ? "()" : ")");
    return take(arena, &text);
}

struct str compile_sum(struct compiler *c, struct str inner)
{
    if (c->o->by_count == 0)
        return compile_format(c->arena, "sum(%.*s)", STR_ARG(inner));
    return compile_format(c->arena, "sum by %.*s (%.*s)", STR_ARG(compile_grouping(c->arena, c->o)),
                          STR_ARG(inner));
}

struct str compile_mean(struct compiler *c, struct str range)
{
    struct str sum = compile_format(c->arena, "sum_over_time(%.*s)", STR_ARG(range)),
               count = compile_format(c->arena, "count_over_time(%.*s)", STR_ARG(range));
    return compile_format(c->arena, "(%.*s / %.*s)", STR_ARG(compile_sum(c, sum)),
                          STR_ARG(compile_sum(c, count)));
}

/* Ratios of what rate() gives are off by some 1e-16, and so much more as a burn rate is more than its ratio. */
static double margin_of(const struct compiler *c)
{
    double budget = fraction_value(c->budget);
    return budget > 0 ? 1e-14 / budget : 1e-14;
}

struct str compile_over(struct compiler *c, struct str burn, struct fraction limit)
{
    struct buf margin;
    buf_init(&margin, 64);
    go_float(&margin, margin_of(c), 'e', 0);
    if (c->budget.numerator == 0)
        limit = (struct fraction){0, 1};
    struct str text =
        compile_format(c->arena, "%.*s > %.*s + %s", STR_ARG(burn),
                       STR_ARG(compile_number(c->arena, fraction_value(limit))), buf_text(&margin));
    buf_release(&margin);
    return text;
}
