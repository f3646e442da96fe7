#include "pagetest_priv.h"

#include "tocsin/amconfig.h"
#include "tocsin/check.h"
#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/objective_rules.h"
#include "tocsin/router.h"
#include "tocsin/ruler.h"
#include "tocsin/trail.h"
#include "tocsin/tree.h"

enum { ANSWERS_MAX = 1024, POSTED_ALERT_LIFE_H = 24 };

struct fault {
    struct str receiver;
    int status;
};

struct answer {
    net_done *done;
    void *context;
    int status;
};

/* A silence by the name that the script gives it. */
struct quiet {
    struct str name;
    char id[SILENCE_ID_BYTES + 1];
};

/* Everything that plays: the real parts on a simulated world. */
struct stage {
    struct world_sim sim; /* first, so that send finds the stage */
    struct page_script *script;
    struct page_report *report;
    const char *path;
    struct store *store;
    struct state *state;
    struct router *router;
    struct ruler *ruler;
    size_t next_action;
    struct fault faults[64];
    size_t fault_count;
    struct quiet silences[64];
    size_t silence_count;
    struct answer answers[ANSWERS_MAX]; /* handed over after router_run has returned */
    size_t answer_count;
};

static int64_t elapsed_ns(const struct stage *s)
{
    return s->sim.now_ns - PAGETEST_START_NS;
}

static void __attribute__((format(printf, 3, 4))) complain(struct stage *s, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    s->report->failed++;
    if (s->report->detail != NULL) {
        buf_format(s->report->detail, "%s:%d: ", s->path, line);
        buf_vformat(s->report->detail, format, args);
        buf_char(s->report->detail, '\n');
    }
    va_end(args);
}

/* ---- pages that arrive ---- */

struct arrived {
    struct str receiver;
    bool firing;
    struct page_alert *alerts;
    size_t count;
};

static struct labels *labels_from_json(struct arena *arena, const struct tree *map)
{
    struct label *items = ARENA_ARRAY(arena, struct label, map != NULL ? map->count : 0);
    size_t n = 0;
    if (items == NULL)
        return NULL;
    for (const struct tree *child = map != NULL ? map->first : NULL; child != NULL; child = child->next)
        items[n++] = (struct label){child->key->text, child->text};
    return labels_make(arena, items, n);
}

static bool is_firing(const struct tree *map)
{
    const struct tree *status = tree_get(map, "status");
    return status != NULL && str_is(status->text, "firing");
}

static int read_page(struct arena *arena, struct str body, struct arrived *page, struct err *err)
{
    struct tree *root;
    int rc = json_parse(arena, body, &root, err);
    if (rc != 0)
        return rc;
    const struct tree *receiver = tree_get(root, "receiver"), *alerts = tree_get(root, "alerts");
    if (receiver == NULL || alerts == NULL)
        return err_set(err, ERR_PARSE, "a page without receiver or alerts");
    *page = (struct arrived){.receiver = receiver->text, .firing = is_firing(root)};
    page->alerts = ARENA_ARRAY(arena, struct page_alert, alerts->count);
    for (const struct tree *a = alerts->first; a != NULL && page->alerts != NULL; a = a->next)
        page->alerts[page->count++] =
            (struct page_alert){is_firing(a), labels_from_json(arena, tree_get(a, "labels"))};
    return arena_exhausted(arena) ? err_set(err, ERR_LIMIT, "a page is too large") : 0;
}

static bool has_alert(const struct arrived *page, const struct page_alert *wanted)
{
    for (size_t i = 0; i < page->count; i++)
        if (page->alerts[i].firing == wanted->firing && labels_equal(page->alerts[i].labels, wanted->labels))
            return true;
    return false;
}

static bool meets(const struct page_expectation *e, const struct arrived *page, int64_t at_ns)
{
    if (e->met || at_ns < e->from_ns || at_ns > e->to_ns || e->firing != page->firing ||
        !str_eq(e->receiver, page->receiver))
        return false;
    if (e->alert_count > 0 && e->alert_count != page->count)
        return false;
    for (size_t i = 0; i < e->alert_count; i++)
        if (!has_alert(page, &e->alerts[i]))
            return false;
    return true;
}

static void describe(struct buf *out, const struct arrived *page, int64_t at_ns)
{
    buf_puts(out, "at ");
    go_duration_print(out, at_ns);
    buf_format(out, " %.*s was told %s:", STR_ARG(page->receiver), page->firing ? "firing" : "resolved");
    for (size_t i = 0; i < page->count; i++) {
        buf_puts(out, page->alerts[i].firing ? " firing " : " resolved ");
        labels_print(out, page->alerts[i].labels);
    }
}

static void take_page(struct stage *s, struct str body)
{
    struct arena arena;
    struct arrived page = {0};
    struct err err = {0};
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    if (read_page(&arena, body, &page, &err) != 0) {
        complain(s, 0, "a page cannot be read: %s", err.text);
    } else {
        struct page_script *script = s->script;
        size_t i = 0;
        while (i < script->expectation_count && !meets(&script->expectations[i], &page, elapsed_ns(s)))
            i++;
        if (i < script->expectation_count) {
            script->expectations[i].met = true;
        } else {
            struct buf text;
            buf_init(&text, 1 << 16);
            describe(&text, &page, elapsed_ns(s));
            complain(s, 0, "a page nobody expected: %s", buf_text(&text));
            buf_release(&text);
        }
    }
    arena_release(&arena);
}

/* ---- the network ---- */

/* http://RECEIVER/: the host says who is meant. */
static int status_for(const struct stage *s, struct str url)
{
    for (size_t i = s->fault_count; i > 0; i--) {
        const struct fault *f = &s->faults[i - 1];
        struct str after = str_starts(url, STR("http://")) ? (struct str){url.p + 7, url.n - 7} : url;
        if (str_starts(after, f->receiver) && after.n > f->receiver.n && after.p[f->receiver.n] == '/')
            return f->status;
    }
    return 200;
}

static int stage_send(struct world *world, const struct net_request *request, net_done *done, void *context)
{
    struct stage *s = (struct stage *)world;
    if (s->answer_count == ANSWERS_MAX)
        return ERR_FULL;
    int status = status_for(s, str_of(request->url));
    if (status >= 200 && status < 300)
        take_page(s, request->body);
    s->answers[s->answer_count++] = (struct answer){done, context, status};
    return 0;
}

static bool hand_over_answers(struct stage *s)
{
    size_t count = s->answer_count;
    struct answer due[ANSWERS_MAX];
    memcpy(due, s->answers, count * sizeof *due);
    s->answer_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct net_answer a = {.status = due[i].status, .retry_after_ms = -1};
        if (a.status == 0)
            err_set(&a.error, ERR_IO, "connection refused");
        due[i].done(due[i].context, &a);
    }
    return count > 0;
}

/* ---- what the script does ---- */

static void post(struct stage *s, const struct page_action *a)
{
    int64_t now_ns = s->sim.now_ns;
    struct alert_event event = {
        .labels = labels_copy_heap(a->labels),
        .starts_ns = now_ns,
        .ends_ns = a->kind == ACTION_POST ? now_ns + POSTED_ALERT_LIFE_H * 3600 * NS_PER_S : now_ns,
        .updated_ns = now_ns,
    };
    struct arena arena;
    arena_init(&arena, 1 << 12);
    event.annotations = labels_empty(&arena);
    struct buf errors;
    buf_init(&errors, 4096);
    if (router_post(s->router, &event, 1, &errors) != 0)
        complain(s, 0, "the router refused an alert: %s", buf_text(&errors));
    buf_release(&errors);
    arena_release(&arena);
    mem_free(event.labels);
}

static int open_router(struct stage *s, struct err *err)
{
    struct amconfig *config;
    int rc = amconfig_parse(&s->sim.world, s->script->routes, STR("."), &config, err);
    if (rc != 0)
        return rc;
    struct router_options options = {.world = &s->sim.world,
                                     .state = s->state,
                                     .external_url = STR("http://tocsin"),
                                     .contracts = s->script->contracts};
    return router_open(&options, config, &s->router, err);
}

static void emit(void *context, struct alert_event *event)
{
    struct stage *s = context;
    struct buf errors;
    buf_init(&errors, 4096);
    if (router_tell(s->router, event, &errors) != 0)
        complain(s, 0, "the router refused an alert: %s", buf_text(&errors));
    buf_release(&errors);
    mem_free(event);
}

static bool owes_end(void *context, const struct labels *alert)
{
    return router_owes_end(((struct stage *)context)->router, alert);
}

static int compile_objectives(const struct page_script *script, struct rule_set *set, struct buf *errors)
{
    struct objective_set *objectives = objective_set_new();
    int rc = objective_file_parse(objectives, STR("slos.yml"), script->objectives, errors);
    if (rc == 0)
        rc = objective_set_compile(objectives, &script->features, set, errors);
    objective_set_free(objectives);
    return rc;
}

static int open_ruler(struct stage *s, struct err *err)
{
    if (s->script->rules.n == 0 && s->script->objectives.n == 0)
        return 0;
    struct buf errors;
    int rc = 0;
    buf_init(&errors, 1 << 16);
    struct rule_set *set = rule_set_new();
    if (s->script->rules.n > 0)
        rc = rulefile_parse(set, STR("rules.yml"), s->script->rules, &s->script->features, &errors);
    if (rc == 0 && s->script->objectives.n > 0)
        rc = compile_objectives(s->script, set, &errors);
    if (rc != 0) {
        err_set(err, rc, "%s", buf_text(&errors));
        rule_set_free(set);
    } else {
        struct ruler_options options = {
            .world = &s->sim.world,
            .store = s->store,
            .interval_ms = s->script->rules_interval_ms,
            .external_url = STR("http://tocsin"),
            .state = s->state,
            .promql = {.features = s->script->features},
            .emit = emit,
            .owes_end = owes_end,
            .context = s,
        };
        for (size_t i = 0; i < set->count; i++)
            set->groups[i].policy = (struct rule_policy){.by_data = s->script->data_wait_ms > 0,
                                                         .data_wait_ms = s->script->data_wait_ms};
        s->ruler = ruler_open(&options);
        rc = ruler_load(s->ruler, set, err);
    }
    buf_release(&errors);
    return rc;
}

/* What is in memory is lost, but for the samples: they have a log of their own. */
static void restart(struct stage *s)
{
    struct err err = {0};
    if (s->ruler != NULL)
        ruler_close(s->ruler);
    router_close(s->router);
    must(open_router(s, &err) == 0 && open_ruler(s, &err) == 0); /* both opened once with the same texts */
}

static void silence(struct stage *s, const struct page_action *a)
{
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 12);
    const struct silence wanted = {
        .matchers = a->matchers,
        .matcher_count = a->matcher_count,
        .ends_ns = s->sim.now_ns + a->length_ns,
        .created_by = STR("script"),
        .comment = a->name,
        .annotations =
            a->until_resolved ? labels_of(&arena, "tocsin_until", "resolved", NULL) : labels_empty(&arena),
    };
    struct quiet *quiet = &s->silences[s->silence_count];
    if (s->silence_count == sizeof s->silences / sizeof s->silences[0])
        complain(s, 0, "more than %zu silences", s->silence_count);
    else if (silences_put(router_silences(s->router), &wanted, quiet->id, &err) != 0)
        complain(s, 0, "the router refused a silence: %s", err.text);
    else
        s->silences[s->silence_count++].name = a->name;
    arena_release(&arena);
}

/* The last one of that name. */
static void expire(struct stage *s, const struct page_action *a)
{
    size_t i = s->silence_count;
    while (i > 0 && !str_eq(s->silences[i - 1].name, a->name))
        i--;
    if (i == 0 || silences_expire(router_silences(s->router), str_of(s->silences[i - 1].id), NULL) != 0)
        complain(s, 0, "there is no silence \"%.*s\"", STR_ARG(a->name));
}

static void reload(struct stage *s, const struct page_action *a)
{
    struct amconfig *config;
    struct err err;
    if (amconfig_parse(&s->sim.world, a->routes, STR("."), &config, &err) != 0) {
        complain(s, 0, "the routes cannot be read: %s", err.text);
        return;
    }
    router_reload(s->router, config);
    s->script->routes = a->routes;
}

static void write_trail(struct buf *out, const struct trail_alert *alert, struct str receiver, int64_t now_ns)
{
    for (size_t i = 0; i < alert->verdict_count; i++)
        if (str_eq(alert->verdicts[i].receiver, receiver))
            buf_format(out, "    %.*s\n", STR_ARG(alert->verdicts[i].text));
    for (size_t i = 0; i < alert->line_count; i++) {
        if (alert->lines[i].receiver.n > 0 && !str_eq(alert->lines[i].receiver, receiver))
            continue;
        buf_puts(out, "    ");
        trail_time_print(out, alert->lines[i].at_ns, now_ns);
        buf_char(out, ' ');
        trail_line_print(out, &alert->lines[i], now_ns);
        buf_char(out, '\n');
    }
    for (size_t i = 0; i < alert->next_count; i++)
        if (str_eq(alert->next[i].receiver, receiver))
            buf_format(out, "    next: %.*s\n", STR_ARG(alert->next[i].text));
}

static void check_trail(struct stage *s, const struct page_action *a)
{
    struct arena arena;
    struct trail_answer answer = {0};
    const struct trail_query query = {
        .by_fingerprint = true, .fingerprint = labels_fingerprint(a->labels), .limit = 1};
    struct buf text;
    arena_init(&arena, (size_t)limits.query_arena_bytes);
    buf_init(&text, (size_t)limits.response_bytes);
    int rc = router_trail(s->router, &query, &arena, &answer);
    for (size_t i = 0; i < answer.count; i++)
        write_trail(&text, &answer.alerts[i], a->receiver, s->sim.now_ns);
    if (rc == 0 && strstr(buf_text(&text), arena_copy_text(&arena, a->words.p, a->words.n)) != NULL)
        s->report->passed++;
    else
        complain(s, a->line, "the trail does not say that:\n%s", buf_text(&text));
    buf_release(&text);
    arena_release(&arena);
}

static void act(struct stage *s, const struct page_action *a)
{
    switch (a->kind) {
    case ACTION_POST:
    case ACTION_RESOLVE:
        post(s, a);
        break;
    case ACTION_ANSWER:
        if (s->fault_count < sizeof s->faults / sizeof s->faults[0])
            s->faults[s->fault_count++] = (struct fault){a->receiver, a->status};
        else
            complain(s, 0, "more than %zu answers", sizeof s->faults / sizeof s->faults[0]);
        break;
    case ACTION_RESTART:
        restart(s);
        break;
    case ACTION_SILENCE:
        silence(s, a);
        break;
    case ACTION_EXPIRE:
        expire(s, a);
        break;
    case ACTION_RELOAD:
        reload(s, a);
        break;
    case ACTION_TRAIL:
        check_trail(s, a);
        break;
    }
}

static void admit_due(struct stage *s)
{
    int64_t now_ms = s->sim.now_ns / NS_PER_MS;
    for (size_t i = 0; i < s->script->series_count; i++) {
        struct page_series *ps = &s->script->series[i];
        size_t from = ps->sent;
        while (ps->sent < ps->count && ps->samples[ps->sent].t_ms + ps->late_ms <= now_ms)
            ps->sent++;
        if (ps->sent == from)
            continue;
        struct batch_series one = {ps->labels->item, ps->labels->count, ps->samples + from, ps->sent - from};
        struct batch batch = {.series = &one, .count = 1};
        struct admit_result result = {0};
        store_admit(s->store, &batch, &result);
        if (s->ruler != NULL)
            ruler_pushed(s->ruler);
        if (result.first != ADMIT_OK)
            complain(s, 0, "a sample was refused: %s", admit_reason_text(result.first));
    }
}

/* ---- the clock ---- */

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_script_ns(const struct stage *s)
{
    int64_t next = PAGETEST_START_NS + s->script->until_ns;
    if (s->next_action < s->script->action_count)
        next = earliest(next, PAGETEST_START_NS + s->script->actions[s->next_action].at_ns);
    for (size_t i = 0; i < s->script->series_count; i++) {
        const struct page_series *ps = &s->script->series[i];
        if (ps->sent < ps->count)
            next = earliest(next, (ps->samples[ps->sent].t_ms + ps->late_ms) * NS_PER_MS);
    }
    return next;
}

/* All that is due now, in the order of a sample's way. Returns when the router wants to be called next. */
static int64_t settle(struct stage *s)
{
    const struct page_script *script = s->script;
    admit_due(s);
    while (s->next_action < script->action_count && script->actions[s->next_action].at_ns <= elapsed_ns(s))
        act(s, &script->actions[s->next_action++]);
    while (s->ruler != NULL && ruler_run(s->ruler, s->sim.now_ns))
        ;
    int64_t next;
    do
        next = router_run(s->router, s->sim.now_ns);
    while (hand_over_answers(s));
    return next;
}

static void play(struct stage *s)
{
    int64_t end_ns = PAGETEST_START_NS + s->script->until_ns;
    for (;;) {
        int64_t next = settle(s);
        next = earliest(next, next_script_ns(s));
        if (s->ruler != NULL)
            next = earliest(next, ruler_next_ns(s->ruler));
        if (s->sim.now_ns >= end_ns)
            return;
        must(next > s->sim.now_ns);
        s->sim.now_ns = earliest(next, end_ns);
    }
}

/* ---- the whole ---- */

static int open_stage(struct stage *s, struct err *err)
{
    world_sim_init(&s->sim, PAGETEST_START_NS, 1);
    s->sim.world.send = stage_send;
    struct store_options storage = {0};
    s->store = store_open(&storage, &s->sim.world);
    int rc = state_open(":memory:", &s->state, err);
    if (rc == 0)
        rc = open_router(s, err);
    return rc != 0 ? rc : open_ruler(s, err);
}

static void close_stage(struct stage *s)
{
    if (s->ruler != NULL)
        ruler_close(s->ruler);
    if (s->router != NULL)
        router_close(s->router);
    if (s->state != NULL)
        state_close(s->state);
    store_close(s->store);
    mem_free(s);
}

static void judge(struct stage *s, uint64_t failed_before)
{
    for (size_t i = 0; i < s->script->expectation_count; i++) {
        const struct page_expectation *e = &s->script->expectations[i];
        if (e->met)
            s->report->passed++;
        else
            complain(s, e->line, "%.*s was not told %s in that time", STR_ARG(e->receiver),
                     e->firing ? "firing" : "resolved");
    }
    if (s->report->failed == failed_before)
        s->report->passed++; /* nothing came that nobody expected */
}

int page_script_play(struct page_script *script, const char *path, struct page_report *report,
                     struct err *err)
{
    struct stage *s = MEM_NEW(struct stage);
    s->script = script;
    s->report = report;
    s->path = path;
    uint64_t failed_before = report->failed;
    int rc = open_stage(s, err);
    if (rc == 0) {
        play(s);
        judge(s, failed_before);
    }
    close_stage(s);
    return rc;
}
