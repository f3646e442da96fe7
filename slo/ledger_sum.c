/* What slices come to, with what is laid over them. */
#include "ledger_priv.h"

/* ---- what is laid over a slice ---- */

static bool overlap(int64_t a_from, int64_t a_to, int64_t b_from, int64_t b_to)
{
    return a_from < b_to && b_from < a_to;
}

/* All last equally long, so the last that begins before the end is the one that ends last. */
static bool in_maintenance(const struct maintenance *m, int64_t from_ms, int64_t to_ms)
{
    int64_t begins_ms = m->start_ms;
    if (begins_ms >= to_ms)
        return false;
    if (m->every_ms > 0)
        begins_ms += (to_ms - 1 - begins_ms) / m->every_ms * m->every_ms;
    return overlap(begins_ms, begins_ms + m->length_ms, from_ms, to_ms);
}

enum ledger_change overlay_at(const struct ledger_overlay *overlay, int64_t begin_ms, int64_t end_ms)
{
    for (size_t i = overlay->correction_count; i-- > 0;) {
        const struct ledger_correction *c = &overlay->corrections[i];
        if (overlap(c->from_ms, c->to_ms, begin_ms, end_ms))
            return c->change;
    }
    for (size_t i = 0; i < overlay->maintenance_count; i++)
        if (in_maintenance(&overlay->maintenance[i], begin_ms, end_ms))
            return CHANGE_MAINTENANCE;
    return CHANGE_NONE;
}

bool overlay_touches(const struct ledger_overlay *overlay, int64_t from_ms, int64_t to_ms)
{
    for (size_t i = 0; i < overlay->correction_count; i++)
        if (overlap(overlay->corrections[i].from_ms, overlay->corrections[i].to_ms, from_ms, to_ms))
            return true;
    for (size_t i = 0; i < overlay->maintenance_count; i++)
        if (in_maintenance(&overlay->maintenance[i], from_ms, to_ms))
            return true;
    return false;
}

void ledger_lay(struct ledger *ledger, const struct ledger_overlay *overlay)
{
    static const struct ledger_overlay nothing;
    ledger->overlay = overlay != NULL ? *overlay : nothing;
    for (size_t i = 0; i < ledger->count; i++)
        for (size_t d = 0; d < ledger->epochs[i].count; d++)
            ledger->epochs[i].days[d].summed = false;
}

enum ledger_change ledger_change_at(const struct ledger *ledger, int64_t begin_ms)
{
    int64_t slice_ms = ledger_epoch_of(ledger, begin_ms)->terms.slice_ms;
    return overlay_at(&ledger->overlay, begin_ms, begin_ms + slice_ms);
}

/* ---- slice by slice ---- */

static bool is_bad(const struct ledger_terms *terms, double bad, double total)
{
    struct fraction t = terms->slice_target;
    if (t.numerator <= 0 || t.denominator <= 0)
        return bad > 0;
    return (long double)(total - bad) * (long double)t.denominator <
           (long double)t.numerator * (long double)total;
}

static void add_known(struct tally *to, const struct ledger_terms *terms, double bad, double total)
{
    to->known++;
    kahan_add(&to->bad, bad);
    kahan_add(&to->total, total);
    if (total > 0) {
        to->weighed++;
        kahan_add(&to->shares, bad / total);
        to->bad_slices += is_bad(terms, bad, total);
    }
}

/* Without events there was something bad all the same. */
static void add_charged(struct tally *to, struct counted raw)
{
    to->known++;
    to->weighed++;
    to->bad_slices++;
    kahan_add(&to->shares, 1);
    kahan_add(&to->bad, raw.total);
    kahan_add(&to->total, raw.total);
}

static void add_slice(struct tally *to, const struct ledger_terms *terms, struct counted raw, uint8_t flags,
                      enum ledger_change change)
{
    bool known = (flags & SLICE_KNOWN) != 0;
    to->odd += (flags & SLICE_ODD) != 0;
    if (change == CHANGE_EXCLUDE || change == CHANGE_MAINTENANCE) {
        to->excluded++;
        return;
    }
    to->expected++;
    if (change == CHANGE_CHARGE)
        add_charged(to, known || terms->events ? raw : (struct counted){1, 1});
    else if (known)
        add_known(to, terms, change == CHANGE_FORGIVE ? 0 : raw.bad, raw.total);
}

static void add_slices(const struct ledger *ledger, const struct ledger_epoch *epoch,
                       const struct ledger_day *day, int64_t number, size_t from, size_t to,
                       struct tally *out)
{
    int64_t slice_ms = epoch->terms.slice_ms, begin_ms = number * LEDGER_DAY_MS;
    bool touched = overlay_touches(&ledger->overlay, begin_ms + (int64_t)from * slice_ms,
                                   begin_ms + (int64_t)to * slice_ms);
    if (day == NULL && !touched) {
        out->expected += (int64_t)(to - from);
        return;
    }
    for (size_t i = from; i < to; i++) {
        int64_t at_ms = begin_ms + (int64_t)i * slice_ms;
        struct counted raw = day != NULL ? day->counts[i] : (struct counted){0, 0};
        add_slice(out, &epoch->terms, raw, day != NULL ? day->flags[i] : 0,
                  touched ? overlay_at(&ledger->overlay, at_ms, at_ms + slice_ms) : CHANGE_NONE);
    }
}

/* ---- day by day ---- */

void tally_add(struct tally *to, const struct tally *more)
{
    kahan_add(&to->bad, more->bad.sum);
    kahan_add(&to->bad, more->bad.rest);
    kahan_add(&to->total, more->total.sum);
    kahan_add(&to->total, more->total.rest);
    kahan_add(&to->shares, more->shares.sum);
    kahan_add(&to->shares, more->shares.rest);
    to->weighed += more->weighed;
    to->expected += more->expected;
    to->known += more->known;
    to->excluded += more->excluded;
    to->bad_slices += more->bad_slices;
    to->odd += more->odd;
}

static void add_day(const struct ledger *ledger, const struct ledger_epoch *epoch, int64_t number,
                    size_t from, size_t to, struct tally *out)
{
    struct ledger_day *day = ledger_day_of(epoch, number);
    if (day == NULL || to - from < slices_a_day(&epoch->terms)) {
        add_slices(ledger, epoch, day, number, from, to, out);
        return;
    }
    if (!day->summed) {
        day->sum = (struct tally){0};
        add_slices(ledger, epoch, day, number, from, to, &day->sum);
        day->summed = true;
    }
    tally_add(out, &day->sum);
}

void ledger_tally(struct ledger *ledger, struct ledger_epoch *epoch, int64_t from_ms, int64_t to_ms,
                  struct tally *to)
{
    int64_t slice_ms = epoch->terms.slice_ms, until_ms = ledger_epoch_until_ms(ledger, epoch);
    int64_t a_day = (int64_t)slices_a_day(&epoch->terms);
    from_ms = from_ms > epoch->from_ms ? from_ms : epoch->from_ms;
    to_ms = to_ms < until_ms ? to_ms : until_ms;
    int64_t first = ceil_div(from_ms, slice_ms), end = ceil_div(to_ms, slice_ms);
    while (first < end) {
        int64_t day = floor_div(first, a_day), next = (day + 1) * a_day;
        int64_t stop = next < end ? next : end;
        add_day(ledger, epoch, day, (size_t)(first - day * a_day), (size_t)(stop - day * a_day), to);
        first = stop;
    }
}

void tally_finish(const struct tally *tally, struct ledger_sum *out)
{
    *out = (struct ledger_sum){.bad = kahan_sum(&tally->bad),
                               .total = kahan_sum(&tally->total),
                               .shares = kahan_sum(&tally->shares),
                               .weighed = tally->weighed,
                               .expected = tally->expected,
                               .known = tally->known,
                               .excluded = tally->excluded,
                               .bad_slices = tally->bad_slices,
                               .odd = tally->odd};
}

void ledger_sum(struct ledger *ledger, int64_t from_ms, int64_t to_ms, struct ledger_sum *out)
{
    struct tally all = {0};
    for (size_t i = 0; i < ledger->count; i++)
        ledger_tally(ledger, &ledger->epochs[i], from_ms, to_ms, &all);
    tally_finish(&all, out);
}
