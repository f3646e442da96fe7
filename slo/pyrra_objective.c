/* Pyrra's objectives as the engine knows them. What its alert on absent metrics is called is lost. */
#include "pyrra_priv.h"

#include "tocsin/limits.h"

enum { MINUTE_MS = 60 * 1000 };

/* ---- queries ---- */

/* A text with {{ in it, from a matcher's value, that a template prints as it is. */
static struct str past_template(struct arena *arena, struct str text)
{
    struct buf out;
    buf_init(&out, (size_t)limits.query_text_bytes);
    for (size_t i = 0; i < text.n; i++) {
        bool opens = i + 1 < text.n && text.p[i] == '{' && text.p[i + 1] == '{';
        if (opens)
            buf_puts(&out, "{{\"{{\"}}");
        else
            buf_char(&out, text.p[i]);
        i += opens;
    }
    struct str copy = str_copy(arena, buf_slice(&out));
    arena->exhausted |= buf_overflow(&out);
    buf_release(&out);
    return copy;
}

/* sum by (...) (FUNCTION(SELECTOR[{{.window}}])) */
static struct str sum_over_window(struct arena *arena, const struct objective *o,
                                  const struct pyrra_selector *selector, const char *function)
{
    struct pyrra_selector for_both = pyrra_le_for_both(arena, selector);
    struct str text = past_template(arena, pyrra_selector_print(arena, &for_both)),
               sum_by = pyrra_sum_by(arena, o->by, o->by_count);
    return pyrra_format(arena, "%.*s(%s(%.*s[{{.window}}]))", STR_ARG(sum_by), function, STR_ARG(text));
}

static void take_native(struct arena *arena, const struct pyrra_objective *in, struct objective *o)
{
    struct str sum = sum_over_window(arena, o, &in->total, "increase"),
               seconds = pyrra_number(arena, pyrra_seconds(in), 'f');
    o->indicator.total = pyrra_format(arena, "histogram_count(%.*s)", STR_ARG(sum));
    o->indicator.counted = pyrra_format(arena, "histogram_fraction(0, %.*s, %.*s) * histogram_count(%.*s)",
                                        STR_ARG(seconds), STR_ARG(sum), STR_ARG(sum));
}

/* A native histogram's fraction is an estimate, and samples of a gauge are no counter: those are not counted one by one. */
static void take_indicator(struct arena *arena, const struct pyrra_objective *in, struct objective *o)
{
    o->indicator.kind = in->kind == PYRRA_RATIO ? INDICATOR_BAD : INDICATOR_GOOD;
    switch (in->kind) {
    case PYRRA_RATIO:
    case PYRRA_LATENCY:
        o->indicator.exact = true;
        o->indicator.counted = sum_over_window(arena, o, &in->counted, "increase");
        o->indicator.total = sum_over_window(arena, o, &in->total, "increase");
        break;
    case PYRRA_LATENCY_NATIVE:
        take_native(arena, in, o);
        break;
    case PYRRA_BOOL_GAUGE:
        o->indicator.counted = sum_over_window(arena, o, &in->total, "sum_over_time");
        o->indicator.total = sum_over_window(arena, o, &in->total, "count_over_time");
        break;
    }
}

/* ---- alerts ---- */

/* What the selector fixes is told by Pyrra's alerts; routes look at it. */
static struct strict_pairs fixed_labels(struct arena *arena, const struct pyrra_objective *in,
                                        const struct objective *o)
{
    struct strict_pairs labels = {NULL, 0};
    struct pyrra_names grouping = {o->by, o->by_count, o->by_count};
    for (size_t i = 0; i < in->total.count; i++) {
        const struct matcher *m = &in->total.matchers[i];
        if (m->op == MATCH_EQUAL && !pyrra_names_has(&grouping, m->name))
            slo_pairs_put(arena, &labels, m->name, m->value);
    }
    return labels;
}

static struct strict_pairs tier_labels(struct arena *arena, const struct pyrra_objective *in,
                                       const struct objective *o, const struct pyrra_window *w)
{
    struct strict_pairs labels = fixed_labels(arena, in, o);
    slo_pairs_put(arena, &labels, STR("short"), pyrra_duration(arena, w->short_ms));
    slo_pairs_put(arena, &labels, STR("long"), pyrra_duration(arena, w->long_ms));
    slo_pairs_put(arena, &labels, STR("exhaustion"),
                  pyrra_duration(arena, pyrra_exhaustion_ms(in->window_ms, w->factor)));
    return labels;
}

/* The first two page, as is Pyrra's own choice of severities. */
static void take_tiers(struct arena *arena, const struct pyrra_objective *in, struct objective *o)
{
    static const char *const names[PYRRA_TIERS] = {"fast_burn", "medium_burn", "slow_burn", "long_term_burn"};
    struct pyrra_window windows[PYRRA_TIERS];
    pyrra_windows(in->window_ms, windows);
    o->tiers = ARENA_ARRAY(arena, struct objective_tier, PYRRA_TIERS);
    if (o->tiers == NULL || !in->burn_alerts)
        return;
    for (; o->tier_count < PYRRA_TIERS; o->tier_count++) {
        const struct pyrra_window *w = &windows[o->tier_count];
        o->tiers[o->tier_count] = (struct objective_tier){
            .name = str_of(names[o->tier_count]),
            .class = o->tier_count < 2 ? TIER_PAGE : TIER_TICKET,
            .severity = in->severities[o->tier_count],
            .short_ms = w->short_ms,
            .long_ms = w->long_ms,
            .for_ms = w->for_ms,
            .factor = {w->factor, 1},
            .labels = tier_labels(arena, in, o, w),
            .line = in->line,
        };
    }
}

static void take_watch(struct arena *arena, const struct pyrra_objective *in, struct objective *o)
{
    int64_t absent_ms = pyrra_absent_for_ms(in);
    if (in->absent_alerts)
        o->watch.no_data_ms = absent_ms > MINUTE_MS ? absent_ms : MINUTE_MS;
    o->watch.no_data_severity = in->absent_severity;
    o->watch.labels = fixed_labels(arena, in, o);
}

/* ---- the whole ---- */

/* Pyrra knows of no service; its namespace keeps apart what is called the same, and is "default" where none is named, as in Kubernetes. */
static struct str service_of(const struct pyrra_objective *in)
{
    return in->namespace.n > 0 ? in->namespace : STR("default");
}

static int take_target(const struct pyrra_objective *in, struct objective *o, struct err *err)
{
    int rc = objective_percent(in->target_percent, &o->target, err);
    return rc == 0
               ? 0
               : err_at(err, rc, in->line, 0, "SLO \"%.*s\": target has too many digits", STR_ARG(in->name));
}

static int take_objective(struct arena *arena, const struct pyrra_objective *in, struct objective *o,
                          struct err *err)
{
    struct pyrra_names grouping = pyrra_grouping(arena, in);
    objective_name(arena, o, service_of(in), in->name);
    o->description = in->description;
    o->line = in->line;
    o->period.length_ms = in->window_ms;
    o->by = grouping.items;
    o->by_count = grouping.count;
    o->labels = in->rule_labels;
    o->annotations = in->rule_annotations;
    o->alert_name = in->alert_name;
    o->compat = COMPAT_PYRRA;
    take_indicator(arena, in, o);
    take_tiers(arena, in, o);
    take_watch(arena, in, o);
    int rc = take_target(in, o, err);
    return rc == 0 ? objective_check(o, err) : rc;
}

int objective_read_pyrra(struct objective_set *set, const struct tree *root, struct str file, struct err *err)
{
    struct pyrra_objective in;
    int rc = pyrra_read(&set->arena, root, &in, err);
    struct objective *o = rc == 0 ? objective_add(set, file) : NULL;
    return o != NULL ? take_objective(&set->arena, &in, o, err) : rc;
}
