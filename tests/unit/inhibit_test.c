#include "router_sim.h"

static struct sim sim;

#define CONFIG                                                                   \
    "route: {receiver: a, group_by: [n], group_wait: 1s, group_interval: 10s}\n" \
    "receivers: [{name: a, webhook_configs: [{url: http://h}]}]\n"               \
    "inhibit_rules:\n"                                                           \
    "- source_matchers: ['n=~\"source.*\"']\n"                                   \
    "  target_matchers: ['n=~\".*target\"']\n"                                   \
    "  equal: [zone]\n"

static void a_source_keeps_its_targets_quiet_until_it_ends(void **state)
{
    (void)state;
    sim_open(&sim, CONFIG);
    sim_fire(&sim, "n=source zone=1");
    sim_fire(&sim, "n=target zone=1");
    sim_fire(&sim, "n=target zone=2");
    sim_until(&sim, 5000);
    sim_resolve(&sim, "n=source zone=1", 0);
    sim_until(&sim, 20000);
    sim_expect(&sim, "1000 h first notification: +source,1\n"
                     "1000 h first notification: +target,2\n"
                     "11000 h all alerts resolved: -source,1\n"
                     "11000 h new alerts added: +target,1 +target,2\n");
    sim_close(&sim);
}

static void one_of_several_sources_is_enough(void **state)
{
    (void)state;
    sim_open(&sim, CONFIG);
    sim_fire(&sim, "n=source1 zone=1");
    sim_fire(&sim, "n=source2 zone=1");
    sim_fire(&sim, "n=source3 zone=1");
    sim_until(&sim, 2000);
    sim_forget(&sim);
    sim_fire(&sim, "n=target zone=1");
    sim_resolve(&sim, "n=source1 zone=1", 0);
    sim_until(&sim, 25000);
    sim_resolve(&sim, "n=source3 zone=1", 0);
    sim_until(&sim, 45000);
    sim_expect(&sim, "11000 h all alerts resolved: -source1,1\n"
                     "31000 h all alerts resolved: -source3,1\n");
    sim_resolve(&sim, "n=source2 zone=1", 0);
    sim_until(&sim, 65000);
    sim_expect(&sim, "11000 h all alerts resolved: -source1,1\n"
                     "31000 h all alerts resolved: -source3,1\n"
                     "51000 h all alerts resolved: -source2,1\n"
                     "53000 h first notification: +target,1\n");
    sim_close(&sim);
}

static void an_alert_on_both_sides_is_not_muted_by_its_kind(void **state)
{
    (void)state;
    sim_open(&sim, CONFIG);
    sim_fire(&sim, "n=source-target zone=1");
    sim_until(&sim, 1000);
    sim_expect(&sim, "1000 h first notification: +source-target,1\n");
    sim_fire(&sim, "n=source zone=1");
    sim_fire(&sim, "n=source2-target zone=1");
    sim_until(&sim, 2000);
    sim_expect(&sim, "1000 h first notification: +source-target,1\n2000 h first notification: +source,1\n");
    sim_close(&sim);
}

static void a_label_missing_on_both_sides_counts_as_equal(void **state)
{
    (void)state;
    sim_open(&sim, CONFIG);
    sim_fire(&sim, "n=source");
    sim_fire(&sim, "n=target");
    sim_until(&sim, 50000);
    sim_expect(&sim, "1000 h first notification: +source\n");
    sim_close(&sim);
}

static void an_alert_that_ends_while_muted_is_told_as_resolved(void **state)
{
    (void)state;
    sim_open(&sim, CONFIG);
    sim_fire(&sim, "n=target zone=1");
    sim_until(&sim, 5000);
    sim_fire(&sim, "n=source zone=1");
    sim_resolve(&sim, "n=target zone=1", 0);
    sim_until(&sim, 12000);
    sim_expect(&sim, "1000 h first notification: +target,1\n"
                     "6000 h first notification: +source,1\n"
                     "11000 h all alerts resolved: -target,1\n");
    sim_close(&sim);
}

static void an_alert_nobody_was_told_of_ends_in_silence(void **state)
{
    (void)state;
    sim_open(&sim, CONFIG);
    sim_fire(&sim, "n=source zone=1");
    sim_fire(&sim, "n=target zone=1");
    sim_until(&sim, 5000);
    sim_resolve(&sim, "n=target zone=1", 0);
    sim_until(&sim, 50000);
    sim_expect(&sim, "1000 h first notification: +source,1\n");
    sim_close(&sim);
}

static void an_empty_rule_mutes_nothing(void **state)
{
    (void)state;
    sim_open(&sim, "route: {receiver: a, group_wait: 1s}\n"
                   "receivers: [{name: a, webhook_configs: [{url: http://h}]}]\n"
                   "inhibit_rules: [null, {}]\n");
    sim_fire(&sim, "n=1");
    sim_fire(&sim, "n=2");
    sim_until(&sim, 1000);
    sim_expect(&sim, "1000 h first notification: +1 +2\n");
    sim_close(&sim);
}

static void the_view_names_every_source(void **state)
{
    (void)state;
    sim_open(&sim, CONFIG);
    sim_fire(&sim, "n=source1 zone=1");
    sim_fire(&sim, "n=source2 zone=1");
    sim_fire(&sim, "n=target zone=1");
    struct arena arena;
    struct router_alert *alerts;
    size_t count, muted = 0;
    arena_init(&arena, 1 << 20);
    struct router_filter filter = {.active = true, .inhibited = true};
    assert_int_equal(router_alerts(sim.router, &filter, &arena, &alerts, &count), 0);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        if (!alerts[i].suppressed)
            continue;
        muted++;
        assert_int_equal(alerts[i].inhibited_count, 2);
        assert_true(str_is(labels_get(alerts[i].event->labels, STR("n")), "target"));
        assert_true(alerts[i].inhibited_by[0] < alerts[i].inhibited_by[1]);
    }
    assert_int_equal(muted, 1);
    filter.inhibited = false;
    assert_int_equal(router_alerts(sim.router, &filter, &arena, &alerts, &count), 0);
    assert_int_equal(count, 2);
    filter = (struct router_filter){.inhibited = true};
    assert_int_equal(router_alerts(sim.router, &filter, &arena, &alerts, &count), 0);
    assert_int_equal(count, 1);
    arena_release(&arena);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_keeps_its_targets_quiet_until_it_ends),
        cmocka_unit_test(one_of_several_sources_is_enough),
        cmocka_unit_test(an_alert_on_both_sides_is_not_muted_by_its_kind),
        cmocka_unit_test(a_label_missing_on_both_sides_counts_as_equal),
        cmocka_unit_test(an_alert_that_ends_while_muted_is_told_as_resolved),
        cmocka_unit_test(an_alert_nobody_was_told_of_ends_in_silence),
        cmocka_unit_test(an_empty_rule_mutes_nothing),
        cmocka_unit_test(the_view_names_every_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
