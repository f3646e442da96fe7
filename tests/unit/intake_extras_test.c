/* Exemplars and metadata of pushes, in both versions of remote write, written here byte by byte. */
#include "store_help.h"

#include "tocsin/extras.h"
#include "tocsin/intake.h"
#include "tocsin/limits.h"
#include "tocsin/stat.h"

#include <math.h>
#include <snappy-c.h>

/* ---- writing a push ------------------------------------------------------------------------------------- */

enum { MESSAGE_MAX = 1 << 20, SYMBOLS_MAX = 400, NONE = INT32_MIN };

struct desk {
    struct bench b;
    struct intake *intake;
    struct intake_answer answer;
    bool v2;
    struct buf request; /* the one being written */
    struct str symbols[SYMBOLS_MAX];
    size_t symbol_count;
};

static void begin_push(struct desk *d, bool v2)
{
    d->v2 = v2;
    buf_clear(&d->request);
    d->symbols[0] = STR("");
    d->symbol_count = 1;
}

static void desk_open(struct desk *d, bool v2)
{
    bench_open(&d->b, (struct store_options){.retention_ms = HOUR_MS});
    d->intake = intake_open(&d->b.sim.world);
    intake_answer_init(&d->answer);
    buf_init(&d->request, MESSAGE_MAX);
    begin_push(d, v2);
}

static void desk_close(struct desk *d)
{
    buf_release(&d->request);
    intake_answer_release(&d->answer);
    intake_close(d->intake);
    bench_close(&d->b);
}

static void put_varint(struct buf *out, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        buf_char(out, (char)(v | 0x80));
    buf_char(out, (char)v);
}

static void put_number(struct buf *out, uint32_t field, uint64_t v)
{
    put_varint(out, field << 3);
    put_varint(out, v);
}

static void put_double(struct buf *out, uint32_t field, double v)
{
    put_varint(out, field << 3 | 1);
    buf_add(out, &v, sizeof v);
}

static void put_bytes(struct buf *out, uint32_t field, struct str bytes)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.n);
    buf_str(out, bytes);
}

/* Adds what has been written to `inner` as a field, and releases it. */
static void put_message(struct buf *out, uint32_t field, struct buf *inner)
{
    put_bytes(out, field, buf_slice(inner));
    buf_release(inner);
}

static uint32_t symbol(struct desk *d, struct str text)
{
    for (size_t i = 0; i < d->symbol_count; i++)
        if (str_eq(d->symbols[i], text))
            return (uint32_t)i;
    must(d->symbol_count < SYMBOLS_MAX);
    d->symbols[d->symbol_count] = text;
    return (uint32_t)d->symbol_count++;
}

/* "name=value,name=value" as labels of a series or an exemplar. */
static void put_labels(struct desk *d, struct buf *out, const char *text)
{
    struct buf refs, label;
    struct str rest = str_of(text);
    buf_init(&refs, MESSAGE_MAX);
    while (rest.n > 0) {
        struct str value = str_cut(&rest, ',');
        struct str name = str_cut(&value, '=');
        if (d->v2) {
            put_varint(&refs, symbol(d, name));
            put_varint(&refs, symbol(d, value));
            continue;
        }
        buf_init(&label, MESSAGE_MAX);
        put_bytes(&label, 1, name);
        put_bytes(&label, 2, value);
        put_message(out, 1, &label);
    }
    if (d->v2)
        put_bytes(out, 1, buf_slice(&refs));
    buf_release(&refs);
}

struct told_exemplar {
    int64_t t_ms; /* after START_MS */
    double value;
    const char *labels; /* NULL: no more exemplars */
};

struct told_metadata {
    int type;
    const char *help, *unit;
};

static void put_exemplar(struct desk *d, struct buf *out, const struct told_exemplar *e)
{
    struct buf inner;
    buf_init(&inner, MESSAGE_MAX);
    put_labels(d, &inner, e->labels);
    put_double(&inner, 2, e->value);
    put_number(&inner, 3, (uint64_t)(START_MS + e->t_ms));
    put_message(out, d->v2 ? 4 : 3, &inner);
}

static void put_sample(struct buf *out, int64_t t_ms)
{
    struct buf inner;
    buf_init(&inner, MESSAGE_MAX);
    put_double(&inner, 1, 1);
    put_number(&inner, 2, (uint64_t)(START_MS + t_ms));
    put_message(out, 2, &inner);
}

/* What is NULL or 0 is not said. */
static void put_meaning(struct desk *d, struct buf *series, const struct told_metadata *m)
{
    struct buf inner;
    buf_init(&inner, MESSAGE_MAX);
    if (m->type != 0)
        put_number(&inner, 1, (uint64_t)m->type);
    if (m->help != NULL)
        put_number(&inner, 3, symbol(d, str_of(m->help)));
    if (m->unit != NULL)
        put_number(&inner, 4, symbol(d, str_of(m->unit)));
    put_message(series, 5, &inner);
}

/* One series of the push: a sample at that time (NONE: none) and its exemplars; metadata may be NULL. */
static void tell_series(struct desk *d, const char *labels, int64_t sample_ms,
                        const struct told_exemplar *exemplars, const struct told_metadata *m)
{
    struct buf series;
    buf_init(&series, MESSAGE_MAX);
    put_labels(d, &series, labels);
    if (sample_ms != NONE)
        put_sample(&series, sample_ms);
    for (; exemplars != NULL && exemplars->labels != NULL; exemplars++)
        put_exemplar(d, &series, exemplars);
    if (m != NULL)
        put_meaning(d, &series, m);
    put_message(&d->request, d->v2 ? 5 : 1, &series);
}

/* 1.0's metadata. */
static void tell_family(struct desk *d, const char *family, const struct told_metadata *m)
{
    struct buf inner;
    buf_init(&inner, MESSAGE_MAX);
    put_number(&inner, 1, (uint64_t)m->type);
    put_bytes(&inner, 2, str_of(family));
    put_bytes(&inner, 4, str_of(m->help));
    put_bytes(&inner, 5, str_of(m->unit));
    put_message(&d->request, 3, &inner);
}

/* Sends what was written and begins anew. */
static int push(struct desk *d)
{
    for (size_t i = 0; d->v2 && i < d->symbol_count; i++)
        put_bytes(&d->request, 4, d->symbols[i]);
    size_t bytes = snappy_max_compressed_length(d->request.used);
    char *body = arena_alloc(&d->b.arena, bytes);
    must(body != NULL && snappy_compress(buf_text(&d->request), d->request.used, body, &bytes) == SNAPPY_OK);
    intake_answer_release(&d->answer);
    intake_answer_init(&d->answer);
    (d->v2 ? intake_push_v2 : intake_push)(d->intake, d->b.store, STR(""), (struct str){body, bytes},
                                           &d->answer);
    begin_push(d, d->v2);
    return d->answer.status;
}

/* ---- what became of it ---------------------------------------------------------------------------------- */

/* "0:1{trace_id="x"} 5:..." of the only series called so. */
static const char *exemplars_of(struct desk *d, const char *name)
{
    struct exemplar_run run;
    struct matcher m = bench_matcher("__name__", MATCH_EQUAL, name);
    struct view *v = view_open(d->b.store);
    struct series_set set = bench_select(&d->b, v, &m, 1);
    assert_int_equal(set.count, 1);
    assert_int_equal(view_exemplars(v, set.refs[0], INT64_MIN, INT64_MAX, &d->b.arena, &run), 0);
    struct buf text;
    buf_init(&text, MESSAGE_MAX);
    for (size_t i = 0; i < run.count; i++) {
        buf_format(&text, "%s%lld:%g", i > 0 ? " " : "", (long long)(run.exemplars[i].t_ms - START_MS),
                   run.exemplars[i].value);
        labels_print(&text, run.exemplars[i].labels);
    }
    const char *kept = arena_copy_text(&d->b.arena, buf_text(&text), text.used);
    buf_release(&text);
    view_close(v);
    matcher_release(&m);
    return kept;
}

static const char *families(struct desk *d)
{
    struct metadata *all;
    size_t count;
    const char *text = "";
    assert_int_equal(store_list_metadata(d->b.store, STR(""), &d->b.arena, &all, &count), 0);
    for (size_t i = 0; i < count; i++)
        text =
            arena_format(&d->b.arena, "%s%s%.*s=%s:%.*s:%.*s", text, i > 0 ? " " : "", STR_ARG(all[i].family),
                         metadata_type_text(all[i].type), STR_ARG(all[i].help), STR_ARG(all[i].unit));
    return text;
}

static uint64_t held(struct desk *d)
{
    struct extras_figures f;
    store_extras_figures(d->b.store, &f);
    return f.exemplars;
}

static void assert_says(const struct desk *d, const char *words)
{
    if (strstr(buf_text(&d->answer.text), words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", buf_text(&d->answer.text), words);
}

static const struct told_exemplar ONE[] = {{0, 0.5, "trace_id=x"}, {0}};

/* ---- both versions -------------------------------------------------------------------------------------- */

/* Runs a case for 1.0 and for 2.0. */
static void for_both(void (*run)(struct desk *d))
{
    for (int v2 = 0; v2 < 2; v2++) {
        struct desk d;
        desk_open(&d, v2 != 0);
        run(&d);
        desk_close(&d);
    }
}

static void push_new_and_known(struct desk *d)
{
    static const struct told_exemplar first[] = {{-2, 0.5, "trace_id=x,b=2,a=1,none="}, {0}};
    static const struct told_exemplar second[] = {{-1, -INFINITY, ""}, {0, 1e10, "span=\xc3\xa4"}, {0}};
    tell_series(d, "__name__=up,job=api", -1, first, NULL);
    assert_int_equal(push(d), 204);
    assert_int_equal(d->answer.written_exemplars, 1);
    tell_series(d, "__name__=up,job=api", 0, second, NULL);
    tell_series(d, "__name__=down,job=api", 0, NULL, NULL);
    assert_int_equal(push(d), 204);
    assert_int_equal(d->answer.written_exemplars, 2);
    assert_string_equal(exemplars_of(d, "up"),
                        "-2:0.5{a=\"1\", b=\"2\", trace_id=\"x\"} -1:-inf{} 0:1e+10{span=\"\xc3\xa4\"}");
    assert_string_equal(exemplars_of(d, "down"), "");
}

static void exemplars_of_new_and_of_known_series_are_kept(void **state)
{
    (void)state;
    for_both(push_new_and_known);
}

static void push_alone(struct desk *d)
{
    static const struct told_exemplar later[] = {{1, 1, "trace_id=y"}, {0}};
    tell_series(d, "__name__=up", NONE, ONE, NULL); /* before the sample that makes its series, in one push */
    tell_series(d, "__name__=up", 0, NULL, NULL);
    assert_int_equal(push(d), 204);
    assert_int_equal(d->answer.written_exemplars, 1);
    tell_series(d, "__name__=up", NONE, later, NULL);
    assert_int_equal(push(d), 204);
    assert_int_equal(d->answer.written_exemplars, 1);
    assert_int_equal(d->answer.appended, 0);
    assert_string_equal(exemplars_of(d, "up"), "0:0.5{trace_id=\"x\"} 1:1{trace_id=\"y\"}");
}

/* As Prometheus sends them. */
static void exemplars_may_come_in_series_of_their_own(void **state)
{
    (void)state;
    for_both(push_alone);
}

static void push_unsorted(struct desk *d)
{
    static const struct told_exemplar mixed[] = {
        {0, 2, "n=c"}, {-3600000, 1, "n=a"}, {-60000, 3, "n=b"}, {0, 1, "n=d"}, {0}};
    tell_series(d, "__name__=up", 0, mixed, NULL);
    assert_int_equal(push(d), 204);
    assert_int_equal(d->answer.written_exemplars, 4);
    assert_string_equal(exemplars_of(d, "up"),
                        "-3600000:1{n=\"a\"} -60000:3{n=\"b\"} 0:1{n=\"d\"} 0:2{n=\"c\"}");
}

static void those_of_one_push_are_put_in_order(void **state)
{
    (void)state;
    for_both(push_unsorted);
}

static void push_twice(struct desk *d)
{
    for (int i = 0; i < 2; i++) {
        tell_series(d, "__name__=up", 0, ONE, NULL);
        assert_int_equal(push(d), 204);
        assert_int_equal(d->answer.written_exemplars, 1);
    }
    assert_int_equal(held(d), 1);
}

static void sending_again_is_confirmed_and_keeps_one(void **state)
{
    (void)state;
    for_both(push_twice);
}

static void push_unasked(struct desk *d)
{
    store_configure(d->b.store, &(struct store_options){.keep = STORE_KEEP_REFERENCED});
    tell_series(d, "__name__=up", 0, ONE, NULL);
    assert_int_equal(push(d), 204);
    assert_int_equal(d->answer.written_exemplars, 1);
    assert_int_equal(held(d), 0);
}

static void those_of_a_series_that_nobody_asks_for_are_no_error(void **state)
{
    (void)state;
    for_both(push_unasked);
}

static void push_bad_series(struct desk *d)
{
    tell_series(d, "__name__=up,job=\xff", 0, ONE, NULL);
    tell_series(d, "job=api", NONE, ONE, NULL);
    tell_series(d, "__name__=down", 0, ONE, NULL);
    assert_int_equal(push(d), 400);
    assert_int_equal(d->answer.written_exemplars, 1);
    assert_int_equal(held(d), 1);
    assert_string_equal(exemplars_of(d, "down"), "0:0.5{trace_id=\"x\"}");
}

static void a_refused_series_takes_its_exemplars_along(void **state)
{
    (void)state;
    for_both(push_bad_series);
}

static void push_in_small_arenas(struct desk *d)
{
    struct limits before = limits;
    static const struct told_exemplar some[] = {{-1, 1, "a=1,b=2,c=3"}, {0, 2, "trace_id=y"}, {0}};
    int status = 0;
    for (int64_t cap = 64; status != 204; cap += 64) {
        tell_series(d, arena_format(&d->b.arena, "__name__=up,n=%lld", (long long)cap), 0, some, NULL);
        limits.push_arena_bytes = cap;
        status = push(d);
        limits = before;
        assert_true(status == 204 || status == 413);
        assert_true(cap < 1 << 16);
    }
    assert_int_equal(d->answer.written_exemplars, 2);
}

static void every_size_of_arena_gives_an_answer(void **state)
{
    (void)state;
    for_both(push_in_small_arenas);
}

/* ---- 1.0 ------------------------------------------------------------------------------------------------ */

static void no_exemplar_fails_a_push_of_1_0(void **state)
{
    (void)state;
    struct desk d;
    static const struct told_exemplar late[] = {
        {-1, 1, "trace_id=z"}, {3600000, 1, "trace_id=z"}, {1, 1, "a=\xff"}, {0}};
    uint64_t refused = stat_get(STAT_exemplars_out_of_order);
    desk_open(&d, false);
    tell_series(&d, "__name__=up", 0, ONE, NULL);
    assert_int_equal(push(&d), 204);
    tell_series(&d, "__name__=up", 1, late, NULL);
    tell_series(&d, "__name__=unknown", NONE, ONE, NULL);
    assert_int_equal(push(&d), 204);
    assert_int_equal(d.answer.appended, 1);
    assert_string_equal(buf_text(&d.answer.text), "");
    assert_int_equal(stat_get(STAT_exemplars_out_of_order), refused + 1);
    assert_string_equal(exemplars_of(&d, "up"), "0:0.5{trace_id=\"x\"}");
    desk_close(&d);
}

/* Labels that do not stand side by side have no spelling. */
static void a_series_without_a_spelling_is_found_by_its_labels(void **state)
{
    (void)state;
    struct desk d;
    struct buf series;
    desk_open(&d, false);
    buf_init(&series, MESSAGE_MAX);
    put_labels(&d, &series, "job=api");
    put_sample(&series, 0);
    put_labels(&d, &series, "none=,__name__=up");
    put_exemplar(&d, &series, &ONE[0]);
    put_message(&d.request, 1, &series);
    assert_int_equal(push(&d), 204);
    assert_string_equal(exemplars_of(&d, "up"), "0:0.5{trace_id=\"x\"}");
    desk_close(&d);
}

static void families_of_1_0_come_beside_the_series(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d, false);
    tell_family(&d, "up", &(struct told_metadata){2, "Whether\nit is up.", ""});
    tell_family(&d, "latency_count", &(struct told_metadata){3, "Time.", "seconds"});
    tell_family(&d, "", &(struct told_metadata){3, "Of nothing.", ""});
    tell_family(&d, "odd", &(struct told_metadata){99, "", ""});
    assert_int_equal(push(&d), 204);
    assert_string_equal(families(&d),
                        "latency_count=histogram:Time.:seconds odd=unknown:: up=gauge:Whether\nit is up.:");
    tell_family(&d, "up", &(struct told_metadata){5, "New.", ""});
    tell_series(&d, "job=no_name", 0, NULL, NULL);
    assert_int_equal(push(&d), 400);
    assert_string_equal(
        families(&d),
        "latency_count=histogram:Time.:seconds odd=unknown:: up=gauge:Whether\nit is up.: up=summary:New.:");
    desk_close(&d);
}

/* ---- 2.0 ------------------------------------------------------------------------------------------------ */

static void out_of_order_exemplars_are_refused_with_prometheus_words(void **state)
{
    (void)state;
    struct desk d;
    static const struct told_exemplar late[] = {
        {-2, 1, "trace_id=z"}, {-1, 1, "trace_id=z"}, {7, 1, "trace_id=w"}, {0}};
    desk_open(&d, true);
    tell_series(&d, "__name__=up,job=api", 0, ONE, NULL);
    assert_int_equal(push(&d), 204);
    tell_series(&d, "job=api,__name__=up", 1, late, NULL);
    tell_series(&d, "__name__=down", 1, ONE, NULL);
    assert_int_equal(push(&d), 400);
    assert_string_equal(buf_text(&d.answer.text),
                        "out of order exemplar for series {__name__=\"up\", job=\"api\"}\n"
                        "2 exemplars refused\n");
    assert_int_equal(d.answer.written_samples, 2);
    assert_int_equal(d.answer.written_exemplars, 2);
    assert_string_equal(exemplars_of(&d, "up"), "0:0.5{trace_id=\"x\"} 7:1{trace_id=\"w\"}");
    desk_close(&d);
}

static void each_other_fault_has_its_reason(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d, true);
    char id[130] = "i=";
    memset(id + 2, 'x', 127);
    const char *many = "";
    for (int i = 0; i < 129; i++)
        many = arena_format(&d.b.arena, "%s%s%d=1", many, i > 0 ? "," : "", i);
    id[129] = '\0';
    const struct {
        struct told_exemplar exemplar;
        const char *says;
    } cases[] = {
        {{0, 1, id}, ""},
        {{0, 1, arena_format(&d.b.arena, "%sy", id)},
         "label length for exemplar exceeds maximum of 128 UTF-8 characters for series {__name__=\"up\"}\n"},
        {{0, 1, many}, "parsing exemplar for series {__name__=\"up\"}: more than 128 labels\n"},
        {{3600000, 1, "a=b"}, "exemplar out of bounds for series {__name__=\"up\"}\n"},
        {{0, 1, "a=\xff"}, "parsing exemplar for series {__name__=\"up\"}: invalid label name or value\n"},
        {{0, 1, "=b"}, "parsing exemplar for series {__name__=\"up\"}: invalid label name or value\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tell_series(&d, "__name__=up", 0, (struct told_exemplar[]){cases[i].exemplar, {0}}, NULL);
        assert_int_equal(push(&d), cases[i].says[0] == '\0' ? 204 : 400);
        assert_says(&d, cases[i].says);
        assert_int_equal(d.answer.written_exemplars, cases[i].says[0] == '\0');
        assert_int_equal(d.answer.written_samples, 1);
    }
    assert_int_equal(held(&d), 1);
    desk_close(&d);
}

static void an_exemplar_of_an_unknown_series_is_refused(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d, true);
    tell_series(&d, "__name__=up", NONE, ONE, NULL);
    assert_int_equal(push(&d), 400);
    assert_says(&d,
                "TimeSeries must contain at least one sample or histogram for series {__name__=\"up\"}\n");
    assert_int_equal(d.answer.written_exemplars, 0);
    assert_int_equal(bench_figures(&d.b).series, 0);
    tell_series(&d, "__name__=up", 3600000, ONE, NULL); /* its only sample is refused */
    assert_int_equal(push(&d), 400);
    assert_says(&d, "out of bounds for series {__name__=\"up\"}\nexemplar without a sample for series");
    assert_int_equal(d.answer.written_exemplars, 0);
    desk_close(&d);
}

/* References that lead nowhere, or come one by one. */
static void references_are_followed_as_far_as_they_lead(void **state)
{
    (void)state;
    static const struct {
        uint32_t refs[4];
        int count;
        int status;
        const char *says;
    } cases[] = {
        {{3, 4}, 2, 204, ""},
        {{3, 4, 3}, 3, 400, "parsing exemplar for series {__name__=\"up\"}: invalid labelRefs length 3\n"},
        {{3, 9},
         2,
         400,
         "parsing exemplar for series {__name__=\"up\"}: labelRefs 1 (value) = 9 outside of symbols table "
         "(size 5)\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk d;
        struct buf series, exemplar;
        desk_open(&d, true);
        buf_init(&series, MESSAGE_MAX);
        put_labels(&d, &series, "__name__=up");
        assert_int_equal(symbol(&d, STR("n")), 3);
        assert_int_equal(symbol(&d, STR("v")), 4);
        buf_init(&exemplar, MESSAGE_MAX);
        for (int k = 0; k < cases[i].count; k++)
            put_number(&exemplar, 1, cases[i].refs[k]);
        put_message(&series, 4, &exemplar);
        put_sample(&series, 0);
        put_message(&d.request, 5, &series);
        assert_int_equal(push(&d), cases[i].status);
        assert_says(&d, cases[i].says);
        assert_int_equal(d.answer.written_exemplars, cases[i].status == 204);
        if (cases[i].status == 204)
            assert_string_equal(exemplars_of(&d, "up"), "-360000000:0{n=\"v\"}"); /* it has no time: 0 */
        desk_close(&d);
    }
}

static void metadata_of_2_0_is_of_the_family(void **state)
{
    (void)state;
    struct desk d;
    static const struct told_metadata time = {3, "Time.", "seconds"}, total = {1, "Requests.", ""},
                                      sizes = {5, "Sizes.", "bytes"}, load = {4, "Load.", ""};
    desk_open(&d, true);
    tell_series(&d, "__name__=time_bucket,le=1", 0, NULL, &time);
    tell_series(&d, "__name__=time_bucket,le=2", 0, NULL, &time);
    tell_series(&d, "__name__=time_sum", 0, NULL, &time);
    tell_series(&d, "a=b,__name__=requests_total", 0, NULL, &total);
    tell_series(&d, "__name__=sizes_count", 0, NULL, &sizes);
    tell_series(&d, "__name__=sizes", 0, NULL, &sizes);
    tell_series(&d, "__name__=load_gsum", 0, NULL, &load);
    tell_series(&d, "__name__=_count", 0, NULL, &sizes);
    tell_series(&d, "__name__=lonely", 0, NULL, &(struct told_metadata){2, "", ""});
    tell_series(&d, "__name__=silent", 0, NULL, &(struct told_metadata){0, "", ""});
    tell_series(&d, "__name__=odd", 0, NULL, &(struct told_metadata){77, "Odd.", ""});
    assert_int_equal(push(&d), 204);
    assert_string_equal(
        families(&d),
        "_count=summary:Sizes.:bytes load=gaugehistogram:Load.: lonely=gauge:: odd=unknown:Odd.: "
        "requests_total=counter:Requests.: sizes=summary:Sizes.:bytes "
        "time=histogram:Time.:seconds");
    tell_series(&d, "__name__=time_bucket,le=1", 1, NULL, &(struct told_metadata){3, "Another.", "seconds"});
    tell_series(&d, "__name__=time_bucket,le=\xff", 1, NULL, &(struct told_metadata){3, "Bad.", "seconds"});
    assert_int_equal(push(&d), 400);
    assert_non_null(strstr(families(&d), "time=histogram:Another.:seconds"));
    desk_close(&d);
}

static void metadata_of_histograms_was_not_told_after_that_of_floats_of_their_name(void **state)
{
    (void)state;
    static const struct told_metadata time = {3, "Time.", "seconds"};
    struct desk d;
    struct buf series, histogram;
    desk_open(&d, true);
    tell_series(&d, "__name__=time_count,of=floats", 0, NULL, &time);
    buf_init(&series, MESSAGE_MAX);
    buf_init(&histogram, MESSAGE_MAX);
    put_labels(&d, &series, "__name__=time_count,of=histograms");
    put_meaning(&d, &series, &time);
    put_number(&histogram, 15, (uint64_t)START_MS); /* when */
    put_message(&series, 3, &histogram);
    put_message(&d.request, 5, &series);
    assert_int_equal(push(&d), 204);
    assert_string_equal(families(&d), "time=histogram:Time.:seconds time_count=histogram:Time.:seconds");
    desk_close(&d);
}

static void of_several_metadata_messages_of_a_series_only_the_last_counted(void **state)
{
    (void)state;
    static const struct told_metadata pieces[] = {
        {1, "First.", NULL}, {0, "Second.", NULL}, {0, NULL, "bytes"}, {0, NULL, NULL}};
    struct desk d;
    struct buf series;
    desk_open(&d, true);
    buf_init(&series, MESSAGE_MAX);
    put_labels(&d, &series, "__name__=sent_total");
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        put_meaning(&d, &series, &pieces[i]);
    put_sample(&series, 0);
    put_message(&d.request, 5, &series);
    tell_series(&d, "__name__=bare", 0, NULL, NULL);
    assert_int_equal(push(&d), 204);
    assert_string_equal(families(&d), "sent_total=counter:Second.:bytes");
    desk_close(&d);
}

/* Of those that share a place in the memory of what was told, each counts. */
static void many_families_in_one_push_are_all_noted(void **state)
{
    (void)state;
    struct desk d;
    struct extras_figures f;
    desk_open(&d, true);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 150; i++)
            tell_series(&d, arena_format(&d.b.arena, "__name__=m%d", i), round, NULL,
                        &(struct told_metadata){2, arena_format(&d.b.arena, "Round %d.", round), ""});
    assert_int_equal(push(&d), 204);
    store_extras_figures(d.b.store, &f);
    assert_int_equal(f.families, 150);
    assert_non_null(strstr(families(&d), "m149=gauge:Round 0.: m149=gauge:Round 1.:"));
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exemplars_of_new_and_of_known_series_are_kept),
        cmocka_unit_test(exemplars_may_come_in_series_of_their_own),
        cmocka_unit_test(those_of_one_push_are_put_in_order),
        cmocka_unit_test(sending_again_is_confirmed_and_keeps_one),
        cmocka_unit_test(those_of_a_series_that_nobody_asks_for_are_no_error),
        cmocka_unit_test(a_refused_series_takes_its_exemplars_along),
        cmocka_unit_test(every_size_of_arena_gives_an_answer),
        cmocka_unit_test(no_exemplar_fails_a_push_of_1_0),
        cmocka_unit_test(a_series_without_a_spelling_is_found_by_its_labels),
        cmocka_unit_test(families_of_1_0_come_beside_the_series),
        cmocka_unit_test(out_of_order_exemplars_are_refused_with_prometheus_words),
        cmocka_unit_test(each_other_fault_has_its_reason),
        cmocka_unit_test(an_exemplar_of_an_unknown_series_is_refused),
        cmocka_unit_test(references_are_followed_as_far_as_they_lead),
        cmocka_unit_test(metadata_of_2_0_is_of_the_family),
        cmocka_unit_test(metadata_of_histograms_was_not_told_after_that_of_floats_of_their_name),
        cmocka_unit_test(of_several_metadata_messages_of_a_series_only_the_last_counted),
        cmocka_unit_test(many_families_in_one_push_are_all_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
