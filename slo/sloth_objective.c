/* Sloth's objectives as the engine knows them. */
#include "slo_priv.h"

/* Sloth evaluates with the windows of its catalogue for 30 days, and with their factors as they are. */
static const struct slo_windows *windows_at(const struct slo_catalogue *c, size_t i)
{
    const struct slo_windows *all[] = {&c->page_quick, &c->page_slow, &c->ticket_quick, &c->ticket_slow};
    return all[i];
}

static int factor_of(const struct slo_catalogue *c, const struct slo_windows *w, struct fraction *out)
{
    return fraction_make((int64_t)w->budget_percent * c->period_ms, 100 * w->long_ms, out);
}

static int take_tier(struct objective_set *set, const struct slo *in, size_t i, struct objective_tier *tier)
{
    const struct slo_catalogue *c = slo_catalogue_of(INT64_C(30) * 24 * 60 * 60 * 1000);
    const struct slo_windows *w = windows_at(c, i);
    const struct slo_alert *alert = tier->class == TIER_PAGE ? &in->page : &in->ticket;
    tier->short_ms = w->short_ms;
    tier->long_ms = w->long_ms;
    tier->labels = slo_pairs_over(&set->arena, in->alert_labels, alert->labels);
    tier->annotations = alert->annotations;
    tier->line = in->line;
    return factor_of(c, w, &tier->factor);
}

static int take_tiers(struct objective_set *set, const struct slo *in, struct objective *o)
{
    enum { TIERS = 4 };
    struct objective_tier *all = objective_tiers_default(&set->arena, o->period.length_ms);
    int rc = 0;
    o->tiers = all;
    for (size_t i = 0; i < TIERS && all != NULL && rc == 0; i++) {
        bool disabled = all[i].class == TIER_PAGE ? in->page.disabled : in->ticket.disabled;
        rc = take_tier(set, in, i, &all[i]);
        if (!disabled)
            o->tiers[o->tier_count++] = all[i];
    }
    return rc;
}

static int take_indicator(struct arena *arena, const struct slo *in, struct objective *o, struct err *err)
{
    struct slo_look counted, total;
    bool events = in->indicator == SLO_BAD_OF_TOTAL;
    o->indicator.kind = events ? INDICATOR_BAD : INDICATOR_RATIO;
    o->indicator.counted = str_trim(in->error_query);
    o->indicator.total = events ? str_trim(in->total_query) : STR("");
    o->budgeting = events ? BUDGET_EVENTS : BUDGET_RATIOS;
    int rc = slo_query_look(arena, in->error_query, &counted, err);
    rc = rc == 0 && events ? slo_query_look(arena, in->total_query, &total, err) : rc;
    if (rc == 0)
        objective_take_grouping(o, &counted, events ? &total : NULL);
    return rc;
}

static int take_slo(struct objective_set *set, const struct slo *in, struct str file, struct err *err)
{
    struct objective *o = objective_add(set, file);
    if (o == NULL)
        return 0;
    objective_name(&set->arena, o, in->service, in->name);
    o->line = in->line;
    o->description = in->description;
    o->labels = in->labels;
    o->annotations = in->alert_annotations;
    o->watch.labels = in->alert_labels;
    o->compat = COMPAT_SLOTH;
    if (in->alert_name.n > 0)
        o->alert_name = in->alert_name;
    int rc = objective_percent(in->objective_text, &o->target, err);
    rc = rc == 0 ? take_indicator(&set->arena, in, o, err) : rc;
    rc = rc == 0 ? take_tiers(set, in, o) : rc;
    if (rc != 0) {
        err_prefix(err, "SLO \"%.*s\": ", STR_ARG(in->name));
        err->line = in->line;
        return rc;
    }
    return objective_check_groups(o, err);
}

int objective_read_sloth(struct objective_set *set, const struct tree *root, struct str file, struct err *err)
{
    struct slo_document document = {0};
    int rc = slo_document_read(&set->arena, root, &document, err);
    for (size_t i = 0; i < document.count && rc == 0; i++)
        rc = take_slo(set, &document.slos[i], file, err);
    return rc;
}
