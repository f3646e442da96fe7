#include "api_priv.h"
#include "info_priv.h"
#include "v2_priv.h"

#include "tocsin/extras.h"
#include "tocsin/forward.h"
#include "tocsin/incident.h"
#include "tocsin/router.h"
#include "tocsin/ruler.h"
#include "tocsin/stat.h"
#include "tocsin/store.h"

#include <sys/resource.h>
#include <unistd.h>

static bool is_ready(const struct serve_parts *parts)
{
    return parts->ready == NULL || parts->ready(parts->context);
}

void admin_index(struct request *request, struct answer *answer)
{
    struct buf *out = &answer->body;
    buf_format(out,
               "tocsin %s: alert rules over remote-written samples, with Alertmanager's routing.\n\n"
               "What is served here:\n\n",
               request->service->parts.version);
    size_t count;
    const struct route *routes = route_table(&count);
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < count; i++) {
        buf_format(out, "  %-30s", routes[i].path);
        for (unsigned m = 0; m < 6; m++)
            if ((routes[i].methods & (1U << m)) != 0)
                buf_format(out, " %s", names[m]);
        buf_char(out, '\n');
    }
}

void admin_healthy(struct request *request, struct answer *answer)
{
    (void)request;
    answer_text(answer, 200, "Tocsin is Healthy.\n");
}

void admin_ready(struct request *request, struct answer *answer)
{
    if (is_ready(&request->service->parts))
        answer_text(answer, 200, "Tocsin is Ready.\n");
    else
        answer_text(answer, 503, "Service Unavailable\n");
}

void admin_reload(struct request *request, struct answer *answer)
{
    const struct serve_parts *parts = &request->service->parts;
    struct err err = {.code = 0};
    if (!request->service->lifecycle || parts->reload == NULL) {
        answer_text(answer, 403, "Lifecycle API is not enabled.");
        return;
    }
    if (parts->reload(parts->context, &err) == 0)
        return;
    err_prefix(&err, "failed to reload config: ");
    answer_text(answer, 500, err.text);
    buf_char(&answer->body, '\n');
}

static void gauge(struct buf *out, const char *name, const char *help, double value)
{
    stat_head(out, name, "gauge", help);
    stat_sample(out, name, NULL, value);
}

static void version_metric(struct buf *out, const char *name, const char *version)
{
    struct buf labels;
    buf_init(&labels, 1024);
    stat_label(&labels, "version", str_of(version));
    stat_head(out, name, "gauge", "Always 1; the label says which version.");
    stat_sample(out, name, buf_text(&labels), 1);
    buf_release(&labels);
}

static void store_metrics(struct buf *out, struct store *store)
{
    struct store_figures figures;
    store_figures(store, &figures);
    gauge(out, "prometheus_tsdb_head_series", "Series held.", (double)figures.series);
    gauge(out, "prometheus_tsdb_head_min_time", "Time of the oldest sample, in ms.",
          (double)figures.oldest_ms);
    gauge(out, "prometheus_tsdb_head_max_time", "Time of the newest sample, in ms.",
          (double)figures.newest_ms);
    gauge(out, "prometheus_tsdb_head_min_time_seconds", "Time of the oldest sample.",
          (double)figures.oldest_ms / 1e3);
    gauge(out, "prometheus_tsdb_head_max_time_seconds", "Time of the newest sample.",
          (double)figures.newest_ms / 1e3);
    gauge(out, "prometheus_tsdb_symbol_table_size_bytes", "Label names and values, each once.",
          (double)figures.text_bytes);
    gauge(out, "tocsin_label_pairs", "Different labels.", (double)figures.pairs);
    gauge(out, "tocsin_store_samples", "Samples held.", (double)figures.samples);
    gauge(out, "tocsin_store_bytes", "Memory of series and samples.", (double)figures.bytes);
    gauge(out, "tocsin_standing_selectors", "Selectors whose series are kept ready.",
          (double)figures.standing);
}

static void exemplar_metrics(struct buf *out, struct store *store)
{
    struct extras_figures figures;
    store_extras_figures(store, &figures);
    gauge(out, "prometheus_tsdb_exemplar_exemplars_in_storage", "Exemplars held.", (double)figures.exemplars);
    gauge(out, "prometheus_tsdb_exemplar_series_with_exemplars_in_storage", "Series that have exemplars.",
          (double)figures.exemplar_series);
    gauge(out, "prometheus_tsdb_exemplar_last_exemplars_timestamp_seconds",
          "Time of the exemplar that came first of those held.", (double)figures.first_exemplar_ms / 1e3);
    gauge(out, "prometheus_tsdb_exemplar_max_exemplars", "Exemplars that may be held.",
          (double)limits.exemplars);
    gauge(out, "tocsin_metadata_families", "Metric families whose metadata is held.",
          (double)figures.families);
}

static void counter(struct buf *out, const char *name, const char *help, uint64_t value)
{
    stat_head(out, name, "counter", help);
    stat_sample(out, name, NULL, (double)value);
}

static void sync_metrics(struct buf *out, const struct store_log_figures *log)
{
    stat_head(out, "prometheus_tsdb_wal_fsync_duration_seconds", "summary", "What it took to sync the log.");
    stat_sample(out, "prometheus_tsdb_wal_fsync_duration_seconds_sum", NULL, (double)log->sync_ns / 1e9);
    stat_sample(out, "prometheus_tsdb_wal_fsync_duration_seconds_count", NULL, (double)log->syncs);
}

/* A snapshot is what Prometheus calls a checkpoint; the log before it is cut off. */
static void log_metrics(struct buf *out, const struct service *service)
{
    const struct store *store = service->parts.store;
    struct store_log_figures log;
    if (!store_log_figures(store, &log))
        return;
    gauge(out, "tocsin_wal_healthy", "0 while the log cannot be written: pushes are answered 503.",
          store_log_works(store));
    gauge(out, "tocsin_wal_waiting_pushes", "Answers to pushes that wait for the log.",
          atomic_load(&service->waiting_pushes));
    sync_metrics(out, &log);
    counter(out, "prometheus_tsdb_wal_writes_failed_total", "Failures of the log.", log.failures);
    counter(out, "prometheus_tsdb_wal_corruptions_total", "Places that could not be read at the start.",
            log.damaged);
    counter(out, "prometheus_tsdb_wal_truncations_total", "Times that the log was cut off behind a snapshot.",
            log.snapshots);
    counter(out, "prometheus_tsdb_checkpoint_creations_total", "Snapshots tried.",
            log.snapshots + log.snapshot_errors);
    counter(out, "prometheus_tsdb_checkpoint_creations_failed_total", "Snapshots that could not be written.",
            log.snapshot_errors);
    gauge(out, "prometheus_tsdb_wal_segment_current", "Number of the segment that is written.", log.segment);
    gauge(out, "prometheus_tsdb_wal_storage_size_bytes", "Files of the log that may be needed.",
          (double)log.held_bytes);
}

static void count_path(void *context, const char *path)
{
    (void)path;
    *(int *)context += 1;
}

/* The nth number, from 0, of a line of them; 0 if it has fewer. */
static double nth_number(struct str line, size_t n)
{
    struct str word = {0};
    for (size_t i = 0; i <= n && line.p != NULL; i++)
        word = str_cut(&line, ' ');
    long long value = 0;
    return str_to_i64(str_trim(word), &value) ? (double)value : 0;
}

static double proc_number(struct world *world, const char *path, size_t n)
{
    struct buf text;
    buf_init(&text, 4096);
    double value = 0;
    if (world->read_file(world, path, &text, NULL) == 0) {
        /* The program's name in /proc/self/stat may hold spaces; it ends with the last parenthesis. */
        struct str line = buf_slice(&text);
        for (size_t i = line.n; i > 0; i--)
            if (line.p[i - 1] == ')') {
                line = (struct str){line.p + i + 1, line.n - i - 1};
                break;
            }
        value = nth_number(line, n);
    }
    buf_release(&text);
    return value;
}

static void process_metrics(struct buf *out, const struct serve_parts *parts)
{
    struct world *world = parts->world;
    double ticks = proc_number(world, "/proc/self/stat", 11) + proc_number(world, "/proc/self/stat", 12);
    int descriptors = 0;
    gauge(out, "process_start_time_seconds", "When the process started.",
          (double)(parts->started_ns / NS_PER_MS) / 1e3);
    double page_bytes = (double)sysconf(_SC_PAGESIZE);
    gauge(out, "process_virtual_memory_bytes", "Virtual memory.",
          proc_number(world, "/proc/self/statm", 0) * page_bytes);
    gauge(out, "process_resident_memory_bytes", "Resident memory.",
          proc_number(world, "/proc/self/statm", 1) * page_bytes);
    stat_head(out, "process_cpu_seconds_total", "counter", "CPU time used.");
    stat_sample(out, "process_cpu_seconds_total", NULL, ticks / (double)sysconf(_SC_CLK_TCK));
    if (world->glob(world, "/proc/self/fd/*", count_path, &descriptors, NULL) == 0)
        gauge(out, "process_open_fds", "Open file descriptors.", descriptors);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        gauge(out, "process_max_fds", "File descriptors that may be open at once.", (double)files.rlim_cur);
}

static void service_metrics(struct buf *out, struct service *service)
{
    version_metric(out, "tocsin_build_info", service->parts.version);
    version_metric(out, "prometheus_build_info", PROM_VERSION);
    version_metric(out, "alertmanager_build_info", AM_VERSION);
    gauge(out, "prometheus_ready", "1 once requests are taken.", is_ready(&service->parts));
    gauge(out, "prometheus_engine_queries", "Evaluations over HTTP under way or waiting.",
          atomic_load(&service->queries));
    gauge(out, "prometheus_engine_queries_concurrent_max", "Evaluations over HTTP at once.",
          (double)limits.queries_concurrent);
}

void admin_metrics(struct request *request, struct answer *answer)
{
    struct service *service = request->service;
    const struct serve_parts *parts = &service->parts;
    struct buf *out = &answer->body;
    answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
    service_metrics(out, service);
    if (service->meter != NULL)
        meter_write(service->meter, out);
    process_metrics(out, parts);
    stat_write_metrics(out);
    limits_write_metrics(out);
    if (parts->store != NULL) {
        store_metrics(out, parts->store);
        exemplar_metrics(out, parts->store);
        log_metrics(out, service);
    }
    if (parts->ruler != NULL)
        ruler_write_metrics(parts->ruler, out);
    if (parts->router != NULL)
        router_write_metrics(parts->router, out);
    if (parts->forward != NULL)
        forward_write_metrics(parts->forward, out);
    if (parts->write_metrics != NULL)
        parts->write_metrics(parts->context, out);
    if (parts->incidents != NULL)
        gauge(out, "tocsin_incidents_open", "Incidents that are open.",
              (double)incidents_open_count(parts->incidents));
}
