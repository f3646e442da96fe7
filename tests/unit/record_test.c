/* Records: what is written is read back to the bit, and bytes that are no record are refused. */
#include "../../engine/store/record_priv.h"
#include "tocsin/check.h"
#include "tocsin/histogram.h"
#include "tocsin/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

/* What a walk hands out, printed line by line. */
struct log {
    struct buf text;
    size_t items, stop_after;
};

static int note(struct log *l)
{
    return ++l->items == l->stop_after ? 7 : 0;
}

static int note_series(void *context, struct series_id id, const struct label *labels, size_t count)
{
    struct log *l = context;
    buf_format(&l->text, "series %u.%u", id.ref, id.turn);
    for (size_t i = 0; i < count; i++) {
        buf_char(&l->text, ' ');
        buf_str(&l->text, labels[i].name);
        buf_char(&l->text, '=');
        buf_str(&l->text, labels[i].value);
    }
    buf_char(&l->text, '\n');
    return note(l);
}

static void print_side(struct buf *out, const struct histogram_side *side)
{
    for (size_t i = 0; i < side->span_count; i++)
        buf_format(out, " %d+%u", side->spans[i].offset, side->spans[i].length);
    for (size_t i = 0; i < side->bucket_count; i++)
        buf_format(out, " %016llx", (unsigned long long)double_bits(side->buckets[i]));
    buf_puts(out, ";");
}

static void print_sample(struct buf *out, struct series_id id, const struct sample *s)
{
    const struct histogram *h = s->histogram;
    buf_format(out, "%u.%u %lld %lld", id.ref, id.turn, (long long)s->t_ms, (long long)s->start_ms);
    if (h == NULL) {
        buf_format(out, " %016llx\n", (unsigned long long)double_bits(s->value));
        return;
    }
    const double fields[] = {h->count, h->sum, h->zero_threshold, h->zero_count};
    buf_format(out, " schema %d hint %d", h->schema, (int)h->hint);
    for (size_t i = 0; i < 4; i++)
        buf_format(out, " %016llx", (unsigned long long)double_bits(fields[i]));
    for (size_t i = 0; i < h->custom_count; i++)
        buf_format(out, " <=%016llx", (unsigned long long)double_bits(h->custom_bounds[i]));
    print_side(out, &h->positive);
    print_side(out, &h->negative);
    buf_char(out, '\n');
}

static int note_sample(void *context, struct series_id id, const struct sample *s)
{
    struct log *l = context;
    print_sample(&l->text, id, s);
    return note(l);
}

static int note_sealed(void *context, struct series_id id, struct str saved)
{
    struct log *l = context;
    struct account account = {0};
    struct sealed s;
    struct point points[SEALED_SAMPLES_MAX];
    assert_int_equal(sealed_load(&account, saved, &s), 0);
    sealed_unpack(&s, points, NULL);
    buf_format(&l->text, "sealed %u.%u", id.ref, id.turn);
    for (size_t i = 0; i < s.count; i++)
        buf_format(&l->text, " %lld=%016llx", (long long)points[i].t_ms,
                   (unsigned long long)double_bits(points[i].value));
    buf_char(&l->text, '\n');
    sealed_free(&account, &s);
    assert_int_equal(account.bytes, 0);
    return note(l);
}

static int note_end(void *context, uint64_t series, uint64_t samples, int64_t begun_ms)
{
    struct log *l = context;
    buf_format(&l->text, "end %llu %llu %lld\n", (unsigned long long)series, (unsigned long long)samples,
               (long long)begun_ms);
    return note(l);
}

struct bench {
    struct record record;
    struct buf expected;
    struct log log;
    struct arena arena;
};

static void bench_open(struct bench *b)
{
    *b = (struct bench){0};
    record_init(&b->record, 16 << 20);
    buf_init(&b->expected, 64 << 20);
    buf_init(&b->log.text, 64 << 20);
    arena_init(&b->arena, 16 << 20);
}

static void bench_close(struct bench *b)
{
    record_release(&b->record);
    buf_release(&b->expected);
    buf_release(&b->log.text);
    arena_release(&b->arena);
}

static void put(struct bench *b, struct series_id id, const struct sample *s)
{
    record_sample(&b->record, id, s);
    print_sample(&b->expected, id, s);
}

static int walk_bytes(struct bench *b, struct str bytes)
{
    const struct record_sink sink = {&b->log, note_series, note_sample, note_sealed, note_end, NULL};
    buf_clear(&b->log.text);
    b->log.items = 0;
    return record_walk(bytes, &sink, &b->arena);
}

static void assert_comes_back(struct bench *b)
{
    assert_false(buf_overflow(&b->record.bytes));
    assert_int_equal(walk_bytes(b, buf_slice(&b->record.bytes)), 0);
    assert_string_equal(buf_text(&b->log.text), buf_text(&b->expected));
}

static void floats_come_back_to_the_bit(void **state)
{
    (void)state;
    static const uint64_t odd[] = {STALE_NAN_BITS,
                                   NORMAL_NAN_BITS,
                                   UINT64_C(0x7ff8000000abcdef),
                                   UINT64_C(1) << 63,
                                   0,
                                   UINT64_C(0x7ff0000000000000),
                                   UINT64_C(1),
                                   UINT64_MAX};
    static const struct series_id ids[] = {{1, 0}, {1, 0}, {2, 0}, {1, 7}, {UINT32_MAX, UINT16_MAX}, {3, 0}};
    static const int64_t times[] = {0, 1700000000000, 1700000015000, INT64_MIN, INT64_MAX, -1};
    struct bench b;
    bench_open(&b);
    for (size_t i = 0; i < 8 * 6 * 6; i++) {
        struct sample s = {.t_ms = times[i / 6 % 6], .value = double_from_bits(odd[i % 8])};
        put(&b, ids[i % 6], &s);
    }
    assert_comes_back(&b);
    bench_close(&b);
}

static void a_push_of_one_moment_takes_eleven_bytes_a_sample(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    for (uint32_t i = 1; i <= 1000; i++)
        put(&b, (struct series_id){i, 0}, &(struct sample){.t_ms = 1700000000000 + i % 3, .value = i / 7.0});
    assert_in_range(b.record.bytes.used, 10000, 10020);
    assert_comes_back(&b);
    bench_close(&b);
}

static void more_floats_than_one_item_holds_make_two(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    for (uint32_t i = 0; i < 140000; i++)
        put(&b, (struct series_id){i / 10 + 1, 0}, &(struct sample){.t_ms = i, .value = i});
    assert_comes_back(&b);
    assert_int_equal(b.log.items, 140000);
    bench_close(&b);
}

static void series_and_floats_may_take_turns(void **state)
{
    (void)state;
    struct bench b;
    struct label labels[] = {{STR("__name__"), STR("up")}, {STR("job"), STR("a\0b")}};
    bench_open(&b);
    put(&b, (struct series_id){5, 1}, &(struct sample){.t_ms = 5, .value = 1});
    record_series(&b.record, (struct series_id){6, 0}, labels, 2);
    buf_puts(&b.expected, "series 6.0 __name__=up job=");
    buf_add(&b.expected, "a\0b\n", 4);
    put(&b, (struct series_id){6, 0}, &(struct sample){.t_ms = 6, .value = 2});
    record_series(&b.record, (struct series_id){7, 3}, NULL, 0);
    buf_puts(&b.expected, "series 7.3\n");
    record_end(&b.record, 2, UINT64_MAX, -5);
    buf_puts(&b.expected, "end 2 18446744073709551615 -5\n");
    assert_int_equal(walk_bytes(&b, buf_slice(&b.record.bytes)), 0);
    assert_true(str_eq(buf_slice(&b.log.text), buf_slice(&b.expected)));
    bench_close(&b);
}

static void histograms_come_back_to_the_bit(void **state)
{
    (void)state;
    struct histogram_span spans[] = {{-3, 2}, {0, 0}, {INT32_MAX - 100, 1}}, one[] = {{INT32_MIN, 1}};
    double whole[] = {3, 0, 9007199254740992}, broken[] = {0.5, -0.0, 1e300}, minus[] = {-0.0};
    double bounds[] = {-1.5, 0.1, 7};
    const struct histogram all[] = {
        {.schema = 8, .hint = HINT_NOT_RESET, .count = 12, .sum = stale_nan(), .zero_threshold = 0x1p-128},
        {.schema = -4, .hint = HINT_GAUGE, .positive = {spans, 3, whole, 3}, .negative = {one, 1, minus, 1}},
        {.schema = 0, .hint = HINT_RESET, .zero_count = -0.0, .negative = {spans, 3, broken, 3}},
        {.schema = HISTOGRAM_CUSTOM,
         .custom_bounds = bounds,
         .custom_count = 3,
         .positive = {one, 1, minus, 1}},
    };
    struct bench b;
    bench_open(&b);
    for (size_t i = 0; i < 4; i++) {
        put(&b, (struct series_id){9, 0}, &(struct sample){.t_ms = (int64_t)i, .histogram = &all[i]});
        put(&b, (struct series_id){8, 0}, &(struct sample){.t_ms = 5, .start_ms = -1, .histogram = &all[i]});
        put(&b, (struct series_id){8, 0},
            &(struct sample){.t_ms = 5, .start_ms = INT64_MIN, .value = stale_nan()});
    }
    assert_comes_back(&b);
    bench_close(&b);
}

static void a_sealed_stretch_comes_back_to_the_bit(void **state)
{
    (void)state;
    struct bench b;
    struct account account = {0};
    struct sealed s = {0};
    struct point points[200];
    bench_open(&b);
    buf_puts(&b.expected, "sealed 4.2");
    for (size_t i = 0; i < 200; i++) {
        points[i] = (struct point){1000 + 15000 * (int64_t)i, i % 50 == 7 ? stale_nan() : (double)i / 3};
        buf_format(&b.expected, " %lld=%016llx", (long long)points[i].t_ms,
                   (unsigned long long)double_bits(points[i].value));
    }
    buf_char(&b.expected, '\n');
    sealed_append(&account, &s, points, NULL, 200);
    record_sealed(&b.record, (struct series_id){4, 2}, &s);
    assert_comes_back(&b);
    sealed_free(&account, &s);
    bench_close(&b);
}

/* A record that holds one item of each kind. */
static void fill(struct bench *b)
{
    struct label labels[] = {{STR("a"), STR("b")}, {STR("c"), STR("d")}};
    struct histogram_span spans[] = {{1, 2}};
    double buckets[] = {4, 5};
    struct histogram h = {.schema = 1, .count = 9, .positive = {spans, 1, buckets, 2}};
    struct account account = {0};
    struct sealed s = {0};
    sealed_append(&account, &s, (struct point[]){{1, 1}, {2, 2}, {3, 4}}, NULL, 3);
    record_series(&b->record, (struct series_id){1, 0}, labels, 2);
    record_sample(&b->record, (struct series_id){1, 0}, &(struct sample){.t_ms = 1000, .value = 1});
    record_sample(&b->record, (struct series_id){1, 0}, &(struct sample){.t_ms = 2000, .histogram = &h});
    record_sealed(&b->record, (struct series_id){1, 0}, &s);
    record_end(&b->record, 1, 2, 3);
    sealed_free(&account, &s);
}

/* Cut anywhere but between two items, a record is none. */
static void what_is_cut_is_refused(void **state)
{
    (void)state;
    struct bench b;
    size_t refused = 0;
    bench_open(&b);
    fill(&b);
    for (size_t n = 0; n < b.record.bytes.used; n++) {
        char *exact = mem_copy_text(b.record.bytes.bytes, n);
        int rc = walk_bytes(&b, (struct str){exact, n});
        assert_true(rc == 0 || rc == ERR_PARSE);
        refused += rc != 0;
        mem_free(exact);
    }
    assert_int_equal(refused, b.record.bytes.used - 5);
    bench_close(&b);
}

static void labels_out_of_order_are_refused(void **state)
{
    (void)state;
    static const struct label bad[][2] = {
        {{STR("b"), STR("1")}, {STR("a"), STR("1")}},
        {{STR("a"), STR("1")}, {STR("a"), STR("2")}},
        {{STR("a"), STR("")}, {STR("b"), STR("1")}},
    };
    struct bench b;
    bench_open(&b);
    for (size_t i = 0; i < 3; i++) {
        record_clear(&b.record);
        record_series(&b.record, (struct series_id){1, 0}, bad[i], 2);
        assert_int_equal(walk_bytes(&b, buf_slice(&b.record.bytes)), ERR_PARSE);
        assert_int_equal(b.log.items, 0);
    }
    bench_close(&b);
}

static void a_histogram_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    struct histogram_span spans[] = {{0, 2}}, far[] = {{INT32_MAX, 1}, {INT32_MAX, 1}};
    double buckets[] = {1, 2};
    const struct histogram bad[] = {
        {.schema = 9},
        {.schema = 1, .positive = {spans, 1, buckets, 1}},
        {.schema = 1, .negative = {NULL, 0, buckets, 1}},
        {.schema = 1, .positive = {far, 2, buckets, 2}},
    };
    struct bench b;
    bench_open(&b);
    for (size_t i = 0; i < 4; i++) {
        record_clear(&b.record);
        record_sample(&b.record, (struct series_id){1, 0}, &(struct sample){.histogram = &bad[i]});
        assert_int_equal(walk_bytes(&b, buf_slice(&b.record.bytes)), ERR_PARSE);
    }
    bench_close(&b);
}

static void the_sink_stops_the_walk_and_the_arena_bounds_it(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    fill(&b);
    b.log.stop_after = 3;
    assert_int_equal(walk_bytes(&b, buf_slice(&b.record.bytes)), 7);
    assert_int_equal(b.log.items, 3);
    b.log.stop_after = 0;
    arena_release(&b.arena);
    arena_init(&b.arena, 16);
    assert_int_equal(walk_bytes(&b, buf_slice(&b.record.bytes)), ERR_LIMIT);
    bench_close(&b);
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    record_release(&b.record);
    record_init(&b.record, 100);
    while (!buf_overflow(&b.record.bytes))
        record_sample(&b.record, (struct series_id){1, 0}, &(struct sample){.t_ms = 1, .value = 1});
    assert_int_equal(walk_bytes(&b, buf_slice(&b.record.bytes)), 0);
    assert_true(b.log.items > 3);
    record_clear(&b.record);
    assert_true(record_is_empty(&b.record));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_come_back_to_the_bit),
        cmocka_unit_test(a_push_of_one_moment_takes_eleven_bytes_a_sample),
        cmocka_unit_test(more_floats_than_one_item_holds_make_two),
        cmocka_unit_test(series_and_floats_may_take_turns),
        cmocka_unit_test(histograms_come_back_to_the_bit),
        cmocka_unit_test(a_sealed_stretch_comes_back_to_the_bit),
        cmocka_unit_test(what_is_cut_is_refused),
        cmocka_unit_test(labels_out_of_order_are_refused),
        cmocka_unit_test(a_histogram_that_contradicts_itself_is_refused),
        cmocka_unit_test(the_sink_stops_the_walk_and_the_arena_bounds_it),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
