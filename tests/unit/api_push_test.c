#include "../../engine/serve/http_priv.h"

#include "tocsin/encode.h"
#include "tocsin/intake.h"
#include "tocsin/log.h"
#include "tocsin/stat.h"
#include "tocsin/store.h"

#include <setjmp.h>
#include <snappy-c.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const int64_t NOW_MS = INT64_C(1435781451781);

struct fixture {
    struct world_sim sim;
    struct service service;
    struct arena arena;
    struct answer answer;
};

static struct fixture fixture;

static int set_up(void **state)
{
    struct fixture *f = &fixture;
    *f = (struct fixture){0};
    world_sim_init(&f->sim, NOW_MS * NS_PER_MS, 1);
    const struct store_options options = {.retention_ms = INT64_C(86400000)};
    f->service.parts = (struct serve_parts){.world = &f->sim.world,
                                            .store = store_open(&options, &f->sim.world),
                                            .intake = intake_open(&f->sim.world),
                                            .version = "0.0-test"};
    arena_init(&f->arena, 64 << 20);
    answer_init(&f->answer);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    intake_close(f->service.parts.intake);
    store_close(f->service.parts.store);
    answer_release(&f->answer);
    arena_release(&f->arena);
    return 0;
}

static int push(struct fixture *f, struct str body, const char *type, const char *encoding)
{
    answer_release(&f->answer);
    answer_init(&f->answer);
    struct request request = {.service = &f->service,
                              .method = HTTP_POST,
                              .target = {.path = STR("/api/v1/write")},
                              .body = body,
                              .content_type = str_of(type),
                              .content_encoding = str_of(encoding),
                              .arena = &f->arena};
    route_dispatch(&request, &f->answer);
    return f->answer.status;
}

static struct str body_of(struct fixture *f, int64_t t_ms, double value)
{
    const struct labels *ls = labels_of(&f->arena, "__name__", "up", "job", "a", NULL);
    const struct sample sample = {.t_ms = t_ms, .value = value};
    const struct batch_series series = {ls->item, ls->count, &sample, 1};
    const struct batch batch = {.series = &series, .count = 1};
    struct str body;
    assert_int_equal(encode_push(&f->arena, &batch, &body), 0);
    return body;
}

static uint64_t samples_held(struct fixture *f)
{
    struct store_figures figures;
    store_figures(f->service.parts.store, &figures);
    return figures.samples;
}

static void a_push_is_stored_and_answered_204(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(push(f, body_of(f, NOW_MS, 1), "application/x-protobuf", "snappy"), 204);
    assert_int_equal(f->answer.body.used, 0);
    assert_int_equal(f->answer.header_count, 0);
    assert_int_equal(samples_held(f), 1);
}

static void types_may_be_left_out_or_written_in_full(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(push(f, body_of(f, NOW_MS - 3, 1), NULL, NULL), 204);
    assert_int_equal(push(f, body_of(f, NOW_MS - 2, 1), "Application/X-Protobuf", "Snappy"), 204);
    assert_int_equal(
        push(f, body_of(f, NOW_MS - 1, 1), "application/x-protobuf; proto=prometheus.WriteRequest", "snappy"),
        204);
    assert_int_equal(samples_held(f), 3);
}

static void other_types_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const types[] = {"application/json", "text/plain", "application/x-protobuf;proto=x",
                                        "text/plain;proto=io.prometheus.write.v2.Request"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(push(f, body_of(f, NOW_MS, 1), types[i], "snappy"), 415);
    assert_non_null(strstr(buf_text(&f->answer.body), "prometheus.WriteRequest (1.0)"));
    assert_int_equal(push(f, body_of(f, NOW_MS, 1), "application/x-protobuf", "gzip"), 415);
    assert_int_equal(push(f, body_of(f, NOW_MS, 1), "application/x-protobuf", "identity"), 415);
    assert_int_equal(samples_held(f), 0);
}

static void refusals_give_their_reason(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(push(f, STR("garbage"), "application/x-protobuf", "snappy"), 400);
    assert_true(f->answer.body.used > 0);
    assert_int_equal(push(f, body_of(f, NOW_MS, 1), NULL, NULL), 204);
    assert_int_equal(push(f, body_of(f, NOW_MS, 2), NULL, NULL), 400);
    assert_non_null(strstr(buf_text(&f->answer.body), "duplicate sample for timestamp"));
    assert_int_equal(f->answer.header_count, 0);
}

static void a_full_store_asks_to_try_later(void **state)
{
    struct fixture *f = *state;
    int64_t before = limits.series;
    limits.series = 0;
    int status = push(f, body_of(f, NOW_MS, 1), NULL, NULL);
    limits.series = before;
    assert_int_equal(status, 429);
    assert_int_equal(f->answer.header_count, 1);
    assert_string_equal(f->answer.headers[0].name, "Retry-After");
}

#define V2_TYPE "application/x-protobuf;proto=io.prometheus.write.v2.Request"

static const char *header(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->answer.header_count; i++)
        if (strcmp(f->answer.headers[i].name, name) == 0)
            return f->answer.headers[i].value;
    return "absent";
}

static void assert_confirmed(const struct fixture *f, const char *samples)
{
    assert_string_equal(header(f, "X-Prometheus-Remote-Write-Samples-Written"), samples);
    assert_string_equal(header(f, "X-Prometheus-Remote-Write-Histograms-Written"), "0");
    assert_string_equal(header(f, "X-Prometheus-Remote-Write-Exemplars-Written"), "0");
}

/* up{} with one sample of this value at this moment, by hand. */
static struct str v2_body_of(struct fixture *f, double value)
{
    char raw[] = "\x22\x00\x22\x08__name__\x22\x02up"
                 "\x2a\x16\x0a\x02\x01\x02\x12\x10\x09vvvvvvvv\x10tttttt";
    uint64_t t_ms = (uint64_t)NOW_MS;
    char *at = raw + sizeof raw - 1 - 6;
    for (int i = 0; i < 6; i++, t_ms >>= 7)
        at[i] = (char)((t_ms & 0x7F) | (i < 5 ? 0x80 : 0));
    memcpy(at - 9, &value, sizeof value);
    size_t bytes = snappy_max_compressed_length(sizeof raw - 1);
    char *body = arena_alloc(&f->arena, bytes);
    assert_int_equal(snappy_compress(raw, sizeof raw - 1, body, &bytes), SNAPPY_OK);
    return (struct str){body, bytes};
}

static void every_answer_to_2_0_confirms_what_was_written(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(push(f, v2_body_of(f, 1), V2_TYPE, "snappy"), 204);
    assert_confirmed(f, "1");
    assert_int_equal(samples_held(f), 1);
    assert_int_equal(
        push(f, v2_body_of(f, 1), "Application/X-Protobuf; proto=io.prometheus.write.v2.Request", NULL), 204);
    assert_confirmed(f, "1");
    assert_int_equal(push(f, v2_body_of(f, 2), V2_TYPE, "snappy"), 400);
    assert_non_null(strstr(buf_text(&f->answer.body), "duplicate sample for timestamp"));
    assert_confirmed(f, "0");
    assert_int_equal(push(f, STR("garbage"), V2_TYPE, "snappy"), 400);
    assert_confirmed(f, "0");
    assert_int_equal(push(f, v2_body_of(f, 1), V2_TYPE, "gzip"), 415);
    assert_confirmed(f, "0");
}

/* The answer of a push whose log has failed after it was prepared. */
static void refuse_unlogged(struct fixture *f, const char *type, bool late)
{
    const struct request request = {.service = &f->service, .content_type = str_of(type), .arena = &f->arena};
    route_refuse_unlogged(&request, &f->answer, late);
}

static void what_does_not_become_durable_is_refused_and_not_confirmed(void **state)
{
    struct fixture *f = *state;
    uint64_t refused = stat_get(STAT_pushes_refused);
    assert_int_equal(push(f, v2_body_of(f, 1), V2_TYPE, "snappy"), 204);
    refuse_unlogged(f, V2_TYPE, false);
    assert_int_equal(f->answer.status, 503);
    assert_string_equal(header(f, "Retry-After"), "5");
    assert_confirmed(f, "0");
    assert_int_equal(f->answer.header_count, 4);
    assert_string_equal(buf_text(&f->answer.body),
                        "the write-ahead log cannot be written; samples are kept in "
                        "memory only until it can\n");
    assert_int_equal(stat_get(STAT_pushes_refused), refused + 1);
    assert_int_equal(push(f, STR("garbage"), NULL, NULL), 400);
    refuse_unlogged(f, NULL, true);
    assert_int_equal(f->answer.status, 503);
    assert_int_equal(f->answer.header_count, 1);
    assert_string_equal(buf_text(&f->answer.body), "the write-ahead log takes too long to write\n");
    assert_int_equal(stat_get(STAT_pushes_refused), refused + 2);
}

static bool unready(void *context)
{
    (void)context;
    return false;
}

static void a_process_that_is_not_ready_confirms_nothing(void **state)
{
    struct fixture *f = *state;
    f->service.parts.ready = unready;
    assert_int_equal(push(f, v2_body_of(f, 1), V2_TYPE, "snappy"), 503);
    assert_confirmed(f, "0");
    assert_string_equal(header(f, "Retry-After"), "5");
    assert_int_equal(push(f, body_of(f, NOW_MS, 1), NULL, NULL), 503);
    assert_string_equal(header(f, "X-Prometheus-Remote-Write-Samples-Written"), "absent");
}

static void a_process_without_intake_has_no_such_api(void **state)
{
    struct fixture *f = *state;
    struct intake *intake = f->service.parts.intake;
    f->service.parts.intake = NULL;
    assert_int_equal(push(f, STR("x"), NULL, NULL), 404);
    f->service.parts.intake = intake;
}

int main(void)
{
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, -1);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_push_is_stored_and_answered_204),
        TEST(types_may_be_left_out_or_written_in_full),
        TEST(other_types_are_refused),
        TEST(refusals_give_their_reason),
        TEST(every_answer_to_2_0_confirms_what_was_written),
        TEST(what_does_not_become_durable_is_refused_and_not_confirmed),
        TEST(a_process_that_is_not_ready_confirms_nothing),
        TEST(a_full_store_asks_to_try_later),
        TEST(a_process_without_intake_has_no_such_api),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
