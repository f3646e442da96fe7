#include "router_sim.h"

#include "tocsin/limits.h"

static struct sim sim;

#define ROUTES                  \
    "route:\n"                  \
    "  receiver: x.y\n"         \
    "  group_by: [alertname]\n" \
    "  group_wait: 1s\n"        \
    "  group_interval: 10s\n"   \
    "  repeat_interval: 1h\n"   \
    "receivers:\n"              \
    "- name: x.y\n"             \
    "  email_configs:\n"

/* A mail whose settings hold, beside what is given, all that is needed. */
static void open_with(const char *settings)
{
    char config[4096];
    snprintf(config, sizeof config, ROUTES "  - {smarthost: 'mx.test:25', %s}\n", settings);
    sim_open(&sim, config);
    sim.status = 250;
}

static void fire(const char *labels, const char *annotations)
{
    sim_post_alert(&sim,
                   (struct sim_alert){.labels = labels, .annotations = annotations, .ends_ms = 100000000});
    sim_until(&sim, 1000);
}

/* What the first mail says in one header; fails if it is not there exactly once. */
static const char *header(const char *name)
{
    static char value[4096];
    char wanted[64];
    assert_true(sim.sent_count > 0);
    const char *end = strstr(sim.sent[0].body, "\r\n\r\n");
    snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    const char *at = strncmp(sim.sent[0].body, wanted + 2, strlen(wanted + 2)) == 0
                         ? sim.sent[0].body - 2
                         : strstr(sim.sent[0].body, wanted);
    if (at == NULL || at > end)
        return NULL;
    at += strlen(wanted);
    const char *stop = strstr(at, "\r\n");
    while (stop[2] == ' ')
        stop = strstr(stop + 2, "\r\n");
    snprintf(value, sizeof value, "%.*s", (int)(stop - at), at);
    const char *more = strstr(stop, wanted);
    assert_true(more == NULL || more > end);
    return value;
}

static void expect_header(const char *name, const char *value)
{
    const char *found = header(name);
    if (found == NULL || strcmp(found, value) != 0)
        fail_msg("%s: %s\nexpected: %s\n%s", name, found != NULL ? found : "(none)", value, sim.sent[0].body);
}

#define SENDER "from: me@example.org, to: you@example.org"

static void a_mail_is_what_alertmanager_writes(void **state)
{
    (void)state;
    open_with(SENDER ", text: 'T={{ .Status }}', html: '<b>{{ .CommonLabels.x }}</b>'");
    fire("alertname=A x=<&>", "");
    assert_string_equal(sim.sent[0].url, "smtp://mx.test:25/%6C%6F%63%61%6C%68%6F%73%74");
    assert_string_equal(sim.sent[0].mail, "me@example.org > you@example.org starttls");
    assert_string_equal(sim.sent[0].headers, "");
    char expected[4096], id[17], boundary[61];
    const char *at = strstr(sim.sent[0].body, "Message-Id: <1795327201000000000.");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "Message-Id: <1795327201000000000.%16[0-9a-f]@", id), 1);
    at = strstr(sim.sent[0].body, "boundary=");
    assert_int_equal(sscanf(at, "boundary=%60[0-9a-f]\r\n", boundary), 1);
    assert_int_equal(strlen(id), 16);
    assert_int_equal(strlen(boundary), 60);
    snprintf(expected, sizeof expected,
             "From: me@example.org\r\n"
             "Subject: [FIRING:1] A (<&>)\r\n"
             "To: you@example.org\r\n"
             "Message-Id: <1795327201000000000.%s@example.org>\r\n"
             "Date: Sun, 22 Nov 2026 06:00:01 +0000\r\n"
             "Content-Type: multipart/alternative;  boundary=%s\r\n"
             "MIME-Version: 1.0\r\n"
             "\r\n"
             "--%s\r\n"
             "Content-Transfer-Encoding: quoted-printable\r\n"
             "Content-Type: text/plain; charset=UTF-8\r\n"
             "\r\n"
             "T=3Dfiring\r\n"
             "--%s\r\n"
             "Content-Transfer-Encoding: quoted-printable\r\n"
             "Content-Type: text/html; charset=UTF-8\r\n"
             "\r\n"
             "<b>&lt;&amp;&gt;</b>\r\n"
             "--%s--\r\n",
             id, boundary, boundary, boundary, boundary);
    assert_string_equal(sim.sent[0].body, expected);
    sim_close(&sim);
}

static void settings_say_how_it_goes(void **state)
{
    (void)state;
    static const struct {
        const char *settings, *url, *mail;
    } cases[] = {
        {SENDER ", require_tls: false, auth_username: u, auth_password: p",
         "smtp://mx.test:25/%6C%6F%63%61%6C%68%6F%73%74",
         "me@example.org > you@example.org user=u password=p"},
        {SENDER ", auth_username: u, auth_secret: s, auth_identity: i",
         "smtp://mx.test:25/%6C%6F%63%61%6C%68%6F%73%74",
         "me@example.org > you@example.org starttls plain user=u identity=i secret=s"},
        {SENDER ", auth_password: p", "smtp://mx.test:25/%6C%6F%63%61%6C%68%6F%73%74",
         "me@example.org > you@example.org starttls"},
        {SENDER ", force_implicit_tls: true, hello: 'a/b'", "smtps://mx.test:25/%61%2F%62",
         "me@example.org > you@example.org"},
        {"from: 'Me <me@example.org>', to: 'A <a@example.org>, \"B, C\" <b@example.org>, "
         "{{ .CommonLabels.alertname }}@example.org (by hand)'",
         "smtp://mx.test:25/%6C%6F%63%61%6C%68%6F%73%74",
         "me@example.org > a@example.org b@example.org A@example.org starttls"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_with(cases[i].settings);
        fire("alertname=A", "");
        if (sim.sent_count != 1)
            fail_msg("%s: %s", cases[i].settings, buf_text(&sim.pages));
        assert_string_equal(sim.sent[0].url, cases[i].url);
        assert_string_equal(sim.sent[0].mail, cases[i].mail);
        sim_close(&sim);
    }
}

static int read_password(struct world *world, const char *path, struct buf *out, struct err *why)
{
    (void)world;
    (void)why;
    assert_string_equal(path, "/etc/password");
    buf_puts(out, "from the file\n");
    return 0;
}

static void a_password_beside_its_file_is_no_mistake_and_the_file_counts(void **state)
{
    (void)state;
    open_with(SENDER ", auth_username: u, auth_password: p, auth_password_file: /etc/password");
    sim.world.world.read_file = read_password;
    fire("alertname=A", "");
    assert_int_equal(sim.sent_count, 1);
    assert_string_equal(sim.sent[0].mail,
                        "me@example.org > you@example.org starttls plain user=u password=from the file");
    sim_close(&sim);
}

static void port_465_is_tls_from_the_start_unless_told_otherwise(void **state)
{
    (void)state;
    sim_open(&sim, ROUTES "  - {smarthost: 'mx.test:465', " SENDER "}\n"
                          "  - {smarthost: 'mx.test:465', " SENDER ", force_implicit_tls: false}\n");
    sim.status = 250;
    fire("alertname=A", "");
    assert_int_equal(sim.sent_count, 2);
    assert_true(strncmp(sim.sent[0].url, "smtps://mx.test:465/", 20) == 0);
    assert_string_equal(sim.sent[0].mail, "me@example.org > you@example.org");
    assert_true(strncmp(sim.sent[1].url, "smtp://mx.test:465/", 19) == 0);
    assert_string_equal(sim.sent[1].mail, "me@example.org > you@example.org starttls");
    sim_close(&sim);
}

static void nothing_from_outside_becomes_a_header_or_a_recipient(void **state)
{
    (void)state;
    open_with(SENDER ", headers: {Subject: '{{ \"a\\r\\nBcc: x@evil\\n\\nb\\x00c\\x7f\" }}', X-Empty: '', "
                     "Reply-To: '{{ \"r@example.org\\nBcc: y@evil\" }}'}");
    fire("alertname=A", "");
    expect_header("Subject", "a Bcc: x@evil b c");
    expect_header("Reply-To", "r@example.org Bcc: y@evil");
    expect_header("X-Empty", "");
    assert_null(header("Bcc"));
    sim_close(&sim);
    open_with("from: me@example.org, to: '{{ \"a@example.org>\\r\\nRCPT TO:<b@evil\" }}'");
    fire("alertname=A", "");
    assert_int_equal(sim.sent_count, 0);
    assert_non_null(
        strstr(buf_text(&sim.pages), "failed x.y 1 0 f1 r0 first notification: parse to addresses"));
    sim_close(&sim);
}

static void what_is_not_ascii_is_encoded(void **state)
{
    (void)state;
    open_with("from: 'T\xc3\xb6"
              "csin <me@example.org>', to: 'Ops T\xc3\xab"
              "am <a@example.org>, b@example.org', headers: {Subject: "
              "'\xc3\x9c=? _ {{ \"\\xff\" }}', X-Long: "
              "'\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82"
              "\xac'}");
    fire("alertname=A", "");
    expect_header("From", "=?utf-8?q?T=C3=B6csin?=\r\n <me@example.org>");
    expect_header("To", "=?utf-8?q?Ops_T=C3=ABam?=\r\n <a@example.org>,\r\n b@example.org");
    expect_header("Subject", "=?utf-8?q?=C3=9C=3D=3F_=5F_=EF=BF=BD?=");
    expect_header("X-Long", "=?utf-8?q?=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC?=\r\n "
                            "=?utf-8?q?=E2=82=AC?=");
    sim_close(&sim);
}

static void mails_of_a_group_share_a_thread(void **state)
{
    (void)state;
    open_with(SENDER ", threading: {enabled: true, thread_by_date: daily}");
    fire("alertname=A", "");
    expect_header("References", "<alert-ad4b39d3af6c5f08-2026-11-22@alertmanager>");
    expect_header("In-Reply-To", "<alert-ad4b39d3af6c5f08-2026-11-22@alertmanager>");
    sim_close(&sim);
    open_with(SENDER ", threading: {enabled: true, thread_by_date: none}");
    fire("alertname=A", "");
    expect_header("References", "<alert-ad4b39d3af6c5f08-@alertmanager>");
    sim_close(&sim);
    open_with(SENDER);
    fire("alertname=A", "");
    assert_null(header("References"));
    sim_close(&sim);
}

static void own_headers_take_the_place_of_ours(void **state)
{
    (void)state;
    open_with(SENDER
              ", headers: {message-ID: <mine@x>, date: today, To: team, mime-version: 9, content-type: t}");
    fire("alertname=A", "");
    expect_header("Message-Id", "<mine@x>");
    expect_header("Date", "today");
    expect_header("To", "team");
    expect_header("MIME-Version", "1.0");
    assert_string_equal(sim.sent[0].mail, "me@example.org > you@example.org starttls");
    sim_close(&sim);
}

static void text_is_quoted_printable(void **state)
{
    (void)state;
    open_with(
        SENDER
        ", html: '', text: \"a = b \\n.\\r\\ntrail\\t\\n\\u00e4 123456789 123456789 123456789 123456789 "
        "123456789 123456789 123456789 123456789 end \"");
    fire("alertname=A", "");
    const char *body = strstr(sim.sent[0].body, "text/plain; charset=UTF-8\r\n\r\n");
    assert_non_null(body);
    body += strlen("text/plain; charset=UTF-8\r\n\r\n");
    const char *end = strstr(body, "\r\n--");
    static const char expected[] =
        "a =3D b=20\r\n.\r\ntrail=09\r\n=C3=A4 123456789 123456789 123456789 123456789 123456789 123456789 "
        "12345678=\r\n9 123456789 end=20";
    assert_int_equal(end - body, strlen(expected));
    assert_memory_equal(body, expected, strlen(expected));
    assert_null(strstr(sim.sent[0].body, "text/html"));
    sim_close(&sim);
}

static void refusals_are_final_and_trouble_is_not(void **state)
{
    (void)state;
    open_with(SENDER);
    sim.status = 550;
    sim.answer = "550 5.1.1 nobody";
    fire("alertname=A", "");
    sim_until(&sim, 9000);
    assert_int_equal(sim.sent_count, 1);
    assert_non_null(strstr(buf_text(&sim.pages), "1000 failed x.y 1 550 f1 r0 first notification: "
                                                 "the mail server refused: 550 5.1.1 nobody\n"));
    sim_close(&sim);
    open_with(SENDER);
    sim.status = 451;
    sim.answer = "451 later";
    fire("alertname=A", "");
    sim.status = 250;
    sim_until(&sim, 9000);
    assert_int_equal(sim.sent_count, 2);
    sim_close(&sim);
}

static void a_template_that_fails_sends_nothing(void **state)
{
    (void)state;
    static const char *const settings[] = {SENDER ", html: '{{ .Nope }}'",
                                           SENDER ", text: '{{ template \"nope\" }}'",
                                           SENDER ", headers: {X: '{{ .Nope }}'}",
                                           "to: a@example.org, from: '{{ .Nope }}'",
                                           "to: a@example.org, from: 'a@example.org, b@example.org'",
                                           "to: nobody, from: a@example.org"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        open_with(settings[i]);
        fire("alertname=A", "");
        assert_int_equal(sim.sent_count, 0);
        assert_non_null(strstr(buf_text(&sim.pages), "1000 failed x.y 1 0"));
        sim_close(&sim);
    }
}

static void a_starved_arena_is_a_limit_not_a_crash(void **state)
{
    (void)state;
    size_t sent = 0, starved = 0;
    for (int64_t cap = 256; cap < 2000000; cap += cap / 4) {
        open_with(
            "from: 'M\xc3\xab <me@example.org>', to: 'a@example.org, \"B\" <b@example.org>', auth_username: "
            "u, "
            "auth_password: p, text: '{{ .Status }}', threading: {enabled: true, thread_by_date: daily}");
        limits.flush_arena_bytes = cap;
        fire("alertname=A", "x=y");
        limits.flush_arena_bytes = limits_default.flush_arena_bytes;
        sent += sim.sent_count;
        starved += sim.sent_count == 0;
        sim_close(&sim);
    }
    assert_true(sent > 0 && starved > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mail_is_what_alertmanager_writes),
        cmocka_unit_test(settings_say_how_it_goes),
        cmocka_unit_test(a_password_beside_its_file_is_no_mistake_and_the_file_counts),
        cmocka_unit_test(port_465_is_tls_from_the_start_unless_told_otherwise),
        cmocka_unit_test(nothing_from_outside_becomes_a_header_or_a_recipient),
        cmocka_unit_test(what_is_not_ascii_is_encoded),
        cmocka_unit_test(mails_of_a_group_share_a_thread),
        cmocka_unit_test(own_headers_take_the_place_of_ours),
        cmocka_unit_test(text_is_quoted_printable),
        cmocka_unit_test(refusals_are_final_and_trouble_is_not),
        cmocka_unit_test(a_template_that_fails_sends_nothing),
        cmocka_unit_test(a_starved_arena_is_a_limit_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
