/* What is left of a budget. */
#include "ledger_priv.h"

#define PACE_MS LEDGER_DAY_MS
#define FAR_MS (1000 * 366 * LEDGER_DAY_MS) /* who asks for later gets "never" */

/* What a stretch of time weighs and spent, in the unit of the objective's budgeting. */
struct reckoning {
    struct ledger_sum sum;
    double spent, weight;
    double budget;   /* what `weight` allows, by the targets of its time */
    double schedule; /* what all slices there should be would allow, each weighing one */
};

static double budget_share(const struct ledger_terms *terms)
{
    struct fraction t = terms->target;
    return (double)(t.denominator - t.numerator) / (double)t.denominator;
}

static double spent_of(enum budgeting budgeting, const struct ledger_sum *sum)
{
    return budgeting == BUDGET_EVENTS   ? sum->bad
           : budgeting == BUDGET_SLICES ? (double)sum->bad_slices
                                        : sum->shares;
}

static double weight_of(enum budgeting budgeting, const struct ledger_sum *sum)
{
    return budgeting == BUDGET_EVENTS   ? sum->total
           : budgeting == BUDGET_SLICES ? (double)sum->known
                                        : (double)sum->weighed;
}

static void reckon(struct ledger *ledger, enum budgeting budgeting, int64_t from_ms, int64_t to_ms,
                   struct reckoning *out)
{
    struct tally all = {0};
    *out = (struct reckoning){.spent = 0};
    for (size_t i = 0; i < ledger->count; i++) {
        struct ledger_epoch *epoch = &ledger->epochs[i];
        double share = budget_share(&epoch->terms);
        struct tally one = {0};
        struct ledger_sum sum;
        ledger_tally(ledger, epoch, from_ms, to_ms, &one);
        tally_add(&all, &one);
        tally_finish(&one, &sum);
        out->budget += share * weight_of(budgeting, &sum);
        out->schedule += share * (double)sum.expected;
    }
    tally_finish(&all, &out->sum);
    out->spent = spent_of(budgeting, &out->sum);
    out->weight = weight_of(budgeting, &out->sum);
}

/* Since when slices have been counted in the unit they are counted in now. */
static int64_t comparable_from_ms(const struct ledger *ledger, const struct ledger_epoch *now)
{
    while (now > ledger->epochs && (now - 1)->terms.budgeting == now->terms.budgeting &&
           (now - 1)->terms.events == now->terms.events)
        now--;
    return now->from_ms;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- the question, while it is answered ---- */

struct question {
    struct ledger *ledger;
    const struct period *period;
    const struct ledger_epoch *epoch;
    enum budgeting budgeting;
    int64_t from_ms, at_ms, to_ms;
    int64_t since_ms; /* nothing before is looked at */
    struct reckoning so_far;
    double rest_slices; /* of the period */
};

static void look_at(const struct question *q, int64_t length_ms, struct reckoning *out)
{
    reckon(q->ledger, q->budgeting, later(q->at_ms - length_ms, q->since_ms), q->at_ms, out);
}

static double allowed_of(const struct question *q)
{
    struct reckoning usual, whole;
    double rest = 0;
    if (q->budgeting == BUDGET_SLICES) {
        reckon(q->ledger, q->budgeting, q->from_ms, q->to_ms, &whole);
        return floor(whole.schedule + 1e-9);
    }
    look_at(q, q->period->length_ms, &usual);
    if (usual.sum.known > 0)
        rest = q->rest_slices * usual.weight / (double)usual.sum.known;
    return q->so_far.budget + budget_share(&q->epoch->terms) * rest;
}

/* How long `left` lasts at the pace of a stretch; -1: longer than the period, or for ever. */
static int64_t lasts_ms(const struct question *q, const struct reckoning *pace, double left)
{
    double a_slice = pace->sum.known > 0 ? pace->spent / (double)pace->sum.known : 0;
    if (left <= 0 && q->so_far.spent > 0)
        return 0;
    if (a_slice <= 0)
        return -1;
    double most_ms = q->period->unit == PERIOD_ROLLING ? (double)FAR_MS : (double)(q->to_ms - q->at_ms);
    double ms = left / a_slice * (double)q->epoch->terms.slice_ms;
    return ms <= most_ms ? (int64_t)ms : -1;
}

static double burn_of(const struct reckoning *r)
{
    return r->budget > 0 ? r->spent / r->budget : 0;
}

static void fill_window(const struct question *q, double left, struct ledger_window *window)
{
    struct reckoning r;
    look_at(q, window->length_ms, &r);
    *window = (struct ledger_window){.length_ms = window->length_ms, .exhausted_in_ms = -1};
    if (r.weight <= 0)
        return;
    window->known = true;
    window->error_ratio = r.spent / r.weight;
    window->burn = burn_of(&r);
    window->exhausted_in_ms = lasts_ms(q, &r, left);
}

static double share_of(double spent, double allowed)
{
    if (allowed > 0)
        return spent / allowed;
    return spent > 0 ? 1 : 0;
}

static void fill_forecast(const struct question *q, struct ledger_figures *out)
{
    struct reckoning pace;
    look_at(q, PACE_MS, &pace);
    double a_slice = pace.sum.known > 0 ? pace.spent / (double)pace.sum.known : 0;
    out->pace_burn = burn_of(&pace);
    out->exhausted_in_ms = lasts_ms(q, &pace, out->allowed - out->spent);
    if (q->period->unit == PERIOD_ROLLING)
        out->forecast = pace.budget > 0 ? 1 - out->pace_burn : out->remaining;
    else
        out->forecast = 1 - share_of(out->spent + a_slice * q->rest_slices, out->allowed);
}

static double part_of(int64_t known, int64_t expected)
{
    return expected > 0 ? (double)known / (double)expected : 0;
}

static void fill_coverage(const struct question *q, struct ledger_figures *out)
{
    struct ledger_sum since;
    ledger_sum(q->ledger, later(q->from_ms, q->ledger->began_ms), q->at_ms, &since);
    out->coverage = part_of(since.known, since.expected);
    out->period_coverage = part_of(out->sum.known, out->sum.expected);
    out->standing = q->so_far.weight <= 0        ? BUDGET_UNKNOWN
                    : out->period_coverage < 0.5 ? BUDGET_PARTIAL
                                                 : BUDGET_KNOWN;
}

static void fill_budget(const struct question *q, struct ledger_figures *out)
{
    out->sli = 1 - q->so_far.spent / q->so_far.weight;
    out->allowed = allowed_of(q);
    out->spent = q->so_far.spent;
    out->consumed = share_of(out->spent, out->allowed);
    out->remaining = 1 - out->consumed;
    out->exhausted = out->spent > 0 && out->spent >= out->allowed;
    out->tells_remaining = out->standing == BUDGET_KNOWN || out->spent > 0;
    fill_forecast(q, out);
}

void ledger_figures(struct ledger *ledger, const struct period *period, const struct zone *zone,
                    int64_t at_ms, struct ledger_window *windows, size_t window_count,
                    struct ledger_figures *out)
{
    struct ledger_sum rest;
    struct question q = {
        .ledger = ledger, .period = period, .epoch = ledger_epoch_of(ledger, at_ms - 1), .at_ms = at_ms};
    q.budgeting = q.epoch->terms.budgeting;
    period_bounds(period, zone, period->unit == PERIOD_ROLLING ? at_ms : at_ms - 1, &q.from_ms, &q.to_ms);
    *out = (struct ledger_figures){
        .from_ms = q.from_ms, .to_ms = q.to_ms, .at_ms = at_ms, .exhausted_in_ms = -1};
    q.since_ms = comparable_from_ms(ledger, q.epoch);
    q.from_ms = later(q.from_ms, q.since_ms);
    reckon(ledger, q.budgeting, q.from_ms, at_ms, &q.so_far);
    ledger_sum(ledger, at_ms, q.to_ms, &rest);
    q.rest_slices = (double)rest.expected;
    out->sum = q.so_far.sum;
    fill_coverage(&q, out);
    if (out->standing != BUDGET_UNKNOWN)
        fill_budget(&q, out);
    for (size_t i = 0; i < window_count; i++)
        fill_window(&q, out->allowed - out->spent, &windows[i]);
}
