#include "tocsin/limits.h"

#include "tocsin/str.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>

#define LIMIT(name, value, unit, help) .name = (value),
struct limits limits = {LIMIT_TABLE(LIMIT)};
const struct limits limits_default = {LIMIT_TABLE(LIMIT)};
#undef LIMIT

static const struct {
    const char *name, *unit;
    int64_t normal;
    size_t offset;
} about[LIMIT_COUNT] = {
#define LIMIT(name, value, unit, help) {#name, unit, (value), offsetof(struct limits, name)},
    LIMIT_TABLE(LIMIT)
#undef LIMIT
};

static atomic_uint_fast64_t hits[LIMIT_COUNT];

void limit_hit(enum limit_id id)
{
    atomic_fetch_add_explicit(&hits[id], 1, memory_order_relaxed);
}

uint64_t limit_hits(enum limit_id id)
{
    return atomic_load_explicit(&hits[id], memory_order_relaxed);
}

static bool unit_is(int i, const char *unit)
{
    return strcmp(about[i].unit, unit) == 0;
}

static int64_t largest(int i)
{
    if (unit_is(i, "levels") || unit_is(i, "labels"))
        return about[i].normal;
    if (unit_is(i, "bytes"))
        return INT64_C(1) << 40;
    return unit_is(i, "ms") ? INT64_C(7) * 24 * 3600 * 1000 : INT64_C(1) << 30;
}

int limits_set(struct limits *to, struct str name, int64_t value, struct err *err)
{
    int i = 0;
    while (i < LIMIT_COUNT && !str_is(name, about[i].name))
        i++;
    if (i == LIMIT_COUNT)
        return err_set(err, ERR_NOT_FOUND, "no limit is called %.*s", STR_ARG(name));
    if (value < 1 || value > largest(i))
        return err_set(err, ERR_ARG, "limits.%s is 1 to %" PRId64 " %s, not %" PRId64, about[i].name,
                       largest(i), about[i].unit, value);
    memcpy((char *)to + about[i].offset, &value, sizeof value);
    return 0;
}

int limits_check(const struct limits *set, struct err *err)
{
    int64_t least = set->push_body_bytes + limits_pushes_bytes(set);
    if (set->in_flight_bytes >= least)
        return 0;
    return err_set(err, ERR_ARG,
                   "limits.in_flight_bytes is too small for one push beside what is being decoded: it "
                   "needs %" PRId64 " bytes",
                   least);
}

void limits_write_metrics(struct buf *out)
{
    buf_puts(out, "# HELP tocsin_limit The maximum in force, in its own unit.\n# TYPE tocsin_limit gauge\n");
#define LIMIT(name, value, unit, help) \
    buf_format(out, "tocsin_limit{limit=\"" #name "\",unit=\"" unit "\"} %lld\n", (long long)limits.name);
    LIMIT_TABLE(LIMIT)
#undef LIMIT
    buf_puts(out, "# HELP tocsin_limit_hits_total How often a maximum refused something.\n"
                  "# TYPE tocsin_limit_hits_total counter\n");
    for (int i = 0; i < LIMIT_COUNT; i++)
        buf_format(out, "tocsin_limit_hits_total{limit=\"%s\"} %llu\n", about[i].name,
                   (unsigned long long)limit_hits((enum limit_id)i));
}
