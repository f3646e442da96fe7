/*
 * router_sim: a router on a simulated clock, with a network that writes down what is sent. For the router's tests.
 *
 * Times are milliseconds since the beginning of the test; that is 2026-11-22T06:00:00Z.
 */
#ifndef TOCSIN_TEST_ROUTER_SIM_H
#define TOCSIN_TEST_ROUTER_SIM_H

#include "tocsin/http_config.h"
#include "tocsin/mem.h"
#include "tocsin/router.h"
#include "tocsin/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIM_START_NS (INT64_C(1795327200) * NS_PER_S)

enum { SIM_SENT_MAX = 512, SIM_HELD_MAX = 256 };

struct sim_sent {
    int64_t at_ms;
    const char *method;
    char *url, *body, *headers;
    int64_t timeout_ms;
    char credentials[32]; /* of its http_config */
    char mail[256];       /* from, to, how: "a@b > c@d,e@f starttls plain user=u password=p" */
};

struct sim_held {
    net_done *done;
    void *context;
};

struct sim {
    struct world_sim world; /* must be first */
    struct state *state;
    struct router *router;
    struct sim_sent sent[SIM_SENT_MAX];
    size_t sent_count;
    int status; /* of the next answers; 0: none arrives */
    int64_t retry_after_ms;
    const char *answer;
    bool hold;  /* answers wait for sim_release */
    int refuse; /* what send itself answers */
    struct sim_held held[SIM_HELD_MAX];
    size_t held_count;
    struct buf pages; /* one line per page event */
};

static inline void sim_answer(struct sim *sim, net_done *done, void *context)
{
    struct net_answer answer = {
        .status = sim->status, .body = str_of(sim->answer), .retry_after_ms = sim->retry_after_ms};
    if (sim->status == 0)
        err_set(&answer.error, ERR_IO, "connection refused");
    done(context, &answer);
}

static inline void sim_describe_mail(const struct net_mail *mail, char *out, size_t room)
{
    struct buf text;
    buf_init(&text, 4096);
    buf_format(&text, "%s >", mail->from);
    for (size_t i = 0; i < mail->to_count; i++)
        buf_format(&text, " %s", mail->to[i]);
    buf_format(&text, "%s%s", mail->starttls ? " starttls" : "", mail->plain ? " plain" : "");
    const char *const named[] = {"user",     mail->user,     "identity", mail->identity,
                                 "password", mail->password, "secret",   mail->secret};
    for (size_t i = 0; i < sizeof named / sizeof *named; i += 2) {
        if (named[i + 1] != NULL)
            buf_format(&text, " %s=%s", named[i], named[i + 1]);
    }
    snprintf(out, room, "%s", buf_text(&text));
    buf_release(&text);
}

static inline int sim_send(struct world *world, const struct net_request *request, net_done *done,
                           void *context)
{
    struct sim *sim = (struct sim *)world;
    if (sim->refuse != 0)
        return sim->refuse;
    assert_true(sim->sent_count < SIM_SENT_MAX);
    struct sim_sent *sent = &sim->sent[sim->sent_count++];
    struct buf headers;
    buf_init(&headers, 4096);
    for (size_t i = 0; i < request->header_count; i++)
        buf_format(&headers, "%s: %s\n", request->headers[i].name, request->headers[i].value);
    *sent = (struct sim_sent){.at_ms = (sim->world.now_ns - SIM_START_NS) / NS_PER_MS,
                              .method = request->method,
                              .url = mem_copy_text(request->url, strlen(request->url)),
                              .body = mem_copy_text(request->body.p, request->body.n),
                              .headers = mem_copy_text(buf_text(&headers), headers.used),
                              .timeout_ms = request->timeout_ms};
    if (request->http != NULL && request->http->auth_type.n > 0)
        snprintf(sent->credentials, sizeof sent->credentials, "%.*s",
                 STR_ARG(request->http->credentials.text));
    if (request->mail != NULL)
        sim_describe_mail(request->mail, sent->mail, sizeof sent->mail);
    buf_release(&headers);
    if (sim->hold) {
        assert_true(sim->held_count < SIM_HELD_MAX);
        sim->held[sim->held_count++] = (struct sim_held){done, context};
    } else {
        sim_answer(sim, done, context);
    }
    return 0;
}

static inline void sim_release(struct sim *sim)
{
    size_t count = sim->held_count;
    sim->held_count = 0;
    for (size_t i = 0; i < count; i++)
        sim_answer(sim, sim->held[i].done, sim->held[i].context);
}

static inline void sim_paged(void *context, struct page_event *event)
{
    static const char *const outcomes[] = {"delivered", "retrying", "failed", "unsent"};
    struct sim *sim = context;
    buf_format(&sim->pages, "%lld %s %.*s %d %d f%u r%u %.*s%s%.*s\n",
               (long long)((event->at_ns - SIM_START_NS) / NS_PER_MS), outcomes[event->outcome],
               STR_ARG(event->receiver), event->attempt, event->status, event->firing_count,
               event->resolved_count, STR_ARG(event->reason), event->detail.n > 0 ? ": " : "",
               STR_ARG(event->detail));
    mem_free(event);
}

static inline struct amconfig *sim_config(struct sim *sim, const char *text)
{
    struct amconfig *config;
    struct err err = {0};
    if (amconfig_parse(&sim->world.world, str_of(text), STR("."), &config, &err) != 0)
        fail_msg("%s", err.text);
    return config;
}

static inline void sim_start(struct sim *sim, const char *config)
{
    struct router_options options = {.world = &sim->world.world,
                                     .state = sim->state,
                                     .external_url = STR("http://am"),
                                     .paged = sim_paged,
                                     .context = sim,
                                     .contracts = {.opened_is_closed = true, .no_lost_page = true}};
    struct err err = {0};
    if (router_open(&options, sim_config(sim, config), &sim->router, &err) != 0)
        fail_msg("%s", err.text);
}

static inline void sim_open(struct sim *sim, const char *config)
{
    *sim = (struct sim){.status = 200, .retry_after_ms = -1, .answer = ""};
    world_sim_init(&sim->world, SIM_START_NS, 7);
    sim->world.world.send = sim_send;
    buf_init(&sim->pages, 1 << 20);
    assert_int_equal(state_open(":memory:", &sim->state, NULL), 0);
    if (config != NULL)
        sim_start(sim, config);
}

static inline void sim_forget(struct sim *sim)
{
    for (size_t i = 0; i < sim->sent_count; i++) {
        mem_free(sim->sent[i].url);
        mem_free(sim->sent[i].body);
        mem_free(sim->sent[i].headers);
    }
    sim->sent_count = 0;
    buf_clear(&sim->pages);
}

static inline void sim_close(struct sim *sim)
{
    router_close(sim->router);
    state_close(sim->state);
    sim_forget(sim);
    buf_release(&sim->pages);
}

/* Turns the clock to a time, stopping at each deadline on the way. */
static inline void sim_until(struct sim *sim, int64_t at_ms)
{
    int64_t until_ns = SIM_START_NS + at_ms * NS_PER_MS;
    int64_t next_ns = router_run(sim->router, sim->world.now_ns);
    while (next_ns <= until_ns) {
        if (next_ns > sim->world.now_ns)
            sim->world.now_ns = next_ns;
        next_ns = router_run(sim->router, sim->world.now_ns);
    }
    sim->world.now_ns = until_ns;
    router_run(sim->router, sim->world.now_ns);
}

static inline int64_t sim_at(int64_t at_ms)
{
    return SIM_START_NS + at_ms * NS_PER_MS;
}

struct sim_alert {
    const char *labels; /* "a=1 b=2" */
    const char *annotations;
    int64_t starts_ms, ends_ms; /* ends_ms 0: not given */
    int32_t zone_s;
};

static inline struct labels *sim_labels(struct arena *arena, const char *text)
{
    struct label items[16];
    size_t count = 0;
    struct str rest = str_of(text);
    while (rest.n > 0 && count < 16) {
        struct str pair = str_cut(&rest, ' '), value = pair;
        items[count].name = str_cut(&value, '=');
        items[count++].value = value;
    }
    struct labels *ls = labels_make(arena, items, count);
    assert_non_null(ls);
    return ls;
}

static inline int sim_post_errors(struct sim *sim, struct sim_alert alert, struct buf *errors)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct alert_event event = {
        .labels = sim_labels(&arena, alert.labels),
        .annotations = sim_labels(&arena, alert.annotations != NULL ? alert.annotations : ""),
        .generator_url = STR("http://p/g?a=1&b=2"),
        .starts_ns = sim_at(alert.starts_ms),
        .ends_ns = alert.ends_ms != 0 ? sim_at(alert.ends_ms) : 0,
        .starts_zone_s = alert.zone_s,
        .ends_zone_s = alert.zone_s,
    };
    int rc = router_post(sim->router, &event, 1, errors);
    arena_release(&arena);
    return rc;
}

static inline void sim_post_alert(struct sim *sim, struct sim_alert alert)
{
    struct buf errors;
    buf_init(&errors, 4096);
    if (sim_post_errors(sim, alert, &errors) != 0)
        fail_msg("%s", buf_text(&errors));
    buf_release(&errors);
}

/* An alert that fires from now on, for long. */
static inline void sim_fire(struct sim *sim, const char *labels)
{
    int64_t now_ms = (sim->world.now_ns - SIM_START_NS) / NS_PER_MS;
    sim_post_alert(sim, (struct sim_alert){.labels = labels, .starts_ms = now_ms, .ends_ms = 1000000000});
}

/* Its end, now; it began at starts_ms. */
static inline void sim_resolve(struct sim *sim, const char *labels, int64_t starts_ms)
{
    int64_t now_ms = (sim->world.now_ns - SIM_START_NS) / NS_PER_MS;
    sim_post_alert(sim, (struct sim_alert){.labels = labels, .starts_ms = starts_ms, .ends_ms = now_ms});
}

static inline void sim_write_alert(struct buf *out, const struct tree *alert)
{
    const struct tree *labels = tree_get(alert, "labels");
    buf_puts(out, str_is(tree_get(alert, "status")->text, "firing") ? " +" : " -");
    for (const struct tree *l = labels->first; l != NULL; l = l->next)
        buf_format(out, "%s%.*s", l == labels->first ? "" : ",", STR_ARG(l->text));
}

/* One line for each request: time, URL after the scheme, reason, + for firing and - for resolved alerts by their label
 * values. */
static inline void sim_write_sent(struct sim *sim, struct buf *out)
{
    for (size_t i = 0; i < sim->sent_count; i++) {
        struct arena arena;
        struct tree *root = NULL;
        arena_init(&arena, 1 << 20);
        assert_int_equal(json_parse(&arena, str_of(sim->sent[i].body), &root, NULL), 0);
        buf_format(out, "%lld %s %.*s:", (long long)sim->sent[i].at_ms, sim->sent[i].url + strlen("http://"),
                   STR_ARG(tree_get(root, "notification_reason")->text));
        for (const struct tree *a = tree_get(root, "alerts")->first; a != NULL; a = a->next)
            sim_write_alert(out, a);
        buf_char(out, '\n');
        arena_release(&arena);
    }
}

static inline void sim_expect(struct sim *sim, const char *lines)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    sim_write_sent(sim, &out);
    assert_string_equal(buf_text(&out), lines);
    buf_release(&out);
}

#endif
