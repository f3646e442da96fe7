#include "lint_priv.h"

#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/promql_func.h"
#include "tocsin/queue.h"

#include <ctype.h>

/* AHEAD_S: its clock may be ahead of ours. */
enum { ASKED_AT_ONCE = 4, LOOK_BACK_S = 3600, AHEAD_S = 60 };

/* A selector to ask the server for, and the rule that has it. On the heap. */
struct selector {
    char *text;  /* {__name__="x",job="y"} */
    char *place; /* of the first rule that has it */
    char *name;  /* of the metric, "" where it is not one name */
    bool missing;
};

struct lint_selectors {
    struct selector *items; /* each text once, in the order of the rules */
    size_t count, capacity;
    struct map seen;     /* their texts */
    struct map recorded; /* the names that rules write, each a text of its own */
};

/* ---- collecting ---- */

static bool is_text(const void *item, const void *key)
{
    return strcmp(item, key) == 0;
}

static struct str metric_of(const struct expr *e)
{
    for (size_t i = 0; i < e->selector.matcher_count; i++)
        if (e->selector.matchers[i].op == MATCH_EQUAL &&
            str_is(e->selector.matchers[i].name, LABEL_METRIC_NAME))
            return e->selector.matchers[i].value;
    return STR("");
}

static char *text_of(const struct expr *e)
{
    struct buf text;
    buf_init(&text, (size_t)limits.yaml_bytes);
    for (size_t i = 0; i < e->selector.matcher_count; i++) {
        buf_char(&text, i > 0 ? ',' : '{');
        matcher_print(&text, &e->selector.matchers[i]);
    }
    buf_char(&text, '}');
    char *copy = mem_copy_text(buf_text(&text), text.used);
    buf_release(&text);
    return copy;
}

static char *place_of(const struct lint_run *run)
{
    struct buf text;
    buf_init(&text, (size_t)limits.yaml_bytes);
    lint_place(&text, &run->at);
    char *copy = mem_copy_text(buf_text(&text), text.used);
    buf_release(&text);
    return copy;
}

static void add(struct lint_run *run, const struct expr *e)
{
    struct lint_selectors *all = run->selectors;
    char *text = text_of(e);
    uint64_t hash = hash_bytes(text, strlen(text));
    if (map_find(&all->seen, hash, is_text, text) != NULL) {
        mem_free(text);
        return;
    }
    struct str name = metric_of(e);
    MEM_GROW(all->items, all->count, all->capacity);
    all->items[all->count++] = (struct selector){text, place_of(run), mem_copy_text(name.p, name.n), false};
    map_add(&all->seen, hash, text);
}

/* What stands in absent() is expected to match nothing. */
static void collect_below(struct lint_run *run, const struct expr *e)
{
    const struct expr *child;
    if (e->kind == EXPR_CALL &&
        (e->call.function->id == FUNC_absent || e->call.function->id == FUNC_absent_over_time))
        return;
    if (e->kind == EXPR_SELECTOR)
        add(run, e);
    for (size_t i = 0; (child = promql_child(e, i)) != NULL; i++)
        collect_below(run, child);
}

static void note_recorded(struct lint_selectors *all, const struct rule *rule)
{
    char *name = mem_copy_text(rule->name.p, rule->name.n);
    uint64_t hash = hash_bytes(name, rule->name.n);
    if (map_find(&all->recorded, hash, is_text, name) == NULL)
        map_add(&all->recorded, hash, name);
    else
        mem_free(name);
}

void lint_collect(struct lint_run *run)
{
    if (run->selectors == NULL) {
        run->selectors = MEM_NEW(struct lint_selectors);
        map_init(&run->selectors->seen);
        map_init(&run->selectors->recorded);
    }
    collect_below(run, run->at.expr);
    if (run->at.rule->kind == RULE_RECORDING)
        note_recorded(run->selectors, run->at.rule);
}

void lint_selectors_free(struct lint_selectors *all)
{
    char *name;
    if (all == NULL)
        return;
    for (size_t i = 0; i < all->count; i++) {
        mem_free(all->items[i].text);
        mem_free(all->items[i].place);
        mem_free(all->items[i].name);
    }
    for (size_t at = 0; (name = map_next(&all->recorded, &at)) != NULL;)
        mem_free(name);
    map_release(&all->recorded);
    map_release(&all->seen);
    mem_free(all->items);
    mem_free(all);
}

/* ---- asking ---- */

struct question {
    struct selector *selector;
    struct queue *answered;
    struct net_request request;
    struct buf url;
    bool found;
    struct err err;
};

/* An answer may be cut; its beginning tells whether there is a series. */
static bool has_series(struct str body)
{
    static const char list[] = "\"data\":[";
    const char *at = memmem(body.p, body.n, list, sizeof list - 1);
    if (at == NULL)
        return false;
    const char *end = body.p + body.n;
    for (at += sizeof list - 1; at < end && isspace((unsigned char)*at); at++)
        ;
    return at < end && *at != ']';
}

static void take_answer(void *context, const struct net_answer *answer)
{
    struct question *q = context;
    if (answer->status == 0)
        q->err = answer->error;
    else if (answer->status != 200)
        err_set(&q->err, ERR_IO, "HTTP status %d: %.*s", answer->status, STR_ARG(answer->body));
    else
        q->found = has_series(answer->body);
    queue_push(q->answered, q);
}

static void escape(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (isalnum((unsigned char)*text))
            buf_char(out, *text);
        else
            buf_format(out, "%%%02X", (unsigned char)*text);
}

static int ask(struct lint_run *run, struct world *world, struct question *q, struct err *err)
{
    const char *base = run->options->against;
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/')
        length--;
    int64_t now_s = world_now_ms(world) / 1000;
    buf_clear(&q->url);
    buf_format(&q->url, "%.*s/api/v1/series?limit=1&start=%lld&end=%lld&match[]=", (int)length, base,
               (long long)(now_s - LOOK_BACK_S), (long long)(now_s + AHEAD_S));
    escape(&q->url, q->selector->text);
    q->found = false;
    q->err = (struct err){0};
    q->request = (struct net_request){.method = "GET", .url = buf_text(&q->url)};
    int rc = world->send(world, &q->request, take_answer, q);
    return rc != 0 ? err_set(err, rc, "cannot send to %s", base) : 0;
}

static bool is_ours(const struct lint_selectors *all, const char *name)
{
    return strcmp(name, "ALERTS") == 0 || strcmp(name, "ALERTS_FOR_STATE") == 0 ||
           map_find(&all->recorded, hash_bytes(name, strlen(name)), is_text, name) != NULL;
}

/* The next one whose series do not come from the rules themselves; NULL: that was all. */
static struct selector *next(const struct lint_selectors *all, size_t *at)
{
    while (*at < all->count && is_ours(all, all->items[*at].name))
        *at += 1;
    return *at < all->count ? &all->items[(*at)++] : NULL;
}

static int note_answer(const struct lint_run *run, const struct question *q, struct err *err)
{
    q->selector->missing = q->err.code == 0 && !q->found;
    return q->err.code != 0 ? err_set(err, q->err.code, "%s: %s", run->options->against, q->err.text) : 0;
}

static void tell(struct lint_run *run)
{
    const struct lint_selectors *all = run->selectors;
    for (size_t i = 0; i < all->count; i++) {
        if (!all->items[i].missing)
            continue;
        run->found |= LINT_BIT(LINT_NO_SERIES);
        fprintf(run->errors, "  WARNING: %s: %s matched no series in the last hour (%s)\n",
                all->items[i].place, all->items[i].text, rule_lint_name(LINT_NO_SERIES));
    }
}

/* Keeps the questions under way; after a failure no new ones are asked. */
static int ask_all(struct lint_run *run, struct world *world, struct question *questions,
                   struct queue *answered, struct err *err)
{
    size_t at = 0, open = 0;
    int rc = 0;
    struct question *q = questions;
    for (;;) {
        struct selector *selector = rc == 0 ? next(run->selectors, &at) : NULL;
        if (selector == NULL && open == 0)
            return rc;
        if (selector == NULL || open == ASKED_AT_ONCE) {
            q = queue_pop(answered, -1);
            open--;
            rc = rc == 0 ? note_answer(run, q, err) : rc;
        } else {
            q = &questions[open];
        }
        if (selector == NULL || rc != 0)
            continue;
        q->selector = selector;
        rc = ask(run, world, q, err);
        open += rc == 0;
    }
}

int lint_series(struct lint_run *run, struct world *world, struct err *err)
{
    struct question questions[ASKED_AT_ONCE] = {0};
    if (run->selectors == NULL)
        return 0;
    if (world->send == NULL)
        return err_set(err, ERR_CLOSED, "there is no network to ask %s over", run->options->against);
    struct queue *answered = queue_open(ASKED_AT_ONCE);
    for (size_t i = 0; i < ASKED_AT_ONCE; i++) {
        questions[i].answered = answered;
        buf_init(&questions[i].url, 1 << 20);
    }
    int rc = ask_all(run, world, questions, answered, err);
    tell(run);
    for (size_t i = 0; i < ASKED_AT_ONCE; i++)
        buf_release(&questions[i].url);
    queue_close(answered);
    queue_free(answered);
    return rc;
}
