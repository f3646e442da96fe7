/* What an objective of Pyrra's may say, and mean something by it. */
#include "pyrra_priv.h"

#include "tocsin/promql_parse.h"

/* ---- selectors ---- */

static const char no_selector[] = "must be the name of a metric, with matchers in braces or without, such as "
                                  "http_requests_total{job=\"api\"}";

static bool is_plain(const struct expr *e)
{
    return e->kind == EXPR_SELECTOR && !e->selector.is_range && e->selector.name.n > 0 &&
           e->selector.shift.at == AT_NONE && e->selector.shift.offset == NULL &&
           metric_name_is_classic(e->selector.name);
}

/* The matchers without their compiled expressions, which go with the tree. */
static int take_matchers(struct arena *arena, const struct expr *e, struct pyrra_selector *out)
{
    out->name = e->selector.name;
    out->count = 0;
    out->matchers = ARENA_ARRAY(arena, struct matcher, e->selector.matcher_count);
    if (out->matchers == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < e->selector.matcher_count; i++) {
        const struct matcher *m = &e->selector.matchers[i];
        if (!str_is(m->name, "__name__"))
            out->matchers[out->count++] = (struct matcher){.op = m->op, .name = m->name, .value = m->value};
    }
    return 0;
}

int pyrra_selector_parse(struct arena *arena, struct str text, struct pyrra_selector *out, struct err *err)
{
    struct expr *e;
    int rc = promql_parse(arena, text, &promql_features_default, &e, err);
    if (rc != 0)
        return rc;
    rc = is_plain(e) ? take_matchers(arena, e, out) : err_set(err, ERR_PARSE, no_selector);
    promql_free(e);
    return rc;
}

static const struct matcher *find(const struct pyrra_selector *selector, const char *name)
{
    for (size_t i = 0; i < selector->count; i++)
        if (str_is(selector->matchers[i].name, name))
            return &selector->matchers[i];
    return NULL;
}

/* ---- what is wrong ---- */

static int wrong(const struct pyrra_objective *o, int line, struct err *err, const char *what)
{
    return err_at(err, ERR_PARSE, line, 0, "SLO \"%.*s\": %s", STR_ARG(o->name), what);
}

/* The line of a field, or of the nearest thing around it. */
static int line_of(const struct tree *root, const char *first, const char *second)
{
    const struct tree *outer = tree_get(root, first), *inner = tree_get(outer, second);
    return inner != NULL ? inner->line : outer != NULL ? outer->line : root->line;
}

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

/* The name stands in queries and in a URL. */
static int check_name(const struct pyrra_objective *o, const struct tree *root, struct err *err)
{
    if (o->name.n == 0)
        return err_at(err, ERR_PARSE, line_of(root, "metadata", "name"), 0, "metadata.name is missing");
    if (!is_name(o->name))
        return wrong(
            o, line_of(root, "metadata", "name"), err,
            "metadata.name must be letters, digits, '-', '_' or '.', and begin and end with a letter or "
            "digit");
    return 0;
}

static const char reserved[] = "the label slo is set by the generated rules; name yours differently";

static int check_labels(const struct pyrra_objective *o, const struct tree *root, struct err *err)
{
    for (size_t i = 0; i < o->rule_labels.count; i++) {
        struct str name = o->rule_labels.items[i].name;
        if (str_is(name, "slo"))
            return wrong(o, line_of(root, "metadata", "labels"), err, reserved);
        if (!label_name_is_valid(name) || str_is(name, "__name__"))
            return wrong(o, line_of(root, "metadata", "labels"), err,
                         "what follows pyrra.dev/ must be the name of a label");
    }
    for (size_t i = 0; i < o->rule_annotations.count; i++)
        if (!label_name_is_valid(o->rule_annotations.items[i].name))
            return wrong(o, line_of(root, "metadata", "annotations"), err,
                         "what follows pyrra.dev/ must be the name of an annotation");
    if (find(&o->total, "slo") != NULL || find(&o->counted, "slo") != NULL)
        return wrong(o, line_of(root, "spec", "indicator"), err, reserved);
    return 0;
}

/* It would take the place of the group's own on alerts, and then two groups cannot alert at a time. */
static int check_hidden(const struct pyrra_objective *o, struct str name, int line, struct err *err)
{
    for (size_t i = 0; i < o->rule_labels.count; i++)
        if (str_eq(o->rule_labels.items[i].name, name))
            return err_at(
                err, ERR_PARSE, line, 0,
                "SLO \"%.*s\": is grouped by %.*s, which its label pyrra.dev/%.*s would hide on alerts",
                STR_ARG(o->name), STR_ARG(name), STR_ARG(name));
    return 0;
}

static int check_grouping(const struct pyrra_objective *o, int line, struct err *err)
{
    for (size_t i = 0; i < o->grouping.count; i++) {
        struct str name = o->grouping.items[i];
        if (check_hidden(o, name, line, err) != 0)
            return ERR_PARSE;
        if (!label_name_is_classic(name) || str_is(name, "__name__"))
            return wrong(o, line, err, "grouping must be names of labels");
        if (str_is(name, "slo"))
            return wrong(o, line, err, reserved);
        for (size_t j = 0; j < i; j++)
            if (str_eq(name, o->grouping.items[j]))
                return err_at(err, ERR_PARSE, line, 0, "SLO \"%.*s\": grouping names %.*s twice",
                              STR_ARG(o->name), STR_ARG(name));
    }
    return 0;
}

static bool is_bound(struct str text)
{
    struct fraction value;
    return str_is(text, "+Inf") || fraction_parse(text, &value, NULL) == 0;
}

static int check_latency(struct pyrra_objective *o, int line, struct err *err)
{
    const struct matcher *le = find(&o->counted, "le");
    if (le == NULL || le->op != MATCH_EQUAL || !is_bound(le->value))
        return wrong(o, line, err,
                     "latency.success.metric must say which bucket it is, by le=\"NUMBER\" in its braces");
    if (find(&o->total, "le") != NULL)
        return wrong(
            o, line, err,
            "latency.total.metric must not ask for le: both would be recorded as the same series; take "
            "the histogram's _count");
    o->le = le->value;
    return 0;
}

/* Both would be recorded under one name, so that one takes the other's place. */
static int check_recorded(const struct pyrra_objective *o, int line, struct err *err)
{
    struct str total = pyrra_increase_name(o->total.name), errors = pyrra_increase_name(o->counted.name);
    if (str_eq(o->total.name, o->counted.name) || !str_eq(total, errors))
        return 0;
    return err_at(err, ERR_PARSE, line, 0,
                  "SLO \"%.*s\": %.*s and %.*s would be recorded under one name; take one of them for both",
                  STR_ARG(o->name), STR_ARG(o->total.name), STR_ARG(o->counted.name));
}

static int check_strategy(const struct pyrra_objective *o, const struct tree *root, struct err *err)
{
    if (o->partial_response.n == 0 || str_is(o->partial_response, "abort") ||
        str_is(o->partial_response, "warn"))
        return 0;
    return wrong(o, line_of(root, "spec", "partial_response_strategy"), err,
                 "partial_response_strategy must be abort or warn");
}

int pyrra_check(struct pyrra_objective *o, const struct tree *root, struct err *err)
{
    int line = line_of(root, "spec", "indicator");
    int rc = check_name(o, root, err);
    rc = rc == 0 ? check_labels(o, root, err) : rc;
    rc = rc == 0 ? check_grouping(o, line, err) : rc;
    rc = rc == 0 ? check_strategy(o, root, err) : rc;
    if (rc == 0 && o->kind == PYRRA_LATENCY)
        rc = check_latency(o, line, err);
    if (rc == 0 && o->kind == PYRRA_RATIO)
        rc = check_recorded(o, line, err);
    return rc;
}

/* ---- what is doubtful ---- */

struct doubts {
    const struct pyrra_objective *o;
    struct str file;
    struct buf *out;
};

static void say(struct doubts *d, const char *form, ...) __attribute__((format(printf, 2, 3)));
static void say(struct doubts *d, const char *form, ...)
{
    va_list args;
    buf_format(d->out, "%.*s:%d: SLO \"%.*s\": ", STR_ARG(d->file), d->o->line, STR_ARG(d->o->name));
    va_start(args, form);
    buf_vformat(d->out, form, args);
    va_end(args);
    buf_char(d->out, '\n');
}

static bool selectors_equal(const struct pyrra_selector *a, const struct pyrra_selector *b)
{
    bool equal = str_eq(a->name, b->name) && a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = matcher_equal(&a->matchers[i], &b->matchers[i]);
    return equal;
}

static void doubt_metrics(struct doubts *d)
{
    const struct pyrra_objective *o = d->o;
    if (o->kind == PYRRA_RATIO && selectors_equal(&o->total, &o->counted))
        say(d, "errors and total are the same, so that every event is an error");
    if (o->kind != PYRRA_LATENCY)
        return;
    if (!str_ends(o->total.name, STR("_count")))
        say(d, "latency.total.metric %.*s is usually a histogram's _count", STR_ARG(o->total.name));
    if (!str_ends(o->counted.name, STR("_bucket")))
        say(d, "latency.success.metric %.*s is usually a histogram's _bucket", STR_ARG(o->counted.name));
}

static void doubt_windows(struct doubts *d)
{
    enum { MINUTE_MS = 60 * 1000 };
    static const char *const names[PYRRA_TIERS] = {"fast", "medium", "slow", "long-term"};
    struct pyrra_window windows[PYRRA_TIERS];
    pyrra_windows(d->o->window_ms, windows);
    if (windows[0].short_ms <= MINUTE_MS)
        say(d, "its shortest range is 1m, which needs a sample every 15s or so");
    for (size_t i = 0; i < PYRRA_TIERS && d->o->burn_alerts; i++) {
        double limit = windows[i].factor * (1 - d->o->target);
        if (limit >= 1)
            say(d, "its alert for a %s burn never fires: no ratio of errors is over %g", names[i], limit);
        if (windows[i].for_ms == 0)
            say(d, "its alert for a %s burn does not wait (for: 0s), as with all windows below 7d", names[i]);
    }
}

/* A recorded ratio has no such label; != to another value holds of it nevertheless. */
static void doubt_matchers(struct doubts *d)
{
    const struct pyrra_objective *o = d->o;
    for (size_t i = 0; i < o->total.count; i++) {
        const struct matcher *m = &o->total.matchers[i];
        bool grouped = false;
        for (size_t j = 0; j < o->grouping.count; j++)
            grouped |= str_eq(m->name, o->grouping.items[j]);
        if (m->op == MATCH_NOT_EQUAL && m->value.n == 0 && !grouped)
            say(d,
                "its alerts never fire: they look for %.*s!=\"\", which recorded ratios have not; group by "
                "%.*s",
                STR_ARG(m->name), STR_ARG(m->name));
    }
}

void pyrra_warn(const struct pyrra_objective *objective, struct str file, bool generic, struct buf *out)
{
    struct doubts d = {objective, file, out};
    if (objective->target < 0.01)
        say(&d, "target is in percent, so \"%.*s\" is less than one of a hundred",
            STR_ARG(objective->target_percent));
    doubt_metrics(&d);
    doubt_matchers(&d);
    doubt_windows(&d);
    if (generic && objective->grouping.count > 0 && objective->kind != PYRRA_LATENCY_NATIVE)
        say(&d, "has a grouping, of which there are no generic rules");
}
