/* The same samples, on time and late: whoever waits for them finds the same. */
#include "timetable_help.h"

enum { HOSTS = 4, SCRAPE_MS = 15000, SCRAPES = 240, LINES_MAX = HOSTS * SCRAPES, LATE_MS = 90000 };

static const char rules[] =
    "groups:\n"
    "- name: g\n"
    "  interval: 30s\n"
    "  rules:\n"
    "  - {record: 'job:errors:rate1m', expr: 'sum(rate(errors[1m]))'}\n"
    "  - {record: hosts, expr: count(up == 1)}\n"
    "  - {alert: Errors, expr: 'job:errors:rate1m > 2', for: 1m}\n"
    "  - {alert: Down, expr: up == 0, for: 30s, annotations: {v: '{{ $value }}'}}\n"
    "  - {alert: Few, expr: hosts < 4, keep_firing_for: 2m}\n"
    "  - {alert: Silent, expr: 'rate(errors[1m]) == 0 or absent(errors)'}\n"
    "- name: reader\n"
    "  interval: 30s\n"
    "  rules:\n"
    "  - {alert: Chained, expr: 'max_over_time(job:errors:rate1m[2m]) > 3', for: 30s}\n";

/* One sample on its way. */
struct line {
    int64_t t_ms, arrives_ms;
    int host;
    double up, errors;
};

/* What a run came to. */
struct outcome {
    struct bench b;
    int64_t latest_ns; /* how long after its slot the last one was evaluated at most */
};

/* Host 3 fails now and then; there are bursts of errors; and for a while nothing happens. */
static double errors_by(int host, int n)
{
    double busy = n < 60 || n > 120 ? n : 60;
    int bursts = (n > 140 ? 20 : n > 120 ? n - 120 : 0) + (n > 200 ? 3 : 0);
    return busy * (host + 1) + bursts * 40 * (host == 2);
}

static int by_arrival(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->arrives_ms != y->arrives_ms)
        return x->arrives_ms < y->arrives_ms ? -1 : 1;
    return (x->t_ms > y->t_ms) - (x->t_ms < y->t_ms);
}

/* late: hosts from this one on have a sender that is, by up to LATE_MS, and not always by as much: it sends what has gathered. */
static size_t make_lines(struct line *lines, int late)
{
    size_t count = 0;
    for (int n = 0; n < SCRAPES; n++)
        for (int host = 0; host < HOSTS; host++) {
            int64_t t_ms = START_NS / NS_PER_MS + n * SCRAPE_MS + host * 3100;
            int64_t lag_ms = host >= late ? LATE_MS - n % 6 * SCRAPE_MS : 0;
            bool down = host == 3 && n % 40 > 30;
            lines[count++] = (struct line){t_ms, t_ms + lag_ms, host, !down, errors_by(host, n)};
        }
    qsort(lines, count, sizeof *lines, by_arrival);
    return count;
}

static void arrive(struct bench *b, const struct line *line)
{
    char host[2] = {(char)('a' + line->host), '\0'};
    ARRIVE(b, line->t_ms, line->up, "up", "host", host);
    ARRIVE(b, line->t_ms, line->errors, "errors", "host", host);
}

static void note_lag(struct outcome *o)
{
    for (size_t i = 0; i < 2; i++) {
        const struct ruler_group *g = &bench_groups(&o->b, 2)[i];
        if (g->slot_ns > 0 && g->last_ns - g->slot_ns > o->latest_ns)
            o->latest_ns = g->last_ns - g->slot_ns;
    }
}

static void run(struct outcome *o, struct rule_policy policy, int late)
{
    struct bench *b = &o->b;
    static struct line lines[LINES_MAX];
    size_t count = make_lines(lines, late);
    o->latest_ns = 0;
    bench_open(b);
    assert_int_equal(bench_load_with(b, rules, policy), 0);
    for (size_t i = 0; i < count; i++) {
        if (lines[i].arrives_ms > bench_now_ms(b))
            bench_drive(b, lines[i].arrives_ms * NS_PER_MS);
        note_lag(o);
        arrive(b, &lines[i]);
    }
    bench_drive(b, b->sim.now_ns + 3 * MINUTE_NS);
}

/* The first five minutes are left out: late senders have said nothing by then, not even that they are there. The last minutes,
 * too: what is resent then depends on when the run ends. */
static bool is_compared(int64_t t_ms)
{
    int64_t into_ms = t_ms - START_NS / NS_PER_MS;
    return into_ms > 5 * MINUTE_MS && into_ms < 58 * MINUTE_MS;
}

/* Which alerts fired, since when, and when they ended. */
static void print_alerts(struct buf *out, const struct bench *b)
{
    for (size_t i = 0; i < b->event_count; i++) {
        const struct alert_event *e = b->events[i];
        if (!is_compared(e->starts_ns / NS_PER_MS))
            continue;
        labels_print(out, e->labels);
        labels_print(out, e->annotations);
        buf_format(out, " since %lld", (long long)(e->starts_ns / NS_PER_MS));
        if (e->ends_ns <= e->updated_ns)
            buf_format(out, " until %lld", (long long)(e->ends_ns / NS_PER_MS));
        buf_char(out, '\n');
    }
}

/* What was recorded, ALERTS and their ends included, bit for bit. */
static void print_samples(struct buf *out, struct bench *b)
{
    struct matcher m;
    struct series_set set;
    struct sample_run run;
    must(matcher_init(&m, MATCH_REGEX, STR("__name__"), STR("ALERTS|ALERTS_FOR_STATE|hosts|job:.*"),
                      REGEX_PROMQL, NULL) == 0);
    struct view *view = view_open(b->store);
    must(view_select(view, &m, 1, &b->arena, &set) == 0);
    for (size_t i = 0; i < set.count; i++) {
        must(view_read(view, set.refs[i], 0, INT64_MAX, &b->arena, &run) == 0);
        for (size_t k = 0; k < run.count; k++)
            if (is_compared(run.samples[k].t_ms)) {
                labels_print(out, view_labels(view, set.refs[i]));
                buf_format(out, " %lld %a %d\n", (long long)run.samples[k].t_ms, run.samples[k].value,
                           is_stale_nan(run.samples[k].value));
            }
    }
    view_close(view);
    matcher_release(&m);
}

static int compare_lines(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The lines in order, each once: neither the order of series nor how often an alert was told again counts. */
static char *account_of(struct outcome *o)
{
    struct buf text, sorted;
    struct str lines[1 << 14];
    size_t count = 0;
    buf_init(&text, 16 << 20);
    buf_init(&sorted, 16 << 20);
    print_alerts(&text, &o->b);
    print_samples(&text, &o->b);
    for (struct str rest = buf_slice(&text); rest.n > 0 && count < 1 << 14;)
        lines[count++] = str_cut(&rest, '\n');
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !str_eq(lines[i], lines[i - 1]))
            buf_format(&sorted, "%.*s\n", STR_ARG(lines[i]));
    char *copy = mem_copy_text(buf_text(&sorted), sorted.used);
    buf_release(&text);
    buf_release(&sorted);
    return copy;
}

static char *play(struct rule_policy policy, int late, int64_t *latest_ns)
{
    static struct outcome o;
    run(&o, policy, late);
    char *account = account_of(&o);
    if (latest_ns != NULL)
        *latest_ns = o.latest_ns;
    bench_close(&o.b);
    return account;
}

static const struct rule_policy by_data = {.by_data = true, .data_wait_ms = 2 * MINUTE_MS};

static void nothing_changes_when_slots_wait_for_a_sender_that_is_90_s_late(void **state)
{
    (void)state;
    char *on_time = play((struct rule_policy){0}, HOSTS, NULL);
    for (int late = HOSTS; late >= 0; late--) { /* none, some, all of the hosts */
        int64_t latest_ns;
        char *waited = play(by_data, late, &latest_ns);
        assert_string_equal(waited, on_time);
        assert_in_range(latest_ns, 0, 2 * MINUTE_NS);
        mem_free(waited);
    }
    assert_non_null(strstr(on_time, "alertname=\"Errors\""));
    assert_non_null(strstr(on_time, "alertname=\"Down\""));
    assert_non_null(strstr(on_time, "alertname=\"Few\""));
    assert_non_null(strstr(on_time, "alertname=\"Silent\""));
    assert_non_null(strstr(on_time, "alertname=\"Chained\""));
    mem_free(on_time);
}

static void by_the_clock_a_late_sender_changes_alerts_and_records(void **state)
{
    (void)state;
    char *on_time = play((struct rule_policy){0}, HOSTS, NULL);
    char *late = play((struct rule_policy){0}, 2, NULL);
    assert_string_not_equal(late, on_time);
    mem_free(late);
    mem_free(on_time);
}

static void those_on_time_are_not_held_up(void **state)
{
    (void)state;
    int64_t latest_ns;
    char *account = play(by_data, HOSTS, &latest_ns);
    assert_in_range(latest_ns, 0, SCRAPE_MS * NS_PER_MS);
    mem_free(account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_when_slots_wait_for_a_sender_that_is_90_s_late),
        cmocka_unit_test(by_the_clock_a_late_sender_changes_alerts_and_records),
        cmocka_unit_test(those_on_time_are_not_held_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
