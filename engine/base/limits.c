#include "tocsin/limits.h"

#include <stdatomic.h>

struct limits limits = {
#define LIMIT(name, value, unit, help) .name = (value),
    LIMIT_TABLE(LIMIT)
#undef LIMIT
};

static const char *const names[LIMIT_COUNT] = {
#define LIMIT(name, value, unit, help) #name,
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
        buf_format(out, "tocsin_limit_hits_total{limit=\"%s\"} %llu\n", names[i],
                   (unsigned long long)limit_hits((enum limit_id)i));
}
