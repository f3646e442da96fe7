/* Remote write 2.0; what both versions share is in intake_test.c. Requests are written by protobuf-c. */
#include "store_help.h"

#include "remote_v2.pb-c.h"
#include "tocsin/histogram.h"
#include "tocsin/intake.h"
#include "tocsin/limits.h"

#include <snappy-c.h>

struct desk {
    struct bench b;
    struct intake *intake;
    struct intake_answer answer;
};

static void desk_open(struct desk *d)
{
    bench_open(&d->b, (struct store_options){.retention_ms = HOUR_MS});
    d->intake = intake_open(&d->b.sim.world);
    intake_answer_init(&d->answer);
}

static void desk_close(struct desk *d)
{
    intake_answer_release(&d->answer);
    intake_close(d->intake);
    bench_close(&d->b);
}

static int push_raw(struct desk *d, const void *raw, size_t n)
{
    size_t bytes = snappy_max_compressed_length(n);
    char *body = arena_alloc(&d->b.arena, bytes);
    must(body != NULL && snappy_compress(raw, n, body, &bytes) == SNAPPY_OK);
    intake_answer_release(&d->answer);
    intake_answer_init(&d->answer);
    intake_push_v2(d->intake, d->b.store, STR(""), (struct str){body, bytes}, &d->answer);
    return d->answer.status;
}

static struct str pack(struct desk *d, const WriteV2__Request *request)
{
    size_t n = write_v2__request__get_packed_size(request);
    uint8_t *raw = arena_alloc(&d->b.arena, n);
    write_v2__request__pack(request, raw);
    return (struct str){(const char *)raw, n};
}

static int push(struct desk *d, const WriteV2__Request *request)
{
    struct str raw = pack(d, request);
    return push_raw(d, raw.p, raw.n);
}

/* Two series, up{job="api"} and down{job="api"}, with a sample each. */
enum { EMPTY, NAME, UP, JOB, API, DOWN, TRACE, ABC, HELP, BAD, SYMBOLS, SERIES = 2 };

struct draft {
    WriteV2__Request request;
    ProtobufCBinaryData symbols[SYMBOLS];
    WriteV2__TimeSeries series[SERIES], *series_list[SERIES];
    uint32_t refs[SERIES][6];
    WriteV2__Sample samples[SERIES], *sample_list[SERIES];
    WriteV2__Exemplar exemplar, *exemplar_list[1];
    uint32_t exemplar_refs[2];
    WriteV2__Histogram histogram, *histogram_list[1];
    WriteV2__Metadata metadata;
};

static void draft_symbols(struct draft *f)
{
    static const char *const texts[SYMBOLS] = {"",     "__name__", "up",  "job",   "api",
                                               "down", "trace_id", "abc", "Help.", "\xff"};
    for (int i = 0; i < SYMBOLS; i++)
        f->symbols[i] = (ProtobufCBinaryData){strlen(texts[i]), (uint8_t *)texts[i]};
}

static void draft_series(struct draft *f, size_t i, uint32_t name)
{
    write_v2__time_series__init(&f->series[i]);
    write_v2__sample__init(&f->samples[i]);
    memcpy(f->refs[i], (uint32_t[]){NAME, name, JOB, API}, 4 * sizeof(uint32_t));
    f->samples[i].timestamp = START_MS;
    f->samples[i].value = 1;
    f->sample_list[i] = &f->samples[i];
    f->series[i].n_labels_refs = 4;
    f->series[i].labels_refs = f->refs[i];
    f->series[i].n_samples = 1;
    f->series[i].samples = &f->sample_list[i];
    f->series_list[i] = &f->series[i];
}

static void draft_extras(struct draft *f)
{
    write_v2__exemplar__init(&f->exemplar);
    write_v2__histogram__init(&f->histogram);
    write_v2__metadata__init(&f->metadata);
    memcpy(f->exemplar_refs, (uint32_t[]){TRACE, ABC}, sizeof f->exemplar_refs);
    f->exemplar.n_labels_refs = 2;
    f->exemplar.labels_refs = f->exemplar_refs;
    f->exemplar.timestamp = START_MS;
    f->exemplar_list[0] = &f->exemplar;
    f->histogram.timestamp = START_MS + 1;
    f->histogram.start_timestamp = START_MS - 100;
    f->histogram_list[0] = &f->histogram;
    f->metadata.type = 1;
    f->metadata.help_ref = HELP;
}

static void draft_init(struct draft *f)
{
    memset(f, 0, sizeof *f);
    draft_symbols(f);
    draft_series(f, 0, UP);
    draft_series(f, 1, DOWN);
    draft_extras(f);
    write_v2__request__init(&f->request);
    f->request.n_symbols = SYMBOLS;
    f->request.symbols = f->symbols;
    f->request.n_timeseries = SERIES;
    f->request.timeseries = f->series_list;
}

static void add_histogram(struct draft *f)
{
    f->series[0].n_histograms = 1;
    f->series[0].histograms = f->histogram_list;
}

static void add_exemplar(struct draft *f)
{
    f->series[0].n_exemplars = 1;
    f->series[0].exemplars = f->exemplar_list;
}

static void assert_written(const struct desk *d, uint64_t samples, uint64_t histograms, uint64_t exemplars)
{
    assert_int_equal(d->answer.written_samples, samples);
    assert_int_equal(d->answer.written_histograms, histograms);
    assert_int_equal(d->answer.written_exemplars, exemplars);
}

static void assert_says(const struct desk *d, const char *words)
{
    if (strstr(buf_text(&d->answer.text), words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", buf_text(&d->answer.text), words);
}

/* The samples of the only series called so. */
static struct sample_run samples_of(struct desk *d, struct view *v, const char *name)
{
    struct matcher m = bench_matcher("__name__", MATCH_EQUAL, name);
    struct series_set set = bench_select(&d->b, v, &m, 1);
    assert_int_equal(set.count, 1);
    matcher_release(&m);
    return bench_read(&d->b, v, set.refs[0], 0, INT64_MAX);
}

static void series_arrive_with_their_start_timestamps(void **state)
{
    (void)state;
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    add_histogram(&f);
    f.samples[0].start_timestamp = START_MS - 50;
    f.samples[1].start_timestamp = START_MS; /* not before the sample: of no meaning, and no reason to fail */
    assert_int_equal(push(&d, &f.request), 204);
    assert_written(&d, 2, 1, 0);
    struct view *v = view_open(d.b.store);
    struct sample_run up = samples_of(&d, v, "up"), down = samples_of(&d, v, "down");
    assert_int_equal(up.count, 2);
    assert_int_equal(up.samples[0].start_ms, START_MS - 50);
    assert_int_equal(up.samples[1].start_ms, START_MS - 100);
    assert_non_null(up.samples[1].histogram);
    assert_int_equal(down.samples[0].start_ms, 0);
    view_close(v);
    desk_close(&d);
}

static void labels_come_in_any_order_and_empty_ones_are_left_out(void **state)
{
    (void)state;
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    memcpy(f.refs[0], (uint32_t[]){JOB, API, TRACE, EMPTY, NAME, UP}, 6 * sizeof(uint32_t));
    f.series[0].n_labels_refs = 6;
    assert_int_equal(push(&d, &f.request), 204);
    draft_init(&f);
    assert_int_equal(push(&d, &f.request), 204);
    assert_int_equal(bench_figures(&d.b).series, 2);
    desk_close(&d);
}

/* Pushes up{job="api"} alone with this type and unit (JOB stands for one), and tells whether that made a series. */
static bool push_typed(struct desk *d, struct draft *f, int type, uint32_t unit)
{
    uint64_t before = bench_figures(&d->b).series;
    f->metadata.type = type;
    f->metadata.unit_ref = unit;
    f->series[0].metadata = &f->metadata;
    f->request.n_timeseries = 1;
    f->samples[0].timestamp++;
    assert_int_equal(push(d, &f->request), 204);
    return bench_figures(&d->b).series > before;
}

static void expect_labels(struct desk *d, const char *type, const char *unit)
{
    struct matcher m[] = {bench_matcher("__name__", MATCH_EQUAL, "up"),
                          bench_matcher("__type__", MATCH_EQUAL, type),
                          bench_matcher("__unit__", MATCH_EQUAL, unit)};
    struct view *v = view_open(d->b.store);
    assert_int_equal(bench_select(&d->b, v, m, 3).count, 1);
    view_close(v);
    for (size_t i = 0; i < 3; i++)
        matcher_release(&m[i]);
}

static void types_and_units_become_labels_if_they_are_wanted(void **state)
{
    (void)state;
    enum { COUNTER = 1, GAUGE = 2, NOBODY_KNOWS = 99 };
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    assert_true(push_typed(&d, &f, COUNTER, JOB));
    expect_labels(&d, "", "");
    intake_name_types(d.intake);
    assert_true(push_typed(&d, &f, COUNTER, JOB));
    expect_labels(&d, "counter", "job");
    assert_false(push_typed(&d, &f, COUNTER, JOB)); /* known by its spelling now */
    assert_true(push_typed(&d, &f, GAUGE, JOB));
    expect_labels(&d, "gauge", "job");
    assert_true(push_typed(&d, &f, GAUGE, EMPTY));
    expect_labels(&d, "gauge", "");
    assert_true(push_typed(&d, &f, NOBODY_KNOWS, JOB));
    expect_labels(&d, "", "job");
    assert_false(push_typed(&d, &f, NOBODY_KNOWS, EMPTY)); /* neither: the series of the beginning */
    assert_int_equal(bench_figures(&d.b).series, 5);
    desk_close(&d);
}

static void types_that_senders_write_give_way_to_what_they_tell(void **state)
{
    (void)state;
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    intake_name_types(d.intake);
    f.symbols[TRACE] = (ProtobufCBinaryData){8, (uint8_t *)"__type__"};
    memcpy(f.refs[0], (uint32_t[]){TRACE, ABC, NAME, UP, JOB, API}, 6 * sizeof(uint32_t));
    f.series[0].n_labels_refs = 6;
    assert_true(push_typed(&d, &f, 0, EMPTY));
    expect_labels(&d, "abc", "");
    assert_true(push_typed(&d, &f, 0, JOB));
    expect_labels(&d, "", "job");
    assert_true(push_typed(&d, &f, 1, JOB));
    expect_labels(&d, "counter", "job");
    desk_close(&d);
}

static void exemplars_find_their_series_by_its_type(void **state)
{
    (void)state;
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    intake_name_types(d.intake);
    add_exemplar(&f);
    for (int i = 0; i < 2; i++) {
        f.exemplar.timestamp++;
        push_typed(&d, &f, 1, JOB);
        assert_written(&d, 1, 0, 1);
    }
    desk_close(&d);
}

static void a_series_is_known_again_whatever_the_table(void **state)
{
    (void)state;
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    assert_int_equal(push(&d, &f.request), 204);
    f.symbols[UP] = f.symbols[DOWN]; /* the two texts change places, and so do the references */
    f.symbols[DOWN] = (ProtobufCBinaryData){2, (uint8_t *)"up"};
    f.refs[0][1] = DOWN;
    f.refs[1][1] = UP;
    f.samples[0].timestamp = START_MS + 1;
    assert_int_equal(push(&d, &f.request), 204);
    assert_int_equal(d.answer.appended, 1);
    assert_written(&d, 2, 0, 0);
    struct view *v = view_open(d.b.store);
    assert_int_equal(samples_of(&d, v, "up").count, 2);
    assert_int_equal(samples_of(&d, v, "down").count, 1);
    view_close(v);
    f.refs[1][1] = DOWN; /* the same references mean another series in another table */
    f.refs[0][1] = UP;
    f.samples[1].timestamp = START_MS + 2;
    assert_int_equal(push(&d, &f.request), 204);
    v = view_open(d.b.store);
    assert_int_equal(samples_of(&d, v, "up").count, 3);
    view_close(v);
    desk_close(&d);
}

static void bad_labels(struct draft *f)
{
    f->refs[0][1] = BAD;
}

static void no_name(struct draft *f)
{
    f->refs[0][0] = TRACE;
}

static void twice_the_same_label(struct draft *f)
{
    f->refs[0][0] = JOB;
}

static void odd_references(struct draft *f)
{
    f->series[0].n_labels_refs = 3;
}

static void reference_outside(struct draft *f)
{
    f->refs[0][3] = SYMBOLS;
}

static void no_samples(struct draft *f)
{
    f->series[0].n_samples = 0;
}

static void bad_metadata(struct draft *f)
{
    f->series[0].metadata = &f->metadata;
    f->metadata.unit_ref = 1000;
}

static void bad_histogram(struct draft *f)
{
    f->histogram.schema = -9;
    add_histogram(f);
}

static void in_the_future(struct draft *f)
{
    f->samples[0].timestamp = START_MS + HOUR_MS;
}

static void one_bad_series_is_refused_and_the_other_is_written(void **state)
{
    (void)state;
    static const struct {
        void (*damage)(struct draft *f);
        const char *says;
    } cases[] = {
        {bad_labels, "invalid metric name or labels, got {__name__=\"\\xff\", job=\"api\"}"},
        {no_name, "invalid metric name or labels, got {job=\"api\", trace_id=\"up\"}"},
        {twice_the_same_label, "duplicated label name"},
        {odd_references, "parsing labels for series: invalid labelRefs length 3"},
        {reference_outside,
         "parsing labels for series: labelRefs 3 (value) = 10 outside of symbols table (size 10)"},
        {no_samples, "TimeSeries must contain at least one sample or histogram for series {__name__=\"up\", "
                     "job=\"api\"}"},
        {bad_metadata, "metadata refers outside of the symbols table, series {__name__=\"up\", job=\"api\"}"},
        {bad_histogram, "histogram has an invalid schema, got -9, series {__name__=\"up\", job=\"api\"}"},
        {in_the_future, "out of bounds for series {__name__=\"up\", job=\"api\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk d;
        struct draft f;
        desk_open(&d);
        draft_init(&f);
        cases[i].damage(&f);
        assert_int_equal(push(&d, &f.request), 400);
        assert_says(&d, cases[i].says);
        assert_written(&d, 1, 0, 0);
        assert_int_equal(bench_figures(&d.b).series, 1);
        desk_close(&d);
    }
}

static void exemplars_and_metadata_are_checked_and_counted(void **state)
{
    (void)state;
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    add_exemplar(&f);
    f.series[0].metadata = &f.metadata;
    assert_int_equal(push(&d, &f.request), 204);
    assert_written(&d, 2, 0, 1);
    f.exemplar_refs[1] = SYMBOLS;
    assert_int_equal(push(&d, &f.request), 400);
    assert_says(&d, "parsing exemplar for series");
    assert_says(&d, "1 exemplars refused\n");
    assert_written(&d, 2, 0, 0);
    f.exemplar.n_labels_refs = 1;
    assert_int_equal(push(&d, &f.request), 400);
    assert_written(&d, 2, 0, 0);
    desk_close(&d);
}

static void refused_samples_and_histograms_are_not_confirmed(void **state)
{
    (void)state;
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    add_histogram(&f);
    assert_int_equal(push(&d, &f.request), 204);
    f.samples[0].timestamp = START_MS - 1;
    f.histogram.sum = 5; /* the same time, another value */
    assert_int_equal(push(&d, &f.request), 400);
    assert_says(&d, "2 samples refused\n");
    assert_written(&d, 1, 0, 0);
    desk_close(&d);
}

static void a_refused_stale_histogram_is_no_sample(void **state)
{
    (void)state;
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    add_histogram(&f);
    f.histogram.sum = stale_nan();
    assert_int_equal(push(&d, &f.request), 204);
    assert_written(&d, 2, 1, 0);
    f.samples[0].timestamp = f.samples[1].timestamp = START_MS + 100;
    f.histogram.timestamp = START_MS + 99 * HOUR_MS;
    assert_int_equal(push(&d, &f.request), 400);
    assert_written(&d, 2, 0, 0);
    desk_close(&d);
}

static void a_full_store_confirms_what_it_has_taken(void **state)
{
    (void)state;
    struct limits before = limits;
    struct desk d;
    struct draft f;
    limits.series = 1;
    desk_open(&d);
    draft_init(&f);
    assert_int_equal(push(&d, &f.request), 429);
    assert_written(&d, 1, 0, 0);
    assert_true(d.answer.retry_after_ms > 0);
    limits = before;
    desk_close(&d);
}

static void the_table_may_follow_the_series(void **state)
{
    (void)state;
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    f.request.n_symbols = 0;
    struct str series = pack(&d, &f.request);
    f.request.n_symbols = SYMBOLS;
    f.request.n_timeseries = 0;
    struct str symbols = pack(&d, &f.request);
    const char *both = arena_format(&d.b.arena, "%*s", (int)(series.n + symbols.n), "");
    memcpy((char *)both, series.p, series.n);
    memcpy((char *)both + series.n, symbols.p, symbols.n);
    assert_int_equal(push_raw(&d, both, series.n + symbols.n), 204);
    assert_int_equal(bench_figures(&d.b).series, 2);
    desk_close(&d);
}

static void references_may_come_one_by_one_among_unknown_fields(void **state)
{
    (void)state;
    static const char raw[] = "\x22\x08__name__\x22\x02up\x22\x00" /* symbols */
                              "\x2a\x12"                           /* a series of 18 bytes */
                              "\x08\x00"                           /* one reference alone, */
                              "\x30\x7f"                           /* created_timestamp of old drafts, */
                              "\x0a\x01\x01"                       /* the other packed, */
                              "\x12\x09\x09\x00\x00\x00\x00\x00\x00\xf0\x3f"; /* and a sample at time 0 */
    struct desk d;
    desk_open(&d);
    assert_int_equal(push_raw(&d, raw, sizeof raw - 1), 400);
    assert_says(&d, "too old sample for series {__name__=\"up\"}\n");
    assert_written(&d, 0, 0, 0);
    desk_close(&d);
}

static void a_corrupt_request_stores_nothing(void **state)
{
    (void)state;
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    add_histogram(&f);
    add_exemplar(&f);
    struct str whole = pack(&d, &f.request);
    for (size_t n = whole.n - 1; n > 0; n--) {
        uint64_t samples = bench_figures(&d.b).samples;
        if (push_raw(&d, whole.p, n) == 204)
            continue; /* cut between two fields of the request, it is a shorter request */
        assert_int_equal(d.answer.status, 400);
        assert_string_equal(buf_text(&d.answer.text), "proto: corrupt input\n");
        assert_written(&d, 0, 0, 0);
        assert_int_equal(bench_figures(&d.b).samples, samples);
    }
    desk_close(&d);
}

static void more_series_or_samples_than_allowed_are_refused(void **state)
{
    (void)state;
    struct limits before = limits;
    struct desk d;
    struct draft f;
    desk_open(&d);
    draft_init(&f);
    limits.push_samples = 1;
    assert_int_equal(push(&d, &f.request), 413);
    assert_says(&d, "2 samples in one push, 1 are allowed");
    limits.push_series = 1;
    assert_int_equal(push(&d, &f.request), 413);
    assert_written(&d, 0, 0, 0);
    limits = before;
    desk_close(&d);
}

static void every_size_of_arena_gives_an_answer(void **state)
{
    (void)state;
    struct limits before = limits;
    struct draft f;
    int status = 0;
    for (int64_t cap = 64; status != 204; cap += 64) {
        struct desk d;
        desk_open(&d);
        draft_init(&f);
        add_histogram(&f);
        limits.push_arena_bytes = cap;
        status = push(&d, &f.request);
        assert_true(status == 204 || status == 413);
        assert_true(cap < 1 << 16);
        desk_close(&d);
    }
    limits = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_arrive_with_their_start_timestamps),
        cmocka_unit_test(types_and_units_become_labels_if_they_are_wanted),
        cmocka_unit_test(types_that_senders_write_give_way_to_what_they_tell),
        cmocka_unit_test(exemplars_find_their_series_by_its_type),
        cmocka_unit_test(labels_come_in_any_order_and_empty_ones_are_left_out),
        cmocka_unit_test(a_series_is_known_again_whatever_the_table),
        cmocka_unit_test(one_bad_series_is_refused_and_the_other_is_written),
        cmocka_unit_test(exemplars_and_metadata_are_checked_and_counted),
        cmocka_unit_test(refused_samples_and_histograms_are_not_confirmed),
        cmocka_unit_test(a_refused_stale_histogram_is_no_sample),
        cmocka_unit_test(a_full_store_confirms_what_it_has_taken),
        cmocka_unit_test(the_table_may_follow_the_series),
        cmocka_unit_test(references_may_come_one_by_one_among_unknown_fields),
        cmocka_unit_test(a_corrupt_request_stores_nothing),
        cmocka_unit_test(more_series_or_samples_than_allowed_are_refused),
        cmocka_unit_test(every_size_of_arena_gives_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
