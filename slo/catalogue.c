/* Which windows alerts look at, for which period. */
#include "slo_priv.h"

#include "tocsin/limits.h"

#include <stddef.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

/* The SRE workbook's, for which 2 % of 30 days in an hour are a burn rate of 14.4. */
#define WORKBOOK(days)                                                                           \
    {                                                                                            \
        (int64_t)(days) * DAY_MS, {2, 5 * MINUTE_MS, HOUR_MS}, {5, 30 * MINUTE_MS, 6 * HOUR_MS}, \
            {10, 2 * HOUR_MS, DAY_MS}, {10, 6 * HOUR_MS, 3 * DAY_MS},                            \
    }

const struct slo_catalogue *slo_catalogue_of(int64_t period_ms)
{
    static const struct slo_catalogue known[] = {WORKBOOK(28), WORKBOOK(30)};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].period_ms == period_ms)
            return &known[i];
    return NULL;
}

/* From left to right, as Sloth computes it: the digits are printed. */
double slo_burn_factor(const struct slo_catalogue *catalogue, const struct slo_windows *windows)
{
    double period_hours = (double)catalogue->period_ms / HOUR_MS,
           long_hours = (double)windows->long_ms / HOUR_MS;
    return windows->budget_percent * period_hours / 100 / long_hours;
}

/* ---- reading ---- */

static const struct strict_field windows_fields[] = {
    {"errorBudgetPercent", strict_f64, offsetof(struct slo_windows, budget_percent)},
    {"shortWindow", strict_duration_ms, offsetof(struct slo_windows, short_ms)},
    {"longWindow", strict_duration_ms, offsetof(struct slo_windows, long_ms)},
    {NULL, NULL, 0},
};

static void read_windows(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1.Window", windows_fields, target);
}

static const struct strict_field page_fields[] = {
    {"quick", read_windows, offsetof(struct slo_catalogue, page_quick)},
    {"slow", read_windows, offsetof(struct slo_catalogue, page_slow)},
    {NULL, NULL, 0},
};
static const struct strict_field ticket_fields[] = {
    {"quick", read_windows, offsetof(struct slo_catalogue, ticket_quick)},
    {"slow", read_windows, offsetof(struct slo_catalogue, ticket_slow)},
    {NULL, NULL, 0},
};

static void read_page(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1.PageWindow", page_fields, target);
}

static void read_ticket(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1.TicketWindow", ticket_fields, target);
}

static const struct strict_field spec_fields[] = {
    {"sloPeriod", strict_duration_ms, offsetof(struct slo_catalogue, period_ms)},
    {"page", read_page, 0},
    {"ticket", read_ticket, 0},
    {NULL, NULL, 0},
};

static void read_spec(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1.Spec", spec_fields, target);
}

static const struct strict_field file_fields[] = {
    {"kind", strict_skip, 0}, {"apiVersion", strict_skip, 0}, {"spec", read_spec, 0}, {NULL, NULL, 0}};

/* ---- checks ---- */

static int check_windows(const struct slo_catalogue *c, const struct slo_windows *w, const char *which,
                         struct err *err)
{
    if (w->short_ms <= 0 || w->long_ms <= w->short_ms)
        return err_set(err, ERR_PARSE,
                       "%s: longWindow must be longer than shortWindow, and both must be there", which);
    if (!(w->budget_percent > 0 && w->budget_percent <= 100))
        return err_set(err, ERR_PARSE, "%s: errorBudgetPercent must be more than 0 and at most 100", which);
    if (w->long_ms >= c->period_ms)
        return err_set(err, ERR_PARSE, "%s: longWindow must be shorter than sloPeriod", which);
    return 0;
}

static int check_catalogue(const struct slo_catalogue *c, struct err *err)
{
    if (c->period_ms <= 0)
        return err_set(err, ERR_PARSE, "sloPeriod is missing");
    int rc = check_windows(c, &c->page_quick, "page.quick", err);
    rc = rc == 0 ? check_windows(c, &c->page_slow, "page.slow", err) : rc;
    rc = rc == 0 ? check_windows(c, &c->ticket_quick, "ticket.quick", err) : rc;
    return rc == 0 ? check_windows(c, &c->ticket_slow, "ticket.slow", err) : rc;
}

static int read_catalogue(struct arena *arena, const struct tree *root, struct slo_catalogue *out,
                          struct err *err)
{
    struct strict s;
    const struct tree *kind = tree_get(root, "kind");
    if (kind == NULL || !str_is(kind->text, "AlertWindows"))
        return err_set(err, ERR_PARSE, "no `kind: AlertWindows`");
    strict_init(&s, arena);
    strict_struct(&s, root, "v1.AlertWindows", file_fields, out);
    int rc = strict_result(&s, err);
    strict_release(&s);
    return rc == 0 ? check_catalogue(out, err) : rc;
}

int slo_catalogue_parse(struct str text, struct slo_catalogue *out, struct err *err)
{
    struct arena arena;
    struct tree *root;
    *out = (struct slo_catalogue){0};
    arena_init(&arena, (size_t)limits.generation_arena_bytes);
    int rc = yaml_parse(&arena, text, &root, err);
    rc = rc == 0 ? read_catalogue(&arena, root, out, err) : rc;
    arena_release(&arena);
    return rc;
}
