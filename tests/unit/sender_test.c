/* The receiver is a real one: what is pushed goes through the intake into a store, which answers. */
#include "store_help.h"

#include "tocsin/histogram.h"
#include "tocsin/intake.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/sender.h"

#include <stdio.h>
#include <stdlib.h>

enum { PUSHES_MAX = 512, SERIES_MAX = 64 };

struct push {
    int64_t at_ms; /* since the beginning of the test */
    char *url, *headers;
    int64_t timeout_ms;
};

static struct {
    struct bench b; /* must be first: its world is what send is called with */
    struct intake *intake;
    struct sender *sender;
    struct sender_target target;
    struct push pushes[PUSHES_MAX];
    size_t push_count;
    int status; /* of the next answers; -1: the receiver's own; 0: none comes */
    const char *body;
    int64_t retry_after_ms;
    bool mute;  /* the receiver knows 1.0 only: it says nothing of what it has written */
    bool hold;  /* answers wait for release() */
    int refuse; /* what send itself answers */
    net_done *held;
    void *held_context;
    bool held_v2;
    struct str held_body;
} t;

static int64_t now_ms(void)
{
    return t.b.sim.now_ns / NS_PER_MS - START_MS;
}

/* ---- the network ---- */

static void ask_receiver(struct str body, bool v2, struct net_answer *answer)
{
    struct intake_answer taken;
    intake_answer_init(&taken);
    if (v2)
        intake_push_v2(t.intake, t.b.store, STR(""), body, &taken);
    else
        intake_push(t.intake, t.b.store, STR(""), body, &taken);
    answer->status = taken.status;
    answer->tells_written = v2 && !t.mute;
    answer->samples_written = taken.written_samples;
    answer->histograms_written = taken.written_histograms;
    intake_answer_release(&taken);
}

static void answer_push(struct str body, bool v2, net_done *done, void *context)
{
    struct net_answer answer = {
        .status = t.status, .body = str_of(t.body), .retry_after_ms = t.retry_after_ms};
    if (t.status == 0)
        err_set(&answer.error, ERR_IO, "connection refused");
    if (t.status < 0)
        ask_receiver(body, v2, &answer);
    done(context, &answer);
}

static int send_push(struct world *world, const struct net_request *request, net_done *done, void *context)
{
    (void)world;
    if (t.refuse != 0)
        return t.refuse;
    assert_true(t.push_count < PUSHES_MAX);
    struct buf headers;
    buf_init(&headers, 4096);
    for (size_t i = 0; i < request->header_count; i++)
        buf_format(&headers, "%s: %s\n", request->headers[i].name, request->headers[i].value);
    t.pushes[t.push_count++] = (struct push){.at_ms = now_ms(),
                                             .url = mem_copy_text(request->url, strlen(request->url)),
                                             .headers = mem_copy_text(buf_text(&headers), headers.used),
                                             .timeout_ms = request->timeout_ms};
    bool v2 = strstr(buf_text(&headers), "v2.Request") != NULL;
    buf_release(&headers);
    if (t.hold) {
        assert_null(t.held);
        t.held = done;
        t.held_context = context;
        t.held_body = request->body;
        t.held_v2 = v2;
    } else {
        answer_push(request->body, v2, done, context);
    }
    return 0;
}

static void release(void)
{
    net_done *done = t.held;
    assert_non_null(done);
    t.held = NULL;
    answer_push(t.held_body, t.held_v2, done, t.held_context);
}

/* ---- the sender ---- */

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    bench_open(&t.b, (struct store_options){.retention_ms = INT64_MAX});
    t.b.sim.world.send = send_push;
    t.intake = intake_open(&t.b.sim.world);
    t.status = -1;
    t.retry_after_ms = -1;
    t.target = (struct sender_target){.name = STR("long"),
                                      .url = STR("http://me:s3cret@mimir/push"),
                                      .timeout_ms = 30000,
                                      .samples_max = 3,
                                      .deadline_ms = 5000,
                                      .backoff_min_ms = 100,
                                      .backoff_max_ms = 1000,
                                      .retry_429 = true};
    return 0;
}

static struct sender_options options_of(const struct sender_target *targets, size_t count)
{
    return (struct sender_options){.world = &t.b.sim.world,
                                   .targets = targets,
                                   .target_count = count,
                                   .external_labels =
                                       labels_of(&t.b.arena, "site", "here", "a", "external", NULL)};
}

static void open_sender(void)
{
    struct sender_options options = options_of(&t.target, 1);
    t.sender = sender_open(&options);
}

static int tear_down(void **state)
{
    (void)state;
    sender_close(t.sender);
    for (size_t i = 0; i < t.push_count; i++) {
        mem_free(t.pushes[i].url);
        mem_free(t.pushes[i].headers);
    }
    intake_close(t.intake);
    bench_close(&t.b);
    return 0;
}

/* A float of series s{a="NAME"}, recorded now unless a time is given. */
static void record_at(const char *name, double value, int64_t t_ms)
{
    struct arena arena;
    arena_init(&arena, 1 << 16);
    const struct labels *ls = labels_of(&arena, "__name__", "s", "a", name, NULL);
    struct sample sample = {.t_ms = START_MS + t_ms, .value = value};
    struct batch_series series = {ls->item, ls->count, &sample, 1};
    struct batch batch = {.series = &series, .count = 1};
    sender_put(t.sender, &batch);
    arena_release(&arena); /* nothing of it is borrowed */
}

static void record(const char *name, double value)
{
    record_at(name, value, now_ms());
}

/* Of as many series, now. */
static void record_some(int count)
{
    for (int i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        record(name, i);
    }
}

/* Turns the clock to a time, stopping wherever the sender wants to be called. */
static void until(int64_t at_ms)
{
    int64_t end_ns = (START_MS + at_ms) * NS_PER_MS;
    int64_t next_ns = sender_run(t.sender);
    while (next_ns <= end_ns) {
        assert_true(next_ns >= t.b.sim.now_ns); /* else it would turn in place */
        t.b.sim.now_ns = next_ns;
        next_ns = sender_run(t.sender);
    }
    t.b.sim.now_ns = end_ns;
    sender_run(t.sender);
}

/* ---- what has arrived ---- */

static void print_series(struct buf *out, struct view *view, series_ref ref)
{
    struct sample_run run = bench_read(&t.b, view, ref, 0, INT64_MAX);
    labels_print(out, view_labels(view, ref));
    for (size_t i = 0; i < run.count; i++) {
        if (run.samples[i].histogram != NULL)
            histogram_print(out, run.samples[i].histogram);
        else
            buf_format(out, " %g@%lld", run.samples[i].value, (long long)(run.samples[i].t_ms - START_MS));
    }
    buf_char(out, '\n');
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every series with its samples, a line each, in alphabetical order. */
static void expect_arrived(const char *expected)
{
    struct matcher any = bench_matcher("__name__", MATCH_REGEX, ".+");
    struct view *view = view_open(t.b.store);
    struct series_set set = bench_select(&t.b, view, &any, 1);
    char *lines[SERIES_MAX];
    struct buf all;
    assert_true(set.count <= SERIES_MAX);
    buf_init(&all, 1 << 20);
    for (size_t i = 0; i < set.count; i++) {
        struct buf line;
        buf_init(&line, 1 << 16);
        print_series(&line, view, set.refs[i]);
        lines[i] = mem_copy_text(buf_text(&line), line.used);
        buf_release(&line);
    }
    qsort(lines, set.count, sizeof lines[0], by_text);
    for (size_t i = 0; i < set.count; i++) {
        buf_puts(&all, lines[i]);
        mem_free(lines[i]);
    }
    assert_string_equal(buf_text(&all), expected);
    buf_release(&all);
    view_close(view);
    matcher_release(&any);
}

/* A line of /metrics: the name behind prometheus_remote_storage_, with this target's labels and more. */
static void expect_metric(const char *name, const char *more, double value)
{
    struct buf out, line;
    buf_init(&out, 1 << 20);
    buf_init(&line, 4096);
    sender_write_metrics(t.sender, &out);
    buf_format(
        &line,
        "\nprometheus_remote_storage_%s{remote_name=\"long\",url=\"http://me:xxxxx@mimir/push\"%s} %.16g\n",
        name, more, value);
    if (strstr(buf_text(&out), buf_text(&line)) == NULL)
        fail_msg("not among the metrics: %s\n%s", buf_text(&line), buf_text(&out));
    buf_release(&line);
    buf_release(&out);
}

/* ---- what is sent ---- */

static void a_push_goes_out_when_it_is_full_or_its_time_has_come(void **state)
{
    (void)state;
    open_sender();
    record("x", 1);
    until(4000);
    assert_int_equal(t.push_count, 0);
    record("y", 2);
    until(4999);
    assert_int_equal(t.push_count, 0);
    until(5000);
    assert_int_equal(t.push_count, 1);
    record("x", 3);
    record("y", 4);
    record("z", 5);
    until(5000);
    assert_int_equal(t.push_count, 2);
    until(100000);
    assert_int_equal(t.push_count, 2);
    expect_arrived("{__name__=\"s\", a=\"x\", site=\"here\"} 1@0 3@5000\n"
                   "{__name__=\"s\", a=\"y\", site=\"here\"} 2@4000 4@5000\n"
                   "{__name__=\"s\", a=\"z\", site=\"here\"} 5@5000\n");
    expect_metric("samples_total", "", 5);
    expect_metric("samples_pending", "", 0);
    expect_metric("queue_highest_sent_timestamp_seconds", "", START_MS / 1000 + 5);
    expect_metric("sent_batch_duration_seconds_count", "", 2);
}

static void the_headers_are_those_of_the_protocol(void **state)
{
    (void)state;
    const struct net_header own[] = {{"X-Scope-OrgID", "team"}};
    t.target.headers = own;
    t.target.header_count = 1;
    open_sender();
    record("x", 1);
    until(5000);
    t.target.protocol = SENDER_V2;
    struct sender_options options = options_of(&t.target, 1);
    sender_configure(t.sender, &options);
    record("x", 2);
    until(10000);
    assert_int_equal(t.push_count, 2);
    assert_string_equal(t.pushes[0].url, "http://me:s3cret@mimir/push");
    assert_int_equal(t.pushes[0].timeout_ms, 30000);
    assert_string_equal(t.pushes[0].headers, "Content-Encoding: snappy\n"
                                             "Content-Type: application/x-protobuf\n"
                                             "X-Prometheus-Remote-Write-Version: 0.1.0\n"
                                             "X-Scope-OrgID: team\n");
    assert_string_equal(t.pushes[1].headers,
                        "Content-Encoding: snappy\n"
                        "Content-Type: application/x-protobuf;proto=io.prometheus.write.v2.Request\n"
                        "X-Prometheus-Remote-Write-Version: 2.0.0\n"
                        "X-Scope-OrgID: team\n");
    expect_arrived("{__name__=\"s\", a=\"x\", site=\"here\"} 1@0 2@5000\n");
    expect_metric("samples_total", "", 2);
}

static void external_labels_are_laid_under(void **state)
{
    (void)state;
    open_sender();
    struct sample sample = {.t_ms = START_MS, .value = 1};
    const struct labels *ls = labels_of(&t.b.arena, "__name__", "up", NULL);
    struct batch_series series = {ls->item, ls->count, &sample, 1};
    sender_put(t.sender, &(struct batch){.series = &series, .count = 1});
    record("own", 2);
    until(5000);
    expect_arrived("{__name__=\"s\", a=\"own\", site=\"here\"} 2@0\n"
                   "{__name__=\"up\", a=\"external\", site=\"here\"} 1@0\n");
}

static void only_one_push_is_under_way(void **state)
{
    (void)state;
    open_sender();
    t.hold = true;
    record_some(7);
    until(60000);
    assert_int_equal(t.push_count, 1);
    expect_metric("samples_pending", "", 7);
    t.hold = false;
    release();
    until(60000);
    assert_int_equal(t.push_count, 2);
    until(65000); /* the seventh waits for others again */
    assert_int_equal(t.push_count, 3);
    expect_metric("samples_pending", "", 0);
}

/* ---- what fails ---- */

static void what_may_succeed_later_is_repeated_with_growing_pauses(void **state)
{
    (void)state;
    static const int statuses[] = {0, 500, 503, 429};
    open_sender();
    t.status = statuses[0];
    record_some(3);
    t.b.sim.now_ns += NS_PER_MS;
    for (size_t i = 0; i < 10; i++) {
        until(now_ms()); /* one attempt */
        assert_int_equal(t.push_count, i + 1);
        t.status = statuses[(i + 1) % 4];
        int64_t pause_ms = INT64_C(100) << (i < 4 ? i : 4);
        pause_ms = pause_ms < 1000 ? pause_ms : 1000;
        int64_t waits_ms = (sender_run(t.sender) - t.b.sim.now_ns) / NS_PER_MS;
        assert_true(waits_ms <= pause_ms && waits_ms >= pause_ms * 3 / 4);
        t.b.sim.now_ns = sender_run(t.sender);
    }
    expect_metric("samples_retried_total", "", 30);
    expect_metric("samples_failed_total", "", 0);
    expect_metric("samples_total", "", 0);
    t.status = -1;
    until(now_ms());
    expect_metric("samples_total", "", 3);
    t.status = 500;
    record_some(3);
    until(now_ms());
    assert_true(sender_run(t.sender) - t.b.sim.now_ns <= 100 * NS_PER_MS); /* it begins anew */
}

static void nothing_is_lost_in_an_outage_and_order_is_kept(void **state)
{
    (void)state;
    open_sender();
    t.status = 0;
    for (int i = 0; i < 20; i++) {
        record("x", i);
        record("y", -i);
        until((i + 1) * 1000);
        t.status = i % 3 == 0 ? 502 : 0;
    }
    expect_arrived("");
    expect_metric("samples_pending", "", 40);
    t.status = -1;
    until(60000);
    expect_arrived(
        "{__name__=\"s\", a=\"x\", site=\"here\"} 0@0 1@1000 2@2000 3@3000 4@4000 5@5000 6@6000 7@7000 "
        "8@8000 9@9000 10@10000 11@11000 12@12000 13@13000 14@14000 15@15000 16@16000 17@17000 18@18000 "
        "19@19000\n"
        "{__name__=\"s\", a=\"y\", site=\"here\"} 0@0 -1@1000 -2@2000 -3@3000 -4@4000 -5@5000 -6@6000 "
        "-7@7000 -8@8000 -9@9000 -10@10000 -11@11000 -12@12000 -13@13000 -14@14000 -15@15000 -16@16000 "
        "-17@17000 -18@18000 -19@19000\n");
    expect_metric("samples_total", "", 40);
    expect_metric("samples_failed_total", "", 0);
}

static void retry_after_is_honoured_within_reason(void **state)
{
    (void)state;
    open_sender();
    t.status = 429;
    t.retry_after_ms = 30000;
    record_some(3);
    until(29999);
    assert_int_equal(t.push_count, 1);
    t.retry_after_ms = INT64_MAX;
    until(30000);
    assert_int_equal(t.push_count, 2);
    t.status = 200;
    until(30000 + 600000);
    assert_int_equal(t.push_count, 3);
    assert_int_equal(t.pushes[2].at_ms, 30000 + 600000);
    expect_metric("samples_retried_total", "", 6);
}

static void what_is_refused_is_counted_and_not_repeated(void **state)
{
    (void)state;
    static const int statuses[] = {400, 401, 404, 413, 302};
    open_sender();
    t.body = "out of order sample\nand more";
    for (size_t i = 0; i < 5; i++) {
        t.status = statuses[i];
        record_some(3);
        until(now_ms() + 1000);
        assert_int_equal(t.push_count, i + 1);
    }
    expect_metric("samples_failed_total", "", 15);
    expect_metric("samples_retried_total", "", 0);
    expect_metric("samples_total", "", 0);
    expect_metric("samples_pending", "", 0);
}

static void whether_429_is_repeated_can_be_set(void **state)
{
    (void)state;
    t.target.retry_429 = false;
    open_sender();
    t.status = 429;
    record("x", 1);
    until(10000);
    assert_int_equal(t.push_count, 1);
    expect_metric("samples_failed_total", "", 1);
}

static void a_full_network_is_no_reason_to_lose_samples(void **state)
{
    (void)state;
    open_sender();
    t.refuse = ERR_FULL;
    record_some(3);
    until(2000);
    expect_metric("samples_pending", "", 3);
    t.refuse = 0;
    until(4000);
    expect_metric("samples_total", "", 3);
}

static void a_receiver_that_does_not_confirm_2_0_is_found_out(void **state)
{
    (void)state;
    t.target.protocol = SENDER_V2;
    open_sender();
    t.mute = true;
    record("x", 1);
    until(5000);
    expect_metric("samples_failed_total", "", 1);
    expect_metric("samples_total", "", 0);
    t.mute = false;
    record("x", 2);
    until(10000);
    expect_metric("samples_total", "", 1);
}

static void what_2_0_confirms_of_a_refused_push_counts_as_sent(void **state)
{
    (void)state;
    t.target.protocol = SENDER_V2;
    open_sender();
    record_at("x", 1, 1000);
    record_at("x", 2, 500); /* out of order */
    record_at("x", 3, 1500);
    until(5000);
    expect_metric("samples_total", "", 2);
    expect_metric("samples_failed_total", "", 1);
}

/* ---- what is dropped ---- */

static void beyond_its_cap_a_backlog_loses_the_oldest(void **state)
{
    (void)state;
    int64_t cap = limits.remote_write_bytes;
    limits.remote_write_bytes = 4096;
    open_sender();
    t.status = 0;
    for (int i = 0; i < 1000; i++) {
        t.b.sim.now_ns += NS_PER_MS;
        record("x", i);
        sender_run(t.sender);
    }
    size_t pending = sender_pending(t.sender);
    assert_in_range(pending, 50, 4096 / 40);
    expect_metric("samples_dropped_total", ",reason=\"backlog_full\"", (double)(1000 - pending));
    t.status = -1;
    until(10000);
    expect_metric("samples_total", "", (double)pending);
    expect_metric("queue_highest_sent_timestamp_seconds", "", START_MS / 1000 + 1);
    limits.remote_write_bytes = cap;
}

static void samples_that_are_too_old_are_dropped_also_between_attempts(void **state)
{
    (void)state;
    t.target.age_max_ms = 10000;
    open_sender();
    t.status = 0;
    record_at("x", 1, 0);
    until(7000);
    record_at("x", 2, 7000);
    record_at("x", 3, -20000);
    until(11001);
    t.status = -1;
    until(16000);
    expect_arrived("{__name__=\"s\", a=\"x\", site=\"here\"} 2@7000\n");
    expect_metric("samples_dropped_total", ",reason=\"too_old\"", 2);
    expect_metric("samples_pending", "", 0);
}

static void record_histogram(const char *text)
{
    size_t used;
    bool hint;
    struct histogram *h;
    assert_int_equal(histogram_parse(&t.b.arena, str_of(text), &used, &h, &hint, NULL), 0);
    const struct labels *ls = labels_of(&t.b.arena, "__name__", "h", NULL);
    struct sample sample = {.t_ms = START_MS + now_ms(), .histogram = h};
    struct batch_series series = {ls->item, ls->count, &sample, 1};
    sender_put(t.sender, &(struct batch){.series = &series, .count = 1});
}

static void histograms_go_where_they_are_wanted(void **state)
{
    (void)state;
    static const char exponential[] =
        "{{schema:1 sum:5.5 count:10 z_bucket:1 z_bucket_w:0.001 buckets:[2 0 3] n_buckets:[4]}}";
    static const char custom[] = "{{schema:-53 sum:5 count:4 custom_values:[5 10] buckets:[1 2 1]}}";
    open_sender();
    record_histogram(exponential);
    until(5000);
    expect_arrived("");
    expect_metric("histograms_dropped_total", ",reason=\"native_histograms_not_sent\"", 1);
    t.target.histograms = true;
    struct sender_options options = options_of(&t.target, 1);
    sender_configure(t.sender, &options);
    record_histogram(exponential);
    record_histogram(custom);
    until(10000);
    expect_metric("histograms_dropped_total", ",reason=\"nhcb_in_rw1_not_supported\"", 1);
    expect_metric("histograms_total", "", 1);
    t.target.histograms = false;
    t.target.protocol = SENDER_V2;
    options = options_of(&t.target, 1);
    sender_configure(t.sender, &options);
    record_histogram(custom);
    until(15000);
    expect_metric("histograms_total", "", 2);
    expect_metric("histograms_pending", "", 0);
    expect_arrived(
        "{__name__=\"h\", a=\"external\", site=\"here\"}"
        "{count:10, sum:5.5, [-1,-0.7071067811865475):4, [-0.001,0.001]:1, (0.7071067811865475,1]:2, "
        "(1.414213562373095,2]:3}"
        "{count:4, sum:5, [-Inf,5]:1, (5,10]:2, (10,+Inf]:1}\n");
}

static void relabelling_renames_and_drops(void **state)
{
    (void)state;
    struct relabel_rule rules[2];
    struct str source = STR("a");
    relabel_rule_init(&rules[0]);
    rules[0].action = RELABEL_DROP;
    rules[0].sources = &source;
    rules[0].source_count = 1;
    rules[0].regex = STR("secret.*");
    relabel_rule_init(&rules[1]);
    rules[1].action = RELABEL_LABELDROP;
    rules[1].regex = STR("site");
    t.target.relabel = &(struct relabel_rules){.items = rules, .count = 2};
    open_sender();
    record("secret1", 1);
    record("x", 2);
    record("secret2", 3);
    record("secret3", 4);
    record("secret4", 5);
    record("secret5", 6);
    record("y", 7);
    until(5000);
    expect_arrived("{__name__=\"s\", a=\"x\"} 2@0\n"
                   "{__name__=\"s\", a=\"y\"} 7@0\n");
    assert_int_equal(t.push_count, 2); /* none for the three in the middle */
    expect_metric("samples_dropped_total", ",reason=\"dropped_series\"", 5);
    expect_metric("samples_total", "", 2);
    expect_metric("samples_pending", "", 0);
}

/* ---- reload and end ---- */

static void a_target_that_stays_keeps_its_backlog(void **state)
{
    (void)state;
    open_sender();
    t.status = 0;
    record_some(5);
    t.hold = true;
    until(0);
    struct sender_target both[] = {t.target, t.target};
    both[0].name = STR("new");
    both[0].url = STR("http://new/");
    both[1].timeout_ms = 1234;
    struct sender_options options = options_of(both, 2);
    sender_configure(t.sender, &options);
    sender_configure(t.sender, &options); /* what is under way borrows from the first */
    t.hold = false;
    t.status = -1;
    release();
    until(10000);
    expect_metric("samples_total", "", 5);
    assert_int_equal(t.pushes[0].timeout_ms, 30000);
    assert_int_equal(t.pushes[t.push_count - 1].timeout_ms, 1234);
    assert_int_equal(bench_figures(&t.b).samples, 5);
}

static void a_target_that_goes_is_answered_first(void **state)
{
    (void)state;
    open_sender();
    t.hold = true;
    record_some(5);
    until(0);
    struct sender_options none = options_of(NULL, 0);
    sender_configure(t.sender, &none);
    until(1000);
    record("x", 9);
    assert_int_equal(sender_pending(t.sender), 5);
    release();
    until(1000);
    assert_int_equal(sender_pending(t.sender), 0);
    assert_int_equal(t.push_count, 1);
}

static void at_the_end_nothing_waits_for_more(void **state)
{
    (void)state;
    open_sender();
    record("x", 1);
    until(1);
    assert_int_equal(t.push_count, 0);
    sender_end(t.sender);
    until(1);
    assert_int_equal(t.push_count, 1);
    assert_int_equal(sender_pending(t.sender), 0);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(a_push_goes_out_when_it_is_full_or_its_time_has_come),
        FRESH(the_headers_are_those_of_the_protocol),
        FRESH(external_labels_are_laid_under),
        FRESH(only_one_push_is_under_way),
        FRESH(what_may_succeed_later_is_repeated_with_growing_pauses),
        FRESH(nothing_is_lost_in_an_outage_and_order_is_kept),
        FRESH(retry_after_is_honoured_within_reason),
        FRESH(what_is_refused_is_counted_and_not_repeated),
        FRESH(whether_429_is_repeated_can_be_set),
        FRESH(a_full_network_is_no_reason_to_lose_samples),
        FRESH(a_receiver_that_does_not_confirm_2_0_is_found_out),
        FRESH(what_2_0_confirms_of_a_refused_push_counts_as_sent),
        FRESH(beyond_its_cap_a_backlog_loses_the_oldest),
        FRESH(samples_that_are_too_old_are_dropped_also_between_attempts),
        FRESH(histograms_go_where_they_are_wanted),
        FRESH(relabelling_renames_and_drops),
        FRESH(a_target_that_stays_keeps_its_backlog),
        FRESH(a_target_that_goes_is_answered_first),
        FRESH(at_the_end_nothing_waits_for_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
