#include "tocsin/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>

#include <stdio.h>

static void has_parts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *parts; /* scheme user authority host port */
    } table[] = {
        {"http://u:p@h:80/x?y#z", "http|u:p|h:80|h|80"},
        {"https://[::1]:9093/a@b", "https||[::1]:9093|::1|9093"},
        {"http://a@b@c", "http|a@b|c|c|"},
        {"http://h", "http||h|h|"},
        {"http://h:", "http||h:|h|"},
        {"foo", "||||"},
        {"foo:9090", "foo||||"},
        {"//h/x", "||h|h|"},
        {"http://h?x=%zz", "http||h|h|"}, /* a query is not looked into */
        {"", "||||"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct url u;
        char parts[256];
        assert_int_equal(url_parse(str_of(table[i].text), &u, NULL), 0);
        snprintf(parts, sizeof parts, "%.*s|%.*s|%.*s|%.*s|%.*s", STR_ARG(u.scheme), STR_ARG(u.user),
                 STR_ARG(u.authority), STR_ARG(u.host), STR_ARG(u.port));
        assert_string_equal(parts, table[i].parts);
    }
}

static void is_refused_in_go_s_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } table[] = {
        {":80", "parse \":80\": missing protocol scheme"},
        {"http://h/\n", "parse \"http://h/\\n\": net/url: invalid control character in URL"},
        {"http://h/%zz", "parse \"http://h/%zz\": invalid URL escape \"%zz\""},
        {"http://h/?a#%1", "parse \"http://h/?a#%1\": invalid URL escape \"%1\""},
        {"http://[::1", "parse \"http://[::1\": missing ']' in host"},
        {"http://h:x", "parse \"http://h:x\": invalid port \":x\" after host"},
        {"http://u:pw@h:x", "parse \"http://u:xxxxx@h:x\": invalid port \":x\" after host"}, /* Go shows it */
        {"http://a b", "parse \"http://a b\": invalid character \" \" in host name"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct url u;
        struct err err = {0};
        assert_int_equal(url_parse(str_of(table[i].text), &u, &err), ERR_PARSE);
        assert_string_equal(err.text, table[i].why);
    }
}

static void its_password_is_not_printed(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"http://u:pw@h/x", "http://u:xxxxx@h/x"},
        {"http://u@h/x", "http://u@h/x"},
        {"http://h:80/", "http://h:80/"},
        {"http://u:a:b@h", "http://u:xxxxx@h"},
        {"http://u:a%b@h", "http://u:xxxxx@h"}, /* no URL for Go */
        {"//u:a@h:x", "//u:xxxxx@h:x"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct buf out;
        buf_init(&out, 256);
        url_print_redacted(&out, str_of(table[i][0]));
        assert_string_equal(buf_text(&out), table[i][1]);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_parts),
        cmocka_unit_test(is_refused_in_go_s_words),
        cmocka_unit_test(its_password_is_not_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
