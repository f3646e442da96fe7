#include "../../engine/notify/sigv4_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HOST                                      \
    {                                             \
        STR("host"), STR("example.amazonaws.com") \
    }
#define DATE                                       \
    {                                              \
        STR("x-amz-date"), STR("20150830T123600Z") \
    }

/* The login and the moment of AWS' test suite. */
static void expect(const struct label *headers, size_t count, const char *path, const char *body,
                   const char *names, const char *signature)
{
    struct sigv4 s = {.access_key = STR("AKIDEXAMPLE"),
                      .secret_key = STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                      .region = STR("us-east-1"),
                      .service = STR("service"),
                      .date = STR("20150830T123600Z"),
                      .method = STR("POST"),
                      .path = str_of(path),
                      .headers = headers,
                      .header_count = count,
                      .body = str_of(body)};
    struct buf out, wanted;
    buf_init(&out, 4096);
    buf_init(&wanted, 4096);
    buf_format(&wanted,
               "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
               "SignedHeaders=%s, Signature=%s",
               names, signature);
    sigv4_authorize(&out, &s);
    assert_string_equal(buf_text(&out), buf_text(&wanted));
    assert_false(buf_overflow(&out));
    buf_release(&out);
    buf_release(&wanted);
}

#define TOKEN                                                                                                \
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTf" \
    "lfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HF" \
    "vlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr" \
    "4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

/* Cases of AWS' signature test suite: post-vanilla, post-sts-header-before, post-x-www-form-urlencoded (in its two editions). */
static void signatures_are_those_of_the_test_suite(void **state)
{
    (void)state;
    const struct label plain[] = {HOST, DATE};
    const struct label with_token[] = {HOST, DATE, {STR("x-amz-security-token"), STR(TOKEN)}};
    const struct label with_type[] = {
        {STR("content-type"), STR("application/x-www-form-urlencoded")}, HOST, DATE};
    const struct label all[] = {{STR("content-length"), STR("13")},
                                {STR("content-type"), STR("application/x-www-form-urlencoded")},
                                HOST,
                                {STR("x-amz-content-sha256"),
                                 STR("9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e")},
                                DATE};
    expect(plain, 2, "/", "", "host;x-amz-date",
           "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    expect(plain, 2, "", "", "host;x-amz-date",
           "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    expect(with_token, 3, "/", "", "host;x-amz-date;x-amz-security-token",
           "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
    expect(with_type, 3, "/", "Param1=value1", "content-type;host;x-amz-date",
           "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
    expect(all, 5, "/", "Param1=value1", "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
           "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b");
}

/* A path is escaped once more: /a%20b+c is computed with as /a%2520b%2Bc (by an HMAC of our own in Python). */
static void paths_are_escaped_twice(void **state)
{
    (void)state;
    const struct label plain[] = {HOST, DATE};
    expect(plain, 2, "/a%20b+c", "", "host;x-amz-date",
           "546dbe1df5d596df11ef1a10120828067ada54dfe3c11dd28ec94ea39d10e6c9");
}

static void blanks_around_values_do_not_count(void **state)
{
    (void)state;
    const struct label blank[] = {{STR("host"), STR(" example.amazonaws.com\t")}, DATE};
    expect(blank, 2, "/", "", "host;x-amz-date",
           "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

static void dates_are_utc_without_signs(void **state)
{
    (void)state;
    char date[SIGV4_DATE_BYTES];
    sigv4_date(1440938160, date);
    assert_string_equal(date, "20150830T123600Z");
    sigv4_date(0, date);
    assert_string_equal(date, "19700101T000000Z");
}

static void what_has_no_room_overflows(void **state)
{
    (void)state;
    struct sigv4 s = {.date = STR("20150830T123600Z"), .region = STR("us-east-1"), .service = STR("sns")};
    struct buf out;
    buf_init(&out, 32);
    sigv4_authorize(&out, &s);
    assert_true(buf_overflow(&out));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_the_test_suite),
        cmocka_unit_test(paths_are_escaped_twice),
        cmocka_unit_test(blanks_around_values_do_not_count),
        cmocka_unit_test(dates_are_utc_without_signs),
        cmocka_unit_test(what_has_no_room_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
