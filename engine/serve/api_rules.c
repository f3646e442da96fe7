#include "api_priv.h"
#include "json_priv.h"
#include "match_params_priv.h"
#include "rule_past_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/ruler.h"
#include "tocsin/sha256.h"
#include "tocsin/tree.h"

/* What of the rules a request wants to see. */
struct rule_filter {
    bool recording, alerting, alerts;
    bool past; /* what is Tocsin's own, too */
    struct str *names, *groups, *files;
    size_t name_count, group_count, file_count;
    struct match_params match; /* match[]: any */
};

/* A page of groups: at most so many, from the one a token names. */
struct rule_page {
    size_t most;      /* 0: all */
    struct str token; /* empty: from the first */
};

static bool is_listed(struct str item, const struct str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(item, list[i]))
            return true;
    return count == 0;
}

static struct str lower(struct arena *arena, struct str text)
{
    char *copy = arena_copy_text(arena, text.p, text.n);
    for (size_t i = 0; copy != NULL && i < text.n; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    return copy != NULL ? (struct str){copy, text.n} : text;
}

/* `why` goes on with the text, in Go's quotes, and `end`. */
static bool refuse(struct answer *answer, const char *name, const char *why, struct str text, const char *end)
{
    struct buf reason;
    buf_init(&reason, (size_t)limits.query_text_bytes);
    buf_puts(&reason, why);
    go_quote(&reason, text);
    buf_puts(&reason, end);
    prom_bad_param(answer, name, buf_text(&reason));
    buf_release(&reason);
    return false;
}

/* In any case of letters. */
static bool take_type(const struct request *request, struct answer *answer, struct rule_filter *filter)
{
    struct str type = lower(request->arena, request_param(request, "type"));
    filter->alerting = type.n == 0 || str_is(type, "alert");
    filter->recording = type.n == 0 || str_is(type, "record");
    if (filter->alerting || filter->recording)
        return true;
    return refuse(answer, "type", "not supported value ", type, "");
}

static bool is_one_of(struct str text, const char *const words[4])
{
    for (size_t i = 0; i < 4; i++)
        if (words[i] != NULL && str_is(text, words[i]))
            return true;
    return false;
}

/* In any case of letters. */
static bool take_exclude_alerts(const struct request *request, struct answer *answer,
                                struct rule_filter *filter)
{
    struct str text = lower(request->arena, request_param(request, "exclude_alerts"));
    static const char *const yes[] = {"1", "t", "true", NULL};
    static const char *const no[] = {"", "0", "f", "false"};
    filter->alerts = is_one_of(text, no);
    if (filter->alerts || is_one_of(text, yes))
        return true;
    return refuse(answer, "exclude_alerts", "error converting exclude_alerts: strconv.ParseBool: parsing ",
                  text, ": invalid syntax");
}

static bool take_matchers(const struct request *request, struct answer *answer, struct rule_filter *filter)
{
    struct err err;
    int rc = match_params_take(request, &filter->match, &err);
    if (rc == 0)
        rc = match_params_check(&filter->match, &err);
    if (rc != 0)
        prom_error(answer, PROM_BAD_DATA, "%s", err.text);
    return rc == 0;
}

static bool take_page(const struct request *request, struct answer *answer, struct rule_page *page)
{
    struct str limit = request_param(request, "group_limit");
    struct err err;
    int64_t most = 0;
    page->token = request_param(request, "group_next_token");
    if (page->token.n > 0 && limit.n == 0)
        prom_bad_param(answer, "group_next_token",
                       "group_limit needs to be present in order to paginate over the groups");
    else if (limit.n > 0 && prom_parse_number(limit, "ParseInt", INT32_MAX, &most, &err) != 0)
        prom_error(answer, PROM_BAD_DATA,
                   "invalid parameter \"group_limit\": group_limit needs to be a valid number: %s", err.text);
    else if (limit.n > 0 && most <= 0)
        prom_bad_param(answer, "group_limit", "group_limit needs to be greater than 0");
    else {
        page->most = (size_t)most;
        return true;
    }
    return false;
}

static bool take_filter(const struct request *request, struct answer *answer, struct rule_filter *filter)
{
    filter->names = request_params(request, "rule_name[]", &filter->name_count);
    filter->groups = request_params(request, "rule_group[]", &filter->group_count);
    filter->files = request_params(request, "file[]", &filter->file_count);
    return take_matchers(request, answer, filter) && take_type(request, answer, filter) &&
           take_exclude_alerts(request, answer, filter);
}

static bool labels_wanted(struct arena *arena, const struct rule_filter *filter,
                          const struct ruler_rule *rule)
{
    const struct match_params *any = &filter->match;
    if (any->count == 0)
        return true;
    struct label *items = ARENA_ARRAY(arena, struct label, rule->label_count);
    for (size_t i = 0; items != NULL && i < rule->label_count; i++)
        items[i] = (struct label){rule->labels[i].name, rule->labels[i].text};
    struct labels *ls = items != NULL ? labels_make(arena, items, rule->label_count) : NULL;
    for (size_t i = 0; ls != NULL && i < any->count; i++)
        if (matchers_match(any->lists[i].matchers, any->lists[i].count, ls))
            return true;
    return false;
}

static bool is_wanted(struct arena *arena, const struct rule_filter *filter, const struct ruler_rule *rule)
{
    bool kind = rule->kind == RULE_ALERTING ? filter->alerting : filter->recording;
    return kind && is_listed(rule->name, filter->names, filter->name_count) &&
           labels_wanted(arena, filter, rule);
}

static void key(struct buf *out, const char *name)
{
    buf_format(out, ",\"%s\":", name);
}

static void text_member(struct buf *out, const char *name, struct str text)
{
    key(out, name);
    json_string(out, text);
}

static void rule_texts(struct buf *out, const char *name, const struct rule_text *texts, size_t count)
{
    key(out, name);
    buf_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_string_raw(out, texts[i].name);
        buf_char(out, ':');
        json_string_raw(out, texts[i].text);
    }
    buf_char(out, '}');
}

static void one_alert(struct buf *out, const struct ruler_alert *alert)
{
    buf_puts(out, "{\"labels\":");
    json_labels(out, alert->labels);
    key(out, "annotations");
    json_labels(out, alert->annotations);
    buf_format(out, ",\"state\":\"%s\",\"activeAt\":", alert_state_text(alert->state));
    json_go_time(out, alert->active_ns);
    if (alert->keep_firing_since_ns != 0) {
        key(out, "keepFiringSince");
        json_go_time(out, alert->keep_firing_since_ns);
    }
    buf_puts(out, ",\"value\":\"");
    go_float(out, alert->value, 'e', -1);
    buf_puts(out, "\"}");
}

static void alerts_member(struct buf *out, const struct ruler_rule *rule, bool shown)
{
    key(out, "alerts");
    if (!shown) {
        buf_puts(out, "null");
        return;
    }
    buf_char(out, '[');
    for (size_t i = 0; i < rule->alert_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        one_alert(out, &rule->alerts[i]);
    }
    buf_char(out, ']');
}

static void health_members(struct buf *out, const struct ruler_rule *rule, bool past, const char *type)
{
    buf_format(out, ",\"health\":\"%s\"", rule_health_text(rule->health));
    if (rule->last_error.n > 0)
        text_member(out, "lastError", rule->last_error);
    key(out, "evaluationTime");
    go_float_json(out, rule->duration_s);
    key(out, "lastEvaluation");
    json_go_time(out, rule->last_ns);
    if (past)
        rule_past_members(out, rule);
    buf_format(out, ",\"type\":\"%s\"}", type);
}

static void alerting_rule(struct buf *out, const struct ruler_rule *rule, const struct rule_filter *filter)
{
    buf_format(out, "{\"state\":\"%s\"", rule->state_unknown ? "unknown" : alert_state_text(rule->state));
    text_member(out, "name", rule->name);
    text_member(out, "query", rule->query);
    key(out, "duration");
    go_float_json(out, (double)rule->for_ms / 1000);
    key(out, "keepFiringFor");
    go_float_json(out, (double)rule->keep_firing_for_ms / 1000);
    rule_texts(out, "labels", rule->labels, rule->label_count);
    rule_texts(out, "annotations", rule->annotations, rule->annotation_count);
    alerts_member(out, rule, filter->alerts);
    health_members(out, rule, filter->past, "alerting");
}

static void recording_rule(struct buf *out, const struct ruler_rule *rule, const struct rule_filter *filter)
{
    buf_puts(out, "{\"name\":");
    json_string(out, rule->name);
    text_member(out, "query", rule->query);
    rule_texts(out, "labels", rule->labels, rule->label_count);
    health_members(out, rule, filter->past, "recording");
}

/* The group's wanted rules; false if there is none, and then nothing stays written. */
static bool group_rules(struct buf *out, struct arena *arena, const struct rule_filter *filter,
                        const struct ruler_group *group)
{
    bool any = false;
    for (size_t i = 0; i < group->count; i++) {
        const struct ruler_rule *rule = &group->rules[i];
        if (!is_wanted(arena, filter, rule))
            continue;
        if (any)
            buf_char(out, ',');
        any = true;
        if (rule->kind == RULE_ALERTING)
            alerting_rule(out, rule, filter);
        else
            recording_rule(out, rule, filter);
    }
    return any;
}

static bool one_group(struct buf *out, struct arena *arena, const struct rule_filter *filter,
                      const struct ruler_group *group)
{
    buf_puts(out, "{\"name\":");
    json_string(out, group->name);
    text_member(out, "file", group->file);
    buf_puts(out, ",\"rules\":[");
    if (!group_rules(out, arena, filter, group))
        return false;
    buf_puts(out, "],\"interval\":");
    go_float_json(out, (double)group->interval_ms / 1000);
    key(out, "limit");
    buf_i64(out, group->limit);
    key(out, "evaluationTime");
    go_float_json(out, group->duration_s);
    key(out, "lastEvaluation");
    json_go_time(out, group->last_ns);
    if (filter->past)
        rule_past_group_members(out, group);
    buf_char(out, '}');
    return true;
}

/* What a page that begins with this group is asked for with. */
static void token_of(const struct ruler_group *group, char token[SHA256_HEX_BYTES])
{
    struct buf text;
    buf_init(&text, group->file.n + group->name.n + 1);
    buf_str(&text, group->file);
    buf_char(&text, ';');
    buf_str(&text, group->name);
    sha256_hex(buf_slice(&text), token);
    buf_release(&text);
}

/* The first group of the page; count if no group has its token. */
static size_t page_start(const struct rule_page *page, const struct ruler_group *groups, size_t count)
{
    char token[SHA256_HEX_BYTES];
    size_t i = 0;
    for (; page->token.n > 0 && i < count; i++) {
        token_of(&groups[i], token);
        if (str_is(page->token, token))
            break;
    }
    return i;
}

static bool group_wanted(const struct rule_filter *filter, const struct ruler_group *group)
{
    return is_listed(group->name, filter->groups, filter->group_count) &&
           is_listed(group->file, filter->files, filter->file_count);
}

/* The groups from the first on; returns the one that has no room on the page any more, or NULL. */
static const struct ruler_group *tell_page(struct buf *out, struct arena *arena,
                                           const struct rule_filter *filter, size_t most,
                                           const struct ruler_group *groups, size_t count)
{
    size_t told = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = out->used;
        if (!group_wanted(filter, &groups[i]))
            continue;
        if (told > 0)
            buf_char(out, ',');
        bool any = one_group(out, arena, filter, &groups[i]);
        bool fits = any && (most == 0 || told < most);
        if (!fits)
            buf_truncate(out, before);
        if (any && !fits)
            return &groups[i];
        told += fits;
    }
    return NULL;
}

static void tell_groups(const struct request *request, struct answer *answer,
                        const struct rule_filter *filter, const struct rule_page *page,
                        const struct ruler_group *groups, size_t count)
{
    struct buf *out = &answer->body;
    size_t start = page_start(page, groups, count);
    if (page->token.n > 0 && start == count) {
        prom_error(
            answer, PROM_BAD_DATA,
            "invalid parameter \"group_next_token\": invalid group_next_token '%.*s'. were rule groups "
            "changed?",
            STR_ARG(page->token));
        return;
    }
    prom_begin(answer);
    buf_puts(out, "{\"groups\":[");
    const struct ruler_group *next =
        tell_page(out, request->arena, filter, page->most, groups + start, count - start);
    buf_char(out, ']');
    if (next != NULL) {
        char token[SHA256_HEX_BYTES];
        token_of(next, token);
        buf_format(out, ",\"groupNextToken\":\"%s\"", token);
    }
    buf_char(out, '}');
    prom_end(answer);
    if (arena_exhausted(request->arena))
        prom_error(answer, PROM_INTERNAL, "the rules do not fit limits.query_arena_bytes");
}

/* The ruler's groups; false: the answer says why not. */
static bool snapshot(struct request *request, struct answer *answer, bool past, struct ruler_group **groups,
                     size_t *count)
{
    struct ruler *ruler = request->service->parts.ruler;
    if (ruler == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return false;
    }
    if ((past ? ruler_snapshot_past : ruler_snapshot)(ruler, request->arena, groups, count) == 0)
        return true;
    prom_error(answer, PROM_INTERNAL, "the rules do not fit limits.query_arena_bytes");
    return false;
}

static void tell_rules(struct request *request, struct answer *answer, bool past)
{
    struct ruler_group *groups;
    size_t count;
    struct rule_filter filter = {.past = past};
    struct rule_page page = {0};
    if (take_filter(request, answer, &filter) && take_page(request, answer, &page) &&
        snapshot(request, answer, past, &groups, &count))
        tell_groups(request, answer, &filter, &page, groups, count);
    match_params_release(&filter.match);
}

void api_rules(struct request *request, struct answer *answer)
{
    tell_rules(request, answer, false);
}

void tocsin_rules(struct request *request, struct answer *answer)
{
    tell_rules(request, answer, true);
}

void api_rule_alerts(struct request *request, struct answer *answer)
{
    struct ruler_group *groups;
    size_t count;
    const struct serve_parts *parts = &request->service->parts;
    if (parts->ruler == NULL && parts->router != NULL) {
        v1_gone(request, answer); /* of Prometheus' API there is nothing, so the path is Alertmanager's */
        return;
    }
    if (!snapshot(request, answer, false, &groups, &count))
        return;
    struct buf *out = &answer->body;
    prom_begin(answer);
    buf_puts(out, "{\"alerts\":[");
    bool any = false;
    for (size_t g = 0; g < count; g++)
        for (size_t r = 0; r < groups[g].count; r++)
            for (size_t i = 0; i < groups[g].rules[r].alert_count; i++) {
                if (any)
                    buf_char(out, ',');
                any = true;
                one_alert(out, &groups[g].rules[r].alerts[i]);
            }
    buf_puts(out, "]}");
    prom_end(answer);
}
