#include "config_tool_priv.h"

#include "tocsin/limits.h"

#include <stdio.h>

/* One attempt, as the router makes it: requests until an answer says that it is over. */
static enum exchange_verdict send_all(struct tool *tool, struct exchange *x, struct net_answer *answer,
                                      struct err *err)
{
    enum exchange_verdict verdict = EXCHANGE_MORE;
    if (exchange_begin(x, err) != 0)
        return EXCHANGE_REFUSED;
    while (verdict == EXCHANGE_MORE) {
        struct buf body;
        if (exchange_next(x, err) != 0)
            return EXCHANGE_REFUSED;
        asker_ask(&tool->asker, &x->request, answer, &body, err);
        answer->body = str_copy(x->arena, answer->body);
        buf_release(&body);
        verdict = exchange_judge(x, answer, err);
    }
    return verdict;
}

static bool try_one(struct tool *tool, const struct amconfig *config, const struct am_receiver *receiver,
                    const struct integration *integration, const struct sample *sample)
{
    struct arena arena;
    struct net_answer answer = {.status = 0};
    struct err err = {0};
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    struct exchange x = sample_exchange(tool, sample, receiver->name, config, &arena);
    x.integration = integration;
    printf("%s[%zu]  ", integration_name(integration), integration->index);
    fflush(stdout);
    bool taken = send_all(tool, &x, &answer, &err) == EXCHANGE_DONE;
    if (taken)
        printf("delivered: status %d after %lld ms\n", answer.status, (long long)answer.took_ms);
    else
        printf("FAILED: %s\n", err.text);
    arena_release(&arena);
    return taken;
}

static int try_all(struct tool *tool, const struct amconfig *config, const char *name)
{
    const struct am_receiver *receiver;
    struct sample sample;
    struct err err = {0};
    size_t failed = 0;
    int rc = receiver_find(config, name, &receiver, &err);
    if (rc == 0 && receiver->integrations.count == 0)
        rc = err_set(&err, ERR_ARG, "the receiver \"%s\" has no integrations: nobody would be told", name);
    if (rc == 0)
        rc = sample_test(tool, receiver->name, &sample, &err);
    if (rc == 0)
        rc = asker_open(&tool->asker, tool->world, &err);
    if (rc != 0)
        return tool_fail(tool, "%s", err.text);
    for (size_t i = 0; i < receiver->integrations.count; i++)
        failed += !try_one(tool, config, receiver, receiver->integrations.items[i], &sample);
    return failed == 0 ? 0 : 1;
}

int config_test_receiver(struct tool *tool, int argc, char **argv)
{
    const char *path = "alertmanager.yml";
    const struct tool_flag flags[] = {
        {{"config.file", FLAG_TEXT, &path, "the alertmanager.yml in which the receiver stands"}, 0},
        {{NULL, 0, NULL, NULL}, 0},
    };
    struct flag_rest rest;
    struct amconfig *config;
    struct err err = {0};
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    if (rest.count != 1)
        return tool_fail(tool, "the name of one receiver is wanted");
    if (amconfig_load(tool->world, path, &config, &err) != 0)
        return tool_fail(tool, "%s: %s", path, err.text);
    status = try_all(tool, config, rest.items[0]);
    amconfig_free(config);
    return status;
}
