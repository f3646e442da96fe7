/* What the store is full of. */
#include "api_priv.h"
#include "json_priv.h"

#include "tocsin/store.h"
#include "tocsin/tree.h"

#include <inttypes.h>

enum { TOPS_TOLD = 10, TOPS_TOLD_MAX = 10000 };

/* Worded as Prometheus does. */
static bool take_limit(const struct request *request, struct answer *answer, size_t *limit)
{
    struct str text = request_param(request, "limit");
    long long value = TOPS_TOLD;
    bool number = text.n == 0 || str_to_i64(text, &value);
    *limit = (size_t)value;
    if (!number || value < 1)
        prom_error(answer, PROM_BAD_DATA, "limit must be a positive number");
    else if (value > TOPS_TOLD_MAX)
        prom_error(answer, PROM_BAD_DATA, "limit must not exceed %d", TOPS_TOLD_MAX);
    else
        return true;
    return false;
}

static void top_member(struct buf *out, const char *name, const struct store_top *top)
{
    buf_format(out, ",\"%s\":[", name);
    for (size_t i = 0; i < top->count; i++) {
        buf_puts(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        json_string(out, top->items[i].name);
        buf_format(out, ",\"value\":%" PRIu64 "}", top->items[i].value);
    }
    buf_char(out, ']');
}

/* Nothing here is a chunk, so there are none. */
static void head_member(struct buf *out, struct store *store)
{
    struct store_figures f;
    store_figures(store, &f);
    bool empty = f.samples == 0;
    buf_format(out,
               "\"headStats\":{\"numSeries\":%" PRIu64 ",\"numLabelPairs\":%" PRIu64
               ",\"chunkCount\":0,\"minTime\":%" PRId64 ",\"maxTime\":%" PRId64 "}",
               f.series, f.pairs, empty ? INT64_MAX : f.oldest_ms, empty ? INT64_MIN : f.newest_ms);
}

static void identities_member(struct buf *out, const struct store_identity *list, size_t count)
{
    buf_puts(out, ",\"identities\":[");
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, i > 0 ? ",{\"identity\":" : "{\"identity\":");
        json_string(out, list[i].name);
        buf_format(out, ",\"series\":%" PRIu64 ",\"refused\":%" PRIu64 "}", list[i].series, list[i].refused);
    }
    buf_char(out, ']');
}

static void refused_member(struct buf *out, const struct store_refused *list, size_t count)
{
    buf_puts(out, ",\"refused\":[");
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, i > 0 ? ",{\"metric\":" : "{\"metric\":");
        json_string(out, list[i].metric);
        buf_format(out, ",\"refused\":%" PRIu64 ",\"over\":%" PRIu64 "}", list[i].count, list[i].over);
    }
    buf_char(out, ']');
}

/* Who made the series, and of which metrics there were more than the limits allow. */
void tocsin_cardinality(struct request *request, struct answer *answer)
{
    struct store *store = request->service->parts.store;
    struct store_identity *identities;
    struct store_refused *refused;
    size_t identity_count, refused_count;
    if (store == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    if (store_identities(store, request->arena, &identities, &identity_count) != 0 ||
        store_refusals(store, request->arena, &refused, &refused_count) != 0) {
        prom_error(answer, PROM_EXECUTION, "the result does not fit limits.query_arena_bytes");
        return;
    }
    struct store_figures f;
    store_figures(store, &f);
    struct buf *out = &answer->body;
    prom_begin(answer);
    buf_format(out, "{\"series\":%" PRIu64 ",\"limit\":%" PRId64 ",\"limitPerIdentity\":%" PRId64, f.series,
               limits.series, limits.series_per_identity);
    identities_member(out, identities, identity_count);
    refused_member(out, refused, refused_count);
    buf_char(out, '}');
    prom_end(answer);
}

void api_tsdb(struct request *request, struct answer *answer)
{
    struct store *store = request->service->parts.store;
    struct store_tops tops;
    size_t limit;
    if (store == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    if (!take_limit(request, answer, &limit))
        return;
    if (store_tops(store, limit, request->arena, &tops) != 0) {
        prom_error(answer, PROM_EXECUTION, "the result does not fit limits.query_arena_bytes");
        return;
    }
    struct buf *out = &answer->body;
    prom_begin(answer);
    buf_char(out, '{');
    head_member(out, store);
    top_member(out, "seriesCountByMetricName", &tops.metrics);
    top_member(out, "labelValueCountByLabelName", &tops.names_by_values);
    top_member(out, "memoryInBytesByLabelName", &tops.names_by_bytes);
    top_member(out, "seriesCountByLabelValuePair", &tops.pairs);
    buf_char(out, '}');
    prom_end(answer);
}
