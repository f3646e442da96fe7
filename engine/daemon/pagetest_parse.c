#include "pagetest_priv.h"

#include "tocsin/amconfig.h"
#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/promql_parse.h"
#include "tocsin/promqltest.h"

/* So that no sum of times leaves 64 bits. */
static const int64_t TIME_MAX_NS = 10 * 365 * 86400 * NS_PER_S;

/* The script as lines; a block's body is a slice of the whole text. */
struct lines {
    struct str rest;
    int number; /* of the line read last */
};

struct parser {
    struct page_script *script;
    struct lines lines;
    struct err *err;
};

static int fail(struct parser *p, const char *text)
{
    return err_at(p->err, ERR_PARSE, p->lines.number, 1, "%s", text);
}

static int full(struct parser *p)
{
    return err_at(p->err, ERR_LIMIT, p->lines.number, 1, "the script is too large");
}

static bool next_line(struct lines *lines, struct str *line)
{
    if (lines->rest.p == NULL)
        return false;
    *line = str_cut(&lines->rest, '\n');
    lines->number++;
    return true;
}

static bool is_indented(struct str line)
{
    return line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t') && str_trim(line).n > 0;
}

/* Go's form ("2.5s") or Prometheus' ("1d"). */
static int read_time(struct parser *p, struct str word, int64_t *ns)
{
    int64_t ms = 0;
    bool go = go_duration_parse(word, ns, NULL) == 0 && *ns >= 0;
    if (!go && duration_parse(word, &ms, NULL) != 0)
        return err_at(p->err, ERR_PARSE, p->lines.number, 1, "not a time: \"%.*s\"", STR_ARG(word));
    if (!go)
        *ns = ms * NS_PER_MS;
    return *ns <= TIME_MAX_NS ? 0 : fail(p, "a script plays ten years at most");
}

/* A word with a duration: `every 30s late 90s`. */
struct setting {
    const char *word;
    int64_t *ms;
};

static int read_setting(struct parser *p, const struct setting settings[2], struct str word, struct str value)
{
    int64_t ns;
    size_t i = 0;
    while (i < 2 && !str_is(word, settings[i].word))
        i++;
    if (i == 2)
        return err_at(p->err, ERR_PARSE, p->lines.number, 1,
                      "only `%s DURATION` and `%s DURATION` may follow", settings[0].word, settings[1].word);
    int rc = read_time(p, value, &ns);
    if (rc != 0)
        return rc;
    *settings[i].ms = ns / NS_PER_MS;
    return *settings[i].ms > 0 ? 0 : fail(p, "this time must be greater than 0");
}

static int read_settings(struct parser *p, struct str rest, const struct setting settings[2])
{
    int rc = 0;
    while (rc == 0 && rest.n > 0) {
        struct str word = str_cut_word(&rest), value = str_cut_word(&rest);
        rc = read_setting(p, settings, word, value);
    }
    return rc;
}

static int read_metric(struct parser *p, struct str text, const struct labels **out)
{
    struct labels *metric;
    size_t used;
    int rc = promql_parse_metric(&p->script->arena, text, &metric, &used, p->err);
    if (rc != 0) {
        if (p->err != NULL)
            p->err->line = p->lines.number;
        return rc;
    }
    if (used != text.n)
        return fail(p, "something follows the alert");
    struct str name = labels_get(metric, STR(LABEL_METRIC_NAME));
    struct labels *bare = labels_drop_name(&p->script->arena, metric);
    *out = bare != NULL ? labels_with(&p->script->arena, bare, STR("alertname"), name) : NULL;
    return *out != NULL ? 0 : full(p);
}

/* ---- blocks ---- */

static int read_block(struct parser *p, struct str *body)
{
    const char *start = p->lines.rest.p;
    struct str line;
    while (next_line(&p->lines, &line)) {
        if (str_is(str_trim(line), "end") && !is_indented(line)) {
            *body = (struct str){start, (size_t)(line.p - start)};
            return 0;
        }
    }
    return fail(p, "a block is not ended by `end`");
}

static int add_series(struct parser *p, struct str line, int64_t step_ms, int64_t late_ms)
{
    struct page_script *s = p->script;
    struct labels *labels;
    struct sample *samples;
    size_t used, count;
    int rc = promql_parse_metric(&s->arena, line, &labels, &used, p->err);
    if (rc != 0)
        return err_at(p->err, rc, p->lines.number, 1, "not a series: %.*s", STR_ARG(line));
    struct str metric = {line.p, used}, values = str_trim((struct str){line.p + used, line.n - used});
    rc = promqltest_series(&s->arena, metric, values, PAGETEST_START_NS / NS_PER_MS, step_ms, &labels,
                           &samples, &count, p->err);
    if (rc != 0 && p->err != NULL)
        p->err->line = p->lines.number;
    if (rc != 0)
        return rc;
    ARENA_GROW(&s->arena, s->series, s->series_count, s->series_capacity);
    if (s->series == NULL)
        return full(p);
    s->series[s->series_count++] = (struct page_series){labels, samples, count, 0, late_ms};
    return 0;
}

static int read_series(struct parser *p, struct str rest)
{
    int64_t step_ms = 60000, late_ms = 0;
    const struct setting settings[2] = {{"every", &step_ms}, {"late", &late_ms}};
    int rc = read_settings(p, rest, settings);
    struct str line;
    while (rc == 0) {
        if (!next_line(&p->lines, &line))
            return fail(p, "a block is not ended by `end`");
        struct str text = str_trim(line);
        if (str_is(text, "end"))
            return 0;
        if (text.n > 0 && text.p[0] != '#')
            rc = add_series(p, text, step_ms, late_ms);
    }
    return rc;
}

/* ---- actions and expectations ---- */

static int add_action(struct parser *p, struct page_action action)
{
    struct page_script *s = p->script;
    ARENA_GROW(&s->arena, s->actions, s->action_count, s->action_capacity);
    if (s->actions == NULL)
        return full(p);
    size_t at = s->action_count++;
    while (at > 0 && s->actions[at - 1].at_ns > action.at_ns) {
        s->actions[at] = s->actions[at - 1];
        at--;
    }
    s->actions[at] = action;
    return 0;
}

static int read_answer(struct parser *p, struct str rest, struct page_action *action)
{
    action->kind = ACTION_ANSWER;
    action->receiver = str_cut_word(&rest);
    long long status;
    if (!str_to_i64(rest, &status) || status < 0 || status > 599)
        return fail(p, "answer takes a receiver and an HTTP status");
    action->status = (int)status;
    return 0;
}

/* What is kept of them is their text: the router compiles its own. */
static int read_matchers(struct parser *p, struct str text, struct page_action *action)
{
    struct matcher *ms = NULL;
    int rc = am_matchers_parse(&p->script->arena, text, &ms, &action->matcher_count, p->err);
    if (rc != 0) {
        if (p->err != NULL)
            p->err->line = p->lines.number;
        return rc;
    }
    for (size_t i = 0; i < action->matcher_count; i++) {
        matcher_release(&ms[i]);
        ms[i].regex = NULL;
    }
    action->matchers = ms;
    return 0;
}

/* Longer than any script. */
#define UNTIL_RESOLVED_NS (365 * 24 * 3600 * NS_PER_S)

static int read_silence(struct parser *p, struct str rest, struct page_action *action)
{
    static const char *const shape = "write `silence NAME MATCHERS for DURATION`, or `... until resolved`";
    static const struct str bound = {" until resolved", 15};
    action->kind = ACTION_SILENCE;
    action->name = str_cut_word(&rest);
    if (str_ends(rest, bound)) {
        action->until_resolved = true;
        action->length_ns = UNTIL_RESOLVED_NS;
        return read_matchers(p, str_trim((struct str){rest.p, rest.n - bound.n}), action);
    }
    size_t at = rest.n;
    while (at > 0 && !str_starts((struct str){rest.p + at, rest.n - at}, STR(" for ")))
        at--;
    if (at == 0)
        return fail(p, shape);
    int rc = read_time(p, str_trim((struct str){rest.p + at + 5, rest.n - at - 5}), &action->length_ns);
    return rc != 0 ? rc : read_matchers(p, str_trim((struct str){rest.p, at}), action);
}

static int read_trail(struct parser *p, struct str rest, struct page_action *action)
{
    static const struct str says = {" says ", 6};
    action->kind = ACTION_TRAIL;
    action->receiver = str_cut_word(&rest);
    size_t at = 0;
    while (at < rest.n && !str_starts((struct str){rest.p + at, rest.n - at}, says))
        at++;
    if (at == rest.n)
        return fail(p, "write `trail RECEIVER ALERT says WORDS`");
    action->words = str_trim((struct str){rest.p + at + says.n, rest.n - at - says.n});
    return read_metric(p, str_trim((struct str){rest.p, at}), &action->labels);
}

static int read_at(struct parser *p, struct str rest)
{
    struct page_action action = {.line = p->lines.number};
    int rc = read_time(p, str_cut_word(&rest), &action.at_ns);
    if (rc != 0)
        return rc;
    struct str verb = str_cut_word(&rest);
    if (str_is(verb, "post") || str_is(verb, "resolve")) {
        action.kind = str_is(verb, "post") ? ACTION_POST : ACTION_RESOLVE;
        rc = read_metric(p, rest, &action.labels);
    } else if (str_is(verb, "answer")) {
        rc = read_answer(p, rest, &action);
    } else if (str_is(verb, "restart")) {
        action.kind = ACTION_RESTART;
    } else if (str_is(verb, "silence")) {
        rc = read_silence(p, rest, &action);
    } else if (str_is(verb, "trail")) {
        rc = read_trail(p, rest, &action);
    } else if (str_is(verb, "expire")) {
        action.kind = ACTION_EXPIRE;
        action.name = rest;
    } else {
        return fail(p, "after `at TIME` comes post, resolve, answer, silence, expire, trail or restart");
    }
    return rc != 0 ? rc : add_action(p, action);
}

static int read_status(struct parser *p, struct str word, bool *firing)
{
    *firing = str_is(word, "firing");
    return *firing || str_is(word, "resolved") ? 0 : fail(p, "expected `firing` or `resolved`");
}

static int add_expected_alert(struct parser *p, struct page_expectation *e, size_t *capacity, struct str line)
{
    struct page_alert alert = {0};
    int rc = read_status(p, str_cut_word(&line), &alert.firing);
    if (rc == 0)
        rc = read_metric(p, line, &alert.labels);
    if (rc != 0)
        return rc;
    ARENA_GROW(&p->script->arena, e->alerts, e->alert_count, *capacity);
    if (e->alerts == NULL)
        return full(p);
    e->alerts[e->alert_count++] = alert;
    return 0;
}

static int read_expected_alerts(struct parser *p, struct page_expectation *e)
{
    size_t capacity = 0;
    for (;;) {
        struct lines ahead = p->lines;
        struct str line;
        if (!next_line(&ahead, &line) || !is_indented(line))
            return 0;
        p->lines = ahead;
        int rc = add_expected_alert(p, e, &capacity, str_trim(line));
        if (rc != 0)
            return rc;
    }
}

static int read_between(struct parser *p, struct str rest)
{
    struct page_script *s = p->script;
    struct page_expectation e = {.line = p->lines.number};
    int rc = read_time(p, str_cut_word(&rest), &e.from_ns);
    if (rc == 0 && !str_is(str_cut_word(&rest), "and"))
        rc = fail(p, "write `between TIME and TIME RECEIVER firing|resolved`");
    if (rc == 0)
        rc = read_time(p, str_cut_word(&rest), &e.to_ns);
    e.receiver = str_cut_word(&rest);
    if (rc == 0)
        rc = read_status(p, rest, &e.firing);
    if (rc == 0)
        rc = read_expected_alerts(p, &e);
    if (rc == 0 && e.to_ns < e.from_ns)
        rc = err_at(p->err, ERR_PARSE, e.line, 1, "that time ends before it begins");
    if (rc != 0)
        return rc;
    ARENA_GROW(&s->arena, s->expectations, s->expectation_count, s->expectation_capacity);
    if (s->expectations == NULL)
        return full(p);
    s->expectations[s->expectation_count++] = e;
    return 0;
}

static int read_routes(struct parser *p, struct str rest)
{
    struct page_action reload = {.kind = ACTION_RELOAD};
    if (rest.n == 0)
        return read_block(p, &p->script->routes);
    if (!str_is(str_cut_word(&rest), "at"))
        return fail(p, "only `at TIME` may follow");
    int rc = read_time(p, rest, &reload.at_ns);
    if (rc == 0)
        rc = read_block(p, &reload.routes);
    return rc != 0 ? rc : add_action(p, reload);
}

static int read_contracts(struct parser *p, struct str rest)
{
    bool on = str_is(rest, "on");
    p->script->contracts = (struct router_contracts){.opened_is_closed = on, .no_lost_page = on};
    return on || str_is(rest, "off") ? 0 : fail(p, "contracts are on or off");
}

static int read_rules(struct parser *p, struct str rest, struct str *text)
{
    struct page_script *s = p->script;
    const struct setting settings[2] = {{"every", &s->rules_interval_ms}, {"data_wait", &s->data_wait_ms}};
    int rc = read_settings(p, rest, settings);
    return rc != 0 ? rc : read_block(p, text);
}

static int read_statement(struct parser *p, struct str line)
{
    struct page_script *s = p->script;
    struct str rest = str_trim(line);
    struct str word = str_cut_word(&rest);
    if (word.n == 0 || word.p[0] == '#')
        return 0;
    if (str_is(word, "routes"))
        return read_routes(p, rest);
    if (str_is(word, "rules"))
        return read_rules(p, rest, &s->rules);
    if (str_is(word, "objectives"))
        return read_rules(p, rest, &s->objectives);
    if (str_is(word, "series"))
        return read_series(p, rest);
    if (str_is(word, "at"))
        return read_at(p, rest);
    if (str_is(word, "between"))
        return read_between(p, rest);
    if (str_is(word, "contracts"))
        return read_contracts(p, rest);
    if (str_is(word, "until"))
        return read_time(p, rest, &s->until_ns);
    return err_at(p->err, ERR_PARSE, p->lines.number, 1,
                  "unknown word \"%.*s\": routes, rules, objectives, series, contracts, at, between or until",
                  STR_ARG(word));
}

int page_script_parse(struct page_script *script, struct str text, struct err *err)
{
    *script = (struct page_script){.rules_interval_ms = 60000,
                                   .features = promql_features_default,
                                   .contracts = {.opened_is_closed = true, .no_lost_page = true}};
    arena_init(&script->arena, (size_t)limits.generation_arena_bytes);
    struct str own = str_copy(&script->arena, text);
    struct parser p = {script, {own, 0}, err};
    if (own.p == NULL)
        return full(&p);
    struct str line;
    while (next_line(&p.lines, &line)) {
        int rc = read_statement(&p, line);
        if (rc != 0)
            return rc;
    }
    if (script->until_ns == 0)
        return fail(&p, "the script does not say how long to play: add `until TIME`");
    return script->routes.n > 0 ? 0 : fail(&p, "the script has no `routes`");
}
