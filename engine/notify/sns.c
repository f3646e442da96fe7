#include "aws_priv.h"

#include "tocsin/limits.h"
#include "tocsin/sha256.h"

/* AWS' Simple Notification Service: one signed form. Acting as a role takes a request to STS before it. */

enum { MESSAGE_BYTES = 256 << 10, SMS_BYTES = 1600, SUBJECT_RUNES = 99 };

struct sns {
    struct integration base;
    struct str api_url;
    const struct aws_settings *sigv4; /* never NULL once it is checked */
    struct str topic_arn, phone_number, target_arn, subject, message;
    struct strict_pairs attributes;
    bool use_aws_http_client; /* taken and says nothing: there is one client */
};

static const struct field fields[] = {
    INTEGRATION_FIELDS(sns, "true"),
    {FIELD(sns, api_url, template)},
    {FIELD(sns, sigv4, struct), .shape = &aws_shape},
    {FIELD(sns, topic_arn, template)},
    {FIELD(sns, phone_number, template)},
    {FIELD(sns, target_arn, template)},
    {FIELD(sns, subject, template), .given = "{{ template \"sns.default.subject\" . }}"},
    {FIELD(sns, message, template), .given = "{{ template \"sns.default.message\" . }}"},
    {FIELD(sns, attributes, templates)},
    {FIELD(sns, use_aws_http_client, bool)},
    {.key = NULL},
};

/* All three at once pass, as in Alertmanager. */
static void check(struct strict *s, const struct tree *node, void *target)
{
    struct sns *sns = target;
    size_t count = (size_t)(sns->topic_arn.n > 0) + (sns->phone_number.n > 0) + (sns->target_arn.n > 0);
    if (count == 0 || count == 2)
        strict_fail(s, node, "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config");
    for (size_t i = 0; i < sns->attributes.count; i++)
        field_check_template(s, tree_get(node, "attributes"), sns->attributes.items[i].name);
    if (sns->sigv4 == NULL)
        sns->sigv4 = ARENA_NEW(s->arena, struct aws_settings);
}

/* ---- what is sent ---- */

static struct str cut_bytes(struct str text, size_t max)
{
    size_t keep = 0;
    int rune;
    if (text.n <= max)
        return text;
    for (size_t bytes = 0; keep + bytes <= max; bytes = str_rune(text.p + keep, text.n - keep, &rune))
        keep += bytes;
    return (struct str){text.p, keep};
}

/* Of a hundred characters and more, or with a line end, the message would be refused. */
static struct str subject_of(struct exchange *x, struct str source)
{
    struct str text = str_copy(x->arena, exchange_text_runes(x, source, SUBJECT_RUNES));
    char *bytes = (char *)(uintptr_t)text.p;
    for (size_t i = 0; bytes != NULL && i < text.n; i++) {
        if ((unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7f)
            bytes[i] = ' ';
    }
    return str_trim(text);
}

/* For five minutes SNS drops what comes under the same name: a further attempt, but not the end of what was told, nor what fires anew. */
static struct str name_of_message(struct exchange *x)
{
    const struct notification *n = &x->notification;
    char hex[SHA256_HEX_BYTES];
    struct buf text;
    buf_init(&text, (size_t)limits.flush_arena_bytes);
    buf_str(&text, n->group_key);
    for (size_t i = 0; i < n->count; i++)
        buf_format(&text, "\n%016llx %d %lld", (unsigned long long)n->alerts[i].fingerprint,
                   n->alerts[i].resolved, (long long)n->alerts[i].event->starts_ns);
    sha256_hex(buf_slice(&text), hex);
    buf_release(&text);
    return exchange_format(x, "%s", hex);
}

static void add_attribute(struct exchange *x, struct buf *form, size_t number, struct str name,
                          struct str value)
{
    const struct {
        const char *key;
        struct str value;
    } params[] = {{"Name", name}, {"Value.DataType", STR("String")}, {"Value.StringValue", value}};
    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        struct str key = exchange_format(x, "MessageAttributes.entry.%zu.%s", number, params[i].key);
        if (key.p != NULL)
            exchange_param(form, key.p, params[i].value);
    }
}

/* Those without a value are left out: SNS would refuse the message for them. */
static void add_attributes(struct exchange *x, struct buf *form, const struct sns *sns, bool truncated)
{
    size_t number = 0;
    for (size_t i = 0; i < sns->attributes.count; i++) {
        struct str name = exchange_text(x, sns->attributes.items[i].name);
        struct str value = exchange_text(x, sns->attributes.items[i].value);
        if (name.n > 0 && value.n > 0 && !(truncated && str_is(name, "truncated")))
            add_attribute(x, form, ++number, name, value);
    }
    if (truncated)
        add_attribute(x, form, ++number, STR("truncated"), STR("true"));
}

static void add_some(struct buf *form, const char *name, struct str value)
{
    if (value.n > 0)
        exchange_param(form, name, value);
}

static void write_form(struct exchange *x, struct buf *form, const struct sns *sns)
{
    struct str topic = exchange_text(x, sns->topic_arn), text = exchange_text(x, sns->message);
    struct str message = cut_bytes(text, sns->phone_number.n > 0 ? SMS_BYTES : MESSAGE_BYTES);
    if (!str_is_utf8(text))
        exchange_fail(x, ERR_ARG, "non utf8 encoded message string");
    exchange_param(form, "Action", STR("Publish"));
    exchange_param(form, "Version", STR("2010-03-31"));
    exchange_param(form, "Message", message);
    add_attributes(x, form, sns, message.n < text.n);
    if (str_ends(topic, STR(".fifo"))) {
        exchange_param(form, "MessageDeduplicationId", name_of_message(x));
        exchange_param(form, "MessageGroupId", exchange_group_hash(x));
    }
    add_some(form, "PhoneNumber", exchange_text(x, sns->phone_number));
    add_some(form, "Subject", subject_of(x, sns->subject));
    add_some(form, "TargetArn", exchange_text(x, sns->target_arn));
    add_some(form, "TopicArn", topic);
}

static void publish(struct exchange *x, const struct sns *sns, const struct aws_login *login)
{
    struct buf form;
    struct str url = exchange_text(x, sns->api_url);
    buf_init(&form, (size_t)limits.flush_arena_bytes);
    write_form(x, &form, sns);
    aws_post(x, url.n > 0 ? url : aws_url(x, "sns", login->region), "sns", login, &form);
    buf_release(&form);
}

/* In x->memory: who signs the next request. */
static void request(struct exchange *x)
{
    const struct sns *sns = EXCHANGE_SETTINGS(x, struct sns);
    struct aws_login *login = x->step == 0 ? ARENA_NEW(x->arena, struct aws_login) : x->memory;
    if (login == NULL) {
        exchange_fail(x, ERR_LIMIT, "the notification needs more memory than flush_arena_bytes");
        return;
    }
    x->memory = login;
    if (x->step == 0)
        aws_find_login(x, sns->sigv4, login);
    if (x->step == 0 && sns->sigv4->role_arn.n > 0)
        aws_ask_role(x, sns->sigv4, login);
    else
        publish(x, sns, login);
}

static enum exchange_verdict judge(struct exchange *x, const struct net_answer *answer, struct err *err)
{
    if (x->step == 0 && EXCHANGE_SETTINGS(x, struct sns)->sigv4->role_arn.n > 0)
        return aws_judge_role(answer, x->memory, err);
    return aws_judge(answer, err);
}

const struct integration_kind integration_sns = {
    .key = "sns_configs",
    .name = "sns",
    .missing = "missing sns config",
    .shape = {"config.plain", "[]*config.SNSConfig", sizeof(struct sns), fields, check},
    .request = request,
    .judge = judge,
};
