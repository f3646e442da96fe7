#include "daemon_priv.h"

#include "tocsin/am_import.h"
#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

#include "command_priv.h"

enum { SHUTDOWN_GRACE_MS = 10000, SENDER_GRACE_MS = 5000, SHUTDOWN_POLL_MS = 20, CONFIG_TEXT_MAX = 16 << 20 };

/* ---- taking over a configuration ---- */

static void log_ignored(const struct config *c)
{
    for (size_t i = 0; i < c->ignored.count; i++)
        log_info("this key concerns parts that Tocsin leaves to Prometheus: ignored",
                 LOG_STR("key", c->ignored.items[i]));
}

/* Other Alertmanagers take an alert as ended by themselves long before that; the own router knows it by the labels with which it
 * left. */
static bool owes_end(void *context, const struct labels *alert)
{
    struct daemon *d = context;
    struct arena arena;
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    struct alert_event event = {.labels = labels_copy(&arena, alert)};
    bool owes = d->router != NULL && event.labels != NULL && forward_prepare(d->forward, &arena, &event) &&
                router_owes_end(d->router, event.labels);
    arena_release(&arena);
    return owes;
}

static struct ruler_options ruler_options_of(struct daemon *d, const struct config *c)
{
    struct promql_options promql = d->promql;
    promql.subquery_step_ms = c->evaluation_interval_ms;
    return (struct ruler_options){
        .world = d->world,
        .store = d->store,
        .interval_ms = c->evaluation_interval_ms,
        .query_offset_ms = c->query_offset_ms,
        .resend_delay_ms = d->options.resend_delay_ms,
        .state = d->state,
        .outage_tolerance_ms = d->options.outage_tolerance_ms,
        .for_grace_ms = d->options.for_grace_ms,
        .concurrent_evals = d->options.concurrent_evals,
        .external_labels = c->external_labels,
        .external_url = str_of(d->external_url),
        .promql = promql,
        .emit = daemon_emit_alert,
        .owes_end = owes_end,
        .recorded = daemon_note_recorded,
        .context = d,
    };
}

static int configure_forward(struct daemon *d, const struct config *c, struct err *err)
{
    return forward_configure(d->forward,
                             &(struct forward_settings){
                                 .groups = c->groups,
                                 .group_count = c->manager_count,
                                 .external_labels = c->external_labels,
                                 .alert_relabel = &c->alert_relabel,
                             },
                             err);
}

static void note_reload(struct daemon *d, bool ok)
{
    stat_set(STAT_reload_ok, ok);
    if (ok)
        stat_set(STAT_reload_seconds, (uint64_t)(d->world->wall_ns(d->world) / NS_PER_S));
}

static void keep_text(struct daemon *d, const struct config *c)
{
    lock_take(&d->config_lock);
    buf_clear(&d->config_text);
    config_print(&d->config_text, c);
    lock_drop(&d->config_lock);
}

static void write_config(void *context, struct buf *out)
{
    struct daemon *d = context;
    lock_take(&d->config_lock);
    buf_str(out, buf_slice(&d->config_text));
    out->overflow |= buf_overflow(&d->config_text);
    lock_drop(&d->config_lock);
}

/* The objectives of before are needed until the books are of others. */
static void commit_budgets(struct daemon *d, struct generation *g, struct budgets_change *change)
{
    budgets_commit(change);
    objective_set_free(d->objectives);
    d->objectives = g->objectives;
    g->objectives = NULL;
}

/* All that can fail comes before anything changes; what forward_configure refuses changes nothing either. */
static int apply_rules(struct daemon *d, struct generation *g, struct err *err)
{
    if (d->has_log && g->config->wal_sync != d->sync)
        return err_set(err, ERR_ARG, "changing storage.wal.sync needs a restart");
    if (!str_is(g->config->identity_header, d->identity_header))
        return err_set(err, ERR_ARG, "changing storage.identity_header needs a restart");
    struct ruler_change *change;
    struct budgets_change *budgets = NULL;
    struct ruler_options options = ruler_options_of(d, g->config);
    int rc = ruler_prepare(d->ruler, &options, g->rules, &change, err);
    g->rules = NULL;
    if (rc != 0)
        return rc;
    rc = budgets_prepare(d->budgets, g->objectives, &budgets, err);
    if (rc == 0)
        rc = configure_forward(d, g->config, err);
    if (rc != 0) {
        if (budgets != NULL)
            budgets_abandon(budgets);
        ruler_abandon(change);
        return rc;
    }
    ruler_commit(change);
    commit_budgets(d, g, budgets);
    store_configure(d->store, &g->config->storage);
    daemon_configure_sender(d, g->config);
    return 0;
}

static int apply(struct daemon *d, struct generation *g, struct err *err)
{
    if ((g->routes != NULL) != (d->router != NULL))
        return err_set(err, ERR_ARG, "adding or removing alertmanager_config_file needs a restart");
    int rc = d->ruler != NULL ? apply_rules(d, g, err) : 0;
    if (rc != 0)
        return rc;
    if (d->router != NULL) {
        router_set_contracts(d->router, g->config->contracts);
        const struct router_storm storm = config_storm(g->config);
        must(router_set_storm(d->router, &storm, err) == 0); /* its matchers were read once */
        router_reload(d->router, g->routes);
    }
    g->routes = NULL;
    return 0;
}

static void warn_unrehearsed(void *context, struct str receiver, const char *integration,
                             const struct err *why)
{
    (void)context;
    log_warn("this integration fails on a made-up page, and would lose real ones",
             LOG_STR("receiver", receiver), LOG_TEXT("integration", integration), LOG_ERR(why));
}

static int load(struct daemon *d, enum generation_turn turn, struct generation *g, struct err *err)
{
    const struct daemon_options *o = &d->options;
    int rc = o->router_only ? generation_load_routes(d->world, o->config_file, g, err)
                            : generation_load(d->world, o->config_file, &o->features, turn, g, err);
    if (rc == 0 && g->routes != NULL)
        amconfig_rehearse(d->world, g->routes, warn_unrehearsed, NULL);
    return rc;
}

int daemon_reload(struct daemon *daemon, struct err *err)
{
    pthread_mutex_lock(&daemon->reloading);
    struct generation g;
    int rc = load(daemon, GENERATION_NEXT, &g, err);
    if (rc == 0) {
        log_ignored(g.config);
        rc = apply(daemon, &g, err);
        if (rc == 0)
            keep_text(daemon, g.config);
        generation_free(&g);
    }
    note_reload(daemon, rc == 0);
    pthread_mutex_unlock(&daemon->reloading);
    if (rc == 0)
        log_info("configuration loaded", LOG_TEXT("file", daemon->options.config_file));
    return rc;
}

static int reload_for_http(void *context, struct err *err)
{
    return daemon_reload(context, err);
}

static void note_push(void *context)
{
    struct daemon *d = context;
    ruler_pushed(d->ruler);
}

static bool is_ready(void *context)
{
    struct daemon *d = context;
    return atomic_load(&d->ready);
}

/* ---- opening ---- */

/* Two processes would write over each other's log. */
static int own_folder(struct daemon *d, const char *path, struct err *err)
{
    int rc = d->world->file_open(d->world, path, FILE_OWN, &d->folder_lock, err);
    if (rc == ERR_FULL)
        err_prefix(err,
                   "another Tocsin works in %s; give each its own --storage.path: ", d->options.storage_path);
    return rc;
}

static int open_folder(struct daemon *d, struct err *err)
{
    const char *folder = d->options.storage_path;
    if (folder[0] == '\0')
        return state_open(":memory:", &d->state, err);
    struct buf path;
    buf_init(&path, 4096);
    int rc = d->world->make_folder(d->world, folder, err);
    if (rc == 0) {
        buf_format(&path, "%s/lock", folder);
        rc = own_folder(d, buf_text(&path), err);
    }
    if (rc == 0) {
        buf_clear(&path);
        buf_format(&path, "%s/state.db", folder);
        rc = state_open(buf_text(&path), &d->state, err);
    }
    buf_release(&path);
    return rc;
}

static int recover_samples(struct daemon *d, const struct config *c, struct err *err)
{
    const char *folder = d->options.storage_path;
    struct store_recovery recovery;
    d->sync = c->wal_sync;
    d->has_log = folder[0] != '\0';
    if (!d->has_log)
        return 0;
    int rc = store_recover(d->store, folder, d->sync, &recovery, err);
    if (rc != 0)
        err_prefix(err, "cannot bring back the samples in %s (another --storage.path starts without them): ",
                   folder);
    return rc;
}

static int open_router(struct daemon *d, struct generation *g, struct err *err)
{
    if (g->routes == NULL)
        return 0;
    const char *folder = d->options.storage_path;
    struct router_options options = d->options.router;
    options.world = d->world;
    options.state = folder[0] != '\0' ? d->state : NULL; /* in memory it knows all by itself */
    options.external_url = str_of(d->external_url);
    options.paged = d->incidents != NULL ? daemon_note_page : NULL;
    options.context = d;
    options.contracts = g->config->contracts;
    options.storm = config_storm(g->config);
    int rc = folder[0] != '\0' ? am_import(d->world, folder, d->state, err) : 0;
    if (rc != 0)
        return rc;
    rc = router_open(&options, g->routes, &d->router, err);
    g->routes = NULL;
    return rc;
}

static void set_external_url(struct daemon *d)
{
    struct buf url;
    buf_init(&url, 4096);
    struct str given = str_of(d->options.external_url);
    while (given.n > 0 && given.p[given.n - 1] == '/')
        given.n--;
    if (given.n > 0)
        buf_str(&url, given);
    else
        buf_format(&url, "http://%s", d->options.listen);
    d->external_url = mem_copy_text(buf_text(&url), url.used);
    buf_release(&url);
}

/* As Prometheus shows a flag that was given several times. */
static void set_feature_text(struct daemon *d)
{
    const struct flag_list *lists = d->options.feature_flags;
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < lists->count; i++)
        buf_format(&text, "%s%s", i > 0 ? "," : "", lists->items[i]);
    d->feature_text = mem_copy_text(buf_text(&text), text.used);
    buf_release(&text);
}

/* Nothing in here can fail. */
static void open_rule_parts(struct daemon *d, const struct generation *g)
{
    d->promql = (struct promql_options){
        .features = d->options.features,
        .lookback_ms = d->options.lookback_ms,
        .subquery_step_ms = g->config->evaluation_interval_ms,
        .world = d->world,
    };
    d->store = store_open(&g->config->storage, d->world);
    d->intake = intake_open(d->world);
    if (d->options.features.type_and_unit_labels)
        intake_name_types(d->intake);
    d->forward = forward_open(&(struct forward_options){.world = d->world});
    daemon_configure_sender(d, g->config);
    struct ruler_options ruler = ruler_options_of(d, g->config);
    d->ruler = ruler_open(&ruler);
}

static void open_own_parts(struct daemon *d, const struct generation *g)
{
    set_external_url(d);
    set_feature_text(d);
    d->identity_header = mem_copy_text(g->config->identity_header.p, g->config->identity_header.n);
    d->alerts = queue_open((size_t)limits.alert_queue);
    d->pages = queue_open((size_t)limits.page_queue);
    d->stop = queue_open(1);
    if (!d->options.router_only)
        open_rule_parts(d, g);
}

/* What has been kept comes back, and the rules go on from there. */
static int recover_rules(struct daemon *d, struct generation *g, struct err *err)
{
    int rc = recover_samples(d, g->config, err);
    if (rc == 0)
        rc = incidents_open(d->state, d->world, &d->incidents, err);
    return rc;
}

static int open_budgets(struct daemon *d, struct generation *g, struct err *err)
{
    struct budgets_change *change;
    d->budgets = budgets_open(&(struct budgets_options){
        .world = d->world, .store = d->store, .state = d->state, .promql = d->promql});
    int rc = budgets_prepare(d->budgets, g->objectives, &change, err);
    if (rc == 0)
        commit_budgets(d, g, change);
    return rc;
}

static int load_rules(struct daemon *d, struct generation *g, struct err *err)
{
    struct ruler_options ruler = ruler_options_of(d, g->config); /* with the state, which is open by now */
    ruler_configure(d->ruler, &ruler);
    int rc = ruler_load(d->ruler, g->rules, err);
    g->rules = NULL;
    return rc == 0 ? open_budgets(d, g, err) : rc;
}

static int open_serve(struct daemon *d, struct err *err)
{
    struct serve_options options = {.listen = str_of(d->options.listen),
                                    .route_prefix = str_of(d->options.route_prefix),
                                    .lifecycle = d->options.lifecycle,
                                    .identity_header = str_of(d->identity_header)};
    struct serve_parts parts = {
        .world = d->world,
        .store = d->store,
        .intake = d->intake,
        .ruler = d->ruler,
        .router = d->router,
        .forward = d->forward,
        .incidents = d->incidents,
        .budgets = d->budgets,
        .promql = d->ruler != NULL ? &d->promql : NULL,
        .features = d->feature_text,
        .pushed = note_push,
        .reload = reload_for_http,
        .ready = is_ready,
        .write_metrics = daemon_write_metrics,
        .write_config = write_config,
        .context = d,
        .version = TOCSIN_VERSION,
        .started_ns = d->world->wall_ns(d->world),
    };
    return serve_open(&options, &parts, &d->serve, err);
}

static int open_parts(struct daemon *d, struct err *err)
{
    struct generation g;
    int rc = load(d, GENERATION_FIRST, &g, err);
    if (rc != 0)
        return rc;
    log_ignored(g.config);
    open_own_parts(d, &g);
    rc = courier_open(d->world, "Tocsin/" TOCSIN_VERSION, &d->courier, err);
    if (rc == 0 && d->ruler != NULL)
        rc = configure_forward(d, g.config, err);
    if (rc == 0)
        rc = open_folder(d, err);
    if (rc == 0 && d->ruler != NULL)
        rc = recover_rules(d, &g, err);
    if (rc == 0)
        rc = open_router(d, &g, err);
    if (rc == 0 && d->ruler != NULL)
        rc = load_rules(d, &g, err);
    note_reload(d, rc == 0);
    keep_text(d, g.config);
    generation_free(&g);
    if (rc == 0)
        rc = open_serve(d, err);
    return rc != 0 ? rc : threads_start(d, err);
}

int daemon_open(struct world *world, const struct daemon_options *options, struct daemon **out,
                struct err *err)
{
    struct daemon *d = MEM_NEW(struct daemon);
    d->world = world;
    d->options = *options;
    pthread_mutex_init(&d->reloading, NULL);
    lock_init(&d->config_lock, LOCK_generation);
    buf_init(&d->config_text, CONFIG_TEXT_MAX);
    int rc = open_parts(d, err);
    if (rc != 0) {
        daemon_close(d);
        *out = NULL;
        return rc;
    }
    atomic_store(&d->ready, true);
    *out = d;
    return 0;
}

/* ---- closing ---- */

static bool is_late(struct daemon *d, int64_t end_ns)
{
    return d->world->mono_ns(d->world) >= end_ns;
}

/* Pages that are under way may finish; what is not due yet waits for the next start. */
static void let_pages_out(struct daemon *d, int64_t end_ns)
{
    if (d->router == NULL)
        return;
    for (;;) {
        (void)router_run(d->router, d->world->wall_ns(d->world));
        if (router_idle(d->router) || is_late(d, end_ns))
            return;
        router_wait(d->router, d->world->wall_ns(d->world) + SHUTDOWN_POLL_MS * NS_PER_MS);
    }
}

static void let_alerts_out(struct daemon *d, int64_t end_ns)
{
    while (forward_run(d->forward) && !is_late(d, end_ns))
        d->world->pause(d->world, SHUTDOWN_POLL_MS);
}

static void let_samples_out(struct daemon *d)
{
    int64_t end_ns = d->world->mono_ns(d->world) + SENDER_GRACE_MS * NS_PER_MS;
    while (sender_pending(d->sender) > 0 && !is_late(d, end_ns))
        d->world->pause(d->world, SHUTDOWN_POLL_MS);
}

/* Whatever is still under way is answered as cancelled, and the router hears of it. */
static void close_courier(struct daemon *d)
{
    if (d->courier == NULL)
        return;
    courier_close(d->courier, 0);
    if (d->router != NULL)
        (void)router_run(d->router, d->world->wall_ns(d->world));
}

static void close_rule_parts(struct daemon *d)
{
    ruler_close(d->ruler);
    budgets_close(d->budgets);
    objective_set_free(d->objectives);
    forward_close(d->forward);
    sender_close(d->sender);
    intake_close(d->intake);
    store_close(d->store);
}

void daemon_close(struct daemon *daemon)
{
    struct daemon *d = daemon;
    int64_t end_ns = d->world->mono_ns(d->world) + SHUTDOWN_GRACE_MS * NS_PER_MS;
    atomic_store(&d->ready, false);
    if (d->serve != NULL)
        serve_stop(d->serve);
    if (d->ruler != NULL) {
        threads_stop_evaluators(d);
        sender_end(d->sender);
    }
    if (d->alerts != NULL)
        threads_stop_router(d);
    let_pages_out(d, end_ns);
    if (d->ruler != NULL) {
        let_alerts_out(d, end_ns);
        let_samples_out(d);
        threads_stop_remote(d);
        threads_stop_lookout(d); /* last: it may have to wait, and the last pages have ten seconds only */
    }
    close_courier(d);
    if (d->router != NULL)
        router_close(d->router);
    if (d->pages != NULL)
        threads_stop_keeper(d);
    if (d->ruler != NULL)
        threads_stop_log(d);
    serve_close(d->serve);
    if (d->ruler != NULL)
        close_rule_parts(d);
    queue_free(d->alerts);
    queue_free(d->pages);
    queue_free(d->stop);
    if (d->incidents != NULL)
        incidents_close(d->incidents);
    if (d->state != NULL)
        state_close(d->state);
    if (d->folder_lock != NULL)
        d->world->file_close(d->world, d->folder_lock);
    pthread_mutex_destroy(&d->reloading);
    lock_release(&d->config_lock);
    buf_release(&d->config_text);
    mem_free(d->external_url);
    mem_free(d->feature_text);
    mem_free(d->identity_header);
    mem_free(d);
}
