#include "aws_priv.h"
#include "sigv4_priv.h"

#include "tocsin/limits.h"
#include "tocsin/url.h"

#include <stdio.h>
#include <stdlib.h>

enum { CREDENTIALS_MAX = 64 << 10 };

/* ---- settings ---- */

static const struct field fields[] = {
    {FIELD(aws_settings, region, text)},
    {FIELD(aws_settings, access_key, text)},
    {FIELD(aws_settings, secret_key, secret)},
    {FIELD(aws_settings, profile, text)},
    {FIELD(aws_settings, role_arn, text)},
    {FIELD(aws_settings, external_id, text)},
    {FIELD(aws_settings, use_fips_sts_endpoint, bool)},
    {FIELD(aws_settings, service_name, text)},
    {.key = NULL},
};

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct aws_settings *settings = target;
    if ((settings->access_key.n == 0) != (settings->secret_key.n == 0))
        strict_fail(s, node,
                    "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the "
                    "SigV4 config");
    else if (settings->external_id.n > 0 && settings->role_arn.n == 0)
        strict_fail(s, node, "external_id can only be used with role_arn");
}

const struct shape aws_shape = {"sigv4.plain", "[]sigv4.SigV4Config", sizeof(struct aws_settings), fields,
                                check};

/* ---- who signs ---- */

static struct str variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? str_of(value) : STR("");
}

static struct str first_of(struct str a, struct str b)
{
    return a.n > 0 ? a : b;
}

struct str aws_profile_value(struct str file, struct str profile, const char *key)
{
    bool inside = false;
    for (struct str rest = file; rest.p != NULL;) {
        struct str line = str_trim(str_cut(&rest, '\n')), value = line;
        if (str_starts(line, STR("[")) && str_ends(line, STR("]")))
            inside = str_eq(str_trim((struct str){line.p + 1, line.n - 2}), profile);
        else if (inside && str_is(str_trim(str_cut(&value, '=')), key) && value.p != NULL)
            return str_trim(value);
    }
    return STR("");
}

static const char *credentials_path(struct exchange *x)
{
    struct str path = variable("AWS_SHARED_CREDENTIALS_FILE");
    if (path.n == 0)
        path = exchange_format(x, "%.*s/.aws/credentials", STR_ARG(variable("HOME")));
    return path.p != NULL ? path.p : "";
}

static void read_profile(struct exchange *x, struct str profile, struct aws_login *login)
{
    struct buf content;
    struct err why = {0};
    const char *path = credentials_path(x);
    buf_init(&content, CREDENTIALS_MAX);
    int rc = x->world->read_file(x->world, path, &content, &why);
    struct str file = str_copy(x->arena, buf_slice(&content));
    buf_release(&content);
    login->access_key = aws_profile_value(file, profile, "aws_access_key_id");
    login->secret_key = aws_profile_value(file, profile, "aws_secret_access_key");
    login->session_token = aws_profile_value(file, profile, "aws_session_token");
    login->region = first_of(login->region, aws_profile_value(file, profile, "region"));
    if (login->access_key.n == 0 || login->secret_key.n == 0)
        exchange_fail(x, ERR_NOT_FOUND,
                      "no AWS credentials: neither sigv4.access_key nor AWS_ACCESS_KEY_ID nor a profile "
                      "\"%.*s\" in %s%s%s",
                      STR_ARG(profile), path, rc != 0 ? ": " : "", rc != 0 ? why.text : "");
}

void aws_find_login(struct exchange *x, const struct aws_settings *settings, struct aws_login *login)
{
    struct aws_login own = {
        .region = settings->region, .access_key = settings->access_key, .secret_key = settings->secret_key};
    struct aws_login outer = {.access_key = variable("AWS_ACCESS_KEY_ID"),
                              .secret_key = variable("AWS_SECRET_ACCESS_KEY"),
                              .session_token = variable("AWS_SESSION_TOKEN")};
    struct str profile = first_of(settings->profile, variable("AWS_PROFILE"));
    own.region = first_of(own.region, variable("AWS_REGION"));
    own.region = first_of(own.region, variable("AWS_DEFAULT_REGION"));
    outer.region = own.region;
    *login = own;
    if (own.access_key.n == 0 && settings->profile.n == 0 && outer.access_key.n > 0 && outer.secret_key.n > 0)
        *login = outer;
    else if (own.access_key.n == 0)
        read_profile(x, first_of(profile, STR("default")), login);
    if (login->region.n == 0)
        exchange_fail(x, ERR_ARG, "region not configured in sns.sigv4.region, AWS_REGION or the profile");
}

/* ---- requests ---- */

struct str aws_url(struct exchange *x, const char *service, struct str region)
{
    const char *country = str_starts(region, STR("cn-")) ? ".cn" : "";
    return exchange_format(x, "https://%s.%.*s.amazonaws.com%s/", service, STR_ARG(region), country);
}

/* As the header will have it: without the port that the scheme has anyway. */
static struct str host_of(const struct url *url)
{
    bool plain = str_eq_nocase(url->scheme, STR("http"));
    if (!str_is(url->port, plain ? "80" : "443"))
        return url->authority;
    return (struct str){url->authority.p, url->authority.n - url->port.n - 1};
}

static struct str path_of(struct exchange *x, const struct url *url, struct str text)
{
    const char *path = url->authority.p + url->authority.n;
    struct str rest = {path, text.n - (size_t)(path - text.p)};
    if (str_find_char(rest, '?') < rest.n || str_find_char(rest, '#') < rest.n)
        exchange_fail(x, ERR_ARG, "the AWS URL has a query");
    return rest;
}

static void sign(struct exchange *x, const struct sigv4 *s)
{
    struct buf value;
    buf_init(&value, (size_t)limits.flush_arena_bytes);
    sigv4_authorize(&value, s);
    if (buf_overflow(&value))
        exchange_fail(x, ERR_LIMIT, "the notification needs more memory than flush_arena_bytes");
    exchange_header(x, "Authorization", buf_slice(&value));
    buf_release(&value);
}

void aws_post(struct exchange *x, struct str text, const char *service, const struct aws_login *login,
              const struct buf *form)
{
    static const struct str type = {"application/x-www-form-urlencoded", 33};
    struct url url = {0};
    char date[SIGV4_DATE_BYTES];
    exchange_url(x, "AWS URL", text);
    if (x->rc == 0)
        x->rc = url_parse(text, &url, &x->why);
    if (x->rc == 0 && buf_overflow(form))
        exchange_fail(x, ERR_LIMIT, "the notification needs more memory than flush_arena_bytes");
    if (x->rc != 0)
        return;
    sigv4_date(x->world->wall_ns(x->world) / NS_PER_S, date);
    struct label headers[] = {{STR("content-type"), type},
                              {STR("host"), host_of(&url)},
                              {STR("x-amz-date"), str_of(date)},
                              {STR("x-amz-security-token"), login->session_token}};
    struct sigv4 s = {.access_key = login->access_key,
                      .secret_key = login->secret_key,
                      .region = login->region,
                      .service = str_of(service),
                      .date = str_of(date),
                      .method = STR("POST"),
                      .path = path_of(x, &url, text),
                      .headers = headers,
                      .header_count = login->session_token.n > 0 ? 4 : 3,
                      .body = buf_slice(form)};
    exchange_header(x, "Content-Type", type);
    exchange_header(x, "X-Amz-Date", str_of(date));
    if (login->session_token.n > 0)
        exchange_header(x, "X-Amz-Security-Token", login->session_token);
    sign(x, &s);
    buf_str(&x->body, buf_slice(form));
}

void aws_ask_role(struct exchange *x, const struct aws_settings *settings, const struct aws_login *login)
{
    struct buf form;
    buf_init(&form, (size_t)limits.flush_arena_bytes);
    exchange_param(&form, "Action", STR("AssumeRole"));
    exchange_param(&form, "Version", STR("2011-06-15"));
    exchange_param(&form, "DurationSeconds", STR("900"));
    if (settings->external_id.n > 0)
        exchange_param(&form, "ExternalId", settings->external_id);
    exchange_param(&form, "RoleArn", settings->role_arn);
    exchange_param(&form, "RoleSessionName", STR("tocsin"));
    aws_post(x, aws_url(x, "sts", login->region), "sts", login, &form);
    buf_release(&form);
}

/* ---- answers ---- */

struct str aws_answer_text(struct str xml, const char *tag)
{
    char open[64], close[64];
    size_t n = (size_t)snprintf(open, sizeof open, "<%s>", tag);
    snprintf(close, sizeof close, "</%s>", tag);
    const char *from = xml.n > 0 ? memmem(xml.p, xml.n, open, n) : NULL;
    if (from == NULL)
        return STR("");
    from += n;
    const char *to = memmem(from, xml.n - (size_t)(from - xml.p), close, n + 1);
    return to != NULL ? (struct str){from, (size_t)(to - from)} : STR("");
}

enum exchange_verdict aws_judge(const struct net_answer *answer, struct err *err)
{
    struct str message = aws_answer_text(answer->body, "Message");
    enum exchange_verdict verdict =
        integration_judge_reason(answer, message.n > 0 ? message : answer->body, err);
    bool throttled = str_starts(aws_answer_text(answer->body, "Code"), STR("Throttl"));
    return verdict == EXCHANGE_REFUSED && throttled ? EXCHANGE_RETRY : verdict;
}

enum exchange_verdict aws_judge_role(const struct net_answer *answer, struct aws_login *login,
                                     struct err *err)
{
    enum exchange_verdict verdict = aws_judge(answer, err);
    if (verdict != EXCHANGE_DONE) {
        struct err why = *err;
        err_set(err, why.code, "the role could not be assumed: %s", why.text);
        return verdict;
    }
    *login = (struct aws_login){.region = login->region,
                                .access_key = aws_answer_text(answer->body, "AccessKeyId"),
                                .secret_key = aws_answer_text(answer->body, "SecretAccessKey"),
                                .session_token = aws_answer_text(answer->body, "SessionToken")};
    if (login->access_key.n > 0 && login->secret_key.n > 0 && login->session_token.n > 0)
        return EXCHANGE_MORE;
    err_set(err, ERR_PARSE, "the role could not be assumed: the answer holds no credentials");
    return EXCHANGE_REFUSED;
}
