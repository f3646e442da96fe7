/* Everything at once, as in the daemon: pushes, evaluation, queries, retention, snapshots and the log, each on threads of its own. */
#include "tocsin/check.h"
#include "tocsin/encode.h"
#include "tocsin/intake.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/promql.h"
#include "tocsin/ruler.h"
#include "tocsin/view.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    PUSHERS = 8,
    ROUNDS = 300,
    SERIES = 20,
    QUERIERS = 2,
    EVALUATIONS = 40 /* of slots a second apart, ahead of the clock */,
    CHURN = 10 /* rounds that a passing series lives */
};

static const char RULES[] = "groups:\n"
                            "  - name: busy\n"
                            "    interval: 1s\n"
                            "    rules:\n"
                            "      - record: busy:rate\n"
                            "        expr: sum by (pusher) (rate(busy_total[1m]))\n"
                            "      - alert: Busy\n"
                            "        expr: busy:rate > 0\n";

struct busy {
    struct world *world;
    struct store *store;
    struct intake *intake;
    struct ruler *ruler;
    int64_t start_ms;
    atomic_bool stop;
    atomic_int alerts;
    _Atomic uint64_t pushed, logged;
};

static void lift(_Atomic uint64_t *to, uint64_t value)
{
    uint64_t seen = atomic_load(to);
    while (value > seen && !atomic_compare_exchange_weak(to, &seen, value))
        ;
}

/* ---- pushing ---- */

struct pusher {
    struct busy *busy;
    int number;
};

/* The last one is another series every few rounds. */
static struct labels *name_series(struct arena *arena, int pusher, int i, int round)
{
    const char *life = i == SERIES - 1 ? arena_format(arena, "%d", round / CHURN) : "lasting";
    return labels_of(arena, "__name__", "busy_total", "i", arena_format(arena, "%d", i), "life", life,
                     "pusher", arena_format(arena, "%d", pusher), NULL);
}

static struct str make_body(struct arena *arena, const struct pusher *p, int round)
{
    struct batch_series *series = ARENA_ARRAY(arena, struct batch_series, SERIES);
    struct sample *sample = ARENA_ARRAY(arena, struct sample, 1);
    *sample = (struct sample){.t_ms = p->busy->start_ms + round * 1000, .value = round};
    for (int i = 0; i < SERIES; i++) {
        const struct labels *ls = name_series(arena, p->number, i, round);
        series[i] = (struct batch_series){ls->item, ls->count, sample, 1};
    }
    struct str body;
    must(encode_push(arena, &(struct batch){.series = series, .count = SERIES}, &body) == 0);
    return body;
}

static void *push_all(void *context)
{
    struct pusher *p = context;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (int round = 0; round < ROUNDS; round++) {
        struct intake_answer answer;
        intake_answer_init(&answer);
        must(intake_push(p->busy->intake, p->busy->store, STR("test"), make_body(&arena, p, round),
                         &answer) == 0);
        atomic_fetch_add(&p->busy->pushed, answer.appended);
        lift(&p->busy->logged, answer.logged);
        intake_answer_release(&answer);
        arena_clear(&arena);
    }
    arena_release(&arena);
    return NULL;
}

/* ---- the other threads ---- */

static void *run_log(void *context)
{
    struct busy *b = context;
    while (!atomic_load(&b->stop) || store_durable(b->store) < atomic_load(&b->logged))
        must(store_log_run(b->store, 5, NULL) == 0);
    return NULL;
}

static void *keep_house(void *context)
{
    struct busy *b = context;
    while (!atomic_load(&b->stop)) {
        store_retire(b->store);
        must(store_snapshot(b->store, NULL) == 0);
    }
    return NULL;
}

static void *evaluate(void *context)
{
    struct busy *b = context;
    for (int i = 0; i < EVALUATIONS && !atomic_load(&b->stop); i++)
        must(ruler_run(b->ruler, ruler_next_ns(b->ruler)));
    return NULL;
}

static size_t ask(struct busy *b, const char *text, int64_t t_ms)
{
    struct arena arena;
    struct err err = {0};
    struct promql *query;
    struct promql_result result;
    struct promql_options options = {.features = promql_features_default, .world = b->world};
    arena_init(&arena, 16 << 20);
    must(promql_open(str_of(text), &options, NULL, &query, &err) == 0);
    struct view *view = view_open(b->store);
    must(promql_instant(query, view, t_ms, &arena, &result, &err) == 0);
    view_close(view);
    promql_close(query);
    arena_release(&arena);
    return result.count;
}

static void *ask_all(void *context)
{
    struct busy *b = context;
    for (int i = 0; !atomic_load(&b->stop); i++) {
        ask(b, "sum by (pusher) (rate(busy_total[30s]))", b->start_ms + i % ROUNDS * 1000);
        ask(b, "max_over_time(busy_total{life=\"lasting\"}[2m])", b->start_ms + ROUNDS * 1000);
        ask(b, "increase(busy_total[4m])", b->start_ms + ROUNDS * 1000); /* sealed ones, too */
        ask(b, "ALERTS", b->start_ms + i % ROUNDS * 1000);
    }
    return NULL;
}

static void take_alert(void *context, struct alert_event *event)
{
    struct busy *b = context;
    atomic_fetch_add(&b->alerts, 1);
    mem_free(event);
}

/* ---- the test ---- */

static void open_store(struct busy *b, const char *folder)
{
    struct store_recovery recovery;
    struct err err = {0};
    b->store = store_open(&(struct store_options){.retention_ms = 24 * 3600 * 1000}, b->world);
    must(store_recover(b->store, folder, STORE_SYNC_GROUP, &recovery, &err) == 0);
    must(recovery.damaged == 0 && recovery.orphans == 0);
}

static void open_ruler(struct busy *b)
{
    struct err err = {0};
    struct buf errors;
    struct ruler_options options = {.world = b->world,
                                    .store = b->store,
                                    .external_url = STR("http://tocsin.example"),
                                    .emit = take_alert,
                                    .context = b};
    struct rule_set *set = rule_set_new();
    buf_init(&errors, 1 << 16);
    must(rulefile_parse(set, STR("busy.yml"), str_of(RULES), &promql_features_default, &errors) == 0);
    buf_release(&errors);
    b->ruler = ruler_open(&options);
    must(ruler_load(b->ruler, set, &err) == 0);
}

static void start(pthread_t *thread, void *(*run)(void *), void *context)
{
    must(pthread_create(thread, NULL, run, context) == 0);
}

static void run_all(struct busy *b)
{
    struct pusher pushers[PUSHERS];
    pthread_t push[PUSHERS], others[3 + QUERIERS];
    void *(*const run[])(void *) = {run_log, keep_house, evaluate, ask_all, ask_all};
    for (int i = 0; i < 3 + QUERIERS; i++)
        start(&others[i], run[i], b);
    for (int i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){b, i};
        start(&push[i], push_all, &pushers[i]);
    }
    for (int i = 0; i < PUSHERS; i++)
        pthread_join(push[i], NULL);
    atomic_store(&b->stop, true);
    for (int i = 0; i < 3 + QUERIERS; i++)
        pthread_join(others[i], NULL);
}

static void check_all(struct busy *b)
{
    int64_t end_ms = b->start_ms + ROUNDS * 1000;
    assert_int_equal(ask(b, "count_over_time(busy_total{life=\"lasting\"}[10m]) == 300", end_ms),
                     PUSHERS * (SERIES - 1));
    assert_int_equal(ask(b, "count_over_time(busy_total{life!=\"lasting\"}[10m]) == 10", end_ms),
                     PUSHERS * ROUNDS / CHURN);
    assert_true(ask(b, "last_over_time(busy:rate[10m])", end_ms + 2 * EVALUATIONS * 1000) == PUSHERS);
}

static void remove_folder(const char *folder)
{
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", "--", folder, (char *)NULL);
        _exit(1);
    }
    must(child > 0);
}

static void nothing_is_lost_when_all_threads_are_busy(void **state)
{
    (void)state;
    struct busy b = {.world = world_real()};
    char folder[] = "/tmp/tocsin-busy-XXXXXX";
    struct limits before = limits;
    limits.wal_replay_bytes = 64 << 10; /* many snapshots */
    limits.wal_segment_bytes = 128 << 10;
    assert_non_null(mkdtemp(folder));
    b.start_ms = world_now_ms(b.world) - ROUNDS * 1000;
    open_store(&b, folder);
    open_ruler(&b);
    b.intake = intake_open(b.world);
    run_all(&b);
    assert_int_equal(atomic_load(&b.pushed), PUSHERS * ROUNDS * SERIES);
    assert_true(ruler_run(b.ruler, ruler_next_ns(b.ruler)));
    assert_true(atomic_load(&b.alerts) > 0);
    check_all(&b);
    ruler_close(b.ruler);
    intake_close(b.intake);
    store_close(b.store);
    open_store(&b, folder);
    check_all(&b);
    store_close(b.store);
    limits = before;
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost_when_all_threads_are_busy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
