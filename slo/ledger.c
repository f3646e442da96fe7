/* Slices, in days, in epochs. */
#include "ledger_priv.h"

#include <string.h>

/* ---- what was found ---- */

static struct ledger_slice not_known(bool odd)
{
    return (struct ledger_slice){.odd = odd};
}

struct ledger_slice ledger_slice_events(double bad, double total)
{
    if (!isfinite(total) || !isfinite(bad) || total < 0)
        return not_known(!isnan(total) && !isnan(bad));
    bool odd = bad < 0 || bad > total;
    double within = bad < 0 ? 0 : bad > total ? total : bad;
    return (struct ledger_slice){.bad = within + 0.0, .total = total + 0.0, .known = true, .odd = odd};
}

/* What is no number is 0/0: nothing came. Infinite are errors of nothing. */
struct ledger_slice ledger_slice_share(double share)
{
    return ledger_slice_events(share, 1);
}

struct ledger_slice ledger_slice_verdict(bool bad)
{
    return (struct ledger_slice){.bad = bad, .total = 1, .known = true};
}

bool ledger_terms_equal(const struct ledger_terms *a, const struct ledger_terms *b)
{
    return a->target.numerator == b->target.numerator && a->target.denominator == b->target.denominator &&
           a->slice_target.numerator == b->slice_target.numerator &&
           a->slice_target.denominator == b->slice_target.denominator && a->budgeting == b->budgeting &&
           a->events == b->events && a->slice_ms == b->slice_ms && a->meaning == b->meaning;
}

/* ---- days ---- */

static size_t day_place(const struct ledger_epoch *epoch, int64_t day)
{
    size_t low = 0, high = epoch->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (epoch->days[middle].day < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct ledger_day *ledger_day_of(const struct ledger_epoch *epoch, int64_t day)
{
    size_t at = day_place(epoch, day);
    return at < epoch->count && epoch->days[at].day == day ? &epoch->days[at] : NULL;
}

struct ledger_day *ledger_day_need(struct ledger_epoch *epoch, int64_t day)
{
    size_t at = day_place(epoch, day), slices = slices_a_day(&epoch->terms);
    if (at < epoch->count && epoch->days[at].day == day)
        return &epoch->days[at];
    MEM_GROW(epoch->days, epoch->count, epoch->capacity);
    memmove(&epoch->days[at + 1], &epoch->days[at], (epoch->count - at) * sizeof *epoch->days);
    epoch->count++;
    epoch->days[at] = (struct ledger_day){
        .day = day, .counts = MEM_ARRAY(struct counted, slices), .flags = MEM_ARRAY(uint8_t, slices)};
    return &epoch->days[at];
}

static void free_days(struct ledger_epoch *epoch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mem_free(epoch->days[i].counts);
        mem_free(epoch->days[i].flags);
    }
    epoch->count -= count;
    if (epoch->count > 0)
        memmove(epoch->days, &epoch->days[count], epoch->count * sizeof *epoch->days);
}

/* ---- epochs ---- */

struct ledger *ledger_new(void)
{
    struct ledger *ledger = MEM_NEW(struct ledger);
    ledger->began_ms = INT64_MAX;
    return ledger;
}

static void drop_last_epoch(struct ledger *ledger)
{
    struct ledger_epoch *last = &ledger->epochs[--ledger->count];
    free_days(last, last->count);
    mem_free(last->days);
}

void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    while (ledger->count > 0)
        drop_last_epoch(ledger);
    mem_free(ledger->epochs);
    mem_free(ledger);
}

static int64_t first_known_ms(const struct ledger *ledger, const struct ledger_epoch *epoch)
{
    int64_t until_ms = ledger_epoch_until_ms(ledger, epoch);
    for (size_t d = 0; d < epoch->count; d++) {
        for (size_t i = 0; i < slices_a_day(&epoch->terms); i++) {
            int64_t begin_ms = epoch->days[d].day * LEDGER_DAY_MS + (int64_t)i * epoch->terms.slice_ms;
            if ((epoch->days[d].flags[i] & SLICE_KNOWN) != 0 && begin_ms >= epoch->from_ms &&
                begin_ms < until_ms)
                return begin_ms;
        }
    }
    return INT64_MAX;
}

static void find_beginning(struct ledger *ledger)
{
    ledger->began_ms = INT64_MAX;
    for (size_t i = 0; i < ledger->count && ledger->began_ms == INT64_MAX; i++)
        ledger->began_ms = first_known_ms(ledger, &ledger->epochs[i]);
}

void ledger_open_epoch(struct ledger *ledger, uint32_t number, int64_t from_ms,
                       const struct ledger_terms *terms)
{
    must(terms->slice_ms > 0 && LEDGER_DAY_MS % terms->slice_ms == 0);
    while (ledger->count > 0 && ledger->epochs[ledger->count - 1].from_ms >= from_ms)
        drop_last_epoch(ledger);
    bool first = ledger->count == 0;
    MEM_GROW(ledger->epochs, ledger->count, ledger->capacity);
    ledger->epochs[ledger->count++] = (struct ledger_epoch){
        .number = number, .from_ms = first ? LEDGER_ALWAYS_MS : from_ms, .terms = *terms};
    find_beginning(ledger);
}

bool ledger_epoch_at(const struct ledger *ledger, size_t i, struct ledger_epoch_view *out)
{
    if (i >= ledger->count)
        return false;
    const struct ledger_epoch *epoch = &ledger->epochs[i];
    *out = (struct ledger_epoch_view){epoch->number, epoch->from_ms, &epoch->terms};
    return true;
}

struct ledger_epoch *ledger_epoch_of(const struct ledger *ledger, int64_t begin_ms)
{
    must(ledger->count > 0);
    size_t at = ledger->count - 1;
    while (at > 0 && ledger->epochs[at].from_ms > begin_ms)
        at--;
    return &ledger->epochs[at];
}

struct ledger_epoch *ledger_epoch_numbered(const struct ledger *ledger, uint32_t number)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->epochs[i].number == number)
            return &ledger->epochs[i];
    return NULL;
}

int64_t ledger_epoch_until_ms(const struct ledger *ledger, const struct ledger_epoch *epoch)
{
    size_t next = (size_t)(epoch - ledger->epochs) + 1;
    return next < ledger->count ? ledger->epochs[next].from_ms : INT64_MAX;
}

/* ---- slices ---- */

static size_t place_of(const struct ledger_epoch *epoch, int64_t begin_ms, int64_t *day)
{
    *day = floor_div(begin_ms, LEDGER_DAY_MS);
    return (size_t)((begin_ms - *day * LEDGER_DAY_MS) / epoch->terms.slice_ms);
}

void ledger_put(struct ledger *ledger, int64_t begin_ms, struct ledger_slice slice)
{
    struct ledger_epoch *epoch = ledger_epoch_of(ledger, begin_ms);
    int64_t number;
    size_t at = place_of(epoch, begin_ms, &number);
    struct ledger_day *day = ledger_day_of(epoch, number);
    must(floor_div(begin_ms, epoch->terms.slice_ms) * epoch->terms.slice_ms == begin_ms);
    if (day == NULL && !slice.known && !slice.odd)
        return;
    day = ledger_day_need(epoch, number);
    day->counts[at] = slice.known ? (struct counted){slice.bad, slice.total} : (struct counted){0, 0};
    day->flags[at] = (uint8_t)((slice.known ? SLICE_KNOWN : 0) | (slice.odd ? SLICE_ODD : 0));
    day->summed = false;
    if (slice.known && begin_ms < ledger->began_ms)
        ledger->began_ms = begin_ms;
    else if (!slice.known && begin_ms == ledger->began_ms)
        find_beginning(ledger);
}

struct ledger_slice ledger_get(const struct ledger *ledger, int64_t begin_ms)
{
    const struct ledger_epoch *epoch = ledger_epoch_of(ledger, begin_ms);
    int64_t number;
    size_t at = place_of(epoch, begin_ms, &number);
    const struct ledger_day *day = ledger_day_of(epoch, number);
    if (day == NULL)
        return not_known(false);
    return (struct ledger_slice){.bad = day->counts[at].bad,
                                 .total = day->counts[at].total,
                                 .known = (day->flags[at] & SLICE_KNOWN) != 0,
                                 .odd = (day->flags[at] & SLICE_ODD) != 0};
}

void ledger_expire(struct ledger *ledger, int64_t before_ms)
{
    bool gone = false;
    for (size_t i = 0; i < ledger->count; i++) {
        size_t count = day_place(&ledger->epochs[i], floor_div(before_ms, LEDGER_DAY_MS));
        free_days(&ledger->epochs[i], count);
        gone = gone || count > 0;
    }
    if (gone)
        find_beginning(ledger);
}

int64_t ledger_began_ms(const struct ledger *ledger)
{
    return ledger->began_ms;
}

size_t ledger_slices_held(const struct ledger *ledger)
{
    size_t held = 0;
    for (size_t i = 0; i < ledger->count; i++)
        held += ledger->epochs[i].count * slices_a_day(&ledger->epochs[i].terms);
    return held;
}
