/* A time zone's file is refused, or tells of any moment an offset that a clock can have; likewise the rule at its end. */
#include "../../engine/base/zone_priv.h"

#include "tocsin/check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t moments[] = {INT64_MIN / 4, -4000000000, -1,         0,
                                  1774745999,    1774746000,  4102444800, INT64_MAX / 4};

static void check_time(struct zone_time t)
{
    must(abs(t.offset_s) <= 26 * 3600);
}

static void check_file(struct str file)
{
    struct arena arena;
    const struct zone *zone;
    struct err err = {0};
    arena_init(&arena, 32 * file.n + (64 << 10));
    int rc = zone_parse(&arena, file, &zone, &err);
    must(rc == err.code);
    for (size_t i = 0; rc == 0 && i < sizeof moments / sizeof *moments; i++) {
        check_time(zone_at(zone, moments[i]));
        must(!zone->rule.known || zone->rule.standard.name.n > 0);
    }
    arena_release(&arena);
}

static void check_rule(struct str text)
{
    struct zone_rule rule;
    if (!zone_rule_parse(text, &rule))
        return;
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
        check_time(zone_rule_at(&rule, moments[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    check_file(text);
    check_rule(text);
    return 0;
}
