/* Pushes over real sockets to a store whose log stands on a disk that can be stopped and broken. */
#include "tocsin/arena.h"
#include "tocsin/check.h"
#include "tocsin/encode.h"
#include "tocsin/intake.h"
#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/serve.h"
#include "tocsin/store.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000, PUSHES = 8 };

/* ---- the disk ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held: nothing is synced */
static atomic_int at_gate;
static atomic_bool broken;

static int gated_sync(struct world *world, struct file *file, struct err *err)
{
    atomic_fetch_add(&at_gate, 1);
    must(pthread_mutex_lock(&gate) == 0);
    must(pthread_mutex_unlock(&gate) == 0);
    if (atomic_load(&broken))
        return err_set(err, ERR_IO, "sync: input/output error");
    return world_real()->file_sync(world, file, err);
}

static int breakable_write(struct world *world, struct file *file, int64_t offset, struct str bytes,
                           struct err *err)
{
    if (atomic_load(&broken))
        return err_set(err, ERR_FULL, "write: no space left on device");
    return world_real()->file_write(world, file, offset, bytes, err);
}

static void stop_disk(void)
{
    must(pthread_mutex_lock(&gate) == 0);
}

static void let_disk_go_on(void)
{
    must(pthread_mutex_unlock(&gate) == 0);
}

/* ---- the server, and what the daemon's threads do for it ---- */

struct fixture {
    struct world world;
    struct arena arena;
    char folder[64];
    struct store *store;
    struct intake *intake;
    struct serve *serve;
    pthread_t log;
    bool log_runs;
    atomic_bool log_ends;
    struct limits before;
    int64_t t_ms;
};

static void *run_log(void *context)
{
    struct fixture *f = context;
    while (!atomic_load(&f->log_ends)) {
        struct err err;
        bool works = store_log_run(f->store, 20, &err) == 0 && store_log_works(f->store);
        serve_committed(f->serve, store_durable(f->store), works);
        if (!works)
            (void)store_snapshot(f->store, &err);
    }
    return NULL;
}

static void start_log(struct fixture *f)
{
    atomic_store(&f->log_ends, false);
    must(pthread_create(&f->log, NULL, run_log, f) == 0);
    f->log_runs = true;
}

static void stop_log(struct fixture *f)
{
    atomic_store(&f->log_ends, true);
    if (f->log_runs)
        must(pthread_join(f->log, NULL) == 0);
    f->log_runs = false;
}

static void open_store(struct fixture *f)
{
    const struct store_options options = {.retention_ms = INT64_C(86400000)};
    struct store_recovery recovery;
    struct err err;
    f->store = store_open(&options, &f->world);
    if (store_recover(f->store, f->folder, STORE_SYNC_GROUP, &recovery, &err) != 0)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    struct fixture *f = MEM_NEW(struct fixture);
    f->before = limits;
    atomic_store(&broken, false);
    f->world = *world_real();
    f->world.file_sync = gated_sync;
    f->world.file_write = breakable_write;
    f->t_ms = world_now_ms(&f->world);
    arena_init(&f->arena, 64 << 20);
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, -1);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/tocsin-push-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    open_store(f);
    f->intake = intake_open(&f->world);
    const struct serve_options options = {.listen = STR("127.0.0.1:0")};
    const struct serve_parts parts = {
        .world = &f->world, .store = f->store, .intake = f->intake, .version = "0.0-test", .started_ns = 1};
    struct err err;
    if (serve_open(&options, &parts, &f->serve, &err) != 0)
        fail_msg("%s", err.text);
    start_log(f);
    atomic_store(&at_gate, 0);
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    serve_stop(f->serve);
    stop_log(f);
    serve_close(f->serve);
    intake_close(f->intake);
    store_close(f->store);
    arena_release(&f->arena);
    limits = f->before;
    nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    mem_free(f);
    return 0;
}

/* ---- a client ---- */

static int dial(struct fixture *f)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)serve_port(f->serve)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static const char v1_type[] = "application/x-protobuf";

static struct str body_of(struct fixture *f, const char *name)
{
    const struct labels *ls = labels_of(&f->arena, "__name__", name, NULL);
    const struct sample sample = {.t_ms = f->t_ms, .value = 1};
    const struct batch_series series = {ls->item, ls->count, &sample, 1};
    struct str body;
    assert_int_equal(encode_push(&f->arena, &(const struct batch){.series = &series, .count = 1}, &body), 0);
    return body;
}

/* Sends a push of one sample of one series; the answer is heard later. */
static int begin_push(struct fixture *f, const char *name)
{
    int fd = dial(f);
    struct str body = body_of(f, name);
    struct buf out;
    buf_init(&out, 1 << 16);
    buf_format(&out,
               "POST /api/v1/write HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: %s\r\n"
               "Content-Length: %zu\r\n\r\n",
               v1_type, body.n);
    buf_str(&out, body);
    assert_int_equal(send(fd, out.bytes, out.used, MSG_NOSIGNAL), out.used);
    buf_release(&out);
    return fd;
}

/* Hears until the server closes; true if the answer has this status, and (also) these words. */
static bool hears(int fd, const char *status, const char *also)
{
    struct buf heard;
    buf_init(&heard, 1 << 20);
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        char piece[4096];
        if (poll(&ready, 1, PATIENCE_MS) != 1)
            fail_msg("no answer; so far: %s", buf_text(&heard));
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n <= 0)
            break;
        buf_add(&heard, piece, (size_t)n);
    }
    close(fd);
    bool as_expected = strstr(buf_text(&heard), status) != NULL && strstr(buf_text(&heard), also) != NULL;
    if (!as_expected)
        print_message("%s\n", buf_text(&heard));
    buf_release(&heard);
    return as_expected;
}

static int begin_get(struct fixture *f, const char *path)
{
    int fd = dial(f);
    char out[200];
    int n = snprintf(out, sizeof out, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", path);
    assert_int_equal(send(fd, out, (size_t)n, MSG_NOSIGNAL), n);
    return fd;
}

static bool is_answered(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return poll(&ready, 1, 0) == 1;
}

/* ---- the tests ---- */

static void wait_until_syncing(struct fixture *f)
{
    while (atomic_load(&at_gate) == 0)
        f->world.pause(&f->world, 1);
}

/* As many as wait, once they all do: each is on its way until then. */
static void wait_until_waiting(struct fixture *f, int count)
{
    char line[64];
    (void)snprintf(line, sizeof line, "\ntocsin_wal_waiting_pushes %d\n", count);
    int64_t end_ns = f->world.mono_ns(&f->world) + PATIENCE_MS * NS_PER_MS;
    while (f->world.mono_ns(&f->world) < end_ns) {
        int fd = begin_get(f, "/metrics");
        struct buf heard;
        buf_init(&heard, 1 << 20);
        char piece[4096];
        ssize_t n;
        while ((n = recv(fd, piece, sizeof piece, 0)) > 0)
            buf_add(&heard, piece, (size_t)n);
        close(fd);
        bool all = strstr(buf_text(&heard), line) != NULL;
        buf_release(&heard);
        if (all)
            return;
    }
    fail_msg("there never were %d that waited", count);
}

static void pushes_are_answered_when_their_samples_are_synced(void **state)
{
    struct fixture *f = *state;
    int fd[PUSHES];
    stop_disk();
    for (int i = 0; i < PUSHES; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "series_%d", i);
        fd[i] = begin_push(f, name);
    }
    wait_until_syncing(f);
    wait_until_waiting(f, PUSHES); /* more than there are threads: none of them is held up */
    for (int i = 0; i < PUSHES; i++)
        assert_false(is_answered(fd[i]));
    let_disk_go_on();
    for (int i = 0; i < PUSHES; i++)
        assert_true(hears(fd[i], "HTTP/1.1 204 ", "\r\n\r\n"));
    wait_until_waiting(f, 0);
}

static void a_restart_brings_back_what_was_answered_204(void **state)
{
    struct fixture *f = *state;
    assert_true(hears(begin_push(f, "kept"), "HTTP/1.1 204 ", ""));
    serve_stop(f->serve);
    stop_log(f);
    store_close(f->store);
    open_store(f);
    struct store_figures figures;
    store_figures(f->store, &figures);
    assert_int_equal(figures.samples, 1);
}

static void a_push_whose_sync_fails_is_answered_503(void **state)
{
    struct fixture *f = *state;
    stop_disk();
    int fd = begin_push(f, "unsafe");
    wait_until_syncing(f);
    wait_until_waiting(f, 1);
    atomic_store(&broken, true);
    let_disk_go_on();
    assert_true(hears(fd, "HTTP/1.1 503 ", "the write-ahead log cannot be written"));
}

static void a_push_to_a_failed_log_is_refused_and_its_samples_seen(void **state)
{
    struct fixture *f = *state;
    atomic_store(&broken, true);
    assert_true(hears(begin_push(f, "first"), "HTTP/1.1 503 ", "Retry-After: 5\r\n"));
    assert_true(hears(begin_push(f, "second"), "HTTP/1.1 503 ", "cannot be written"));
    assert_true(hears(begin_push(f, "second"), "HTTP/1.1 503 ", "cannot be written"));
    assert_true(hears(begin_get(f, "/api/v1/query?query=second"), "HTTP/1.1 200 ", "\"1\"]"));
}

static void pushes_are_taken_again_when_the_disk_is_well(void **state)
{
    struct fixture *f = *state;
    atomic_store(&broken, true);
    assert_true(hears(begin_push(f, "again"), "HTTP/1.1 503 ", ""));
    atomic_store(&broken, false);
    while (!store_log_works(f->store))
        f->world.pause(&f->world, 1);
    assert_true(hears(begin_push(f, "again"), "HTTP/1.1 204 ", ""));
}

static void a_push_waits_no_longer_than_its_limit(void **state)
{
    struct fixture *f = *state;
    uint64_t hits = limit_hits(LIMIT_commit_ms);
    limits.commit_ms = 1;
    stop_disk();
    int fd = begin_push(f, "late");
    bool refused = hears(fd, "HTTP/1.1 503 ", "the write-ahead log takes too long to write");
    let_disk_go_on();
    assert_true(refused);
    assert_int_equal(limit_hits(LIMIT_commit_ms), hits + 1);
}

static void *stop_server(void *context)
{
    serve_stop(((struct fixture *)context)->serve);
    return NULL;
}

static void a_push_that_waits_is_answered_before_the_server_ends(void **state)
{
    struct fixture *f = *state;
    stop_disk();
    int fd = begin_push(f, "last");
    wait_until_syncing(f);
    wait_until_waiting(f, 1);
    pthread_t stopping;
    must(pthread_create(&stopping, NULL, stop_server, f) == 0);
    let_disk_go_on();
    must(pthread_join(stopping, NULL) == 0);
    assert_true(hears(fd, "HTTP/1.1 204 ", ""));
}

/* Takes as long as the server lets requests finish. */
static void a_disk_that_hangs_does_not_keep_the_server_from_ending(void **state)
{
    struct fixture *f = *state;
    stop_disk();
    int fd = begin_push(f, "stuck");
    wait_until_syncing(f);
    wait_until_waiting(f, 1);
    serve_stop(f->serve);
    bool refused = hears(fd, "HTTP/1.1 503 ", "cannot be written");
    let_disk_go_on();
    assert_true(refused);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(pushes_are_answered_when_their_samples_are_synced),
        TEST(a_restart_brings_back_what_was_answered_204),
        TEST(a_push_whose_sync_fails_is_answered_503),
        TEST(a_push_to_a_failed_log_is_refused_and_its_samples_seen),
        TEST(pushes_are_taken_again_when_the_disk_is_well),
        TEST(a_push_waits_no_longer_than_its_limit),
        TEST(a_push_that_waits_is_answered_before_the_server_ends),
        TEST(a_disk_that_hangs_does_not_keep_the_server_from_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
