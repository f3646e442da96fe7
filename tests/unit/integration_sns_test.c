#include "../../engine/notify/sigv4_priv.h"
#include "integration_script.h"

#include <unistd.h>

#define FORM_TYPE "application/x-www-form-urlencoded"
#define DATE "20261122T060001Z" /* a second after the beginning */
#define KEYS "sigv4: {region: eu-west-1, access_key: AK, secret_key: SK}"

static void forget_variables(void)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                                        "AWS_REGION",        "AWS_DEFAULT_REGION",    "AWS_PROFILE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials", 1);
}

static int set_up(void **state)
{
    (void)state;
    forget_variables();
    return 0;
}

struct signer {
    const char *access_key, *secret_key, *token; /* token NULL: none */
    const char *region, *service, *host, *path;
};

/* The headers that this signer puts on this body. */
static void expect_signed(size_t i, const struct signer *by, const char *body)
{
    struct label headers[] = {{STR("content-type"), STR(FORM_TYPE)},
                              {STR("host"), str_of(by->host)},
                              {STR("x-amz-date"), STR(DATE)},
                              {STR("x-amz-security-token"), str_of(by->token)}};
    struct sigv4 s = {.access_key = str_of(by->access_key),
                      .secret_key = str_of(by->secret_key),
                      .region = str_of(by->region),
                      .service = str_of(by->service),
                      .date = STR(DATE),
                      .method = STR("POST"),
                      .path = str_of(by->path),
                      .headers = headers,
                      .header_count = by->token != NULL ? 4 : 3,
                      .body = str_of(body)};
    struct buf wanted;
    buf_init(&wanted, 8192);
    buf_puts(&wanted, "Content-Type: " FORM_TYPE "\nX-Amz-Date: " DATE "\n");
    if (by->token != NULL)
        buf_format(&wanted, "X-Amz-Security-Token: %s\n", by->token);
    buf_puts(&wanted, "Authorization: ");
    sigv4_authorize(&wanted, &s);
    buf_char(&wanted, '\n');
    if (sim.sent_count <= i)
        fail_msg("only %zu requests: %s", sim.sent_count, buf_text(&sim.pages));
    assert_string_equal(sim.sent[i].body, body);
    assert_string_equal(sim.sent[i].headers, buf_text(&wanted));
    assert_string_equal(sim.sent[i].method, "POST");
    assert_string_equal(sim.sent[i].credentials, "");
    buf_release(&wanted);
}

#define PUBLISH "Action=Publish&Version=2010-03-31&Message="
#define SUBJECT "&Subject=%5BFIRING%3A2%5D+A+%28critical%29"

static const struct signer own = {"AK", "SK", NULL, "eu-west-1", "sns", "sns.eu-west-1.amazonaws.com", "/"};

static void a_topic_gets_a_signed_form(void **state)
{
    (void)state;
    open_with("sns_configs", "{topic_arn: 'arn:t:{{ .GroupLabels.alertname }}', message: 'm <&> "
                             "{{ .Status }}', http_config: {authorization: {credentials: c}}, " KEYS "}");
    fire();
    assert_string_equal(sim.sent[0].url, "https://sns.eu-west-1.amazonaws.com/");
    expect_signed(0, &own, PUBLISH "m+%3C%26%3E+firing" SUBJECT "&TopicArn=arn%3At%3AA");
    expect_pages("1000 delivered x.y 1 200 f2 r1 first notification\n");
    sim_close(&sim);
}

static void urls_follow_settings_and_country(void **state)
{
    (void)state;
    static const struct {
        const char *settings, *url, *host, *path, *region;
    } cases[] = {
        {"{topic_arn: t, message: m, subject: '', api_url: 'http://h:4566/a%20b', sigv4: {region: r, "
         "access_key: "
         "AK, secret_key: SK}}",
         "http://h:4566/a%20b", "h:4566", "/a%20b", "r"},
        {"{topic_arn: t, message: m, subject: '', api_url: 'https://{{ .GroupLabels.alertname }}:443', "
         "sigv4: "
         "{region: r, access_key: AK, secret_key: SK}}",
         "https://A:443", "A", "/", "r"},
        {"{topic_arn: t, message: m, subject: '', sigv4: {region: cn-north-1, access_key: AK, secret_key: "
         "SK}}",
         "https://sns.cn-north-1.amazonaws.com.cn/", "sns.cn-north-1.amazonaws.com.cn", "/", "cn-north-1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct signer by = own;
        by.host = cases[i].host;
        by.path = cases[i].path;
        by.region = cases[i].region;
        open_with("sns_configs", cases[i].settings);
        fire();
        expect_signed(0, &by, PUBLISH "m&TopicArn=t");
        assert_string_equal(sim.sent[0].url, cases[i].url);
        sim_close(&sim);
    }
    open_with("sns_configs", "{topic_arn: t, api_url: 'http://h/?a=b', " KEYS "}");
    fire();
    expect_pages("1000 failed x.y 1 0 f2 r1 first notification: the AWS URL has a query\n");
    sim_close(&sim);
}

#define ENTRY(n, name, value)                                                                          \
    "&MessageAttributes.entry." n ".Name=" name "&MessageAttributes.entry." n ".Value.DataType=String" \
    "&MessageAttributes.entry." n ".Value.StringValue=" value

static void attributes_are_numbered_and_templates(void **state)
{
    (void)state;
    open_with("sns_configs", "{target_arn: t, message: m, subject: '', attributes: {b: '{{ .Status }}', a: "
                             "'{{ .CommonLabels.none }}', 'c{{ .GroupLabels.alertname }}': x y}, " KEYS "}");
    fire();
    expect_signed(0, &own, PUBLISH "m" ENTRY("1", "b", "firing") ENTRY("2", "cA", "x+y") "&TargetArn=t");
    sim_close(&sim);
}

static void long_messages_are_cut_between_characters_and_say_so(void **state)
{
    (void)state;
    /* Two bytes each: 1600 bytes hold 799 behind one that takes one. */
    open_with("sns_configs",
              "{phone_number: '+1', subject: '', message: 'x{{ .CommonLabels.long }}', attributes: "
              "{truncated: mine, z: y}, " KEYS "}");
    char labels[4096];
    int n = snprintf(labels, sizeof labels, "alertname=A long=");
    for (int i = 0; i < 900; i++)
        n += snprintf(labels + n, sizeof labels - (size_t)n, "\xc3\xa4");
    sim_fire(&sim, labels);
    sim_until(&sim, 1000);
    const char *text = sim.sent[0].body + strlen(PUBLISH);
    assert_int_equal(strcspn(text, "&"), 1 + 799 * strlen("%C3%A4"));
    assert_string_equal(text + strcspn(text, "&"),
                        ENTRY("1", "z", "y") ENTRY("2", "truncated", "true") "&PhoneNumber=%2B1");
    sim_close(&sim);
    /* What fits is left as it is. */
    open_with("sns_configs",
              "{phone_number: '1', subject: '', message: '{{ printf \"%01600d\" 1 }}', attributes: "
              "{truncated: mine}, " KEYS "}");
    fire();
    assert_non_null(strstr(sim.sent[0].body, "1" ENTRY("1", "truncated", "mine")));
    sim_close(&sim);
    open_with("sns_configs",
              "{topic_arn: t, subject: '', message: '{{ printf \"%0262145d\" 1 }}', " KEYS "}");
    fire();
    assert_int_equal(strcspn(sim.sent[0].body + strlen(PUBLISH), "&"), 262144);
    sim_close(&sim);
}

static void subjects_are_what_sns_takes(void **state)
{
    (void)state;
    open_with("sns_configs", "{topic_arn: t, message: m, subject: \"{{ \\\"a\\\\nb\\\\t\\\" }}{{ printf "
                             "\\\"%0120d\\\" 1 }}\", " KEYS "}");
    fire();
    const char *subject = strstr(sim.sent[0].body, "&Subject=");
    assert_non_null(subject);
    subject += strlen("&Subject=");
    assert_memory_equal(subject, "a+b+0", 5);
    assert_int_equal(strcspn(subject, "&"), 98 + strlen("%E2%80%A6"));
    sim_close(&sim);
    open_with("sns_configs", "{topic_arn: t, message: m, subject: '{{ .CommonLabels.none }}', " KEYS "}");
    fire();
    expect_signed(0, &own, PUBLISH "m&TopicArn=t");
    sim_close(&sim);
}

static void text_that_is_no_utf8_is_not_sent(void **state)
{
    (void)state;
    open_with("sns_configs", "{topic_arn: t, message: '{{ \"\\xff\" }}', " KEYS "}");
    fire();
    expect_pages("1000 failed x.y 1 0 f2 r1 first notification: non utf8 encoded message string\n");
    sim_close(&sim);
}

static void copy_param(const char *body, const char *name, char value[128])
{
    const char *at = strstr(body, name);
    assert_non_null(at);
    at += strlen(name);
    snprintf(value, 128, "%.*s", (int)strcspn(at, "&"), at);
}

/* A further attempt may be dropped by SNS, an end may not. */
static void fifo_topics_get_a_group_and_a_name_for_each_message(void **state)
{
    (void)state;
    char ids[3][128], group[128];
    open_with("sns_configs", "{topic_arn: 't{{ \".fifo\" }}', message: m, subject: '', " KEYS "}");
    SCRIPT({503, ""}, {200, ""});
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 2000);
    sim_resolve(&sim, "alertname=A", 0);
    sim_until(&sim, 11000);
    assert_int_equal(sim.sent_count, 3);
    for (size_t i = 0; i < 3; i++) {
        copy_param(sim.sent[i].body, "&MessageGroupId=", group);
        assert_string_equal(group, HASH);
        copy_param(sim.sent[i].body, "&MessageDeduplicationId=", ids[i]);
        assert_int_equal(strlen(ids[i]), 64);
    }
    assert_string_equal(ids[0], ids[1]);
    assert_string_not_equal(ids[0], ids[2]);
    sim_close(&sim);
}

/* ---- who signs ---- */

static void the_environment_signs_where_the_settings_do_not(void **state)
{
    (void)state;
    const struct signer by = {"EK", "ES", "tok/+=", "us-east-2", "sns", "h", ""};
    setenv("AWS_ACCESS_KEY_ID", "EK", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "ES", 1);
    setenv("AWS_SESSION_TOKEN", "tok/+=", 1);
    setenv("AWS_DEFAULT_REGION", "us-east-2", 1);
    open_with("sns_configs", "{topic_arn: t, message: m, subject: '', api_url: http://h}");
    fire();
    expect_signed(0, &by, PUBLISH "m&TopicArn=t");
    sim_close(&sim);
    /* What the settings say counts; the token is not theirs. */
    open_with("sns_configs", "{topic_arn: t, message: m, subject: '', " KEYS "}");
    fire();
    expect_signed(0, &own, PUBLISH "m&TopicArn=t");
    sim_close(&sim);
    forget_variables();
}

#define PROFILES                                                                                       \
    "# comment\n[default]\naws_access_key_id = DK\naws_secret_access_key=DS\nregion = d-1\n\n"         \
    "[ other ]\r\n  aws_access_key_id=OK\r\n  aws_secret_access_key = O=S\r\naws_session_token= T\r\n" \
    "[half]\naws_access_key_id = HK\n"

static void profiles_sign_by_their_name(void **state)
{
    (void)state;
    const struct signer by_default = {"DK", "DS", NULL, "d-1", "sns", "h", ""};
    const struct signer by_other = {"OK", "O=S", "T", "r-1", "sns", "h", ""};
    char path[] = "/tmp/tocsin-aws-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, PROFILES, strlen(PROFILES)), strlen(PROFILES));
    close(fd);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    open_with("sns_configs", "{topic_arn: t, message: m, subject: '', api_url: http://h}");
    fire();
    expect_signed(0, &by_default, PUBLISH "m&TopicArn=t");
    sim_close(&sim);
    setenv("AWS_PROFILE", "other", 1);
    setenv("AWS_REGION", "r-1", 1);
    open_with("sns_configs", "{topic_arn: t, message: m, subject: '', api_url: http://h}");
    fire();
    expect_signed(0, &by_other, PUBLISH "m&TopicArn=t");
    sim_close(&sim);
    /* A profile that is named in the settings goes before the environment. */
    setenv("AWS_ACCESS_KEY_ID", "EK", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "ES", 1);
    open_with("sns_configs",
              "{topic_arn: t, message: m, subject: '', api_url: http://h, sigv4: {profile: other}}");
    fire();
    expect_signed(0, &by_other, PUBLISH "m&TopicArn=t");
    sim_close(&sim);
    open_with("sns_configs", "{topic_arn: t, sigv4: {region: r, profile: half}}");
    fire();
    assert_int_equal(sim.sent_count, 0);
    assert_non_null(strstr(buf_text(&sim.pages),
                           ": no AWS credentials: neither sigv4.access_key nor "
                           "AWS_ACCESS_KEY_ID nor a profile \"half\" in /tmp/tocsin-aws-"));
    sim_close(&sim);
    remove(path);
    forget_variables();
}

static void without_credentials_or_region_nothing_is_sent(void **state)
{
    (void)state;
    open_with("sns_configs", "{topic_arn: t, sigv4: {region: r}}");
    fire();
    assert_int_equal(sim.sent_count, 0);
    assert_non_null(
        strstr(buf_text(&sim.pages), "failed x.y 1 0 f2 r1 first notification: no AWS credentials"));
    assert_non_null(strstr(buf_text(&sim.pages), "/nowhere/credentials"));
    sim_close(&sim);
    open_with("sns_configs", "{topic_arn: t, sigv4: {access_key: a, secret_key: s}}");
    fire();
    expect_pages("1000 failed x.y 1 0 f2 r1 first notification: region not configured in sns.sigv4.region, "
                 "AWS_REGION or the profile\n");
    sim_close(&sim);
}

#define ROLE(more)                                                                                           \
    "{topic_arn: t, message: m, subject: '', api_url: http://h, sigv4: {region: eu-west-1, access_key: AK, " \
    "secret_key: SK, role_arn: 'arn:role/r'" more "}}"
#define ASSUMED                                                                                             \
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>RK</AccessKeyId>\n<SecretAccessKey>RS" \
    "</SecretAccessKey><SessionToken>RT/+==</SessionToken></Credentials></AssumeRoleResult>"

static void a_role_is_assumed_before(void **state)
{
    (void)state;
    const struct signer asks = {"AK", "SK", NULL, "eu-west-1", "sts", "sts.eu-west-1.amazonaws.com", "/"};
    const struct signer acts = {"RK", "RS", "RT/+==", "eu-west-1", "sns", "h", ""};
    open_with("sns_configs", ROLE(", external_id: e"));
    SCRIPT({200, ASSUMED}, {200, ""});
    fire();
    assert_int_equal(sim.sent_count, 2);
    assert_string_equal(sim.sent[0].url, "https://sts.eu-west-1.amazonaws.com/");
    expect_signed(
        0, &asks,
        "Action=AssumeRole&Version=2011-06-15&DurationSeconds=900&ExternalId=e&RoleArn=arn%3Arole%2Fr"
        "&RoleSessionName=tocsin");
    expect_signed(1, &acts, PUBLISH "m&TopicArn=t");
    expect_pages("1000 delivered x.y 1 200 f2 r1 first notification\n");
    sim_close(&sim);
}

#define COMPLAINT(code, message) \
    "<ErrorResponse><Error><Type>Sender</Type><Code>" code "</Code><Message>" message "</Message></Error>"

static void complaints_are_told_and_tried_again_by_their_kind(void **state)
{
    (void)state;
    static const struct {
        struct scripted answers[2];
        const char *settings, *page;
    } cases[] = {
        {{{403, COMPLAINT("AuthorizationError", "not allowed")}},
         "{topic_arn: t, " KEYS "}",
         "failed x.y 1 403 f2 r1 first notification: unexpected status code 403: not allowed"},
        {{{400, COMPLAINT("Throttling", "Rate exceeded")}},
         "{topic_arn: t, " KEYS "}",
         "retrying x.y 1 400 f2 r1 first notification: unexpected status code 400: Rate exceeded"},
        {{{500, "<a>"}},
         "{topic_arn: t, " KEYS "}",
         "retrying x.y 1 500 f2 r1 first notification: unexpected status code 500: <a>"},
        {{{400, "<Message>open"}},
         "{topic_arn: t, " KEYS "}",
         "failed x.y 1 400 f2 r1 first notification: unexpected status code 400: <Message>open"},
        {{{0, ""}},
         "{topic_arn: t, " KEYS "}",
         "retrying x.y 1 0 f2 r1 first notification: connection refused"},
        {{{403, COMPLAINT("AccessDenied", "no")}},
         ROLE(""),
         "failed x.y 1 403 f2 r1 first notification: the role could not be assumed: unexpected status code "
         "403: no"},
        {{{200, "<AccessKeyId>RK</AccessKeyId>"}},
         ROLE(""),
         "failed x.y 1 200 f2 r1 first notification: the role could not be assumed: the answer holds no "
         "credentials"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char first[512];
        open_with("sns_configs", cases[i].settings);
        script_set(cases[i].answers, 1);
        fire();
        snprintf(first, sizeof first, "1000 %s\n", cases[i].page);
        if (strncmp(buf_text(&sim.pages), first, strlen(first)) != 0)
            fail_msg("%s instead of\n%s", buf_text(&sim.pages), first);
        sim_close(&sim);
    }
}

static void a_starved_arena_is_a_limit_not_a_crash(void **state)
{
    (void)state;
    static const struct scripted answers[] = {{200, ASSUMED}, {200, ""}};
    expect_starved_exchanges_whole("sns_configs",
                                   "{topic_arn: 't{{ .Status }}.fifo', attributes: {'{{ .Status }}': '{{ "
                                   ".Status }}', b: c}, sigv4: {region: "
                                   "eu-west-1, access_key: AK, secret_key: SK, role_arn: r}}",
                                   answers, sizeof answers / sizeof *answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_gets_a_signed_form),
        cmocka_unit_test(urls_follow_settings_and_country),
        cmocka_unit_test(attributes_are_numbered_and_templates),
        cmocka_unit_test(long_messages_are_cut_between_characters_and_say_so),
        cmocka_unit_test(subjects_are_what_sns_takes),
        cmocka_unit_test(text_that_is_no_utf8_is_not_sent),
        cmocka_unit_test(fifo_topics_get_a_group_and_a_name_for_each_message),
        cmocka_unit_test(the_environment_signs_where_the_settings_do_not),
        cmocka_unit_test(profiles_sign_by_their_name),
        cmocka_unit_test(without_credentials_or_region_nothing_is_sent),
        cmocka_unit_test(a_role_is_assumed_before),
        cmocka_unit_test(complaints_are_told_and_tried_again_by_their_kind),
        cmocka_unit_test(a_starved_arena_is_a_limit_not_a_crash),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
