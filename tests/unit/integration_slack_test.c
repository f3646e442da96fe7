#include "router_sim.h"

#include <unistd.h>

static struct sim sim;

#define CONFIG(globals, settings) \
    "global: {" globals "}\n"     \
    "route:\n"                    \
    "  receiver: a\n"             \
    "  group_by: [alertname]\n"   \
    "  group_wait: 0s\n"          \
    "  group_interval: 10s\n"     \
    "  repeat_interval: 1h\n"     \
    "receivers:\n"                \
    "- name: a\n"                 \
    "  slack_configs: [" settings "]\n"

#define BODY(head, title, color)                                                  \
    "{" head "\"username\":\"Alertmanager\",\"attachments\":[{\"title\":\"" title \
    "\",\"text\":\"\",\"fallback\":"                                              \
    "\"f\",\"callback_id\":\"\",\"footer\":\"\",\"color\":\"" color               \
    "\",\"mrkdwn_in\":[\"fallback\",\"pretext\",\"text\"]}]}\n"

#define PLAIN "title_link: '', fallback: f"

static void expect_sent(size_t i, const char *url, const char *credentials, const char *body)
{
    if (sim.sent_count <= i)
        fail_msg("only %zu requests: %s", sim.sent_count, buf_text(&sim.pages));
    assert_string_equal(sim.sent[i].url, url);
    assert_string_equal(sim.sent[i].credentials, credentials);
    assert_string_equal(sim.sent[i].body, body);
}

static void open_and_fire(const char *config)
{
    sim_open(&sim, config);
    sim.answer = "{\"ok\":true,\"channel\":\"C1\",\"ts\":\"17.1\"}";
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 0);
}

static void end_at(int64_t at_ms)
{
    sim_until(&sim, at_ms);
    sim_resolve(&sim, "alertname=A", 0);
    sim_until(&sim, at_ms + 9000);
}

static void an_app_token_goes_to_the_api_as_a_bearer(void **state)
{
    (void)state;
    open_and_fire(CONFIG("", "{app_token: tok, channel: '#c', message_text: 'm {{ .Status }}', " PLAIN "}"));
    assert_int_equal(sim.sent_count, 1);
    assert_string_equal(sim.sent[0].url, "https://slack.com/api/chat.postMessage");
    assert_string_equal(sim.sent[0].credentials, "tok");
    assert_non_null(
        strstr(sim.sent[0].body, "{\"channel\":\"#c\",\"username\":\"Alertmanager\",\"text\":\"m firing\","));
    sim_close(&sim);
}

static void a_receiver_takes_the_global_token_or_url(void **state)
{
    (void)state;
    open_and_fire(CONFIG("slack_app_token: g, slack_app_url: http://app", "{" PLAIN "}"));
    expect_sent(0, "http://app", "g", BODY("", "[FIRING:1] A ", "danger"));
    sim_close(&sim);
    open_and_fire(CONFIG("slack_app_token: g", "{api_url: http://own, " PLAIN "}"));
    expect_sent(0, "http://own", "", BODY("", "[FIRING:1] A ", "danger"));
    sim_close(&sim);
    open_and_fire(CONFIG("slack_api_url: http://all", "{" PLAIN "}"));
    expect_sent(0, "http://all", "", BODY("", "[FIRING:1] A ", "danger"));
    sim_close(&sim);
}

static void a_url_in_a_file_is_read_when_it_is_needed(void **state)
{
    (void)state;
    char path[] = "/tmp/tocsin-slack-XXXXXX", config[1024];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "http://file\n", 12), 12);
    close(fd);
    snprintf(config, sizeof config, CONFIG("", "{api_url_file: %s, " PLAIN "}"), path);
    open_and_fire(config);
    expect_sent(0, "http://file", "", BODY("", "[FIRING:1] A ", "danger"));
    remove(path);
    sim_close(&sim);
}

#define UPDATING \
    CONFIG("", "{app_token: tok, update_message: true, send_resolved: true, channel: '#c', " PLAIN "}")
#define POST "https://slack.com/api/chat.postMessage"
#define UPDATE "https://slack.com/api/chat.update"

static void a_message_is_updated_where_it_stands(void **state)
{
    (void)state;
    open_and_fire(UPDATING);
    expect_sent(0, POST, "tok", BODY("\"channel\":\"#c\",", "[FIRING:1] A ", "danger"));
    end_at(2000);
    expect_sent(1, UPDATE, "tok", BODY("\"channel\":\"C1\",\"ts\":\"17.1\",", "[RESOLVED] A ", "good"));
    /* What comes next is news, and has a message of its own. */
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 30000);
    expect_sent(2, POST, "tok", BODY("\"channel\":\"#c\",", "[FIRING:1] A ", "danger"));
    sim_close(&sim);
}

static void a_restart_does_not_forget_the_message(void **state)
{
    (void)state;
    open_and_fire(UPDATING);
    router_close(sim.router);
    sim_start(&sim, UPDATING);
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 1000);
    end_at(2000);
    sim_until(&sim, 30000);
    assert_int_equal(sim.sent_count, 2);
    expect_sent(1, UPDATE, "tok", BODY("\"channel\":\"C1\",\"ts\":\"17.1\",", "[RESOLVED] A ", "good"));
    sim_close(&sim);
}

static void a_message_that_is_gone_is_posted_anew(void **state)
{
    (void)state;
    open_and_fire(UPDATING);
    sim.hold = true;
    end_at(2000);
    assert_int_equal(sim.sent_count, 2);
    sim.answer = "{\"ok\":false,\"error\":\"message_not_found\"}";
    sim_release(&sim);
    sim_until(&sim, 11000);
    expect_sent(2, POST, "tok", BODY("\"channel\":\"#c\",", "[RESOLVED] A ", "good"));
    sim.answer = "{\"ok\":true,\"channel\":\"C2\",\"ts\":\"18\"}";
    sim_release(&sim);
    sim_until(&sim, 11000);
    assert_non_null(strstr(buf_text(&sim.pages), "\n11000 delivered a 1 200 f0 r1"));
    sim_close(&sim);
}

/* The log is written anew, without a request that is answered. */
static void a_failed_update_does_not_forget_the_message(void **state)
{
    (void)state;
    open_and_fire(UPDATING);
    sim.status = 400;
    end_at(2000);
    expect_sent(1, UPDATE, "tok", BODY("\"channel\":\"C1\",\"ts\":\"17.1\",", "[RESOLVED] A ", "good"));
    router_close(sim.router);
    sim_start(&sim, UPDATING);
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=A", .ends_ms = 2000});
    sim.status = 200;
    sim_until(&sim, 30000);
    assert_int_equal(sim.sent_count, 3);
    expect_sent(2, UPDATE, "tok", BODY("\"channel\":\"C1\",\"ts\":\"17.1\",", "[RESOLVED] A ", "good"));
    sim_close(&sim);
}

#define UPDATING_FIRING \
    "{app_token: tok, update_message: true, send_resolved: false, channel: '#c', " PLAIN "}"

static void what_is_forgotten_unsent_leaves_the_message(void **state)
{
    (void)state;
    open_and_fire(CONFIG("", UPDATING_FIRING));
    sim_fire(&sim, "alertname=A b=1");
    sim_until(&sim, 12000);
    assert_string_equal(sim.sent[1].url, UPDATE);
    sim_resolve(&sim, "alertname=A b=1", 0);
    sim_until(&sim, 22000);
    assert_int_equal(sim.sent_count, 2);
    sim_fire(&sim, "alertname=A b=1");
    sim_until(&sim, 32000);
    assert_int_equal(sim.sent_count, 3);
    assert_string_equal(sim.sent[2].url, UPDATE);
    sim_close(&sim);
}

/* To change a message that tells of an end, days ago, would page nobody. */
static void what_is_told_late_has_a_message_of_its_own(void **state)
{
    (void)state;
    open_and_fire(UPDATING);
    end_at(2000);
    sim.status = 400;
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 22000);
    int64_t refused = (int64_t)sim.sent_count;
    sim_resolve(&sim, "alertname=A", 11000);
    sim.status = 200;
    sim_until(&sim, 42000);
    assert_int_equal(sim.sent_count, refused + 1);
    expect_sent((size_t)refused, POST, "tok", BODY("\"channel\":\"#c\",", "[RESOLVED] A ", "good"));
    sim_close(&sim);
}

static void without_update_message_nothing_is_kept(void **state)
{
    (void)state;
    open_and_fire(CONFIG("", "{app_token: tok, send_resolved: true, channel: '#c', " PLAIN "}"));
    end_at(2000);
    expect_sent(1, POST, "tok", BODY("\"channel\":\"#c\",", "[RESOLVED] A ", "good"));
    sim_close(&sim);
}

static void a_template_that_fails_sends_nothing(void **state)
{
    (void)state;
    open_and_fire(CONFIG("", "{api_url: http://s, footer: 'a{{ .Nope }}', " PLAIN "}"));
    assert_int_equal(sim.sent_count, 0);
    assert_non_null(
        strstr(buf_text(&sim.pages), "0 failed a 1 0 f1 r0 first notification: template: :1:4: executing"));
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_app_token_goes_to_the_api_as_a_bearer),
        cmocka_unit_test(a_receiver_takes_the_global_token_or_url),
        cmocka_unit_test(a_url_in_a_file_is_read_when_it_is_needed),
        cmocka_unit_test(a_message_is_updated_where_it_stands),
        cmocka_unit_test(a_restart_does_not_forget_the_message),
        cmocka_unit_test(a_message_that_is_gone_is_posted_anew),
        cmocka_unit_test(a_failed_update_does_not_forget_the_message),
        cmocka_unit_test(what_is_forgotten_unsent_leaves_the_message),
        cmocka_unit_test(what_is_told_late_has_a_message_of_its_own),
        cmocka_unit_test(without_update_message_nothing_is_kept),
        cmocka_unit_test(a_template_that_fails_sends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
