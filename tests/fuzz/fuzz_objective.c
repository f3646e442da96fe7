/* A file of objectives of any form is read, or refused with a reason; of what is read each query can be made for a window and parsed. */
#include "tocsin/check.h"
#include "tocsin/objective.h"
#include "tocsin/promql_parse.h"

#include <stdint.h>
#include <stdio.h>

static void make(struct str query)
{
    struct arena arena;
    struct str text;
    struct expr *e;
    struct err err = {0};
    arena_init(&arena, 1 << 26);
    int rc = objective_query(&arena, query, 60 * 1000, &text, &err);
    rc = rc == 0 ? promql_parse(&arena, text, &promql_features_all, &e, &err) : rc;
    if (rc == 0)
        promql_free(e);
    else
        fprintf(stderr, "%.*s\n%s\n", STR_ARG(query), err.text);
    must(rc == 0);
    arena_release(&arena);
}

static void check(const struct objective *o)
{
    bool events = o->indicator.kind == INDICATOR_BAD || o->indicator.kind == INDICATOR_GOOD;
    must(o->id.n > 0 && o->line > 0 && o->alert_name.n > 0);
    must(o->target.numerator > 0 && o->target.numerator <= o->target.denominator);
    must(o->slice_ms > 0 && o->period.length_ms >= o->slice_ms);
    must(events == (o->indicator.total.n > 0));
    for (size_t i = 0; i < o->tier_count; i++)
        must(o->tiers[i].factor.numerator > 0 && o->tiers[i].severity.n > 0 && o->tiers[i].short_ms > 0 &&
             o->tiers[i].short_ms < o->tiers[i].long_ms && o->tiers[i].long_ms < o->period.length_ms);
    make(o->indicator.counted);
    if (events)
        make(o->indicator.total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct objective_set *set = objective_set_new();
    struct buf errors;
    buf_init(&errors, 1 << 20);
    int code = objective_file_parse(set, STR("f"), (struct str){(const char *)data, size}, &errors);
    must((code != 0) == (errors.used > 0));
    must((code != 0) == (set->file_count == 0));
    for (size_t i = 0; i < set->count; i++)
        check(&set->items[i]);
    buf_release(&errors);
    objective_set_free(set);
    return 0;
}
