#include "integration_sim.h"

#include <unistd.h>

/* ---- Rocket.Chat ---- */

#define ROCKET_HEADERS JSON_HEADER "X-Auth-Token: tok\nX-User-Id: id\n"

static void rocketchat_gets_one_attachment(void **state)
{
    (void)state;
    open_with("rocketchat_configs", "{token: tok, token_id: id, send_resolved: true}");
    sim.answer = "{\"success\":true}";
    fire();
    end_all();
    expect_sent(0, "POST", "https://open.rocket.chat/api/v1/chat.postMessage", ROCKET_HEADERS,
                "{\"attachments\":[{\"title\":\"[FIRING:2] A (critical)\",\"title_link\":"
                "\"http://am/#/alerts?receiver=x%5C.y\",\"color\":\"red\"}]}\n");
    expect_sent(1, "POST", "https://open.rocket.chat/api/v1/chat.postMessage", ROCKET_HEADERS,
                "{\"attachments\":[{\"title\":\"[RESOLVED] A (critical)\",\"title_link\":"
                "\"http://am/#/alerts?receiver=x%5C.y\",\"color\":\"green\"}]}\n");
    sim_close(&sim);
}

static void rocketchat_gets_fields_and_buttons(void **state)
{
    (void)state;
    open_with(
        "rocketchat_configs",
        "{api_url: http://r, token: tok, token_id: id, channel: '#{{ .Status }}', emoji: ':x:', icon_url: "
        "http://i, title: t, title_link: '', text: x, image_url: http://m, thumb_url: http://t, color: c, "
        "short_fields: true, link_names: true, fields: [{title: a, value: '{{ .Status }}'}, {title: b, "
        "short: "
        "false}], actions: [{type: other, text: go, url: 'http://{{ .Status }}', msg: m, iswebview: true}, "
        "{text: t, msginchatwindow: true}]}");
    sim.answer = "{\"success\":true}";
    fire();
    expect_sent(
        0, "POST", "http://r/api/v1/chat.postMessage", ROCKET_HEADERS,
        "{\"channel\":\"#firing\",\"emoji\":\":x:\",\"avatar\":\"http://i\",\"attachments\":[{\"title\":"
        "\"t\",\"text\":\"x\",\"image_url\":\"http://m\",\"thumb_url\":\"http://t\",\"color\":\"c\","
        "\"fields\":[{\"short\":true,\"title\":\"a\",\"value\":\"firing\"},{\"short\":false,\"title\":"
        "\"b\"}],\"actions\":[{\"type\":\"button\",\"text\":\"go\",\"url\":\"http://firing\","
        "\"is_webview\":false,\"msg\":\"m\",\"msg_in_chat_window\":false},{\"type\":\"button\",\"text\":"
        "\"t\",\"is_webview\":false,\"msg_in_chat_window\":false}]}]}\n");
    sim_close(&sim);
}

static void rocketchat_says_what_was_wrong(void **state)
{
    (void)state;
    open_with("rocketchat_configs", "{token: t, token_id: i}");
    sim.answer = "{\"success\":false,\"error\":\"[invalid-channel]\"}";
    fire();
    expect_pages("1000 failed x.y 1 200 f2 r0 first notification: error response from Rocketchat: "
                 "[invalid-channel]\n");
    sim_close(&sim);
}

/* ---- Mattermost ---- */

static void mattermost_gets_an_attachment_of_the_settings(void **state)
{
    (void)state;
    open_with("mattermost_configs", "{webhook_url: http://m, text: 't {{ .Status }}'}");
    fire();
    end_all();
    expect_sent(0, "POST", "http://m", JSON_HEADER,
                "{\"username\":\"Alertmanager\",\"attachments\":[{\"fallback\":\"[FIRING:2] A (critical) | "
                "http://am/#/alerts?receiver=x%5C.y\",\"color\":\"danger\",\"text\":\"t firing\",\"title\":"
                "\"[FIRING:2] A (critical)\",\"title_link\":\"http://am/#/alerts?receiver=x%5C.y\"}]}\n");
    expect_sent(1, "POST", "http://m", JSON_HEADER,
                "{\"username\":\"Alertmanager\",\"attachments\":[{\"fallback\":\"[RESOLVED] A (critical) | "
                "http://am/#/alerts?receiver=x%5C.y\",\"color\":\"good\",\"text\":\"t resolved\",\"title\":"
                "\"[RESOLVED] A (critical)\",\"title_link\":\"http://am/#/alerts?receiver=x%5C.y\"}]}\n");
    sim_close(&sim);
}

static void mattermost_gets_every_setting(void **state)
{
    (void)state;
    open_with(
        "mattermost_configs",
        "{webhook_url: http://m, channel: c, username: u, text: t, fallback: f, color: '#000', pretext: p, "
        "author_name: an, author_link: al, author_icon: ai, title: ti, title_link: tl, fields: [{title: a, "
        "value: '{{ .Status }}', short: true}, {title: b, value: v, short: false}, {title: c, value: w}], "
        "thumb_url: th, footer: fo, footer_icon: fi, image_url: im, icon_url: iu, icon_emoji: ie, type: "
        "custom_x, props: {card: '{{ .Status }}'}, priority: {priority: Urgent, requested_ack: true, "
        "persistent_notifications: true}}");
    fire();
    expect_sent(
        0, "POST", "http://m", JSON_HEADER,
        "{\"channel\":\"c\",\"username\":\"u\",\"icon_url\":\"iu\",\"icon_emoji\":\"ie\",\"attachments\":"
        "[{\"fallback\":\"f\",\"color\":\"#000\",\"pretext\":\"p\",\"text\":\"t\",\"author_name\":\"an\","
        "\"author_link\":\"al\",\"author_icon\":\"ai\",\"title\":\"ti\",\"title_link\":\"tl\",\"fields\":"
        "[{\"title\":\"a\",\"value\":\"firing\",\"short\":true},{\"title\":\"b\",\"value\":\"v\","
        "\"short\":false},{\"title\":\"c\",\"value\":\"w\"}],\"thumb_url\":\"th\",\"footer\":\"fo\","
        "\"footer_icon\":\"fi\",\"image_url\":\"im\"}],\"type\":\"custom_x\",\"props\":{\"card\":"
        "\"firing\"},\"priority\":{\"priority\":\"urgent\",\"requested_ack\":true,"
        "\"persistent_notifications\":true}}\n");
    sim_close(&sim);
}

static void mattermost_s_own_attachments_leave_the_text_to_the_message(void **state)
{
    (void)state;
    open_with("mattermost_configs", "{webhook_url: http://m, text: '{{ printf \"%016384d\" 1 }}', "
                                    "attachments: [{title: '{{ .Status }}'}, "
                                    "{text: x, fields: [{title: a, value: b}]}]}");
    fire();
    const char *body = sim.sent[0].body, *text = "{\"text\":\"";
    assert_memory_equal(body, text, strlen(text));
    assert_int_equal(strspn(body + strlen(text), "0"), 16382);
    assert_string_equal(
        body + strlen(text) + 16382,
        "\xe2\x80\xa6\",\"username\":\"Alertmanager\",\"attachments\":[{\"title\":\"firing\"},"
        "{\"text\":\"x\",\"fields\":[{\"title\":\"a\",\"value\":\"b\"}]}]}\n");
    sim_close(&sim);
}

static void mattermost_s_flags_go_with_its_priority(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"priority: important", "{\"priority\":\"important\",\"requested_ack\":true}"},
        {"priority: STANDARD", "{\"priority\":\"standard\"}"},
        {"priority: '{{ .Status }}'", "{\"priority\":\"standard\"}"},
        {"priority: urgent",
         "{\"priority\":\"urgent\",\"requested_ack\":true,\"persistent_notifications\":true}"},
        {"priority: ''", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char settings[512];
        snprintf(
            settings, sizeof settings,
            "{webhook_url: http://m, priority: {%s, requested_ack: true, persistent_notifications: true}}",
            cases[i][0]);
        open_with("mattermost_configs", settings);
        fire();
        const char *found = strstr(sim.sent[0].body, ",\"priority\":{");
        assert_true((found != NULL) == (cases[i][1] != NULL));
        if (found != NULL) {
            char expected[256];
            snprintf(expected, sizeof expected, ",\"priority\":%s}\n", cases[i][1]);
            assert_string_equal(found, expected);
        }
        sim_close(&sim);
    }
}

/* ---- Webex ---- */

static void webex_gets_markdown_for_a_room(void **state)
{
    (void)state;
    open_with("webex_configs", "{message: '*{{ .Status }}*', room_id: 'r{{ len .Alerts }}', http_config: "
                               "{authorization: {credentials: bot}}}");
    fire();
    end_all();
    expect_sent(0, "POST", "https://webexapis.com/v1/messages", JSON_HEADER,
                "{\"markdown\":\"*firing*\",\"roomId\":\"r3\"}\n");
    assert_string_equal(sim.sent[0].credentials, "bot");
    expect_sent(1, "POST", "https://webexapis.com/v1/messages", JSON_HEADER,
                "{\"markdown\":\"*resolved*\",\"roomId\":\"r2\"}\n");
    sim_close(&sim);
}

static void webex_cuts_between_letters(void **state)
{
    (void)state;
    /* 7435 digits and letters of two bytes: the first of these would end behind 7436 bytes, and goes whole. */
    open_with("webex_configs",
              "{api_url: http://w, message: '{{ printf \"%07435d\" 1 }}\xc3\xa4\xc3\xa4\xc3\xa4', "
              "room_id: r, http_config: {authorization: {credentials: bot}}}");
    fire();
    const char *body = sim.sent[0].body, *head = "{\"markdown\":\"";
    assert_memory_equal(body, head, strlen(head));
    assert_int_equal(strspn(body + strlen(head), "01"), 7435);
    assert_string_equal(body + strlen(head) + 7435, "\xe2\x80\xa6\",\"roomId\":\"r\"}\n");
    sim_close(&sim);
}

/* ---- WeChat ---- */

#define TOKEN_ANSWER "{\"errcode\":0,\"errmsg\":\"ok\",\"access_token\":\"a b\",\"expires_in\":7200}"
#define SENT_ANSWER "{\"errcode\":0,\"errmsg\":\"ok\"}"

/* Answers the request for a token, so that the message is sent and waits. */
static void fire_with_token(const char *settings)
{
    open_with("wechat_configs", settings);
    sim.hold = true;
    sim.answer = TOKEN_ANSWER;
    fire();
    sim_release(&sim);
    sim_until(&sim, 1000);
}

static void answer_message(const char *answer)
{
    sim.answer = answer;
    sim_release(&sim);
    sim_until(&sim, 1000);
}

static void wechat_asks_for_a_token_and_sends_with_it(void **state)
{
    (void)state;
    fire_with_token("{api_url: http://w/cgi, api_secret: 's&{{ .Status }}', corp_id: c, message: 'm {{ "
                    ".Status }}', to_user: "
                    "'@all', to_party: p, to_tag: t, agent_id: '7'}");
    assert_int_equal(sim.sent_count, 2);
    expect_sent(0, "GET", "http://w/cgi/gettoken?corpid=c&corpsecret=s%26firing", "", "");
    expect_sent(1, "POST", "http://w/cgi/message/send?access_token=a+b", JSON_HEADER,
                "{\"text\":{\"content\":\"m firing\"},\"touser\":\"@all\",\"toparty\":\"p\",\"totag\":\"t\","
                "\"agentid\":\"7\",\"safe\":\"0\",\"msgtype\":\"text\",\"markdown\":{\"content\":\"\"}}\n");
    assert_int_equal(sim.pages.used, 0);
    answer_message(SENT_ANSWER);
    expect_pages("1000 delivered x.y 1 200 f2 r0 first notification\n");
    sim_close(&sim);
}

static void wechat_takes_markdown(void **state)
{
    (void)state;
    fire_with_token("{api_secret: s, corp_id: c, message: m, message_type: markdown}");
    expect_sent(
        1, "POST", "https://qyapi.weixin.qq.com/cgi-bin/message/send?access_token=a+b", JSON_HEADER,
        "{\"text\":{\"content\":\"\"},\"safe\":\"0\",\"msgtype\":\"markdown\",\"markdown\":{\"content\":"
        "\"m\"}}\n");
    answer_message(SENT_ANSWER);
    sim_close(&sim);
}

static void wechat_gets_a_new_token_when_the_old_one_has_run_out(void **state)
{
    (void)state;
    fire_with_token("{api_secret: s, corp_id: c}");
    answer_message("{\"errcode\":42001,\"errmsg\":\"access_token expired\"}");
    expect_pages("1000 retrying x.y 1 200 f2 r0 first notification: access_token expired\n");
    sim_until(&sim, 3000);
    assert_int_equal(sim.sent_count, 3);
    assert_string_equal(sim.sent[2].url, sim.sent[0].url);
    sim.answer = TOKEN_ANSWER;
    sim_release(&sim);
    sim_until(&sim, 3000);
    answer_message(SENT_ANSWER);
    assert_non_null(strstr(buf_text(&sim.pages), " delivered x.y 2 200"));
    sim_close(&sim);
}

static void wechat_says_what_was_wrong(void **state)
{
    (void)state;
    fire_with_token("{api_secret: s, corp_id: c}");
    answer_message("{\"errcode\":60011,\"errmsg\":\"no privilege\"}");
    expect_pages("1000 failed x.y 1 200 f2 r0 first notification: no privilege\n");
    sim_close(&sim);
    open_with("wechat_configs", "{api_secret: s, corp_id: c}");
    sim.answer = "{\"errcode\":40001,\"errmsg\":\"invalid credential\"}";
    fire();
    assert_int_equal(sim.sent_count, 1);
    expect_pages("1000 failed x.y 1 200 f2 r0 first notification: invalid APISecret for CorpID: invalid "
                 "credential\n");
    sim_close(&sim);
}

/* ---- Telegram ---- */

static void telegram_gets_escaped_html(void **state)
{
    (void)state;
    open_with("telegram_configs",
              "{bot_token: 'b:t', chat_id: -17, message: '<b>{{ .Status }}</b> {{ \"<&\\\">\" }}'}");
    sim.answer = "{\"ok\":true,\"result\":{\"message_id\":1,\"chat\":{\"id\":-17}}}";
    fire();
    end_all();
    expect_sent(0, "POST", "https://api.telegram.org/botb:t/sendMessage", JSON_HEADER,
                "{\"chat_id\":\"-17\",\"disable_web_page_preview\":\"true\",\"parse_mode\":\"HTML\",\"text\":"
                "\"\\u003cb\\u003efiring\\u003c/b\\u003e \\u0026lt;\\u0026amp;\\u0026#34;\\u0026gt;\"}\n");
    assert_int_equal(sim.sent_count, 2);
    assert_non_null(strstr(sim.sent[1].body, "resolved"));
    sim_close(&sim);
}

static void telegram_s_other_modes_take_texts_as_they_are(void **state)
{
    (void)state;
    open_with("telegram_configs",
              "{api_url: http://t, bot_token: b, chat_id: 5, message_thread_id: 7, parse_mode: '', "
              "disable_notifications: true, message: '{{ \"<\" }}{{ printf \"%04096d\" 1 }}'}");
    sim.answer = "{\"ok\":true}";
    fire();
    const char *head =
        "{\"chat_id\":\"5\",\"disable_notification\":\"true\",\"disable_web_page_preview\":\"true\","
        "\"message_thread_id\":\"7\",\"text\":\"\\u003c";
    const char *body = sim.sent[0].body;
    assert_string_equal(sim.sent[0].url, "http://t/botb/sendMessage");
    assert_memory_equal(body, head, strlen(head));
    assert_int_equal(strspn(body + strlen(head), "0"), 4094);
    assert_string_equal(body + strlen(head) + 4094, "\xe2\x80\xa6\"}\n");
    sim_close(&sim);
}

static void telegram_gets_no_cut_html(void **state)
{
    (void)state;
    static const char *const lengths[][2] = {{"4096", "\"text\":\"0000"},
                                             {"4097", "exceeds Telegram limits."}};
    for (size_t i = 0; i < 2; i++) {
        char settings[128];
        snprintf(settings, sizeof settings,
                 "{bot_token: b, chat_id: 5, message: '{{ printf \"%%0%sd\" 1 }}'}", lengths[i][0]);
        open_with("telegram_configs", settings);
        fire();
        assert_non_null(strstr(sim.sent[0].body, lengths[i][1]));
        sim_close(&sim);
    }
}

static void telegram_s_token_and_chat_may_be_in_files(void **state)
{
    (void)state;
    static const char *const contents[][2] = {{"-12\n", NULL}, {"twelve", "could not parse chat_id from"}};
    for (size_t i = 0; i < 2; i++) {
        char path[] = "/tmp/tocsin-telegram-XXXXXX", settings[256];
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, contents[i][0], strlen(contents[i][0])), strlen(contents[i][0]));
        close(fd);
        snprintf(settings, sizeof settings, "{bot_token_file: %s, chat_id_file: %s}", path, path);
        open_with("telegram_configs", settings);
        fire();
        assert_int_equal(sim.sent_count, contents[i][1] == NULL);
        if (contents[i][1] == NULL) {
            assert_string_equal(sim.sent[0].url, "https://api.telegram.org/bot-12/sendMessage");
            assert_non_null(strstr(sim.sent[0].body, "{\"chat_id\":\"-12\","));
        } else {
            assert_non_null(strstr(buf_text(&sim.pages), contents[i][1]));
        }
        remove(path);
        sim_close(&sim);
    }
}

static void telegram_is_tried_again_whatever_it_says(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *answer, *why;
    } cases[] = {
        {400, "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: chat not found\"}",
         "telegram: Bad Request: chat not found (400)"},
        {404, "nope", "unexpected status code 404: nope"},
        {200, "{\"ok\":false,\"error_code\":1,\"description\":\"d\"}", "telegram: d (1)"},
        {200, "<html>", ""},
        {0, "", "connection refused"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_with("telegram_configs", "{bot_token: b, chat_id: 5}");
        sim.status = cases[i].status;
        sim.answer = cases[i].answer;
        fire();
        assert_non_null(strstr(buf_text(&sim.pages), "1000 retrying x.y 1 "));
        if (strstr(buf_text(&sim.pages), cases[i].why) == NULL)
            fail_msg("%s", buf_text(&sim.pages));
        sim_close(&sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rocketchat_gets_one_attachment),
        cmocka_unit_test(rocketchat_gets_fields_and_buttons),
        cmocka_unit_test(rocketchat_says_what_was_wrong),
        cmocka_unit_test(mattermost_gets_an_attachment_of_the_settings),
        cmocka_unit_test(mattermost_gets_every_setting),
        cmocka_unit_test(mattermost_s_own_attachments_leave_the_text_to_the_message),
        cmocka_unit_test(mattermost_s_flags_go_with_its_priority),
        cmocka_unit_test(webex_gets_markdown_for_a_room),
        cmocka_unit_test(webex_cuts_between_letters),
        cmocka_unit_test(wechat_asks_for_a_token_and_sends_with_it),
        cmocka_unit_test(wechat_takes_markdown),
        cmocka_unit_test(wechat_gets_a_new_token_when_the_old_one_has_run_out),
        cmocka_unit_test(wechat_says_what_was_wrong),
        cmocka_unit_test(telegram_gets_escaped_html),
        cmocka_unit_test(telegram_s_other_modes_take_texts_as_they_are),
        cmocka_unit_test(telegram_gets_no_cut_html),
        cmocka_unit_test(telegram_s_token_and_chat_may_be_in_files),
        cmocka_unit_test(telegram_is_tried_again_whatever_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
