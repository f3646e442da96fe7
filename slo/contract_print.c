/* The contract as a table. */
#include "contract_priv.h"

#include "tocsin/duration.h"

enum { SECOND_MS = 1000, ARENA_BYTES = 1 << 16, TOLD_WIDTH = 26 };

static const struct fraction levels[] = {{1, 1},     {15, 100},  {10, 100},  {2, 100},   {1, 100},
                                         {6, 1000},  {3, 1000},  {2, 1000},  {1, 1000},  {6, 10000},
                                         {3, 10000}, {2, 10000}, {1, 10000}, {1, 100000}};

/* At worst, so rounded up. */
static void put_span(struct buf *out, int64_t ms)
{
    duration_print(out, ms > INT64_MAX - SECOND_MS ? ms : (ms + SECOND_MS - 1) / SECOND_MS * SECOND_MS);
}

static void pad(struct buf *out, size_t from, size_t width)
{
    size_t used = out->used - from;
    buf_repeat(out, ' ', used < width ? width - used : 1);
}

static void put_told(const struct objective *objective, const struct contract_level *level,
                     enum tier_class class, struct buf *out)
{
    size_t from = out->used;
    int first = level->first[class];
    if (first == CONTRACT_NOBODY) {
        buf_char(out, '-');
    } else {
        put_span(out, level->tiers[first].told_ms);
        buf_format(out, " %.*s", STR_ARG(objective->tiers[first].name));
        pad(out, from, TOLD_WIDTH);
        buf_format(out, "%.3g%%", 100 * level->tiers[first].spent);
    }
    pad(out, from, TOLD_WIDTH + 8);
}

static void put_level(const struct objective *objective, const struct contract_level *level, struct buf *out)
{
    size_t from = out->used;
    buf_format(out, "%.6g%%", 100 * fraction_value(level->error));
    pad(out, from, 9);
    buf_format(out, "%.6gx", level->burn);
    pad(out, from, 19);
    put_span(out, level->gone_ms);
    pad(out, from, 33);
    put_told(objective, level, TIER_PAGE, out);
    put_told(objective, level, TIER_TICKET, out);
    if (level->first[TIER_PAGE] != CONTRACT_NOBODY)
        put_span(out, level->over_ms[TIER_PAGE]);
    else
        buf_char(out, '-');
    buf_char(out, '\n');
}

static void put_head(const struct objective *objective, const struct contract_pace *pace, struct buf *out)
{
    buf_format(out, "%.*s: %.10g%% over ", STR_ARG(objective->id), 100 * fraction_value(objective->target));
    duration_print(out, objective->period.length_ms);
    buf_puts(out, "\nfrom good health, at worst, with samples every ");
    duration_print(out, pace->scrape_ms);
    buf_puts(out, ", evaluations every ");
    duration_print(out, pace->interval_ms);
    buf_puts(out, ", group_wait ");
    duration_print(out, pace->group_wait_ms);
    buf_puts(out, "\nerrors   burn      budget gone   page after                spent   ticket after         "
                  "     spent   "
                  "page over\n");
}

static void put_tier(const struct objective_tier *tier, struct fraction limit, struct buf *out)
{
    buf_format(out, "%.*s: over %.6g%% in ", STR_ARG(tier->name), 100 * fraction_value(limit));
    duration_print(out, tier->long_ms);
    buf_puts(out, " and ");
    duration_print(out, tier->short_ms);
    if (tier->for_ms > 0) {
        buf_puts(out, " for ");
        duration_print(out, tier->for_ms);
    }
    int64_t least = contract_events_min(limit, 1);
    if (contract_unreachable(limit))
        buf_puts(out, ": never");
    else if (least != INT64_MAX)
        buf_format(out, "; one bad event among fewer than %lld is enough", (long long)least);
    buf_char(out, '\n');
}

static int put_levels(const struct objective *objective, const struct contract_pace *pace,
                      struct arena *arena, struct buf *out, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof levels / sizeof *levels; i++) {
        struct contract_level level;
        rc = contract_level(objective, pace, levels[i], arena, &level, err);
        if (rc == 0 && level.burn >= 1)
            put_level(objective, &level, out);
        arena_clear(arena);
    }
    return rc;
}

int contract_print(const struct objective *objective, const struct contract_pace *pace, struct buf *out,
                   struct err *err)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    put_head(objective, pace, out);
    int rc = put_levels(objective, pace, &arena, out, err);
    arena_release(&arena);
    for (size_t i = 0; rc == 0 && i < objective->tier_count; i++) {
        struct fraction limit;
        if (contract_limit(objective, &objective->tiers[i], &limit) != 0)
            return contract_too_large(objective, err);
        put_tier(&objective->tiers[i], limit, out);
    }
    if (rc == 0 && buf_overflow(out))
        return err_set(err, ERR_LIMIT, "%.*s: no room for its table", STR_ARG(objective->id));
    return rc;
}
