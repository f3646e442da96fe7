/*
 * integration_script: a receiver that answers one request after the other as a test has written down; the last answer stays.
 */
#ifndef TOCSIN_TEST_INTEGRATION_SCRIPT_H
#define TOCSIN_TEST_INTEGRATION_SCRIPT_H

#include "integration_sim.h"

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

#endif
