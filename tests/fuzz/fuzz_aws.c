/* AWS' texts: a credentials file, and an answer. What is found in them is a part of them, and can be a header or a key. */
#include "../../engine/notify/aws_priv.h"
#include "tocsin/check.h"

static void check_part(struct str part, struct str whole)
{
    must(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void check_profile(struct str file)
{
    static const char *const keys[] = {"aws_access_key_id", "aws_secret_access_key", "region"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct str value = aws_profile_value(file, STR("default"), keys[i]);
        check_part(value, file);
        must(str_eq(value, str_trim(value)));
        must(str_find_char(value, '\n') == value.n);
    }
}

static void check_answer(struct str xml)
{
    static const char *const tags[] = {"Message", "Code", "AccessKeyId"};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        check_part(aws_answer_text(xml, tags[i]), xml);
    struct net_answer answer = {.status = 400, .body = xml};
    struct err err = {0};
    enum exchange_verdict verdict = aws_judge(&answer, &err);
    must(verdict == EXCHANGE_RETRY || verdict == EXCHANGE_REFUSED);
    answer.status = 200;
    struct aws_login login = {.region = STR("r")};
    verdict = aws_judge_role(&answer, &login, &err);
    must(verdict == EXCHANGE_MORE || verdict == EXCHANGE_REFUSED);
    must(verdict == EXCHANGE_REFUSED || login.session_token.n > 0);
    check_part(login.session_token, xml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    check_profile(text);
    check_answer(text);
    return 0;
}
