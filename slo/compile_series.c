/* What is recorded of an objective. */
#include "compile_priv.h"

#include <stdlib.h>

enum { HOUR_MS = 60 * 60 * 1000, FIVE_MINUTES_MS = 5 * 60 * 1000 };
static const double day_ms = 24.0 * HOUR_MS;

static struct strict_pairs with(struct compiler *c, struct strict_pairs labels, struct str name,
                                struct str value)
{
    struct label one = {name, value};
    return slo_pairs_over(c->arena, labels, (struct strict_pairs){&one, 1});
}

static struct str constant(struct compiler *c, double value)
{
    return compile_format(c->arena, "vector(%.*s)", STR_ARG(compile_number(c->arena, value)));
}

static struct str percent(struct compiler *c)
{
    struct fraction percent;
    int rc = fraction_multiply(c->o->target, (struct fraction){100, 1}, &percent);
    return compile_number(c->arena, rc == 0 ? fraction_value(percent) : 100 * fraction_value(c->o->target));
}

/* ---- Tocsin's own ---- */

static void record_window(struct compiler *c, const struct measure *m)
{
    struct strict_pairs labels = with(c, compile_labels(c), STR("window"), m->window);
    compile_record(c, STR("tocsin_slo_error_ratio"), m->ratio, labels);
    if (c->budget.numerator > 0)
        compile_record(c, STR("tocsin_slo_burn_rate"), m->burn, labels);
}

static struct str period_text(struct compiler *c)
{
    static const char *const units[] = {[PERIOD_DAY] = "day",
                                        [PERIOD_WEEK] = "week",
                                        [PERIOD_MONTH] = "month",
                                        [PERIOD_QUARTER] = "quarter",
                                        [PERIOD_YEAR] = "year"};
    const struct period *p = &c->o->period;
    if (p->unit == PERIOD_ROLLING)
        return compile_duration(c->arena, p->length_ms);
    if (p->count == 1)
        return str_of(units[p->unit]);
    return compile_format(c->arena, "%lld %ss", (long long)p->count, units[p->unit]);
}

static void record_info(struct compiler *c)
{
    const struct objective *o = c->o;
    struct label info[] = {{STR("name"), o->name},          {STR("objective"), percent(c)},
                           {STR("period"), period_text(c)}, {STR("owner"), o->owner},
                           {STR("tier"), o->tier},          {STR("runbook"), o->runbook}};
    struct strict_pairs labels = compile_labels(c);
    for (size_t i = 0; i < sizeof info / sizeof *info; i++)
        if (info[i].value.n > 0)
            labels = with(c, labels, info[i].name, info[i].value);
    compile_record(c, STR("tocsin_slo_info"), STR("vector(1)"), labels);
}

static void record_constants(struct compiler *c)
{
    struct strict_pairs labels = compile_labels(c);
    compile_record(c, STR("tocsin_slo_objective_ratio"), constant(c, fraction_value(c->o->target)), labels);
    compile_record(c, STR("tocsin_slo_period_seconds"), constant(c, (double)c->o->period.length_ms / 1000),
                   labels);
}

/* ---- Sloth's ---- */

static struct strict_pairs sloth_labels(struct compiler *c)
{
    const struct objective *o = c->o;
    struct label ids[] = {
        {STR("sloth_id"), o->id}, {STR("sloth_service"), o->service}, {STR("sloth_slo"), o->name}};
    return slo_pairs_over(c->arena, o->labels, (struct strict_pairs){ids, 3});
}

static struct str sloth_series(struct compiler *c, const char *name, struct str window)
{
    return compile_format(c->arena, "%s%.*s{sloth_id=%.*s}", name, STR_ARG(window),
                          STR_ARG(compile_quote(c->arena, c->o->id)));
}

#define SLOTH_RATIO "slo:sli_error:ratio_rate"

static void record_sloth_window(struct compiler *c, const struct measure *m)
{
    struct strict_pairs labels = with(c, sloth_labels(c), STR("sloth_window"), m->window);
    compile_record(c, compile_format(c->arena, SLOTH_RATIO "%.*s", STR_ARG(m->window)), m->ratio, labels);
}

static bool is_measured(const struct compiler *c, int64_t window_ms)
{
    for (size_t i = 0; i < c->measure_count; i++)
        if (c->measures[i].window_ms == window_ms)
            return true;
    return false;
}

/* As Sloth does it: the mean of the shortest window's ratios. */
static void record_sloth_period(struct compiler *c, const struct measure *quick)
{
    struct strict_pairs labels = sloth_labels(c);
    struct str window = compile_duration(c->arena, c->o->period.length_ms);
    struct str ratios = sloth_series(c, SLOTH_RATIO, quick->window);
    struct str mean =
        compile_mean(c, compile_format(c->arena, "%.*s[%.*s]", STR_ARG(ratios), STR_ARG(window)));
    struct str budget = compile_number(c->arena, fraction_value(c->budget));
    if (!is_measured(c, c->o->period.length_ms))
        compile_record(c, compile_format(c->arena, SLOTH_RATIO "%.*s", STR_ARG(window)), mean,
                       with(c, labels, STR("sloth_window"), window));
    compile_record(c, STR("slo:current_burn_rate:ratio"),
                   compile_format(c->arena, "%.*s / %.*s", STR_ARG(quick->ratio), STR_ARG(budget)), labels);
    compile_record(c, STR("slo:period_burn_rate:ratio"),
                   compile_format(c->arena, "%.*s / %.*s", STR_ARG(mean), STR_ARG(budget)), labels);
    compile_record(c, STR("slo:period_error_budget_remaining:ratio"),
                   compile_format(c->arena, "1 - %.*s / %.*s", STR_ARG(mean), STR_ARG(budget)), labels);
}

static void record_sloth_constants(struct compiler *c)
{
    struct strict_pairs labels = sloth_labels(c);
    compile_record(c, STR("slo:objective:ratio"), constant(c, fraction_value(c->o->target)), labels);
    compile_record(c, STR("slo:error_budget:ratio"), constant(c, fraction_value(c->budget)), labels);
    compile_record(c, STR("slo:time_period:days"), constant(c, (double)c->o->period.length_ms / day_ms),
                   labels);
    struct label info[] = {{STR("sloth_mode"), STR("tocsin")},
                           {STR("sloth_objective"), percent(c)},
                           {STR("sloth_spec"), STR("prometheus/v1")},
                           {STR("sloth_version"), STR("tocsin")}};
    compile_record(c, STR("sloth_slo_info"), STR("vector(1)"),
                   slo_pairs_over(c->arena, labels, (struct strict_pairs){info, 4}));
}

static int record_sloth(struct compiler *c)
{
    const struct measure *quick = &c->measures[0];
    for (size_t i = 0; i < c->measure_count; i++)
        record_sloth_window(c, &c->measures[i]);
    record_sloth_constants(c);
    record_sloth_period(c, quick);
    return 0;
}

/* ---- Pyrra's ---- */

static struct str pyrra_rate(struct compiler *c, struct str events)
{
    return c->per_second ? events : compile_format(c->arena, "%.*s / 300", STR_ARG(events));
}

static int record_pyrra(struct compiler *c)
{
    const struct measure *period, *quick;
    if (c->o->by_count > 0)
        return 0;
    struct strict_pairs labels = with(c, c->o->labels, STR("slo"), c->o->name);
    int rc = compile_measure(c, c->o->period.length_ms, &period);
    struct str available = rc == 0 ? period->ratio : STR("");
    if (rc == 0)
        rc = compile_measure(c, FIVE_MINUTES_MS, &quick);
    if (rc != 0)
        return rc;
    compile_record(c, STR("pyrra_objective"), constant(c, fraction_value(c->o->target)), labels);
    compile_record(c, STR("pyrra_window"), constant(c, (double)c->o->period.length_ms / 1000), labels);
    compile_record(c, STR("pyrra_availability"), compile_format(c->arena, "1 - %.*s", STR_ARG(available)),
                   labels);
    if (quick->total.n == 0)
        return 0;
    compile_record(c, STR("pyrra_requests:rate5m"), pyrra_rate(c, quick->total), labels);
    compile_record(c, STR("pyrra_errors:rate5m"), pyrra_rate(c, quick->bad), labels);
    return 0;
}

/* ---- all of it ---- */

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The windows that alerts look at, the shortest first. */
static int measure_windows(struct compiler *c)
{
    const struct objective *o = c->o;
    int64_t *windows = ARENA_ARRAY(c->arena, int64_t, 2 * o->tier_count + 2);
    const struct measure *m;
    size_t count = 0;
    int rc = 0;
    if (windows == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < o->tier_count; i++) {
        windows[count++] = o->tiers[i].short_ms;
        windows[count++] = o->tiers[i].long_ms;
    }
    if (o->ladder.asked || count == 0) {
        windows[count++] = FIVE_MINUTES_MS;
        windows[count++] = HOUR_MS;
    }
    qsort(windows, count, sizeof *windows, by_length);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = compile_measure(c, windows[i], &m);
    return rc;
}

static int record_slices(struct compiler *c)
{
    struct str slice;
    int rc = compile_slice(c, &slice);
    if (rc == 0)
        compile_record(c, STR("tocsin_slo_slice_error_ratio"), slice, compile_labels(c));
    return rc;
}

int compile_series(struct compiler *c)
{
    int rc = measure_windows(c);
    if (rc == 0 && c->by_slices)
        rc = record_slices(c);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < c->measure_count; i++)
        record_window(c, &c->measures[i]);
    record_constants(c);
    record_info(c);
    if (c->o->compat == COMPAT_SLOTH)
        return record_sloth(c);
    return c->o->compat == COMPAT_PYRRA ? record_pyrra(c) : 0;
}
