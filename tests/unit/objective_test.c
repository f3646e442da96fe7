#include "tocsin/duration.h"
#include "tocsin/objective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void read_file(const char *path, struct buf *out)
{
    struct err err = {0};
    buf_init(out, 1 << 20);
    if (world_real()->read_file(world_real(), path, out, &err) != 0)
        fail_msg("%s", err.text);
}

/* ---- a form that people can read, so that all that was read can be compared ---- */

static void put(struct buf *out, const char *name, struct str value)
{
    if (value.n > 0)
        buf_format(out, "  %s %.*s\n", name, STR_ARG(value));
}

static void put_pairs(struct buf *out, const char *name, struct strict_pairs pairs)
{
    if (pairs.count == 0)
        return;
    buf_format(out, "  %s", name);
    for (size_t i = 0; i < pairs.count; i++)
        buf_format(out, " %.*s=%.*s", STR_ARG(pairs.items[i].name), STR_ARG(pairs.items[i].value));
    buf_char(out, '\n');
}

static void put_fraction(struct buf *out, const char *name, struct fraction f)
{
    if (f.denominator != 0)
        buf_format(out, "  %s %lld/%lld\n", name, (long long)f.numerator, (long long)f.denominator);
}

static void put_time(struct buf *out, const char *name, int64_t ms)
{
    buf_format(out, " %s ", name);
    duration_print(out, ms);
}

static void put_period(struct buf *out, const struct period *p)
{
    static const char *const units[] = {"rolling", "day", "week", "month", "quarter", "year"};
    buf_format(out, "  %s x %lld", units[p->unit], (long long)p->count);
    put_time(out, "of", p->length_ms);
    buf_puts(out, p->zone.n > 0 ? " in " : "");
    buf_str(out, p->zone);
    buf_char(out, '\n');
}

static void put_indicator(struct buf *out, const struct indicator *in)
{
    static const char *const kinds[] = {"bad", "good", "ratio", "threshold"};
    static const char *const compares[] = {"<", "<=", ">", ">="};
    put(out, kinds[in->kind], in->counted);
    put(out, "total", in->total);
    if (in->kind == INDICATOR_THRESHOLD)
        buf_format(out, "  %s %g\n", compares[in->compare], in->threshold);
    if (in->exact)
        buf_puts(out, "  exact\n");
}

static void put_tier(struct buf *out, const struct objective_tier *t)
{
    buf_format(out, "  tier %.*s %s %.*s", STR_ARG(t->name), t->class == TIER_PAGE ? "page" : "ticket",
               STR_ARG(t->severity));
    put_time(out, "short", t->short_ms);
    put_time(out, "long", t->long_ms);
    put_time(out, "for", t->for_ms);
    buf_char(out, '\n');
    put_fraction(out, "  factor", t->factor);
    put_pairs(out, "  labels", t->labels);
    put_pairs(out, "  annotations", t->annotations);
}

static void put_watch(struct buf *out, const struct objective_watch *w)
{
    if (w->no_data_ms > 0) {
        put_time(out, " no data for", w->no_data_ms);
        buf_format(out, ": %.*s\n", STR_ARG(w->no_data_severity));
    }
    if (w->exhausted)
        put(out, "exhausted:", w->exhausted_severity);
    put_pairs(out, "watched with", w->labels);
}

static void put_rest(struct buf *out, const struct objective *o)
{
    const struct objective_guard *g = &o->guard;
    if (g->bad_min != 0 || g->total_min != 0 || g->correct_traffic || g->false_page_rate != 0)
        buf_format(out, "  guard bad %lld total %lld %s %g\n", (long long)g->bad_min, (long long)g->total_min,
                   g->correct_traffic ? "corrected" : "", g->false_page_rate);
    if (o->ladder.asked) {
        put_fraction(out, "inform", o->ladder.inform);
        put_fraction(out, "freeze", o->ladder.freeze);
        put_fraction(out, "mitigate", o->ladder.mitigate);
    }
    for (size_t i = 0; i < o->maintenance_count; i++) {
        const struct maintenance *m = &o->maintenance[i];
        buf_format(out, "  maintenance %lld", (long long)m->start_ms);
        put_time(out, "for", m->length_ms);
        put_time(out, "every", m->every_ms);
        buf_puts(out, m->reason.n > 0 ? ": " : "");
        buf_str(out, m->reason);
        buf_char(out, '\n');
    }
}

static void put_budgeting(struct buf *out, const struct objective *o)
{
    static const char *const budgetings[] = {"events", "slices", "ratios"};
    buf_format(out, "  by %s", budgetings[o->budgeting]);
    put_time(out, "in slices of", o->slice_ms);
    buf_char(out, '\n');
    put_fraction(out, "slice target", o->slice_target);
    for (size_t i = 0; i < o->by_count; i++)
        put(out, "group", o->by[i]);
}

static void put_objective(struct buf *out, const struct objective *o)
{
    static const char *const compats[] = {"", " sloth", " pyrra"};
    buf_format(out, "%.*s line %d%s\n", STR_ARG(o->id), o->line, compats[o->compat]);
    put(out, "service", o->service);
    put(out, "description", o->description);
    put(out, "owner", o->owner);
    put(out, "tier", o->tier);
    put(out, "runbook", o->runbook);
    put_fraction(out, "target", o->target);
    put_period(out, &o->period);
    put_indicator(out, &o->indicator);
    put_budgeting(out, o);
    put_pairs(out, "labels", o->labels);
    put_pairs(out, "annotations", o->annotations);
    put(out, "alert", o->alert_name);
    for (size_t i = 0; i < o->tier_count; i++)
        put_tier(out, &o->tiers[i]);
    put_watch(out, &o->watch);
    put_rest(out, o);
}

static void print_file(const char *path, struct buf *out)
{
    struct buf text, errors;
    struct objective_set *set = objective_set_new();
    read_file(path, &text);
    buf_init(&errors, 1 << 16);
    buf_init(out, 1 << 20);
    if (objective_file_parse(set, str_of(path), buf_slice(&text), &errors) != 0)
        fail_msg("%s", buf_text(&errors));
    for (size_t i = 0; i < set->count; i++)
        put_objective(out, &set->items[i]);
    objective_set_free(set);
    buf_release(&text);
    buf_release(&errors);
}

static void assert_reads(const char *path, const char *expected_path)
{
    struct buf got, expected;
    print_file(path, &got);
    read_file(expected_path, &expected);
    assert_string_equal(buf_text(&got), buf_text(&expected));
    buf_release(&got);
    buf_release(&expected);
}

static void test_own_form_with_every_key(void **state)
{
    (void)state;
    assert_reads("tests/slo/own.yml", "tests/slo/own.objectives");
}

static void test_sloths_files(void **state)
{
    (void)state;
    assert_reads("tests/slo/shop.yml", "tests/slo/shop.objectives");
    assert_reads("tests/slo/object.yml", "tests/slo/object.objectives");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_form_with_every_key),
        cmocka_unit_test(test_sloths_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
