#include "store_help.h"

#include "remote_v1.pb-c.h"
#include "tocsin/encode.h"
#include "tocsin/histogram.h"
#include "tocsin/intake.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

#include <math.h>
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

static int push_body(struct desk *d, struct str body)
{
    intake_answer_release(&d->answer);
    intake_answer_init(&d->answer);
    intake_push(d->intake, d->b.store, STR(""), body, &d->answer);
    return d->answer.status;
}

static struct str squeeze(struct desk *d, const void *raw, size_t n)
{
    size_t bytes = snappy_max_compressed_length(n);
    char *to = arena_alloc(&d->b.arena, bytes);
    must(to != NULL && snappy_compress(raw, n, to, &bytes) == SNAPPY_OK);
    return (struct str){to, bytes};
}

static int push_request(struct desk *d, const Prometheus__WriteRequest *request)
{
    size_t n = prometheus__write_request__get_packed_size(request);
    uint8_t *raw = arena_alloc(&d->b.arena, n);
    prometheus__write_request__pack(request, raw);
    return push_body(d, squeeze(d, raw, n));
}

static int push_batch(struct desk *d, const struct batch_series *series, size_t count)
{
    struct str body;
    assert_int_equal(encode_push(&d->b.arena, &(struct batch){.series = series, .count = count}, &body), 0);
    return push_body(d, body);
}

/* One series with one float sample. */
static int push_labels(struct desk *d, const struct label *labels, size_t count)
{
    struct sample s = {.t_ms = START_MS, .value = 1};
    struct batch_series series = {labels, count, &s, 1};
    return push_batch(d, &series, 1);
}

static const char *text(const struct desk *d)
{
    return buf_text(&d->answer.text);
}

static void assert_says(const struct desk *d, const char *words)
{
    if (strstr(text(d), words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text(d), words);
}

static void a_push_arrives_bit_by_bit(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    struct sample s[] = {{.t_ms = START_MS - 3, .value = 0.1},
                         {.t_ms = START_MS - 2, .value = stale_nan()},
                         {.t_ms = START_MS - 1, .value = double_from_bits(0x7ff8dead0000beef)},
                         {.t_ms = START_MS, .value = -INFINITY}};
    const struct labels *ls = labels_of(&d.b.arena, "__name__", "up", "job", "a\nb \xc3\xa4", NULL);
    struct batch_series series = {ls->item, ls->count, s, 4};
    assert_int_equal(push_batch(&d, &series, 1), 204);
    assert_int_equal(d.answer.appended, 4);
    assert_string_equal(text(&d), "");
    struct view *v = view_open(d.b.store);
    struct series_set set = bench_select(&d.b, v, NULL, 0);
    assert_int_equal(set.count, 1);
    assert_true(labels_equal(view_labels(v, set.refs[0]), ls));
    struct sample_run run = bench_read(&d.b, v, set.refs[0], 0, INT64_MAX);
    assert_int_equal(run.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(run.samples[i].t_ms, s[i].t_ms);
        assert_true(double_bits(run.samples[i].value) == double_bits(s[i].value));
    }
    view_close(v);
    desk_close(&d);
}

static void an_empty_request_is_fine(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    assert_int_equal(push_body(&d, STR("\x00")), 204);
    desk_close(&d);
}

static void broken_bodies_are_refused(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    uint64_t refused = stat_get(STAT_pushes_refused);
    assert_int_equal(push_body(&d, (struct str){0}), 400);
    assert_int_equal(push_body(&d, STR("\x05garbage")), 400);
    assert_int_equal(push_body(&d, STR("\xff\xff\xff\xff\xff\xff\xff")), 400);
    assert_string_equal(text(&d), "snappy: corrupt input\n");
    assert_int_equal(push_body(&d, squeeze(&d, "\x0a\x05xx", 4)), 400);
    assert_string_equal(text(&d), "proto: corrupt input\n");
    assert_int_equal(d.answer.retry_after_ms, -1);
    assert_int_equal(stat_get(STAT_pushes_refused), refused + 4);
    desk_close(&d);
}

static void seven_bytes_that_declare_four_gigabytes_are_not_believed(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    uint64_t hits = limit_hits(LIMIT_push_ratio);
    assert_int_equal(push_body(&d, STR("\xff\xff\xff\xff\x0f\x00\x00")), 400);
    assert_int_equal(limit_hits(LIMIT_push_ratio), hits + 1);
    assert_says(&d, "7 bytes cannot hold 4294967295");
    desk_close(&d);
}

/* An honest ratio, two bytes for each of sixteen million series that want a hundred each. */
static void a_push_of_empty_series_is_counted_out_and_would_stop_at_the_cap(void **state)
{
    (void)state;
    struct limits before = limits;
    struct desk d;
    desk_open(&d);
    size_t n = 32 << 20;
    char *raw = mem_new(n, 1);
    for (size_t i = 0; i < n; i += 2)
        raw[i] = 0x0a;
    size_t bytes = snappy_max_compressed_length(n);
    char *body = mem_new(bytes, 1);
    assert_int_equal(snappy_compress(raw, n, body, &bytes), SNAPPY_OK);
    assert_in_range(bytes, n / 22, limits.push_body_bytes);
    uint64_t hits = limit_hits(LIMIT_push_series);
    assert_int_equal(push_body(&d, (struct str){body, bytes}), 413);
    assert_int_equal(limit_hits(LIMIT_push_series), hits + 1);
    limits.push_series = limits.push_fields = INT64_MAX;
    hits = limit_hits(LIMIT_push_arena_bytes);
    assert_int_equal(push_body(&d, (struct str){body, bytes}), 413);
    assert_int_equal(limit_hits(LIMIT_push_arena_bytes), hits + 1);
    limits = before;
    mem_free(raw);
    mem_free(body);
    desk_close(&d);
}

static void fields_that_mean_nothing_are_counted_out(void **state)
{
    (void)state;
    struct limits before = limits;
    struct desk d;
    desk_open(&d);
    limits.push_fields = 4;
    assert_int_equal(push_body(&d, squeeze(&d, "\x20\x00\x20\x00\x20\x00\x20\x00", 8)), 204);
    assert_int_equal(push_body(&d, squeeze(&d, "\x1a\x00\x1a\x00\x1a\x00\x1a\x00\x1a\x00", 10)), 413);
    assert_string_equal(text(&d), "more than 4 fields in one push\n");
    assert_int_equal(push_body(&d, squeeze(&d, "\x0a\x06\x0a\x00\x0a\x00\x0a\x00", 8)),
                     204); /* a series and three labels */
    assert_int_equal(push_body(&d, squeeze(&d, "\x0a\x08\x0a\x00\x1a\x00\x12\x00\x22\x00", 10)), 413);
    limits = before;
    desk_close(&d);
}

static void lengths_over_the_limits_are_refused(void **state)
{
    (void)state;
    struct limits before = limits;
    struct desk d;
    desk_open(&d);
    limits.push_decoded_bytes = 1000;
    char *zeros = mem_new(2000, 1);
    assert_int_equal(push_body(&d, squeeze(&d, zeros, 1001)), 413);
    assert_says(&d, "decoded length 1001 is larger than 1000");
    limits.push_body_bytes = 10;
    assert_int_equal(push_body(&d, squeeze(&d, zeros, 900)), 413);
    assert_says(&d, "body of ");
    mem_free(zeros);
    limits = before;
    desk_close(&d);
}

static void too_many_series_or_samples_are_refused(void **state)
{
    (void)state;
    struct limits before = limits;
    struct desk d;
    desk_open(&d);
    const struct labels *ls = labels_of(&d.b.arena, "__name__", "up", NULL);
    struct sample s[2] = {{.t_ms = START_MS, .value = 1}, {.t_ms = START_MS + 1, .value = 1}};
    const struct labels *down = labels_of(&d.b.arena, "__name__", "down", NULL);
    struct batch_series series[2] = {{ls->item, 1, s, 2}, {down->item, 1, s, 2}};
    limits.push_series = 1;
    assert_int_equal(push_batch(&d, series, 2), 413);
    assert_string_equal(text(&d), "more than 1 series in one push\n");
    limits.push_series = 2;
    limits.push_samples = 3;
    assert_int_equal(push_batch(&d, series, 2), 413);
    assert_string_equal(text(&d), "4 samples in one push, 3 are allowed\n");
    limits.push_samples = 4;
    assert_int_equal(push_batch(&d, series, 2), 204);
    limits = before;
    desk_close(&d);
}

static void labels_are_checked(void **state)
{
    (void)state;
    struct limits before = limits;
    struct desk d;
    desk_open(&d);
    limits.label_name_bytes = 20;
    limits.label_value_bytes = 30;
    limits.labels_per_series = 4;
    const struct {
        struct label labels[5];
        size_t count;
        const char *says; /* NULL: accepted */
    } cases[] = {
        {{{STR("__name__"), STR("m")}}, 1, NULL},
        {{{STR("__name__"), STR("dots.and spaces")}}, 1, NULL},
        {{{STR("z"), STR("1")}, {STR("__name__"), STR("m")}, {STR("a"), STR("2")}}, 3, NULL},
        {{{STR("__name__"), STR("m")}, {STR("a"), STR("nul\0inside")}}, 2, NULL},
        {{{STR("__name__"), STR("m")}, {STR("a.b"), STR("utf8 name")}}, 2, NULL},
        {{{STR("__name__"), STR("m")}, {STR("empty"), STR("")}}, 2, NULL},
        {{{STR(""), STR("")}}, 0, "invalid metric name or labels, got {}\n"},
        {{{STR("a"), STR("1")}}, 1, "invalid metric name or labels, got {a=\"1\"}\n"},
        {{{STR("__name__"), STR("")}}, 1, "invalid metric name or labels"},
        {{{STR("__name__"), STR("\xff")}}, 1, "invalid metric name or labels"},
        {{{STR("__name__"), STR("m")}, {STR("a"), STR("\xc0\x80")}}, 2, "invalid metric name or labels"},
        {{{STR("__name__"), STR("m")}, {STR("\xed\xa0\x80"), STR("1")}}, 2, "invalid metric name or labels"},
        {{{STR("__name__"), STR("m")}, {STR(""), STR("1")}}, 2, "invalid metric name or labels"},
        {{{STR("a"), STR("1")}, {STR("__name__"), STR("m")}, {STR("a"), STR("2")}},
         3,
         "duplicated label name"},
        {{{STR("__name__"), STR("m")}, {STR("a"), STR("")}, {STR("a"), STR("2")}},
         3,
         "duplicated label name"},
        {{{STR("__name__"), STR("m")}, {STR("a23456789012345678901"), STR("2")}}, 2, "too long"},
        {{{STR("__name__"), STR("v234567890123456789012345678901")}}, 1, "too long"},
        {{{STR("__name__"), STR("m")},
          {STR("a"), STR("1")},
          {STR("b"), STR("1")},
          {STR("c"), STR("1")},
          {STR("d"), STR("1")}},
         5,
         "too many labels"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t bad = stat_get(STAT_push_bad_labels);
        assert_int_equal(push_labels(&d, cases[i].labels, cases[i].count), cases[i].says != NULL ? 400 : 204);
        assert_int_equal(stat_get(STAT_push_bad_labels) - bad, cases[i].says != NULL ? 1 : 0);
        if (cases[i].says != NULL)
            assert_says(&d, cases[i].says);
    }
    assert_int_equal(bench_figures(&d.b).series, 5); /* the one with the empty label is the plain one */
    limits = before;
    desk_close(&d);
}

static void one_bad_series_does_not_cost_the_others(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    struct sample s = {.t_ms = START_MS, .value = 1};
    struct sample future = {.t_ms = START_MS + HOUR_MS, .value = 1};
    struct batch_series series[600];
    for (int i = 0; i < 600; i++) {
        const struct labels *ls =
            labels_of(&d.b.arena, "__name__", "up", "i", arena_format(&d.b.arena, "%d", i), NULL);
        series[i] = (struct batch_series){ls->item, ls->count, i == 400 ? &future : &s, 1};
    }
    series[300].label_count = 0;
    assert_int_equal(push_batch(&d, series, 600), 400);
    assert_string_equal(text(&d), "invalid metric name or labels, got {}\n"
                                  "out of bounds for series {__name__=\"up\", i=\"400\"}\n"
                                  "2 samples refused\n");
    assert_int_equal(d.answer.appended, 598);
    assert_int_equal(bench_figures(&d.b).series, 598);
    desk_close(&d);
}

static void many_reasons_end_in_and_more(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    struct sample s = {.t_ms = START_MS, .value = 1};
    struct batch_series series[2000];
    for (int i = 0; i < 2000; i++) {
        const struct labels *ls = labels_of(&d.b.arena, "i", arena_format(&d.b.arena, "%d", i), NULL);
        series[i] = (struct batch_series){ls->item, ls->count, &s, 1};
    }
    assert_int_equal(push_batch(&d, series, 2000), 400);
    assert_true(d.answer.text.used <= INTAKE_TEXT_BYTES);
    assert_says(&d, "got {i=\"0\"}\n");
    assert_says(&d, "\"}\nand more\n");
    desk_close(&d);
}

static void samples_out_of_order_within_a_series_are_sorted(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    struct sample s[3] = {{.t_ms = START_MS + 2, .value = 2},
                          {.t_ms = START_MS, .value = 0},
                          {.t_ms = START_MS + 1, .value = 1}};
    const struct labels *ls = labels_of(&d.b.arena, "__name__", "up", NULL);
    struct batch_series series = {ls->item, ls->count, s, 3};
    assert_int_equal(push_batch(&d, &series, 1), 204);
    assert_int_equal(d.answer.appended, 3);
    desk_close(&d);
}

static void sending_again_is_accepted(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    struct label name = {STR("__name__"), STR("up")};
    assert_int_equal(push_labels(&d, &name, 1), 204);
    assert_int_equal(push_labels(&d, &name, 1), 204);
    assert_int_equal(d.answer.appended, 0);
    desk_close(&d);
}

static void a_store_at_its_limit_is_answered_with_retry(void **state)
{
    (void)state;
    struct limits before = limits;
    limits.series = 1;
    struct desk d;
    desk_open(&d);
    struct label one = {STR("__name__"), STR("one")};
    struct label two = {STR("__name__"), STR("two")};
    assert_int_equal(push_labels(&d, &one, 1), 204);
    assert_int_equal(push_labels(&d, &two, 1), 429);
    assert_true(d.answer.retry_after_ms > 0);
    assert_says(&d, "limit of series reached for series {__name__=\"two\"}");
    limits = before;
    desk_close(&d);
}

static void too_much_under_way_is_answered_with_retry(void **state)
{
    (void)state;
    struct limits before = limits;
    struct desk d;
    desk_open(&d);
    struct label name = {STR("__name__"), STR("up")};
    limits.in_flight_bytes = 10;
    assert_int_equal(push_labels(&d, &name, 1), 503);
    limits.in_flight_bytes = 3000; /* enough for the body, not for the arena */
    assert_int_equal(push_labels(&d, &name, 1), 503);
    assert_true(d.answer.retry_after_ms > 0);
    limits.in_flight_bytes = 6000; /* what was refused has been given back */
    for (int i = 0; i < 10; i++)
        assert_int_equal(push_labels(&d, &name, 1), 204);
    limits = before;
    desk_close(&d);
}

static void unreferenced_series_are_no_error(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    store_configure(d.b.store, &(struct store_options){.keep = STORE_KEEP_REFERENCED});
    struct label name = {STR("__name__"), STR("up")};
    assert_int_equal(push_labels(&d, &name, 1), 204);
    assert_int_equal(d.answer.appended, 0);
    desk_close(&d);
}

/* A request with everything the protocol knows, for the tests below. */
struct full {
    Prometheus__WriteRequest request;
    Prometheus__TimeSeries series, *series_list[1];
    Prometheus__Label labels[2], *label_list[2];
    Prometheus__Sample sample, *sample_list[1];
    Prometheus__Exemplar exemplar, *exemplar_list[1];
    Prometheus__Histogram histogram, *histogram_list[1];
    Prometheus__BucketSpan spans[2], *span_list[2];
    Prometheus__MetricMetadata metadata, *metadata_list[1];
    int64_t deltas[3];
    double counts[3], bounds[3];
};

static ProtobufCBinaryData binary(const char *words)
{
    return (ProtobufCBinaryData){.len = strlen(words), .data = (uint8_t *)words};
}

static void fill_histogram(struct full *f)
{
    prometheus__histogram__init(&f->histogram);
    for (int i = 0; i < 2; i++) {
        prometheus__bucket_span__init(&f->spans[i]);
        f->span_list[i] = &f->spans[i];
    }
    f->spans[0].offset = -1;
    f->spans[0].length = 2;
    f->spans[1].offset = 3;
    f->spans[1].length = 1;
    memcpy(f->deltas, (int64_t[]){2, -1, 4}, sizeof f->deltas); /* counts 2, 1, 5 */
    memcpy(f->counts, (double[]){2, 1, 5}, sizeof f->counts);
    memcpy(f->bounds, (double[]){0.5, 1, 2}, sizeof f->bounds);
    f->histogram.timestamp = START_MS + 1;
    f->histogram.schema = 2;
    f->histogram.sum = 12.5;
    f->histogram.zero_threshold = 0.001;
    f->histogram.count_case = PROMETHEUS__HISTOGRAM__COUNT_COUNT_INT;
    f->histogram.count_int = 11;
    f->histogram.zero_count_case = PROMETHEUS__HISTOGRAM__ZERO_COUNT_ZERO_COUNT_INT;
    f->histogram.zero_count_int = 3;
    f->histogram.n_positive_spans = 2;
    f->histogram.positive_spans = f->span_list;
    f->histogram.n_positive_deltas = 3;
    f->histogram.positive_deltas = f->deltas;
}

static void fill_series(struct full *f)
{
    prometheus__time_series__init(&f->series);
    for (int i = 0; i < 2; i++) {
        prometheus__label__init(&f->labels[i]);
        f->label_list[i] = &f->labels[i];
    }
    f->labels[0].name = binary("__name__");
    f->labels[0].value = binary("latency");
    f->labels[1].name = binary("job");
    f->labels[1].value = binary("api");
    prometheus__sample__init(&f->sample);
    f->sample.timestamp = START_MS;
    f->sample.value = 4;
    prometheus__exemplar__init(&f->exemplar);
    f->exemplar.n_labels = 1;
    f->exemplar.labels = f->label_list;
    f->sample_list[0] = &f->sample;
    f->exemplar_list[0] = &f->exemplar;
    f->histogram_list[0] = &f->histogram;
    f->series.n_labels = 2;
    f->series.labels = f->label_list;
    f->series.n_samples = f->series.n_exemplars = f->series.n_histograms = 1;
    f->series.samples = f->sample_list;
    f->series.exemplars = f->exemplar_list;
    f->series.histograms = f->histogram_list;
}

static void full_init(struct full *f)
{
    memset(f, 0, sizeof *f);
    fill_histogram(f);
    fill_series(f);
    prometheus__metric_metadata__init(&f->metadata);
    f->metadata.metric_family_name = binary("latency");
    f->metadata.help = binary("How long it took.");
    f->metadata_list[0] = &f->metadata;
    prometheus__write_request__init(&f->request);
    f->series_list[0] = &f->series;
    f->request.n_timeseries = f->request.n_metadata = 1;
    f->request.timeseries = f->series_list;
    f->request.metadata = f->metadata_list;
}

/* The last sample of the only series. */
static struct sample last_sample(struct desk *d)
{
    struct sample s = {0};
    struct view *v = view_open(d->b.store);
    struct series_set set = bench_select(&d->b, v, NULL, 0);
    assert_int_equal(set.count, 1);
    assert_true(view_last(v, set.refs[0], 0, INT64_MAX, &d->b.arena, &s));
    view_close(v);
    return s;
}

static void an_integer_histogram_becomes_absolute_counts(void **state)
{
    (void)state;
    struct desk d;
    struct full f;
    desk_open(&d);
    full_init(&f);
    assert_int_equal(push_request(&d, &f.request), 204);
    assert_int_equal(d.answer.appended, 2);
    const struct histogram *h = last_sample(&d).histogram;
    assert_non_null(h);
    assert_int_equal(h->schema, 2);
    assert_true(h->count == 11 && h->sum == 12.5 && h->zero_count == 3 && h->zero_threshold == 0.001);
    assert_int_equal(h->positive.bucket_count, 3);
    assert_true(h->positive.buckets[0] == 2 && h->positive.buckets[1] == 1 && h->positive.buckets[2] == 5);
    assert_int_equal(h->positive.spans[0].offset, -1);
    assert_int_equal(h->positive.spans[1].offset, 3);
    assert_int_equal(h->negative.bucket_count, 0);
    desk_close(&d);
}

static void to_float(struct full *f)
{
    f->histogram.count_case = PROMETHEUS__HISTOGRAM__COUNT_COUNT_FLOAT;
    f->histogram.count_float = 99.5; /* floats are not checked against their buckets */
    f->histogram.zero_count_case = PROMETHEUS__HISTOGRAM__ZERO_COUNT_ZERO_COUNT_FLOAT;
    f->histogram.zero_count_float = 0.5;
    f->histogram.n_positive_deltas = 0;
    f->histogram.n_positive_counts = 3;
    f->histogram.positive_counts = f->counts;
}

static void to_custom(struct full *f)
{
    f->histogram.schema = HISTOGRAM_CUSTOM;
    f->histogram.zero_threshold = 0;
    f->histogram.zero_count_int = 0;
    f->histogram.count_int = 8;
    f->histogram.n_custom_values = 3;
    f->histogram.custom_values = f->bounds;
    f->spans[0].offset = 0;
    f->spans[1].offset = 1;
}

static void float_histograms_and_custom_buckets_survive_encoding(void **state)
{
    (void)state;
    struct desk d;
    struct full f;
    desk_open(&d);
    full_init(&f);
    to_float(&f);
    f.histogram.reset_hint = 3;
    assert_int_equal(push_request(&d, &f.request), 204);
    struct sample got = last_sample(&d);
    assert_int_equal(got.histogram->hint, HINT_GAUGE);
    assert_true(got.histogram->count == 99.5 && got.histogram->zero_count == 0.5);
    full_init(&f);
    to_custom(&f);
    f.sample.timestamp = START_MS + 2;
    f.histogram.timestamp = START_MS + 3;
    assert_int_equal(push_request(&d, &f.request), 204);
    struct sample custom = last_sample(&d);
    assert_int_equal(custom.histogram->custom_count, 3);
    custom.t_ms = START_MS + 4;
    const struct labels *ls = labels_of(&d.b.arena, "__name__", "latency", "job", "api", NULL);
    struct batch_series series = {ls->item, ls->count, &custom, 1};
    assert_int_equal(push_batch(&d, &series, 1), 204);
    struct sample again = last_sample(&d);
    assert_int_equal(again.t_ms, START_MS + 4);
    assert_int_equal(again.histogram->schema, HISTOGRAM_CUSTOM);
    assert_int_equal(again.histogram->custom_count, 3);
    assert_true(again.histogram->custom_bounds[2] == 2 && again.histogram->count == 8);
    assert_int_equal(again.histogram->positive.span_count, custom.histogram->positive.span_count);
    assert_int_equal(again.histogram->positive.bucket_count, 3);
    assert_true(again.histogram->positive.buckets[2] == 5);
    desk_close(&d);
}

static void a_stale_histogram_is_a_stale_marker(void **state)
{
    (void)state;
    struct desk d;
    struct full f;
    desk_open(&d);
    full_init(&f);
    Prometheus__Histogram stale = PROMETHEUS__HISTOGRAM__INIT;
    stale.timestamp = START_MS + 5;
    stale.sum = stale_nan();
    f.histogram_list[0] = &stale;
    assert_int_equal(push_request(&d, &f.request), 204);
    struct sample got = last_sample(&d);
    assert_int_equal(got.t_ms, START_MS + 5);
    assert_null(got.histogram);
    assert_true(is_stale_nan(got.value));
    desk_close(&d);
}

static void finer_schemas_are_reduced_to_eight(void **state)
{
    (void)state;
    struct desk d;
    struct full f;
    desk_open(&d);
    full_init(&f);
    f.histogram.schema = 10; /* buckets -1, 0, 4 -> 0, 0, 1 */
    assert_int_equal(push_request(&d, &f.request), 204);
    const struct histogram *h = last_sample(&d).histogram;
    assert_int_equal(h->schema, 8);
    assert_int_equal(h->positive.span_count, 1);
    assert_int_equal(h->positive.spans[0].offset, 0);
    assert_int_equal(h->positive.spans[0].length, 2);
    assert_true(h->positive.buckets[0] == 3 && h->positive.buckets[1] == 5);
    desk_close(&d);
}

static void count_too_high(struct full *f)
{
    f->histogram.count_int = 12;
}

static void count_too_low_with_nan(struct full *f)
{
    f->histogram.sum = NAN;
    f->histogram.count_int = 10;
}

static void span_runs_back(struct full *f)
{
    f->spans[1].offset = -1;
}

static void span_too_long(struct full *f)
{
    f->spans[1].length = 7;
}

static void span_enormous(struct full *f)
{
    f->spans[1].length = UINT32_MAX;
}

static void span_missing(struct full *f)
{
    f->histogram.n_positive_spans = 1;
}

static void count_below_zero(struct full *f)
{
    f->deltas[1] = -3;
}

static void count_overflows(struct full *f)
{
    f->deltas[0] = INT64_MAX;
    f->deltas[1] = 1;
}

static void index_overflows(struct full *f)
{
    f->spans[0].offset = INT32_MAX;
}

static void float_count_below_zero(struct full *f)
{
    to_float(f);
    f->counts[2] = -0.5;
}

static void zero_count_below_zero(struct full *f)
{
    to_float(f);
    f->histogram.zero_count_float = -1;
}

static void unknown_schema(struct full *f)
{
    f->histogram.schema = -5;
}

static void bounds_on_exponential(struct full *f)
{
    f->histogram.n_custom_values = 3;
    f->histogram.custom_values = f->bounds;
}

static void bounds_not_rising(struct full *f)
{
    to_custom(f);
    f->bounds[2] = 1;
}

static void bounds_infinite(struct full *f)
{
    to_custom(f);
    f->bounds[2] = INFINITY;
}

static void bounds_too_few(struct full *f)
{
    to_custom(f);
    f->histogram.n_custom_values = 1;
}

static void custom_with_zero_bucket(struct full *f)
{
    to_custom(f);
    f->histogram.zero_count_int = 1;
}

static void custom_with_negative_side(struct full *f)
{
    to_custom(f);
    f->histogram.n_negative_spans = 1;
    f->histogram.negative_spans = f->span_list;
}

static void broken_histograms_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        void (*damage)(struct full *f);
        const char *says;
    } cases[] = {
        {count_too_high, "11 observations found in buckets, but the Count field is 12"},
        {count_too_low_with_nan, "should be at least"},
        {span_runs_back, "span number 2 with offset -1: histogram has a span whose offset is negative"},
        {span_too_long, "histogram spans specify different number of buckets than provided"},
        {span_enormous, "out of range"},
        {span_missing, "spans need 2 buckets, have 3 buckets"},
        {count_below_zero, "bucket number 2 has observation count below 0"},
        {count_overflows, "bucket number 2 has observation count below 0"},
        {index_overflows, "out of range"},
        {float_count_below_zero, "bucket number 3 has observation count below 0"},
        {zero_count_below_zero, "zero bucket has observation count of -1"},
        {unknown_schema, "histogram has an invalid schema, got -5"},
        {bounds_on_exponential, "must not have custom bounds"},
        {bounds_not_rising, "strictly increasing"},
        {bounds_infinite, "finite"},
        {bounds_too_few, "only 1 custom bounds defined"},
        {custom_with_zero_bucket, "must have zero count of 0"},
        {custom_with_negative_side, "must not have negative spans"},
    };
    struct desk d;
    desk_open(&d);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct full f;
        full_init(&f);
        cases[i].damage(&f);
        assert_int_equal(push_request(&d, &f.request), 400);
        assert_says(&d, cases[i].says);
        assert_says(&d, "series {__name__=\"latency\", job=\"api\"}\n");
        assert_int_equal(bench_figures(&d.b).series, 0);
    }
    desk_close(&d);
}

static void every_size_of_arena_gives_an_answer(void **state)
{
    (void)state;
    struct limits before = limits;
    struct full f;
    int status = 0;
    for (int64_t cap = 64; status != 204; cap += 64) {
        struct desk d;
        desk_open(&d);
        full_init(&f);
        limits.push_arena_bytes = cap;
        status = push_request(&d, &f.request);
        assert_true(status == 204 || status == 413);
        assert_true(cap < 1 << 16);
        desk_close(&d);
    }
    limits = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_push_arrives_bit_by_bit),
        cmocka_unit_test(an_empty_request_is_fine),
        cmocka_unit_test(broken_bodies_are_refused),
        cmocka_unit_test(seven_bytes_that_declare_four_gigabytes_are_not_believed),
        cmocka_unit_test(a_push_of_empty_series_is_counted_out_and_would_stop_at_the_cap),
        cmocka_unit_test(fields_that_mean_nothing_are_counted_out),
        cmocka_unit_test(lengths_over_the_limits_are_refused),
        cmocka_unit_test(too_many_series_or_samples_are_refused),
        cmocka_unit_test(labels_are_checked),
        cmocka_unit_test(one_bad_series_does_not_cost_the_others),
        cmocka_unit_test(many_reasons_end_in_and_more),
        cmocka_unit_test(samples_out_of_order_within_a_series_are_sorted),
        cmocka_unit_test(sending_again_is_accepted),
        cmocka_unit_test(a_store_at_its_limit_is_answered_with_retry),
        cmocka_unit_test(too_much_under_way_is_answered_with_retry),
        cmocka_unit_test(unreferenced_series_are_no_error),
        cmocka_unit_test(an_integer_histogram_becomes_absolute_counts),
        cmocka_unit_test(float_histograms_and_custom_buckets_survive_encoding),
        cmocka_unit_test(a_stale_histogram_is_a_stale_marker),
        cmocka_unit_test(finer_schemas_are_reduced_to_eight),
        cmocka_unit_test(broken_histograms_are_refused_with_the_reason),
        cmocka_unit_test(every_size_of_arena_gives_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
