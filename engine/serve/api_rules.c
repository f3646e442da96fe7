#include "api_priv.h"
#include "json_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/ruler.h"
#include "tocsin/tree.h"

/* What of the rules a request wants to see. */
struct rule_filter {
    bool recording, alerting, alerts;
    struct str *names, *groups, *files;
    size_t name_count, group_count, file_count;
    struct matcher_list *lists; /* match[]: any */
    size_t list_count;
};

static bool is_listed(struct str item, const struct str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(item, list[i]))
            return true;
    return count == 0;
}

/* `type` counts only in the URL, where a GET has it anyway. */
static bool take_type(const struct request *request, struct answer *answer, struct rule_filter *filter)
{
    struct str type = request_param(request, "type");
    filter->alerting = type.n == 0 || str_eq_nocase(type, STR("alert"));
    filter->recording = type.n == 0 || str_eq_nocase(type, STR("record"));
    if (filter->alerting || filter->recording)
        return true;
    prom_error(answer, PROM_BAD_DATA, "invalid parameter \"type\": not supported value \"%.*s\"",
               STR_ARG(type));
    return false;
}

/* strconv.ParseBool, which knows these spellings only. */
static bool take_exclude_alerts(const struct request *request, struct answer *answer,
                                struct rule_filter *filter)
{
    struct str text = request_param(request, "exclude_alerts");
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const no[] = {"", "0", "f", "F", "FALSE", "false", "False"};
    filter->alerts = true;
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (str_is(text, no[i]))
            return true;
    filter->alerts = false;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (str_is(text, yes[i]))
            return true;
    prom_error(
        answer, PROM_BAD_DATA,
        "invalid parameter \"exclude_alerts\": error converting exclude_alerts: strconv.ParseBool: parsing "
        "\"%.*s\": invalid syntax",
        STR_ARG(text));
    return false;
}

static bool take_matchers(const struct request *request, struct answer *answer, struct rule_filter *filter)
{
    size_t count;
    struct str *texts = request_params(request, "match[]", &count);
    filter->lists = ARENA_ARRAY(request->arena, struct matcher_list, count);
    for (size_t i = 0; filter->lists != NULL && i < count; i++) {
        struct matcher *matchers;
        size_t n;
        struct err err;
        if (promql_parse_matchers(request->arena, texts[i], &matchers, &n, &err) != 0) {
            prom_error(answer, PROM_BAD_DATA, "%s", err.text);
            return false;
        }
        filter->lists[filter->list_count++] = (struct matcher_list){matchers, n};
    }
    return true;
}

static bool take_filter(const struct request *request, struct answer *answer, struct rule_filter *filter)
{
    filter->names = request_params(request, "rule_name[]", &filter->name_count);
    filter->groups = request_params(request, "rule_group[]", &filter->group_count);
    filter->files = request_params(request, "file[]", &filter->file_count);
    return take_type(request, answer, filter) && take_exclude_alerts(request, answer, filter) &&
           take_matchers(request, answer, filter);
}

static void filter_release(struct rule_filter *filter)
{
    for (size_t i = 0; i < filter->list_count; i++)
        for (size_t m = 0; m < filter->lists[i].count; m++)
            matcher_release((struct matcher *)&filter->lists[i].matchers[m]);
}

static bool labels_wanted(struct arena *arena, const struct rule_filter *filter,
                          const struct ruler_rule *rule)
{
    if (filter->list_count == 0)
        return true;
    struct label *items = ARENA_ARRAY(arena, struct label, rule->label_count);
    for (size_t i = 0; items != NULL && i < rule->label_count; i++)
        items[i] = (struct label){rule->labels[i].name, rule->labels[i].text};
    struct labels *ls = items != NULL ? labels_make(arena, items, rule->label_count) : NULL;
    for (size_t i = 0; ls != NULL && i < filter->list_count; i++)
        if (matchers_match(filter->lists[i].matchers, filter->lists[i].count, ls))
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

static void health_members(struct buf *out, const struct ruler_rule *rule, const char *type)
{
    buf_format(out, ",\"health\":\"%s\"", rule_health_text(rule->health));
    if (rule->last_error.n > 0)
        text_member(out, "lastError", rule->last_error);
    key(out, "evaluationTime");
    go_float_json(out, rule->duration_s);
    key(out, "lastEvaluation");
    json_go_time(out, rule->last_ns);
    buf_format(out, ",\"type\":\"%s\"}", type);
}

static void alerting_rule(struct buf *out, const struct ruler_rule *rule, bool alerts)
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
    alerts_member(out, rule, alerts);
    health_members(out, rule, "alerting");
}

static void recording_rule(struct buf *out, const struct ruler_rule *rule)
{
    buf_puts(out, "{\"name\":");
    json_string(out, rule->name);
    text_member(out, "query", rule->query);
    rule_texts(out, "labels", rule->labels, rule->label_count);
    health_members(out, rule, "recording");
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
            alerting_rule(out, rule, filter->alerts);
        else
            recording_rule(out, rule);
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
    buf_char(out, '}');
    return true;
}

static void tell_groups(struct answer *answer, struct arena *arena, const struct rule_filter *filter,
                        const struct ruler_group *groups, size_t count)
{
    struct buf *out = &answer->body;
    prom_begin(answer);
    buf_puts(out, "{\"groups\":[");
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (!is_listed(groups[i].name, filter->groups, filter->group_count) ||
            !is_listed(groups[i].file, filter->files, filter->file_count))
            continue;
        size_t before = out->used;
        if (any)
            buf_char(out, ',');
        if (one_group(out, arena, filter, &groups[i]))
            any = true;
        else
            buf_truncate(out, before);
    }
    buf_puts(out, "]}");
    prom_end(answer);
}

/* The ruler's groups; false: the answer says why not. */
static bool snapshot(struct request *request, struct answer *answer, struct ruler_group **groups,
                     size_t *count)
{
    struct ruler *ruler = request->service->parts.ruler;
    if (ruler == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return false;
    }
    if (ruler_snapshot(ruler, request->arena, groups, count) == 0)
        return true;
    prom_error(answer, PROM_INTERNAL, "the rules do not fit limits.query_arena_bytes");
    return false;
}

void api_rules(struct request *request, struct answer *answer)
{
    struct ruler_group *groups;
    size_t count;
    struct rule_filter filter = {0};
    if (take_filter(request, answer, &filter) && snapshot(request, answer, &groups, &count))
        tell_groups(answer, request->arena, &filter, groups, count);
    filter_release(&filter);
}

void api_rule_alerts(struct request *request, struct answer *answer)
{
    struct ruler_group *groups;
    size_t count;
    if (!snapshot(request, answer, &groups, &count))
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
