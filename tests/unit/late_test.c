/* The rules of rules/late.yml on the same samples, on time and late: whoever waits for them finds the same alerts. */
#include "timetable_help.h"

#include <stdio.h>

enum { HOSTS = 4, SCRAPE_MS = 15000, SCRAPES = 240, LINES_MAX = HOSTS * SCRAPES, LATE_MS = 90000 };

static const char *const alert_names[] = {"Errors", "Down",         "Few",     "Flaps",
                                          "Silent", "NobodyIsDown", "Chained", "Lasting"};
enum { ALERTS = sizeof alert_names / sizeof alert_names[0] };

static char rules[8192];

static int read_rules(void **state)
{
    (void)state;
    FILE *file = fopen("tests/rules/late.yml", "r");
    if (file == NULL)
        return -1;
    rules[fread(rules, 1, sizeof rules - 1, file)] = '\0';
    fclose(file);
    return 0;
}

/* Who is late: hosts from `first` on, each sample by 90 s; or by up to 90 s, where they send what has gathered. */
struct lateness {
    int first;
    bool gathers;
};

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

static size_t make_lines(struct line *lines, struct lateness late)
{
    size_t count = 0;
    for (int n = 0; n < SCRAPES; n++)
        for (int host = 0; host < HOSTS; host++) {
            int64_t t_ms = START_NS / NS_PER_MS + n * SCRAPE_MS + host * 3100;
            int64_t lag_ms = host < late.first ? 0 : LATE_MS - (late.gathers ? n % 6 * SCRAPE_MS : 0);
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

static void run(struct outcome *o, struct rule_policy policy, struct lateness late)
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

/* What was told of an alert: since when it fires, and when it ended. */
static void print_told(struct buf *out, const struct bench *b, const char *alert)
{
    for (size_t i = 0; i < b->event_count; i++) {
        const struct alert_event *e = b->events[i];
        if (!is_compared(e->starts_ns / NS_PER_MS) || !str_is(labels_get(e->labels, STR("alertname")), alert))
            continue;
        labels_print(out, e->labels);
        labels_print(out, e->annotations);
        buf_format(out, " since %lld", (long long)(e->starts_ns / NS_PER_MS));
        if (e->ends_ns <= e->updated_ns)
            buf_format(out, " until %lld", (long long)(e->ends_ns / NS_PER_MS));
        buf_char(out, '\n');
    }
}

/* Samples of these names, ends included, bit for bit. */
static void print_samples(struct buf *out, struct bench *b, const char *names, const char *alert)
{
    struct matcher m[2];
    struct series_set set;
    struct sample_run run;
    must(matcher_init(&m[0], MATCH_REGEX, STR("__name__"), str_of(names), REGEX_PROMQL, NULL) == 0);
    must(matcher_init(&m[1], MATCH_EQUAL, STR("alertname"), str_of(alert), REGEX_PROMQL, NULL) == 0);
    struct view *view = view_open(b->store);
    must(view_select(view, m, 2, &b->arena, &set) == 0);
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
    matcher_release(&m[0]);
    matcher_release(&m[1]);
}

static int compare_lines(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The lines in order, each once: neither the order of series nor how often an alert was told again counts. */
static char *in_order(const struct buf *text)
{
    struct buf sorted;
    struct str lines[1 << 14];
    size_t count = 0;
    buf_init(&sorted, 16 << 20);
    for (struct str rest = buf_slice(text); rest.n > 0 && count < 1 << 14;)
        lines[count++] = str_cut(&rest, '\n');
    must(count < 1 << 14);
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !str_eq(lines[i], lines[i - 1]))
            buf_format(&sorted, "%.*s\n", STR_ARG(lines[i]));
    char *copy = mem_copy_text(buf_text(&sorted), sorted.used);
    buf_release(&sorted);
    return copy;
}

/* What a run came to: of each alert when it was pending and firing, since when, and what was told; and what was recorded. */
struct account {
    char *alerts[ALERTS], *records;
    int64_t latest_ns; /* how long after its slot one was evaluated at most */
};

static struct account play(struct rule_policy policy, struct lateness late)
{
    static struct outcome o;
    struct account account;
    struct buf text;
    buf_init(&text, 16 << 20);
    run(&o, policy, late);
    print_samples(&text, &o.b, "hosts|job:.*", "");
    account.records = in_order(&text);
    for (size_t i = 0; i < ALERTS; i++) {
        buf_clear(&text);
        print_told(&text, &o.b, alert_names[i]);
        print_samples(&text, &o.b, "ALERTS|ALERTS_FOR_STATE", alert_names[i]);
        account.alerts[i] = in_order(&text);
    }
    account.latest_ns = o.latest_ns;
    buf_release(&text);
    bench_close(&o.b);
    return account;
}

static void account_free(struct account *account)
{
    for (size_t i = 0; i < ALERTS; i++)
        mem_free(account->alerts[i]);
    mem_free(account->records);
}

static const struct rule_policy by_clock, by_data = {.by_data = true, .data_wait_ms = 2 * MINUTE_MS};
static const struct lateness on_time = {.first = HOSTS};

static void every_alert_of_the_file_comes_and_goes(void **state)
{
    (void)state;
    struct account told = play(by_clock, on_time);
    size_t rules_count = 0;
    for (const char *at = rules; (at = strstr(at, "- alert:")) != NULL; at++)
        rules_count++;
    assert_int_equal(rules_count, ALERTS);
    for (size_t i = 0; i < ALERTS; i++)
        if (strstr(told.alerts[i], " since ") == NULL || strstr(told.alerts[i], " until ") == NULL)
            fail_msg("%s does not come and go:\n%s", alert_names[i], told.alerts[i]);
    account_free(&told);
}

static void by_data_no_alert_differs_when_a_sender_is_90_s_late(void **state)
{
    (void)state;
    struct account wanted = play(by_clock, on_time);
    for (int i = 0; i <= 2 * HOSTS; i++) { /* none, some, all of the hosts */
        struct account got = play(by_data, (struct lateness){.first = i / 2, .gathers = i % 2 == 0});
        for (size_t k = 0; k < ALERTS; k++)
            assert_string_equal(got.alerts[k], wanted.alerts[k]);
        assert_string_equal(got.records, wanted.records);
        assert_in_range(got.latest_ns, 0, 2 * MINUTE_NS);
        account_free(&got);
    }
    account_free(&wanted);
}

static void by_the_clock_every_alert_of_the_file_differs(void **state)
{
    (void)state;
    struct account wanted = play(by_clock, on_time);
    for (int i = 0; i < 4; i++) {
        struct account got = play(by_clock, (struct lateness){.first = i < 2 ? 0 : 2, .gathers = i % 2 == 0});
        for (size_t k = 0; k < ALERTS; k++)
            assert_string_not_equal(got.alerts[k], wanted.alerts[k]);
        assert_string_not_equal(got.records, wanted.records);
        account_free(&got);
    }
    account_free(&wanted);
}

static void those_on_time_are_not_held_up(void **state)
{
    (void)state;
    struct account account = play(by_data, on_time);
    assert_in_range(account.latest_ns, 0, SCRAPE_MS * NS_PER_MS);
    account_free(&account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_alert_of_the_file_comes_and_goes),
        cmocka_unit_test(by_data_no_alert_differs_when_a_sender_is_90_s_late),
        cmocka_unit_test(by_the_clock_every_alert_of_the_file_differs),
        cmocka_unit_test(those_on_time_are_not_held_up),
    };
    return cmocka_run_group_tests(tests, read_rules, NULL);
}
