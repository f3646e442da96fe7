/*
 * integration_sim: one receiver with one integration on a simulated router, and what it sends. For the tests of integrations.
 */
#ifndef TOCSIN_TEST_INTEGRATION_SIM_H
#define TOCSIN_TEST_INTEGRATION_SIM_H

#include "router_sim.h"

static struct sim sim;

#define HASH "ad4b39d3af6c5f089ddb8504a474cd124febe3ef322f263d58074fb0c51dc572" /* of {}:{alertname="A"} */

#define ROUTES                  \
    "route:\n"                  \
    "  receiver: x.y\n"         \
    "  group_by: [alertname]\n" \
    "  group_wait: 1s\n"        \
    "  group_interval: 10s\n"   \
    "  repeat_interval: 1h\n"   \
    "receivers:\n"              \
    "- name: x.y\n"

/* One receiver with one integration: its key, its settings in flow style. */
static inline void open_with(const char *key, const char *settings)
{
    char config[4096];
    snprintf(config, sizeof config, ROUTES "  %s: [%s]\n", key, settings);
    sim_open(&sim, config);
}

/* Two that fire and one that has ended: A/i1, A/i2 and A/i3. */
static inline void fire(void)
{
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=A instance=i1 severity=critical",
                                            .annotations = "runbook=r summary=s1",
                                            .ends_ms = 100000000});
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=A instance=i2 severity=critical",
                                            .annotations = "runbook=r summary=s2",
                                            .ends_ms = 100000000});
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=A instance=i3 severity=critical",
                                            .annotations = "runbook=r summary=s3",
                                            .ends_ms = 900});
    sim_until(&sim, 1000);
}

static inline void end_all(void)
{
    sim_until(&sim, 2000);
    sim_post_alert(
        &sim, (struct sim_alert){.labels = "alertname=A instance=i1 severity=critical", .ends_ms = 2000});
    sim_post_alert(
        &sim, (struct sim_alert){.labels = "alertname=A instance=i2 severity=critical", .ends_ms = 2000});
    sim_until(&sim, 11000);
}

static inline void expect_sent(size_t i, const char *method, const char *url, const char *headers,
                               const char *body)
{
    if (sim.sent_count <= i)
        fail_msg("only %zu requests: %s", sim.sent_count, buf_text(&sim.pages));
    assert_string_equal(sim.sent[i].method, method);
    assert_string_equal(sim.sent[i].url, url);
    assert_string_equal(sim.sent[i].headers, headers);
    assert_string_equal(sim.sent[i].body, body);
}

#define JSON_HEADER "Content-Type: application/json\n"

static inline void expect_pages(const char *lines)
{
    assert_string_equal(buf_text(&sim.pages), lines);
}

#endif
