/* What must hold of each objective, whatever it was read from. */
#include "slo_priv.h"

#include "tocsin/duration.h"
#include "tocsin/zone.h"

enum { MINUTE_MS = 60 * 1000 };
static const int64_t day_ms = INT64_C(24) * 60 * MINUTE_MS;

static int wrong(const struct objective *o, int line, struct err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int wrong(const struct objective *o, int line, struct err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_vset(err, ERR_PARSE, format, args);
    va_end(args);
    err_prefix(err, "%.*s: ", STR_ARG(o->id));
    err->line = line;
    return ERR_PARSE;
}

/* ---- names and labels ---- */

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_name(struct str s)
{
    if (s.n == 0 || !is_alphanumeric(s.p[0]) || !is_alphanumeric(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alphanumeric(s.p[i]) && memchr("-_.", s.p[i], 3) == NULL)
            return false;
    return true;
}

static int check_names(const struct objective *o, struct err *err)
{
    static const char form[] =
        "must be letters, digits, '-', '_' or '.', and begin and end with a letter or digit";
    if (!is_name(o->service))
        return wrong(o, o->line, err, "the service \"%.*s\" %s", STR_ARG(o->service), form);
    if (!is_name(o->name))
        return wrong(o, o->line, err, "the name \"%.*s\" %s", STR_ARG(o->name), form);
    if (!label_name_is_valid(o->alert_name))
        return wrong(o, o->line, err, "the alerts' name is no text");
    return 0;
}

static int check_labels(const struct objective *o, int line, struct strict_pairs labels, struct err *err)
{
    for (size_t i = 0; i < labels.count; i++) {
        struct str name = labels.items[i].name;
        if (!label_name_is_valid(name) || str_is(name, LABEL_METRIC_NAME) || str_is(name, "alertname"))
            return wrong(o, line, err, "\"%.*s\" is no label that can be given to series and alerts",
                         STR_ARG(name));
        if (!str_is_utf8(labels.items[i].value))
            return wrong(o, line, err, "the value of the label %.*s is no text", STR_ARG(name));
    }
    return 0;
}

static bool has_label(struct strict_pairs labels, struct str name)
{
    for (size_t i = 0; i < labels.count; i++)
        if (str_eq(labels.items[i].name, name))
            return true;
    return false;
}

/* What the objective's own rules say. */
static bool is_taken(struct str name)
{
    static const char *const names[] = {"slo", "service", "window", NULL};
    for (size_t i = 0; names[i] != NULL; i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

static int check_own_labels(const struct objective *o, struct err *err)
{
    for (size_t i = 0; i < o->labels.count; i++)
        if (is_taken(o->labels.items[i].name))
            return wrong(o, o->line, err,
                         "the label %.*s is set by the objective itself: name yours differently",
                         STR_ARG(o->labels.items[i].name));
    return check_labels(o, o->line, o->labels, err);
}

static bool alerts_are_given(const struct objective *o, struct str name)
{
    bool given = has_label(o->watch.labels, name);
    for (size_t i = 0; i < o->tier_count && !given; i++)
        given = has_label(o->tiers[i].labels, name);
    return given;
}

/* A label that is given to all alerts takes the place of the one that tells the groups apart. */
int objective_check_groups(const struct objective *o, struct err *err)
{
    for (size_t i = 0; i < o->by_count; i++)
        if (alerts_are_given(o, o->by[i]))
            return wrong(
                o, o->line, err,
                "the label %.*s cannot tell groups apart, because alerts are given one of that name: "
                "name theirs differently",
                STR_ARG(o->by[i]));
    return 0;
}

/* ---- over which time ---- */

static int check_period(const struct objective *o, struct err *err)
{
    enum { DAYS_MAX = 100 * 365 };
    if (o->period.length_ms <= 0 || o->period.length_ms > DAYS_MAX * day_ms)
        return wrong(o, o->line, err, "the window must be more than nothing, and at most 100 years");
    if (o->slice_ms < MINUTE_MS || o->slice_ms % MINUTE_MS != 0 || day_ms % o->slice_ms != 0)
        return wrong(o, o->line, err,
                     "a slice must be a whole number of minutes that divides a day, such as 1m or 5m");
    if (o->period.length_ms % o->slice_ms != 0)
        return wrong(o, o->line, err, "the window must be a whole number of slices");
    return 0;
}

int objective_zone_check(const struct objective_set *set, struct str zone, struct err *err)
{
    struct arena arena;
    const struct zone *loaded;
    arena_init(&arena, 1 << 20);
    int rc = zone_load(set->world, &arena, zone, &loaded, err);
    arena_release(&arena);
    return rc;
}

/* ---- how the budget is spent ---- */

static bool is_share(struct fraction f)
{
    return f.numerator > 0 && f.numerator <= f.denominator;
}

static int check_slice_target(const struct objective *o, struct err *err)
{
    bool needed = o->budgeting == BUDGET_SLICES && o->indicator.kind != INDICATOR_THRESHOLD;
    bool given = o->slice_target.denominator != 0;
    if (needed && !given)
        return wrong(o, o->line, err,
                     "slices need a target: the share of good events that makes a slice good");
    if (given && !needed)
        return wrong(o, o->line, err,
                     "there is a target for slices, but no slices of events that it decides");
    if (given && !is_share(o->slice_target))
        return wrong(o, o->line, err, "the target for slices must be more than 0 and at most 100 percent");
    return 0;
}

static int check_budgeting(const struct objective *o, struct err *err)
{
    if (!is_share(o->target))
        return wrong(o, o->line, err, "the objective must be more than 0 and at most 100 percent");
    if (o->indicator.kind == INDICATOR_THRESHOLD && o->budgeting != BUDGET_SLICES)
        return wrong(o, o->line, err, "a threshold makes slices good or bad: only slices can be budgeted");
    if (o->indicator.kind == INDICATOR_RATIO && o->budgeting == BUDGET_EVENTS)
        return wrong(o, o->line, err, "a ratio has no events: only ratios or slices can be budgeted");
    return check_slice_target(o, err);
}

/* ---- tiers ---- */

static int check_windows(const struct objective *o, const struct objective_tier *t, struct err *err)
{
    if (t->short_ms <= 0 || t->short_ms >= t->long_ms)
        return wrong(o, t->line, err, "tier %.*s: its short window must be shorter than the long one",
                     STR_ARG(t->name));
    if (t->long_ms >= o->period.length_ms)
        return wrong(o, t->line, err, "tier %.*s: its long window must be shorter than the objective's",
                     STR_ARG(t->name));
    if (o->budgeting == BUDGET_SLICES && t->short_ms < o->slice_ms)
        return wrong(o, t->line, err, "tier %.*s: its short window is shorter than a slice",
                     STR_ARG(t->name));
    return 0;
}

static int check_tier(const struct objective *o, size_t i, struct err *err)
{
    const struct objective_tier *t = &o->tiers[i];
    for (size_t j = 0; j < i; j++)
        if (str_eq(o->tiers[j].name, t->name))
            return wrong(o, t->line, err, "there are two tiers of the name %.*s", STR_ARG(t->name));
    if (!is_name(t->name))
        return wrong(o, t->line, err, "\"%.*s\" is no name for a tier", STR_ARG(t->name));
    if (t->factor.numerator <= 0)
        return wrong(o, t->line, err, "tier %.*s: its factor must be more than 0", STR_ARG(t->name));
    int rc = check_windows(o, t, err);
    return rc == 0 ? check_labels(o, t->line, t->labels, err) : rc;
}

static int check_tiers(const struct objective *o, struct err *err)
{
    enum { TIERS_MAX = 32 };
    int rc = 0;
    if (o->tier_count > TIERS_MAX)
        return wrong(o, o->line, err, "there are more than %d tiers", TIERS_MAX);
    for (size_t i = 0; i < o->tier_count && rc == 0; i++)
        rc = check_tier(o, i, err);
    return rc;
}

static int check_watch(const struct objective *o, struct err *err)
{
    if (o->watch.no_data_ms != 0 && o->watch.no_data_ms < MINUTE_MS)
        return wrong(o, o->line, err, "no_data must be at least a minute, or 0s for never");
    return check_labels(o, o->line, o->watch.labels, err);
}

int objective_check(const struct objective *o, struct err *err)
{
    int rc = check_names(o, err);
    rc = rc == 0 ? check_own_labels(o, err) : rc;
    rc = rc == 0 ? objective_check_groups(o, err) : rc;
    rc = rc == 0 ? check_watch(o, err) : rc;
    rc = rc == 0 ? check_period(o, err) : rc;
    rc = rc == 0 ? check_budgeting(o, err) : rc;
    return rc == 0 ? check_tiers(o, err) : rc;
}

/* ---- default tiers ---- */

struct str objective_tier_name(struct arena *arena, enum tier_class class, int64_t long_ms)
{
    struct buf text;
    buf_init(&text, 64);
    buf_puts(&text, class == TIER_PAGE ? "page_" : "ticket_");
    duration_print(&text, long_ms);
    struct str name = str_copy(arena, buf_slice(&text));
    buf_release(&text);
    return name;
}

void objective_default_tiers(struct arena *arena, struct objective *o)
{
    enum { TIERS = 4 };
    o->tiers = objective_tiers_default(arena, o->period.length_ms);
    o->tier_count = 0;
    for (size_t i = 0; i < TIERS && o->tiers != NULL; i++)
        if (o->tiers[i].long_ms < o->period.length_ms)
            o->tiers[o->tier_count++] = o->tiers[i];
}
