#include "../../engine/serve/http_priv.h"

#include "tocsin/encode.h"
#include "tocsin/intake.h"
#include "tocsin/store.h"

#include <setjmp.h>
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
    const struct batch batch = {&series, 1};
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_push_is_stored_and_answered_204), TEST(types_may_be_left_out_or_written_in_full),
        TEST(other_types_are_refused),           TEST(refusals_give_their_reason),
        TEST(a_full_store_asks_to_try_later),    TEST(a_process_without_intake_has_no_such_api),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
