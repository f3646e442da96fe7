/*
 * daemon: all parts, wired together: who owns what, which queue leads where, in which order things start and stop.
 *
 *   ruler --alerts--> router thread --> router, forward --> courier
 *   ruler --what was recorded--> sender --remote thread--> courier
 *   router --pages--> keeper thread --> incidents
 *
 *   log thread --how far it is--> serve --> answers to pushes
 *
 * Threads: main (signals, reloads), log, evaluators, router, remote, lookout, keeper; serve and courier have their own
 * (docs/architecture.md).
 * None is made after start.
 * Both queues hand on directly when full: slower, never lost. The sender's backlogs have a cap (sender.h).
 */
#ifndef TOCSIN_DAEMON_PRIV_H
#define TOCSIN_DAEMON_PRIV_H

#include "config_priv.h"
#include "flags_priv.h"

#include "tocsin/amconfig.h"
#include "tocsin/budget.h"
#include "tocsin/courier.h"
#include "tocsin/forward.h"
#include "tocsin/incident.h"
#include "tocsin/intake.h"
#include "tocsin/lock.h"
#include "tocsin/objective.h"
#include "tocsin/queue.h"
#include "tocsin/router.h"
#include "tocsin/ruler.h"
#include "tocsin/sender.h"
#include "tocsin/serve.h"

#include <pthread.h>
#include <stdatomic.h>

enum { EVALUATORS_MAX = 16 };

struct daemon_options {
    const char *config_file;
    bool router_only;         /* it is an alertmanager.yml: no samples, no rules, no incidents */
    const char *storage_path; /* folder; empty: nothing is kept on disk */
    const char *listen;       /* one address, or several with commas between */
    const char *external_url; /* empty: http://<listen> */
    const char *route_prefix; /* NULL: none */
    int64_t evaluators, concurrent_evals;
    int64_t resend_delay_ms, outage_tolerance_ms, for_grace_ms;
    int64_t lookback_ms;
    struct router_options router; /* its numbers */
    bool lifecycle;
    struct promql_features features;
    const struct flag_list *feature_flags; /* as they were given, for who asks which flags are set */
};

struct daemon {
    struct daemon_options options;
    struct world *world;
    struct courier *courier;
    struct state *state;
    struct store *store;
    struct intake *intake;
    struct ruler *ruler;
    struct budgets *budgets;
    struct objective_set *objectives; /* the books are of these */
    struct router *
        router; /* NULL without alertmanager_config_file; with router_only the only one beside state and serve */
    struct forward *forward;
    struct sender *sender;
    struct incidents *incidents;
    struct serve *serve;
    struct promql_options promql;
    char *external_url;
    char *identity_header;
    char *feature_text;

    struct queue *alerts; /* struct alert_event */
    struct queue *pages;  /* struct page_event */
    struct queue *stop;   /* never holds anything; closed: evaluators and lookout end */
    pthread_t evaluators[EVALUATORS_MAX], router_thread, remote, keeper, log, lookout, bookkeeper;
    size_t evaluator_count;
    bool router_runs, remote_runs, keeper_runs, log_runs, lookout_runs, bookkeeper_runs;
    struct file *folder_lock; /* nobody else writes in storage_path; NULL: there is none */
    bool has_log;             /* samples survive a restart */
    enum store_sync sync;
    atomic_bool ready, log_ends, remote_ends;
    pthread_mutex_t reloading;
    struct lock config_lock; /* LOCK_generation */
    struct buf config_text;  /* the one in force, as it is told */
};

/* Opens every part, brings back the samples, loads the configuration, starts the threads and the listener. On failure everything is undone. */
int daemon_open(struct world *world, const struct daemon_options *options, struct daemon **out,
                struct err *err);

/* Stops in the order of the way of a sample: no more pushes, last evaluations, last pages out (up to ten seconds), last
 * results out (up to five more). */
void daemon_close(struct daemon *daemon);

/* command_serve.c: from daemon_open to daemon_close, which SIGTERM asks for; the exit status. */
int daemon_main(const struct daemon_options *options);

/* Reads everything anew and swaps only if all of it is sound. */
int daemon_reload(struct daemon *daemon, struct err *err);

/* generation.c: what one reading of the files gives. */
struct generation {
    struct config *config;
    struct rule_set *rules; /* those made of objectives, too */
    struct objective_set *objectives;
    struct amconfig *routes; /* NULL without alertmanager_config_file */
};

/* FIRST: nothing runs yet, and the file's limits come into force, before its rules are read. NEXT: threads read the limits, so
 * a file that sets others is refused. */
enum generation_turn { GENERATION_FIRST, GENERATION_NEXT };

int generation_load(struct world *world, const char *path, const struct promql_features *features,
                    enum generation_turn turn, struct generation *out, struct err *err);
/* Of an alertmanager.yml alone: all else is as it is by default, but nothing is promised beyond Alertmanager's own. */
int generation_load_routes(struct world *world, const char *path, struct generation *out, struct err *err);
void generation_free(struct generation *generation); /* what was taken over is NULL */

/* threads.c */
int threads_start(struct daemon *daemon, struct err *err);
void threads_stop_evaluators(struct daemon *daemon);
void threads_stop_router(struct daemon *daemon);
void threads_stop_remote(struct daemon *daemon);
void threads_stop_lookout(struct daemon *daemon);
void threads_stop_keeper(struct daemon *daemon);
void threads_stop_log(struct daemon *daemon);
void daemon_emit_alert(void *context, struct alert_event *event);
void daemon_note_page(void *context, struct page_event *page);
void daemon_write_metrics(void *context, struct buf *out);

/* remote.c */
void daemon_configure_sender(struct daemon *daemon,
                             const struct config *config); /* the first time: opens it */
void daemon_note_recorded(void *context, const struct batch *batch);
bool daemon_is_own_url(struct str url, struct str listen); /* http(s)://..., HOST:PORT */

#endif
