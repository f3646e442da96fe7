#include "meter_priv.h"

#include "http_priv.h"

#include "tocsin/check.h"
#include "tocsin/stat.h"

#include <stdio.h>

/* All that the gate, the routes and the handlers answer with; the last place is for what is not here. */
static const int codes[METER_CODES - 1] = {200, 204, 400, 403, 404, 405, 409, 411, 412, 413,
                                           415, 417, 422, 429, 431, 500, 501, 503, 505};

/* Prometheus' buckets. */
static const double bounds_s[METER_BUCKETS] = {0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120};
static const char *const bounds[METER_BUCKETS] = {"0.1", "0.2", "0.4", "1", "3", "8", "20", "60", "120"};

static size_t code_place(int status)
{
    size_t i = 0;
    while (i < METER_CODES - 1 && codes[i] != status)
        i++;
    return i;
}

/* Two methods of a path are one handler: the first route of that path stands for it. */
static size_t handler_place(const struct route *route)
{
    size_t count, i = 0;
    const struct route *routes = route_table(&count);
    must(count < METER_HANDLERS);
    if (route == NULL)
        return METER_HANDLERS - 1;
    while (strcmp(routes[i].path, route->path) != 0)
        i++;
    return i;
}

void meter_count(struct meter *meter, const struct route *route, int status, int64_t took_ns)
{
    struct meter_handler *h = &meter->handlers[handler_place(route)];
    size_t bucket = 0;
    while (bucket < METER_BUCKETS && (double)took_ns / 1e9 > bounds_s[bucket])
        bucket++;
    atomic_fetch_add_explicit(&h->codes[code_place(status)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->took_ns, (uint64_t)took_ns, memory_order_relaxed);
}

/* The path as the label says it: /api/v1/label/:name/values. */
static void add_handler_label(struct buf *labels, size_t place)
{
    size_t count;
    const struct route *routes = route_table(&count);
    struct str path = str_of(place < count ? routes[place].path : "unknown");
    struct buf name;
    buf_init(&name, path.n + 16);
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '*')
            buf_puts(&name, ":name");
        else
            buf_char(&name, path.p[i]);
    stat_label(labels, "handler", buf_slice(&name));
    buf_release(&name);
}

static void write_codes(struct buf *out, struct meter_handler *h, size_t place)
{
    for (size_t i = 0; i < METER_CODES; i++) {
        uint64_t count = atomic_load_explicit(&h->codes[i], memory_order_relaxed);
        char code[16] = "other";
        struct buf labels;
        if (count == 0)
            continue;
        if (i < METER_CODES - 1)
            (void)snprintf(code, sizeof code, "%d", codes[i]);
        buf_init(&labels, 512);
        stat_label(&labels, "code", str_of(code));
        add_handler_label(&labels, place);
        stat_sample(out, "prometheus_http_requests_total", buf_text(&labels), (double)count);
        buf_release(&labels);
    }
}

static void write_bucket(struct buf *out, size_t place, const char *bound, uint64_t count)
{
    struct buf labels;
    buf_init(&labels, 512);
    add_handler_label(&labels, place);
    stat_label(&labels, "le", str_of(bound));
    stat_sample(out, "prometheus_http_request_duration_seconds_bucket", buf_text(&labels), (double)count);
    buf_release(&labels);
}

static void write_durations(struct buf *out, struct meter_handler *h, size_t place)
{
    uint64_t counts[METER_BUCKETS + 1], count = 0;
    struct buf labels;
    for (size_t i = 0; i <= METER_BUCKETS; i++)
        counts[i] = count += atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
    if (count == 0)
        return;
    for (size_t i = 0; i < METER_BUCKETS; i++)
        write_bucket(out, place, bounds[i], counts[i]);
    write_bucket(out, place, "+Inf", count);
    buf_init(&labels, 512);
    add_handler_label(&labels, place);
    stat_sample(out, "prometheus_http_request_duration_seconds_sum", buf_text(&labels),
                (double)atomic_load_explicit(&h->took_ns, memory_order_relaxed) / 1e9);
    stat_sample(out, "prometheus_http_request_duration_seconds_count", buf_text(&labels), (double)count);
    buf_release(&labels);
}

void meter_write(struct meter *meter, struct buf *out)
{
    stat_head(out, "prometheus_http_requests_total", "counter", "HTTP requests answered.");
    for (size_t i = 0; i < METER_HANDLERS; i++)
        write_codes(out, &meter->handlers[i], i);
    stat_head(out, "tocsin_http_connections", "gauge", "Open connections of clients.");
    stat_sample(out, "tocsin_http_connections", NULL, (double)atomic_load(&meter->connections));
    stat_head(out, "prometheus_http_request_duration_seconds", "histogram",
              "From the end of the headers to the answer.");
    for (size_t i = 0; i < METER_HANDLERS; i++)
        write_durations(out, &meter->handlers[i], i);
}
