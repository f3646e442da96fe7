/*
 * integration_script: a receiver that answers one request after the other as a test has written down; the last answer stays.
 */
#ifndef TOCSIN_TEST_INTEGRATION_SCRIPT_H
#define TOCSIN_TEST_INTEGRATION_SCRIPT_H

#include "integration_sim.h"

#include "tocsin/limits.h"

struct scripted {
    int status; /* 0: none comes */
    const char *answer;
};

enum { SCRIPT_MAX = 16 };
static struct scripted script[SCRIPT_MAX];
static size_t script_count, script_at;

static inline int script_send(struct world *world, const struct net_request *request, net_done *done,
                              void *context)
{
    const struct scripted *now = &script[script_at < script_count ? script_at : script_count - 1];
    script_at++;
    sim.status = now->status;
    sim.answer = now->answer;
    return sim_send(world, request, done, context);
}

static inline void script_set(const struct scripted *answers, size_t count)
{
    assert_true(count <= SCRIPT_MAX);
    memcpy(script, answers, count * sizeof *answers);
    script_count = count;
    script_at = 0;
    sim.world.world.send = script_send;
}

#define SCRIPT(...)                                    \
    script_set((const struct scripted[]){__VA_ARGS__}, \
               sizeof((const struct scripted[]){__VA_ARGS__}) / sizeof(struct scripted))

/* With too little memory an attempt ends early; but whatever is sent is what would have been sent with enough. */
static inline void expect_starved_exchanges_whole(const char *key, const char *settings,
                                                  const struct scripted *answers, size_t count)
{
    char *bodies[SCRIPT_MAX], *headers[SCRIPT_MAX];
    size_t whole = 0, starved = 0;
    open_with(key, settings);
    script_set(answers, count);
    fire();
    assert_int_equal(sim.sent_count, count);
    for (size_t i = 0; i < count; i++) {
        bodies[i] = mem_copy_text(sim.sent[i].body, strlen(sim.sent[i].body));
        headers[i] = mem_copy_text(sim.sent[i].headers, strlen(sim.sent[i].headers));
    }
    sim_close(&sim);
    for (int64_t cap = 256; cap < 200000; cap += cap / 12) {
        open_with(key, settings);
        script_set(answers, count);
        limits.flush_arena_bytes = cap;
        fire();
        limits.flush_arena_bytes = limits_default.flush_arena_bytes;
        whole += sim.sent_count == count;
        starved += sim.sent_count == 0;
        for (size_t i = 0; i < sim.sent_count; i++) {
            assert_string_equal(sim.sent[i].body, bodies[i]);
            assert_string_equal(sim.sent[i].headers, headers[i]);
        }
        sim_close(&sim);
    }
    assert_true(whole > 0 && starved > 0);
    for (size_t i = 0; i < count; i++) {
        mem_free(bodies[i]);
        mem_free(headers[i]);
    }
}

#endif
