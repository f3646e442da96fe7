#include "integration_script.h"

#define API "http://j/rest/api/2"
#define SETTINGS(more) \
    "{api_url: '" API "', project: P, issue_type: Bug, summary: s, description: d, " more "}"
#define HEADERS JSON_HEADER "Accept-Language: en\n"
#define LABEL "ALERT{" HASH "}"
#define FIELDS(more)                                                                                       \
    "{\"fields\":{\"description\":\"d\",\"issuetype\":{\"name\":\"Bug\"},\"labels\":[\"" LABEL "\"]," more \
    "\"project\":{\"key\":\"P\"},\"summary\":\"s\"}}\n"
#define HIGH "\"priority\":{\"name\":\"High\"},"
#define SEARCHED(condition)                                                                   \
    "{\"fields\":[\"status\"],\"jql\":\"" condition "project=\\\"P\\\" and labels=\\\"" LABEL \
    "\\\" order by status ASC,resolutiondate DESC\",\"maxResults\":2}\n"
#define OPEN_ONLY "statusCategory != Done and "

#define NONE                   \
    {                          \
        200, "{\"issues\":[]}" \
    }
#define FOUND(category)                                                                                  \
    {                                                                                                    \
        200, "{\"issues\":[{\"key\":\"P-7\",\"fields\":{\"status\":{\"name\":\"x\",\"statusCategory\":{" \
             "\"key\":\"" category "\"}}}}]}"                                                            \
    }
#define MADE                                   \
    {                                          \
        201, "{\"id\":\"10\",\"key\":\"P-8\"}" \
    }
#define CHANGED \
    {           \
        204, "" \
    }
#define TRANSITIONS                                                                          \
    {                                                                                        \
        200, "{\"transitions\":[{\"id\":\"11\",\"name\":\"Other\"},{\"id\":\"21\",\"name\":" \
             "\"Done\"},{\"id\":\"31\",\"name\":\"To \\\"Do\\\"\"}]}"                        \
    }

static void an_issue_is_made_where_there_is_none(void **state)
{
    (void)state;
    open_with("jira_configs", SETTINGS(""));
    SCRIPT(NONE, MADE);
    fire();
    assert_int_equal(sim.sent_count, 2);
    expect_sent(0, "POST", API "/search", HEADERS, SEARCHED(OPEN_ONLY));
    expect_sent(1, "POST", API "/issue", HEADERS, FIELDS(HIGH));
    expect_pages("1000 delivered x.y 1 201 f2 r1 first notification\n");
    sim_close(&sim);
}

static void none_is_made_of_what_has_ended(void **state)
{
    (void)state;
    open_with("jira_configs", SETTINGS("resolve_transition: Done"));
    SCRIPT(NONE, MADE, NONE);
    fire();
    end_all();
    assert_int_equal(sim.sent_count, 3);
    expect_sent(2, "POST", API "/search", HEADERS, SEARCHED(OPEN_ONLY));
    assert_non_null(strstr(buf_text(&sim.pages), "11000 delivered x.y 1 200 f0 r2"));
    sim_close(&sim);
}

static void an_open_one_is_changed_and_then_resolved(void **state)
{
    (void)state;
    open_with("jira_configs", SETTINGS("resolve_transition: Done, reopen_transition: x, priority: ''"));
    SCRIPT(FOUND("new"), CHANGED, FOUND("indeterminate"), CHANGED, TRANSITIONS, CHANGED);
    fire();
    assert_int_equal(sim.sent_count, 2);
    expect_sent(1, "PUT", API "/issue/P-7", HEADERS, FIELDS(""));
    end_all();
    assert_int_equal(sim.sent_count, 6);
    expect_sent(2, "POST", API "/search", HEADERS, SEARCHED(OPEN_ONLY));
    expect_sent(3, "PUT", API "/issue/P-7", HEADERS, FIELDS(""));
    expect_sent(4, "GET", API "/issue/P-7/transitions", HEADERS, "");
    expect_sent(5, "POST", API "/issue/P-7/transitions", HEADERS, "{\"transition\":{\"id\":\"21\"}}\n");
    sim_close(&sim);
}

static void one_that_is_done_is_opened_again(void **state)
{
    (void)state;
    open_with("jira_configs", SETTINGS("reopen_transition: 'To \"Do\"', reopen_duration: 90m, "
                                       "wont_fix_resolution: 'Won\"t fix'"));
    SCRIPT(FOUND("done"), CHANGED, TRANSITIONS, CHANGED);
    fire();
    assert_int_equal(sim.sent_count, 4);
    expect_sent(
        0, "POST", API "/search", HEADERS,
        SEARCHED("(resolution is EMPTY or resolution != \\\"Won\\\\\\\"t fix\\\") and (resolutiondate "
                 "is EMPTY OR resolutiondate \\u003e= -90m) and "));
    expect_sent(3, "POST", API "/issue/P-7/transitions", HEADERS, "{\"transition\":{\"id\":\"31\"}}\n");
    sim_close(&sim);
    /* Without a time, or with less than a minute, only open ones are looked for. */
    open_with("jira_configs", SETTINGS("reopen_transition: x, reopen_duration: 59s"));
    SCRIPT(NONE, MADE);
    fire();
    expect_sent(0, "POST", API "/search", HEADERS, SEARCHED(OPEN_ONLY));
    sim_close(&sim);
}

static void what_is_as_it_should_be_goes_nowhere(void **state)
{
    (void)state;
    static const struct {
        const char *settings, *issue;
        bool ends;
    } cases[] = {
        {SETTINGS("reopen_transition: x, resolve_transition: y"), "new", false},
        {SETTINGS("resolve_transition: y"), "done", false},
        {SETTINGS("reopen_transition: x"), "new", true},
        {SETTINGS("reopen_transition: x, resolve_transition: y"), "done", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[256];
        snprintf(
            found, sizeof found,
            "{\"issues\":[{\"key\":\"P-7\",\"fields\":{\"status\":{\"statusCategory\":{\"key\":\"%s\"}}}}]}",
            cases[i].issue);
        open_with("jira_configs", cases[i].settings);
        if (cases[i].ends) {
            SCRIPT(NONE, MADE, {200, found}, CHANGED);
            fire();
            sim_forget(&sim);
            end_all();
        } else {
            SCRIPT({200, found}, CHANGED);
            fire();
        }
        assert_int_equal(sim.sent_count, 2);
        assert_non_null(strstr(buf_text(&sim.pages), " delivered x.y 1 204"));
        sim_close(&sim);
    }
    /* Nor does one that says nothing of its status. */
    open_with("jira_configs", SETTINGS("reopen_transition: x"));
    SCRIPT({200, "{\"issues\":[{\"key\":\"P-7\"}]}"}, CHANGED);
    fire();
    assert_int_equal(sim.sent_count, 2);
    sim_close(&sim);
}

static void what_is_not_to_be_updated_is_left_out(void **state)
{
    (void)state;
    open_with(
        "jira_configs",
        "{api_url: '" API "/', project: 'P{{ .Status }}', issue_type: '{{ .Status }}', summary: {template: "
        "'{{ .Status }}', enable_update: false}, description: {enable_update: false}, priority: '', labels: "
        "[z, '{{ .Status }}', A], fields: {customfield_1: {value: '{{ .Status }}'}, components: [{name: "
        "c}], summary: mine, zip: '{{ \"7\" }}'}}");
    SCRIPT(NONE, MADE, FOUND("new"), CHANGED);
    fire();
    assert_non_null(strstr(sim.sent[0].body, "project=\\\"Pfiring\\\""));
    assert_non_null(strstr(sim.sent[1].body, "\"description\":\"\\n\\n# Alerts Firing:\\n\\nLabels:"));
    assert_non_null(
        strstr(sim.sent[1].body, "\"project\":{\"key\":\"Pfiring\"},\"summary\":\"mine\",\"zip\":7}}"));
    end_all();
    assert_int_equal(sim.sent_count, 4);
    expect_sent(
        3, "PUT", API "/issue/P-7", HEADERS,
        "{\"fields\":{\"components\":[{\"name\":\"c\"}],\"customfield_1\":{\"value\":\"resolved\"},"
        "\"issuetype\":{\"name\":\"resolved\"},\"labels\":[\"A\",\"" LABEL
        "\",\"resolved\",\"z\"],\"project\":{\"key\":\"Presolved\"},\"summary\":\"mine\",\"zip\":7}}\n");
    sim_close(&sim);
}

static void the_cloud_is_searched_by_version_3(void **state)
{
    (void)state;
    static const struct {
        const char *settings, *url;
    } cases[] = {
        {"{api_url: 'https://x.atlassian.net/rest/api/2', project: P, issue_type: B}",
         "https://x.atlassian.net/rest/api/3/search/jql"},
        {"{api_url: 'https://x.atlassian.net/rest/api/3/', project: P, issue_type: B}",
         "https://x.atlassian.net/rest/api/3/search/jql"},
        {"{api_url: 'https://x.atlassian.net/rest/api/2', api_type: datacenter, project: P, issue_type: B}",
         "https://x.atlassian.net/rest/api/2/search"},
        {"{api_url: 'https://proxy/jira/rest/api/2', api_type: cloud, project: P, issue_type: B}",
         "https://proxy/jira/rest/api/3/search/jql"},
        {"{api_url: 'https://atlassian.net.example/rest/api/2', project: P, issue_type: B}",
         "https://atlassian.net.example/rest/api/2/search"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_with("jira_configs", cases[i].settings);
        SCRIPT(NONE, MADE);
        fire();
        assert_string_equal(sim.sent[0].url, cases[i].url);
        sim_close(&sim);
    }
}

#define V3(description)                                                                                     \
    "{api_url: 'http://j/rest/api/3', project: P, issue_type: Bug, summary: s, priority: '', description: " \
    "'" description "'}"

static void expect_description(const char *settings, const char *description)
{
    char wanted[2048];
    snprintf(wanted, sizeof wanted,
             "{\"fields\":{%s\"issuetype\":{\"name\":\"Bug\"},\"labels\":[\"" LABEL
             "\"],\"project\":{\"key\":\"P\"},\"summary\":\"s\"}}\n",
             description);
    open_with("jira_configs", settings);
    SCRIPT(NONE, MADE);
    fire();
    expect_sent(1, "POST", "http://j/rest/api/3/issue", HEADERS, wanted);
    sim_close(&sim);
}

static void version_3_gets_a_document(void **state)
{
    (void)state;
    expect_description(V3(" {{ dict \"type\" \"doc\" \"version\" 1 | toJson }} "),
                       "\"description\":{\"type\":\"doc\",\"version\":1},");
    expect_description(V3(" {{ \"\" }} "), "");
    expect_description(V3("{{ \"a\\\"b\\n\\nc\" }}"),
                       "\"description\":{\"content\":[{\"content\":[{\"text\":\"a\\\"b\",\"type\":\"text\"},{"
                       "\"type\":\"hardBreak\"},{\"type\":\"hardBreak\"},{\"text\":\"c\",\"type\":\"text\"}],"
                       "\"type\":\"paragraph\"}],\"type\":\"doc\",\"version\":1},");
    /* JSON, but no document; and what should have been one. */
    expect_description(V3("7"),
                       "\"description\":{\"content\":[{\"content\":[{\"text\":\"7\",\"type\":\"text\"}],"
                       "\"type\":\"paragraph\"}],\"type\":\"doc\",\"version\":1},");
    expect_description(V3("{\"type\"}"),
                       "\"description\":{\"content\":[{\"content\":[{\"text\":\"{\\\"type\\\"}\",\"type\":"
                       "\"text\"}],\"type\":\"paragraph\"}],\"type\":\"doc\",\"version\":1},");
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    open_with("jira_configs",
              "{api_url: 'http://j', project: P, issue_type: B, summary: '{{ printf \"%0300d\" "
              "1 }}', description: '{{ printf \"%040000d\" 1 }}'}");
    SCRIPT(NONE, MADE);
    fire();
    const char *summary = strstr(sim.sent[1].body, "\"summary\":\"");
    const char *description = strstr(sim.sent[1].body, "\"description\":\"");
    assert_int_equal(strspn(summary + strlen("\"summary\":\""), "0"), 254);
    assert_int_equal(strspn(description + strlen("\"description\":\""), "0"), 32766);
    sim_close(&sim);
}

static void what_fails_says_which_request_it_was(void **state)
{
    (void)state;
    static const struct {
        struct scripted answers[4];
        const char *page;
    } cases[] = {
        {{{400, "bad jql"}},
         "failed x.y 1 400 f2 r1 first notification: failed to look up existing issues: "
         "unexpected status code 400: bad jql"},
        {{{200, "<html>"}},
         "failed x.y 1 200 f2 r1 first notification: failed to look up existing issues: could "
         "not unmarshal JSON response: invalid character '<' looking for beginning of value"},
        {{{200, "{\"issues\":[{}]}"}},
         "failed x.y 1 200 f2 r1 first notification: failed to look up existing "
         "issues: an issue without a key"},
        {{{429, "slow"}},
         "retrying x.y 1 429 f2 r1 first notification: failed to look up existing issues: "
         "unexpected status code 429: slow"},
        {{{0, ""}},
         "retrying x.y 1 0 f2 r1 first notification: failed to look up existing issues: connection "
         "refused"},
        {{NONE, {400, "no"}},
         "failed x.y 1 400 f2 r1 first notification: the issue was not written: unexpected status code 400: "
         "no"},
        {{NONE, {503, "no"}},
         "retrying x.y 1 503 f2 r1 first notification: the issue was not written: unexpected status code "
         "503: no"},
        {{FOUND("done"), CHANGED, {200, "{\"transitions\":[{\"id\":\"1\",\"name\":\"y\"}]}"}},
         "failed x.y 1 200 f2 r1 first notification: the issue's transitions are not known: can't find "
         "transition x for issue P-7"},
        {{FOUND("done"), CHANGED, {200, "{\"transitions\":[{\"id\":\"1\",\"name\":\"x\"}]}"}, {500, "e"}},
         "retrying x.y 1 500 f2 r1 first notification: the issue did not go through the transition: "
         "unexpected "
         "status code 500: e"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_with("jira_configs", SETTINGS("reopen_transition: x, reopen_duration: 1h"));
        script_set(cases[i].answers, 4);
        fire();
        char first[512];
        snprintf(first, sizeof first, "1000 %s\n", cases[i].page);
        if (strncmp(buf_text(&sim.pages), first, strlen(first)) != 0)
            fail_msg("%s instead of\n%s", buf_text(&sim.pages), first);
        sim_close(&sim);
    }
}

/* The search finds what an attempt has made whose answer was lost. */
static void a_further_attempt_searches_again(void **state)
{
    (void)state;
    open_with("jira_configs", SETTINGS(""));
    SCRIPT(NONE, {0, ""}, FOUND("new"), CHANGED);
    fire();
    sim_until(&sim, 3000);
    assert_int_equal(sim.sent_count, 4);
    expect_sent(2, "POST", API "/search", HEADERS, SEARCHED(OPEN_ONLY));
    expect_sent(3, "PUT", API "/issue/P-7", HEADERS, FIELDS(HIGH));
    sim_close(&sim);
}

static void a_template_that_fails_sends_nothing(void **state)
{
    (void)state;
    open_with("jira_configs", "{api_url: http://j, project: '{{ index .Alerts 9 }}', issue_type: B}");
    fire();
    assert_int_equal(sim.sent_count, 0);
    assert_non_null(strstr(buf_text(&sim.pages), "1000 failed x.y 1 0 "));
    sim_close(&sim);
}

static void a_key_is_no_path(void **state)
{
    (void)state;
    open_with("jira_configs", SETTINGS(""));
    SCRIPT({200, "{\"issues\":[{\"key\":\"P 7?x#\"}]}"}, CHANGED);
    fire();
    assert_string_equal(sim.sent[1].url, API "/issue/P%207%3Fx%23");
    sim_close(&sim);
}

static void what_fired_and_ended_in_an_outage_is_an_issue_that_is_resolved(void **state)
{
    (void)state;
    open_with("jira_configs", SETTINGS("resolve_transition: Done"));
    SCRIPT({400, ""});
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 5000);
    sim_resolve(&sim, "alertname=A", 0);
    sim_forget(&sim);
    SCRIPT(NONE, MADE, TRANSITIONS, CHANGED);
    sim_until(&sim, 1000000);
    assert_int_equal(sim.sent_count, 4);
    expect_sent(1, "POST", API "/issue", HEADERS, FIELDS(""));
    expect_sent(3, "POST", API "/issue/P-8/transitions", HEADERS, "{\"transition\":{\"id\":\"21\"}}\n");
    assert_non_null(
        strstr(buf_text(&sim.pages), " delivered x.y 1 204 f0 r1 fired and resolved during an outage\n"));
    sim_close(&sim);
}

/* Whatever is said when an issue was made: it was made. */
static void what_is_said_of_a_new_issue_does_not_matter(void **state)
{
    (void)state;
    open_with("jira_configs", SETTINGS("resolve_transition: Done"));
    SCRIPT(NONE, {201, "<created/>"});
    fire();
    expect_pages("1000 delivered x.y 1 201 f2 r1 first notification\n");
    sim_close(&sim);
}

static void a_starved_arena_is_a_limit_not_a_crash(void **state)
{
    (void)state;
    static const struct scripted answers[] = {FOUND("done"), CHANGED, TRANSITIONS, CHANGED};
    expect_starved_exchanges_whole(
        "jira_configs",
        "{api_url: 'https://x.atlassian.net/rest/api/2', project: '{{ .Status }}', issue_type: Bug, labels: "
        "['{{ .Status }}'], fields: {a: {b: '{{ .Status }}'}, c: d}, reopen_transition: 'To \"Do\"'}",
        answers, sizeof answers / sizeof *answers);
    expect_starved_exchanges_whole("jira_configs", V3("{{ .Status }}"), (const struct scripted[]){NONE, MADE},
                                   2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issue_is_made_where_there_is_none),
        cmocka_unit_test(none_is_made_of_what_has_ended),
        cmocka_unit_test(an_open_one_is_changed_and_then_resolved),
        cmocka_unit_test(one_that_is_done_is_opened_again),
        cmocka_unit_test(what_is_as_it_should_be_goes_nowhere),
        cmocka_unit_test(what_is_not_to_be_updated_is_left_out),
        cmocka_unit_test(the_cloud_is_searched_by_version_3),
        cmocka_unit_test(version_3_gets_a_document),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(what_fails_says_which_request_it_was),
        cmocka_unit_test(a_further_attempt_searches_again),
        cmocka_unit_test(a_template_that_fails_sends_nothing),
        cmocka_unit_test(a_key_is_no_path),
        cmocka_unit_test(what_fired_and_ended_in_an_outage_is_an_issue_that_is_resolved),
        cmocka_unit_test(what_is_said_of_a_new_issue_does_not_matter),
        cmocka_unit_test(a_starved_arena_is_a_limit_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
