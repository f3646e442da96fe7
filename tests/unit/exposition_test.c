/* What a Prometheus that scrapes is told. Protobuf is read back with protobuf-c. */
#include "../../engine/serve/exposition_priv.h"
#include "client_model.pb-c.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static const struct histogram *histogram_of(const char *text)
{
    struct histogram *h;
    size_t used;
    bool hint_given;
    struct err err = {0};
    if (histogram_parse(&arena, str_of(text), &used, &h, &hint_given, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return h;
}

/* ---- negotiation ----------------------------------------------------------------------------------------- */

#define PROTOBUF "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding="

static void the_client_says_what_it_takes(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        struct exposition wanted;
    } cases[] = {
        {"", {false, ESCAPE_UNDERSCORES}},
        {"*/*", {false, ESCAPE_UNDERSCORES}},
        {"application/json", {false, ESCAPE_UNDERSCORES}},
        {PROTOBUF "delimited", {true, ESCAPE_UNDERSCORES}},
        {" " PROTOBUF " delimited ; escaping=allow-utf-8;q=0.6", {true, ESCAPE_NOTHING}},
        {PROTOBUF "delimited;q=0.4,text/plain;version=0.0.4;q=0.5", {false, ESCAPE_UNDERSCORES}},
        {PROTOBUF "delimited;q=0.4,text/plain;version=1.0.0;q=0.5", {true, ESCAPE_UNDERSCORES}},
        {"text/plain;q=x," PROTOBUF "delimited;q=0.1", {true, ESCAPE_UNDERSCORES}},
        {PROTOBUF "text," PROTOBUF "compact-text", {false, ESCAPE_UNDERSCORES}},
        {"application/vnd.google.protobuf;encoding=delimited", {false, ESCAPE_UNDERSCORES}},
        {"text/plain;escaping=dots", {false, ESCAPE_DOTS}},
        {"text/plain;escaping=values", {false, ESCAPE_VALUES}},
        {"text/plain;escaping=allow-utf-8;escaping=what", {false, ESCAPE_UNDERSCORES}},
        {"a/b;escaping=allow-utf-8, text/plain", {false, ESCAPE_NOTHING}},
        {"text/plain, a/b;escaping=allow-utf-8", {false, ESCAPE_UNDERSCORES}},
        {",;,=;q,;;q=,", {false, ESCAPE_UNDERSCORES}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct exposition got = exposition_of(str_of(cases[i].accept));
        if (got.protobuf != cases[i].wanted.protobuf || got.escaping != cases[i].wanted.escaping)
            fail_msg("%s: %s", cases[i].accept, exposition_content_type(&got));
    }
    struct exposition x = {true, ESCAPE_NOTHING};
    assert_string_equal(exposition_content_type(&x),
                        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                        "encoding=delimited; escaping=allow-utf-8");
}

static void a_long_accept_header_is_cut(void **state)
{
    (void)state;
    struct buf accept;
    buf_init(&accept, 1 << 16);
    for (int i = 0; i < 1000; i++)
        buf_puts(&accept, "a/b,");
    buf_puts(&accept, PROTOBUF "delimited");
    assert_false(exposition_of(buf_slice(&accept)).protobuf);
    buf_release(&accept);
}

static void names_are_escaped_as_prometheus_does(void **state)
{
    (void)state;
    static const struct {
        const char *name, *escaped[4];
    } cases[] = {
        {"up_x:1", {"up_x:1", "up_x:1", "up_x:1", "up_x:1"}},
        {"a.b_c", {"a_b_c", "a_dot_b__c", "U__a_2e_b__c", "a.b_c"}},
        {"1a", {"_a", "__a", "U___31_a", "1a"}},
        {"s\xc3\xa4 \xe2\x82\xac", {"s___", "s______", "U__s_e4__20__20ac_", "s\xc3\xa4 \xe2\x82\xac"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int k = 0; k < 4; k++) {
            struct exposition x = {false, (enum escaping)k};
            struct buf out;
            buf_init(&out, 1000);
            exposition_escape(&x, &out, str_of(cases[i].name), true);
            assert_string_equal(buf_text(&out), cases[i].escaped[k]);
            buf_release(&out);
        }
}

/* ---- text ------------------------------------------------------------------------------------------------ */

static void custom_buckets_were_not_told_in_text(void **state)
{
    (void)state;
    struct exposition x = {false, ESCAPE_UNDERSCORES};
    struct label extra[] = {{STR("instance"), STR("")}};
    struct exposed e = {
        labels_of(&arena, "__name__", "took", "a", "\"", NULL), 7000, 0,
        histogram_of("{{schema:-53 count:6 sum:1.25 custom_values:[0.1 0.5 1 2] buckets:[3 0 2] offset:0}}")};
    struct exposed native = {e.labels, 1, 0, histogram_of("{{schema:0 count:1 sum:1 buckets:[1]}}")};
    struct buf out;
    buf_init(&out, 4096);
    assert_true(exposition_can_tell(&x, &e));
    assert_false(exposition_can_tell(&x, &native));
    exposition_text(&x, &out, &(struct exposed_family){&e, 1, extra, 1});
    assert_string_equal(buf_text(&out), "# TYPE took histogram\n"
                                        "took_bucket{a=\"\\\"\",instance=\"\",le=\"0.1\"} 3 7000\n"
                                        "took_bucket{a=\"\\\"\",instance=\"\",le=\"0.5\"} 3 7000\n"
                                        "took_bucket{a=\"\\\"\",instance=\"\",le=\"1\"} 5 7000\n"
                                        "took_bucket{a=\"\\\"\",instance=\"\",le=\"2\"} 5 7000\n"
                                        "took_bucket{a=\"\\\"\",instance=\"\",le=\"+Inf\"} 6 7000\n"
                                        "took_sum{a=\"\\\"\",instance=\"\"} 1.25 7000\n"
                                        "took_count{a=\"\\\"\",instance=\"\"} 6 7000\n");
    buf_clear(&out);
    x.escaping = ESCAPE_NOTHING;
    e.labels = labels_of(&arena, "__name__", "t.k", NULL);
    e.histogram = histogram_of("{{schema:-53 count:1 sum:1 custom_values:[5] buckets:[1]}}");
    exposition_text(&x, &out, &(struct exposed_family){&e, 1, NULL, 0});
    assert_string_equal(buf_text(&out), "# TYPE \"t.k\" histogram\n"
                                        "{\"t.k_bucket\",le=\"5\"} 1 7000\n"
                                        "{\"t.k_bucket\",le=\"+Inf\"} 1 7000\n"
                                        "{\"t.k_sum\"} 1 7000\n"
                                        "{\"t.k_count\"} 1 7000\n");
    buf_release(&out);
}

/* ---- protobuf -------------------------------------------------------------------------------------------- */

/* The only family in *out, whose length stands before it. */
static ClientModel__Family *unpack(const struct buf *out)
{
    const uint8_t *at = (const uint8_t *)buf_text(out), *end = at + out->used;
    size_t length = 0;
    for (int shift = 0;; shift += 7) {
        length |= (size_t)(*at & 0x7f) << shift;
        if (*at++ < 0x80)
            break;
    }
    assert_int_equal(length, end - at);
    ClientModel__Family *family = client_model__family__unpack(NULL, length, at);
    assert_non_null(family);
    return family;
}

static void expect_label(const ClientModel__Metric *m, size_t i, const char *name, const char *value)
{
    assert_true(i < m->n_label);
    assert_string_equal(m->label[i]->name, name);
    assert_string_equal(m->label[i]->value, value);
}

static void floats_are_untyped_in_protobuf(void **state)
{
    (void)state;
    struct exposition x = {true, ESCAPE_UNDERSCORES};
    struct label extra[] = {{STR("a.b"), STR("own")}, {STR("site"), STR("far")}};
    struct exposed items[] = {
        {labels_of(&arena, "__name__", "load.avg", "a.b", "1", NULL), -5, 0, NULL},
        {labels_of(&arena, "__name__", "load.avg", NULL), 1435781451781, -INFINITY, NULL}};
    struct buf out;
    buf_init(&out, 4096);
    exposition_protobuf(&x, &out, &(struct exposed_family){items, 2, extra, 2});
    ClientModel__Family *family = unpack(&out);
    assert_string_equal(family->name, "load_avg");
    assert_int_equal(family->type, CLIENT_MODEL__TYPE__UNTYPED);
    assert_int_equal(family->n_metric, 2);
    expect_label(family->metric[0], 0, "a_b", "1");
    expect_label(family->metric[0], 1, "site", "far");
    assert_true(family->metric[0]->untyped->has_value && family->metric[0]->untyped->value == 0);
    assert_int_equal(family->metric[0]->timestamp_ms, -5);
    expect_label(family->metric[1], 0, "a_b", "own");
    assert_true(family->metric[1]->untyped->value == -INFINITY);
    assert_true(family->metric[1]->timestamp_ms == 1435781451781);
    client_model__family__free_unpacked(family, NULL);
    buf_release(&out);
}

static void expect_side(size_t spans, ClientModel__Span **span, size_t counts, const double *count,
                        const struct histogram_side *wanted)
{
    assert_int_equal(spans, wanted->span_count);
    for (size_t i = 0; i < spans; i++) {
        assert_int_equal(span[i]->offset, wanted->spans[i].offset);
        assert_int_equal(span[i]->length, wanted->spans[i].length);
    }
    assert_int_equal(counts, wanted->bucket_count);
    assert_memory_equal(count, wanted->buckets, counts * sizeof *count);
}

static void native_histograms_were_left_out(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{{schema:-2 count:12 sum:39.5 z_bucket:2 z_bucket_w:1 buckets:[1 2 0 1] offset:-3 n_buckets:[3]}}",
        "{{schema:3 count:0 sum:0}}",
        "{{schema:1 count:4 sum:-1 buckets:[4] counter_reset_hint:gauge}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct exposition x = {true, ESCAPE_NOTHING};
        struct exposed e = {labels_of(&arena, "__name__", "took", NULL), 1, 0, histogram_of(texts[i])};
        struct buf out;
        buf_init(&out, 4096);
        assert_true(exposition_can_tell(&x, &e));
        exposition_protobuf(&x, &out, &(struct exposed_family){&e, 1, NULL, 0});
        ClientModel__Family *family = unpack(&out);
        assert_int_equal(family->type,
                         i == 2 ? CLIENT_MODEL__TYPE__GAUGE_HISTOGRAM : CLIENT_MODEL__TYPE__HISTOGRAM);
        const ClientModel__Histogram *h = family->metric[0]->histogram;
        assert_true(h->has_sample_count_float && h->sample_count_float == e.histogram->count);
        assert_true(h->has_sample_sum && h->sample_sum == e.histogram->sum);
        assert_true(h->has_schema && h->schema == e.histogram->schema);
        assert_true(h->has_zero_threshold && h->zero_threshold == e.histogram->zero_threshold);
        assert_true(h->has_zero_count_float && h->zero_count_float == e.histogram->zero_count);
        assert_int_equal(h->n_bucket, 0);
        expect_side(h->n_positive_span, h->positive_span, h->n_positive_count, h->positive_count,
                    &e.histogram->positive);
        expect_side(h->n_negative_span, h->negative_span, h->n_negative_count, h->negative_count,
                    &e.histogram->negative);
        client_model__family__free_unpacked(family, NULL);
        buf_release(&out);
    }
}

static void custom_buckets_are_classic_in_protobuf(void **state)
{
    (void)state;
    struct exposition x = {true, ESCAPE_NOTHING};
    struct exposed e = {
        labels_of(&arena, "__name__", "took", NULL), 1, 0,
        histogram_of("{{schema:-53 count:6 sum:1.25 custom_values:[0.1 0.5] buckets:[3 1 2]}}")};
    struct buf out;
    buf_init(&out, 4096);
    exposition_protobuf(&x, &out, &(struct exposed_family){&e, 1, NULL, 0});
    ClientModel__Family *family = unpack(&out);
    const ClientModel__Histogram *h = family->metric[0]->histogram;
    assert_int_equal(family->type, CLIENT_MODEL__TYPE__HISTOGRAM);
    assert_true(h->sample_count_float == 6 && h->sample_sum == 1.25 && !h->has_schema);
    assert_int_equal(h->n_bucket, 2);
    assert_true(h->bucket[0]->upper_bound == 0.1 && h->bucket[0]->cumulative_count_float == 3);
    assert_true(h->bucket[1]->upper_bound == 0.5 && h->bucket[1]->cumulative_count_float == 4);
    client_model__family__free_unpacked(family, NULL);
    buf_release(&out);
}

static void what_does_not_fit_is_an_overflow(void **state)
{
    (void)state;
    struct exposition x = {true, ESCAPE_NOTHING};
    struct exposed e = {
        labels_of(&arena, "__name__", "took", "a", "0123456789012345678901234567890123456789", NULL), 1, 0,
        NULL};
    struct exposed_family family = {&e, 1, NULL, 0};
    struct buf whole;
    buf_init(&whole, 4096);
    exposition_protobuf(&x, &whole, &family);
    for (size_t room = 0; room <= whole.used; room++) {
        struct buf out;
        buf_init(&out, room);
        exposition_protobuf(&x, &out, &family);
        assert_int_equal(buf_overflow(&out), room < whole.used);
        buf_release(&out);
    }
    buf_release(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_says_what_it_takes),
        cmocka_unit_test(a_long_accept_header_is_cut),
        cmocka_unit_test(names_are_escaped_as_prometheus_does),
        cmocka_unit_test(custom_buckets_were_not_told_in_text),
        cmocka_unit_test(floats_are_untyped_in_protobuf),
        cmocka_unit_test(native_histograms_were_left_out),
        cmocka_unit_test(custom_buckets_are_classic_in_protobuf),
        cmocka_unit_test(what_does_not_fit_is_an_overflow),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
