/*
 * view_window against the loop it stands for: random series of many shapes, pushed late, twice and with gaps, and
 * random windows over them. WINDOW_TEST_SEED and WINDOW_TEST_SERIES in the environment make other and longer runs.
 */
#include "random_help.h"
#include "store_help.h"

#include "tocsin/histogram.h"
#include "tocsin/kahan.h"

#include <stdlib.h>

#ifdef TOCSIN_COSTLY
enum { SERIES = 48, LONG_SERIES = 2 };
#else
enum { SERIES = 420, LONG_SERIES = 13 };
#endif
enum { SAMPLES = 5000, WINDOWS = 2500, LONG_SAMPLES = 160000, LONG_WINDOWS = 400, LATE_MS = HOUR_MS };

struct course {
    struct bench b;
    uint64_t random;
    unsigned shape;
    struct sample item[LONG_SAMPLES]; /* in time order */
    size_t count;
    size_t dropped; /* of them, by retention */
    unsigned scale; /* windows hold up to 2^scale samples */
    const struct labels *labels;
    series_ref ref;
};

static uint64_t any(struct course *c)
{
    return random_next(&c->random);
}

static uint64_t below(struct course *c, uint64_t n)
{
    return random_below(&c->random, n);
}

static double unit(struct course *c)
{
    return (double)(any(c) >> 11) * 0x1p-53;
}

/* ---- shapes: what comes after v ---- */

typedef double next_fn(struct course *c, double v);

static double constant(struct course *c, double v)
{
    return below(c, 500) == 0 ? v + 1 : v;
}

static double counter(struct course *c, double v)
{
    return below(c, 300) == 0 ? (double)below(c, 5) : v + (double)below(c, 40);
}

static double steady_counter(struct course *c, double v)
{
    return v + (double)below(c, 3);
}

static double float_counter(struct course *c, double v)
{
    return below(c, 200) == 0 ? unit(c) : v + unit(c) * 100;
}

static double rarely_reset(struct course *c, double v)
{
    return below(c, 900) == 0 ? unit(c) : v + unit(c) / 3;
}

static double vast_counter(struct course *c, double v)
{
    return below(c, 100) == 0 ? 0 : v + 0x1p51 * unit(c);
}

static double decimals(struct course *c, double v)
{
    (void)v;
    return (double)below(c, 100000) / 100;
}

static double gauge(struct course *c, double v)
{
    return v + unit(c) - 0.5;
}

static double whole_gauge(struct course *c, double v)
{
    return v + (double)below(c, 9) - 4;
}

/* Beside its peaks the other values vanish, even from what a sum has lost. */
static double with_peaks(struct course *c, double v)
{
    (void)v;
    return below(c, 600) > 0 ? unit(c) : below(c, 2) == 0 ? 1e20 : 1e40;
}

static double bits(struct course *c, double v)
{
    (void)v;
    return double_from_bits(any(c));
}

/* Never falls, and passes zero in both its forms. */
static double to_zero(struct course *c, double v)
{
    if (v > 0)
        return below(c, 100) == 0 ? -INFINITY : v;
    if (v < 0)
        return below(c, 30) > 0 ? v : v < -5 ? -4 : 0;
    return below(c, 2000) == 0 ? (below(c, 4) ? 1 : INFINITY) : below(c, 2) == 0 ? -0.0 : 0;
}

static double few(struct course *c, double v)
{
    static const double values[] = {0, -0.0, 1, INFINITY, -INFINITY, 1e308, -1e308, 1e-320};
    (void)v;
    return values[below(c, 8)];
}

static next_fn *const shapes[] = {constant,     counter,  steady_counter, float_counter, rarely_reset,
                                  vast_counter, decimals, gauge,          whole_gauge,   bits,
                                  few,          to_zero,  with_peaks};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* ---- the course of one series ---- */

static double strange(struct course *c)
{
    static const uint64_t nans[] = {STALE_NAN_BITS, STALE_NAN_BITS, STALE_NAN_BITS, NORMAL_NAN_BITS,
                                    0xfff8000000000042};
    return double_from_bits(nans[below(c, 5)]);
}

static int64_t next_time(struct course *c, int64_t t_ms, unsigned regularity)
{
    if (below(c, 400) == 0)
        return t_ms + (int64_t)below(c, 10 * MINUTE_MS) + 1;
    if (regularity == 0)
        return t_ms + 15000;
    return t_ms + (regularity == 1 && below(c, 20) > 0 ? 15000 : 14990 + (int64_t)below(c, 20));
}

/* Half of the series have no start times; others one for long, one a sample, or now and then none. */
static int64_t next_start(struct course *c, unsigned starts, int64_t start_ms, const struct sample *before)
{
    switch (starts) {
    case 0:
        return below(c, 500) == 0 ? before->t_ms : start_ms;
    case 1:
        return before->t_ms;
    case 2:
        return below(c, 3) == 0 ? 0 : START_MS - (int64_t)below(c, HOUR_MS);
    default:
        return 0;
    }
}

static void lay_course(struct course *c, size_t count)
{
    unsigned oddity = (unsigned)below(c, 3), regularity = (unsigned)below(c, 3);
    unsigned starts = (unsigned)below(c, 6);
    int64_t start_ms = START_MS - 5;
    int64_t t_ms = START_MS;
    double v = (double)below(c, 1000);
    unsigned away = 0; /* for how many samples there are only stale markers */
    c->count = count;
    c->dropped = 0;
    for (size_t i = 0; i < c->count; i++) {
        bool odd = oddity > 0 && below(c, oddity == 1 ? 300 : 8) == 0;
        t_ms = next_time(c, t_ms, regularity);
        v = shapes[c->shape](c, v);
        if (below(c, 60000) == 0)
            away = 4000;
        away -= away > 0;
        start_ms = i > 0 ? next_start(c, starts, start_ms, &c->item[i - 1]) : 0;
        c->item[i] = (struct sample){.t_ms = t_ms,
                                     .start_ms = start_ms,
                                     .value = away > 0 ? stale_nan()
                                              : odd    ? strange(c)
                                                       : v};
    }
}

static void push_sample(struct course *c, const struct sample *s)
{
    assert_int_equal(bench_push_all(&c->b, c->labels, s, 1, NULL).first, ADMIT_OK);
}

/* Some come late, some twice. */
static void push_course(struct course *c)
{
    bool disorder = below(c, 2) == 0;
    size_t kept[64], kept_count = 0;
    bench_at(&c->b, c->item[c->count - 1].t_ms);
    for (size_t i = 0; i < c->count; i++) {
        if (disorder && kept_count < 64 && i + 1 < c->count && below(c, 10) == 0) {
            kept[kept_count++] = i;
            continue;
        }
        push_sample(c, &c->item[i]);
        while (kept_count > 0 && (i + 1 == c->count || below(c, 30) == 0 ||
                                  c->item[i + 1].t_ms - c->item[kept[0]].t_ms > LATE_MS - 11 * MINUTE_MS)) {
            const struct sample *late = &c->item[kept[0]];
            memmove(kept, kept + 1, --kept_count * sizeof *kept);
            push_sample(c, late);
            push_sample(c, late);
            assert_int_equal(bench_push(&c->b, c->labels, late->t_ms, -12345.25), ADMIT_DUPLICATE);
        }
    }
}

/* ---- the loop ---- */

static bool changed(double a, double b)
{
    return a != b && !(isnan(a) && isnan(b));
}

static void loop(const struct course *c, size_t from, size_t to, struct window_summary *out)
{
    struct kahan k = {0, 0};
    *out = (struct window_summary){0};
    for (size_t i = from; i < to; i++) {
        const struct sample *s = &c->item[i];
        double v = s->value;
        if (is_stale_nan(v))
            continue;
        if (out->count == 0) {
            out->first_ms = s->t_ms;
            out->first = out->min = out->max = v;
        } else {
            if (v < out->last) {
                out->resets++;
                out->correction += out->last;
            }
            out->changes += changed(v, out->last);
            out->min = v < out->min || isnan(out->min) ? v : out->min;
            out->max = v > out->max || isnan(out->max) ? v : out->max;
        }
        kahan_add(&k, v);
        out->count++;
        out->last = v;
        out->last_ms = s->t_ms;
        out->has_nan |= isnan(v) != 0;
        out->has_inf |= isinf(v) != 0;
        out->has_starts |= s->start_ms != 0;
    }
    out->sum = k.sum;
    out->rest = k.rest;
}

static bool same(double a, double b)
{
    return double_bits(a) == double_bits(b);
}

static bool sums_agree(const struct window_summary *got, const struct window_summary *want)
{
    if (got->has_inf || got->has_huge)
        return true; /* the caller is told to add them himself */
    double a = got->sum + got->rest, b = want->sum + want->rest;
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-12 * fabs(b);
}

static bool parts_agree(const struct window_summary *got, const struct window_summary *want, unsigned wish)
{
    if ((wish & WINDOW_RESETS) != 0 &&
        !(got->resets == want->resets && same(got->correction, want->correction)))
        return false;
    if ((wish & WINDOW_BOUNDS) != 0 && !(same(got->min, want->min) && same(got->max, want->max)))
        return false;
    if ((wish & WINDOW_SUM) != 0 &&
        !(got->has_nan == want->has_nan && got->has_inf == want->has_inf && sums_agree(got, want)))
        return false;
    return (wish & WINDOW_CHANGES) == 0 || got->changes == want->changes;
}

static bool agree(const struct window_summary *got, const struct window_summary *want, unsigned wish)
{
    if (got->count != want->count || want->count == 0)
        return got->count == want->count;
    return got->first_ms == want->first_ms && got->last_ms == want->last_ms &&
           got->has_starts >= want->has_starts && same(got->first, want->first) &&
           same(got->last, want->last) && parts_agree(got, want, wish);
}

static size_t place_of(const struct course *c, int64_t t_ms)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c->item[middle].t_ms <= t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Some edges lie exactly on samples, most windows are short. */
static int64_t an_edge(struct course *c, size_t i)
{
    return i < c->count ? c->item[i].t_ms - (int64_t)below(c, 3) + 1 : INT64_MAX - (int64_t)below(c, 3);
}

static void try_window(struct course *c, struct view *v)
{
    static const unsigned wishes[] = {0,          WINDOW_RESETS,  WINDOW_BOUNDS,
                                      WINDOW_SUM, WINDOW_CHANGES, WINDOW_ALL};
    struct window_summary got, want;
    size_t from = below(c, c->count + 1);
    size_t n = below(c, UINT64_C(2) << below(c, c->scale));
    int64_t after_ms = an_edge(c, from), upto_ms = an_edge(c, from + n);
    size_t first = place_of(c, after_ms), end = after_ms < upto_ms ? place_of(c, upto_ms) : 0;
    loop(c, first < c->dropped ? c->dropped : first, end, &want);
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        unsigned wish = wishes[i];
        assert_true(view_window(v, c->ref, after_ms, upto_ms, (enum window_wish)wish, &got));
        if (!agree(&got, &want, wish))
            fail_msg("shape %u, %zu samples, wish %u: the window (%lld, %lld] differs", c->shape, c->count,
                     wish, (long long)after_ms, (long long)upto_ms);
    }
}

static bool same_sample(const struct sample *a, const struct sample *b)
{
    return a->t_ms == b->t_ms && a->start_ms == b->start_ms && same(a->value, b->value);
}

static void read_back(struct course *c, struct view *v)
{
    struct sample_run run = bench_read(&c->b, v, c->ref, INT64_MIN, INT64_MAX);
    assert_int_equal(run.count, c->count);
    for (size_t i = 0; i < c->count; i++)
        assert_true(same_sample(&run.samples[i], &c->item[i]));
}

static void read_some(struct course *c, struct view *v)
{
    struct sample_run run;
    struct sample last;
    size_t from = below(c, c->count + 1);
    int64_t after_ms = an_edge(c, from), upto_ms = an_edge(c, from + below(c, 200));
    size_t first = place_of(c, after_ms), end = place_of(c, upto_ms);
    run = bench_read(&c->b, v, c->ref, after_ms, upto_ms);
    assert_int_equal(run.count, end > first ? end - first : 0);
    for (size_t i = 0; i < run.count; i++)
        assert_true(same_sample(&run.samples[i], &c->item[first + i]));
    view_touch_last(v, &c->ref, 1, upto_ms);
    assert_int_equal(view_last(v, c->ref, after_ms, upto_ms, &c->b.arena, &last), end > first);
    if (end > first)
        assert_true(same_sample(&last, &c->item[end - 1]));
}

static void open_course(struct course *c, size_t count)
{
    bench_open(&c->b,
               (struct store_options){.retention_ms = 1000 * (int64_t)HOUR_MS, .out_of_order_ms = LATE_MS});
    c->labels = labels_of(&c->b.arena, "a", "1", NULL);
    lay_course(c, count);
    push_course(c);
}

static void run_course(struct course *c)
{
    open_course(c, 1 + below(c, SAMPLES));
    c->scale = 12;
    struct view *v = view_open(c->b.store);
    c->ref = bench_select(&c->b, v, NULL, 0).refs[0];
    read_back(c, v);
    for (int i = 0; i < WINDOWS; i++)
        try_window(c, v);
    for (int i = 0; i < WINDOWS / 50; i++)
        read_some(c, v);
    view_close(v);
    bench_close(&c->b);
}

static uint64_t asked(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void windows_come_to_what_the_loop_gives(void **state)
{
    (void)state;
    static struct course c;
    uint64_t seed = asked("WINDOW_TEST_SEED", 1), count = asked("WINDOW_TEST_SERIES", SERIES);
    c.random = seed * 0x9E3779B97F4A7C15 + 1;
    for (uint64_t i = 0; i < count; i++) {
        c.shape = (unsigned)(i % SHAPES);
        run_course(&c);
    }
}

/* Retention takes whole stretches, so that somewhat more than it asks for stays. */
static void drop_some(struct course *c)
{
    struct store_options options = {.retention_ms = (int64_t)(1 + below(c, 500)) * HOUR_MS,
                                    .out_of_order_ms = LATE_MS};
    store_configure(c->b.store, &options);
    store_retire(c->b.store);
    c->dropped = c->count - (size_t)bench_figures(&c->b).samples;
}

/* Summaries of summaries: long series, before and after retention has shortened them. */
static void long_windows_come_to_what_the_loop_gives(void **state)
{
    (void)state;
    static struct course c;
    uint64_t seed = asked("WINDOW_TEST_SEED", 1), count = asked("WINDOW_TEST_LONG_SERIES", LONG_SERIES);
    c.random = seed * 0x9E3779B97F4A7C15 + 3;
    c.scale = 17;
    for (uint64_t i = 0; i < count; i++) {
        c.shape = (unsigned)((seed + i) % SHAPES);
        open_course(&c, 16 * 1024 + below(&c, LONG_SAMPLES - 16 * 1024));
        struct view *v = view_open(c.b.store);
        c.ref = bench_select(&c.b, v, NULL, 0).refs[0];
        for (int k = 0; k < LONG_WINDOWS; k++) {
            if (k == LONG_WINDOWS / 2)
                drop_some(&c);
            try_window(&c, v);
        }
        view_close(v);
        bench_close(&c.b);
    }
}

/* ---- what a summary cannot tell ---- */

struct mixed {
    struct bench b;
    const struct labels *labels;
    struct view *view;
    series_ref ref;
};

static void mixed_open(struct mixed *m)
{
    bench_open(&m->b, (struct store_options){.retention_ms = HOUR_MS, .out_of_order_ms = HOUR_MS});
    m->labels = labels_of(&m->b.arena, "a", "1", NULL);
    for (int i = 0; i < 200; i++)
        bench_push(&m->b, m->labels, START_MS + i * 10, i);
    m->view = view_open(m->b.store);
    m->ref = bench_select(&m->b, m->view, NULL, 0).refs[0];
}

static void mixed_close(struct mixed *m)
{
    view_close(m->view);
    bench_close(&m->b);
}

static void push(struct mixed *m, struct sample s)
{
    assert_int_equal(bench_push_all(&m->b, m->labels, &s, 1, NULL).first, ADMIT_OK);
}

static void windows_with_histograms_are_refused(void **state)
{
    (void)state;
    struct mixed m;
    struct window_summary w;
    struct histogram h = {.schema = 1, .count = 3, .sum = 4};
    mixed_open(&m);
    push(&m, (struct sample){.t_ms = START_MS + 3000, .histogram = &h});
    assert_false(view_window(m.view, m.ref, START_MS, START_MS + 3000, WINDOW_ALL, &w));
    assert_true(view_window(m.view, m.ref, START_MS, START_MS + 2999, WINDOW_ALL, &w));
    assert_int_equal(w.count, 199);
    mixed_close(&m);
}

static void windows_say_whether_there_are_start_timestamps(void **state)
{
    (void)state;
    struct mixed m;
    struct window_summary w;
    mixed_open(&m);
    push(&m, (struct sample){.t_ms = START_MS + 3000, .start_ms = START_MS, .value = 1});
    for (int i = 0; i < 2000; i++)
        push(&m, (struct sample){.t_ms = START_MS + 4000 + i, .value = i});
    assert_true(view_window(m.view, m.ref, START_MS, START_MS + 5000, WINDOW_ALL, &w));
    assert_true(w.has_starts);
    assert_int_equal(w.resets, 2);
    assert_true(view_window(m.view, m.ref, START_MS + 5900, START_MS + 6000, WINDOW_ALL, &w));
    assert_false(w.has_starts);
    assert_int_equal(w.count, 99);
    mixed_close(&m);
}

static void start_timestamps_far_inside_are_not_passed_over(void **state)
{
    (void)state;
    enum { MANY = 100 * 1024 };
    struct mixed m;
    struct window_summary w;
    mixed_open(&m);
    bench_at(&m.b, START_MS + HOUR_MS / 2);
    for (int i = 0; i < MANY; i++) {
        bool started = i >= MANY / 3 && i < MANY / 2;
        push(&m, (struct sample){
                     .t_ms = START_MS + 10000 + i * 10, .start_ms = started ? START_MS : 0, .value = i});
    }
    int64_t first_ms = START_MS + 10000 + MANY / 3 * 10, last_ms = START_MS + 10000 + MANY / 2 * 10;
    for (unsigned wish = 0; wish <= WINDOW_ALL; wish++) {
        assert_true(view_window(m.view, m.ref, START_MS - 1, INT64_MAX, (enum window_wish)wish, &w));
        assert_true(w.has_starts);
        assert_true(view_window(m.view, m.ref, START_MS - 1, first_ms + 90000, (enum window_wish)wish, &w));
        assert_true(w.has_starts);
        assert_true(view_window(m.view, m.ref, START_MS - 1, first_ms - 30000, (enum window_wish)wish, &w));
        assert_false(w.has_starts);
        assert_true(view_window(m.view, m.ref, last_ms + 30000, INT64_MAX, (enum window_wish)wish, &w));
        assert_false(w.has_starts);
    }
    mixed_close(&m);
}

/* In two stretches of their own, between so many zeros that what stands before them is taken off what stands before their end. */
static void ask_far_inside(double here, double beside, double there, struct window_summary *w)
{
    enum { MANY = 100 * 1024 };
    struct mixed m;
    mixed_open(&m);
    bench_at(&m.b, START_MS + HOUR_MS / 2);
    for (int i = 0; i < MANY; i++) {
        double v = i == MANY / 3 ? here : i == MANY / 3 + 1 ? beside : i == MANY / 2 ? there : 0;
        push(&m, (struct sample){.t_ms = START_MS + 10000 + i * 10, .value = v});
    }
    assert_true(view_window(m.view, m.ref, START_MS + 9999, INT64_MAX, WINDOW_SUM, w));
    mixed_close(&m);
}

static void values_that_cancel_far_inside_are_not_passed_over(void **state)
{
    (void)state;
    struct window_summary w;
    ask_far_inside(0x1p55, 0.5, -0x1p55, &w);
    assert_true(w.sum + w.rest == 0.5);
    ask_far_inside(1e300, -1e300, 0, &w);
    assert_true(w.has_huge);
    ask_far_inside(INFINITY, 1, 0, &w);
    assert_true(w.has_inf);
    ask_far_inside(NAN, 1, 0, &w);
    assert_true(w.has_nan);
    ask_far_inside(0x1p59, 1, 0x1p59, &w); /* more than is kept as a whole number */
    assert_true(w.sum == 0x1p60 && w.rest == 1);
}

/* A few peaks and troughs in so many samples that their bounds are summed up thrice. */
static void peaks_far_inside_are_not_passed_over(void **state)
{
    (void)state;
    enum { MANY = 230 * 1024, PEAKS = 40, ASKED = 400 };
    static double values[MANY];
    uint64_t random = 11;
    struct mixed m;
    struct window_summary w;
    mixed_open(&m);
    bench_at(&m.b, START_MS + HOUR_MS / 2);
    for (int i = 0; i < MANY; i++)
        values[i] = (double)random_below(&random, 1000);
    for (int i = 0; i < PEAKS; i++)
        values[random_below(&random, MANY)] = (double)random_below(&random, 20000) - 10000;
    for (int i = 0; i < MANY; i++)
        bench_push(&m.b, m.labels, START_MS + 10000 + i * 10, values[i]);
    for (int i = 0; i < ASKED; i++) {
        size_t from = random_below(&random, MANY), to = from + 1 + random_below(&random, MANY - from);
        double min = values[from], max = min;
        for (size_t k = from; k < to; k++) {
            min = fmin(min, values[k]);
            max = fmax(max, values[k]);
        }
        int64_t first_ms = START_MS + 10000 + (int64_t)from * 10;
        assert_true(view_window(m.view, m.ref, first_ms - 1, first_ms + (int64_t)(to - from - 1) * 10,
                                WINDOW_BOUNDS, &w));
        assert_true(w.min == min && w.max == max && w.count == to - from);
    }
    mixed_close(&m);
}

/* Among so many samples before and after it that they are summed up more than once. */
static void a_histogram_far_inside_is_not_passed_over(void **state)
{
    (void)state;
    enum { MANY = 100 * 1024 };
    struct mixed m;
    struct window_summary w;
    struct histogram h = {.schema = 1, .count = 3, .sum = 4};
    mixed_open(&m);
    bench_at(&m.b, START_MS + HOUR_MS / 2);
    for (int i = 0; i < MANY; i++) {
        if (i == MANY / 2)
            push(&m, (struct sample){.t_ms = START_MS + 10000 + i * 10 - 5, .histogram = &h});
        bench_push(&m.b, m.labels, START_MS + 10000 + i * 10, i);
    }
    int64_t middle_ms = START_MS + 10000 + MANY / 2 * 10, end_ms = middle_ms + MANY / 2 * 10;
    for (unsigned wish = 0; wish <= WINDOW_ALL; wish++) {
        assert_false(view_window(m.view, m.ref, START_MS, end_ms, (enum window_wish)wish, &w));
        assert_false(view_window(m.view, m.ref, START_MS + 500000, middle_ms, (enum window_wish)wish, &w));
        assert_true(view_window(m.view, m.ref, START_MS - 1, middle_ms - 6, (enum window_wish)wish, &w));
        assert_int_equal(w.count, 200 + MANY / 2);
        assert_true(view_window(m.view, m.ref, middle_ms + 999, end_ms, (enum window_wish)wish, &w));
        assert_int_equal(w.count, MANY / 2 - 100); /* floats right behind a histogram share its block */
    }
    mixed_close(&m);
}

static void a_late_histogram_parts_what_was_sealed(void **state)
{
    (void)state;
    struct mixed m;
    struct window_summary w;
    struct histogram h = {.schema = 1, .count = 3, .sum = 4};
    mixed_open(&m);
    for (int i = 0; i < 70; i++) /* more than one block of them, and at both ends of the stretch */
        push(&m, (struct sample){.t_ms = START_MS + 501 + i % 9 + i / 9 * 10, .histogram = &h});
    push(&m, (struct sample){.t_ms = START_MS - 5, .histogram = &h});
    push(&m, (struct sample){.t_ms = START_MS - 7, .value = 8});
    struct sample_run run = bench_read(&m.b, m.view, m.ref, INT64_MIN, INT64_MAX);
    assert_int_equal(run.count, 272);
    for (size_t i = 1; i < run.count; i++)
        assert_true(run.samples[i - 1].t_ms < run.samples[i].t_ms);
    size_t histograms = 0;
    for (size_t i = 0; i < run.count; i++) {
        histograms += run.samples[i].histogram != NULL;
        if (run.samples[i].histogram == NULL && run.samples[i].t_ms >= START_MS)
            assert_true(run.samples[i].value == (double)((run.samples[i].t_ms - START_MS) / 10));
    }
    assert_int_equal(histograms, 71);
    assert_false(view_window(m.view, m.ref, START_MS + 480, START_MS + 580, WINDOW_ALL, &w));
    assert_true(view_window(m.view, m.ref, START_MS - 1, START_MS + 480, WINDOW_ALL, &w));
    assert_int_equal(w.count, 49);
    mixed_close(&m);
}

static uint32_t resets_within(struct bench *b, const struct labels *ls)
{
    struct window_summary w;
    struct matcher own = bench_matcher("a", MATCH_EQUAL, labels_get(ls, STR("a")).p);
    struct view *v = view_open(b->store);
    assert_true(
        view_window(v, bench_select(b, v, &own, 1).refs[0], START_MS - 1, INT64_MAX, WINDOW_RESETS, &w));
    view_close(v);
    matcher_release(&own);
    return w.resets;
}

/* Wherever it is, and whether it came in its turn or late. */
static void a_fall_in_the_open_block_is_seen(void **state)
{
    (void)state;
    enum { MANY = 60 };
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS, .out_of_order_ms = HOUR_MS});
    for (int k = 1; k < MANY; k++) {
        const struct labels *in_turn = labels_of(&b.arena, "a", arena_format(&b.arena, "%d", k), NULL);
        const struct labels *late = labels_of(&b.arena, "a", arena_format(&b.arena, "late %d", k), NULL);
        for (int i = 0; i < MANY; i++) {
            bench_push(&b, in_turn, START_MS + i * 10, i < k ? 100 + i : i);
            bench_push(&b, late, START_MS + i * 10, 100 + i);
        }
        assert_int_equal(resets_within(&b, in_turn), 1);
        assert_int_equal(resets_within(&b, late), 0);
        bench_push(&b, late, START_MS + k * 10 - 5, k % 2 == 0 ? 7 : 700);
        assert_int_equal(resets_within(&b, late), 1);
    }
    bench_close(&b);
}

static void an_empty_window_has_no_count(void **state)
{
    (void)state;
    struct mixed m;
    struct window_summary w;
    mixed_open(&m);
    assert_true(view_window(m.view, m.ref, START_MS - 100, START_MS - 1, WINDOW_ALL, &w));
    assert_int_equal(w.count, 0);
    assert_true(view_window(m.view, m.ref, START_MS + 100, START_MS, WINDOW_ALL, &w));
    assert_int_equal(w.count, 0);
    assert_true(view_window(m.view, m.ref, START_MS + 5000, INT64_MAX, WINDOW_ALL, &w));
    assert_int_equal(w.count, 0);
    mixed_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_come_to_what_the_loop_gives),
        cmocka_unit_test(long_windows_come_to_what_the_loop_gives),
        cmocka_unit_test(windows_with_histograms_are_refused),
        cmocka_unit_test(windows_say_whether_there_are_start_timestamps),
        cmocka_unit_test(start_timestamps_far_inside_are_not_passed_over),
        cmocka_unit_test(values_that_cancel_far_inside_are_not_passed_over),
        cmocka_unit_test(peaks_far_inside_are_not_passed_over),
        cmocka_unit_test(a_histogram_far_inside_is_not_passed_over),
        cmocka_unit_test(a_late_histogram_parts_what_was_sealed),
        cmocka_unit_test(a_fall_in_the_open_block_is_seen),
        cmocka_unit_test(an_empty_window_has_no_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
