/* What /api/tocsin/v1/rules says of rules beside what Prometheus would. */
#include "rule_past_priv.h"

#include "json_priv.h"
#include "tocsin/gotext.h"
#include "tocsin/tree.h"

#include <ctype.h>

static void query_escape(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~')
            buf_char(out, (char)c);
        else
            buf_format(out, "%%%02X", c);
    }
}

/* The same query at the same time, ready to be asked again. */
static void write_query(struct buf *out, struct str expression, int64_t t_ms)
{
    buf_puts(out, ",\"query\":\"/api/v1/query?query=");
    query_escape(out, expression);
    buf_puts(out, "&time=");
    go_float_json(out, (double)t_ms / 1000);
    buf_char(out, '"');
}

static void one_evaluation(struct buf *out, struct str expression, const struct ruler_past *p)
{
    buf_puts(out, "{\"time\":");
    json_go_time(out, p->t_ms * NS_PER_MS);
    buf_format(out, ",\"occasion\":\"%s\",\"duration\":", rule_occasion_text(p->occasion));
    go_float_json(out, p->duration_s);
    buf_format(out, ",\"series\":%zu,\"results\":%zu", p->series, p->results);
    if (p->error.n > 0) {
        buf_puts(out, ",\"error\":");
        json_string(out, p->error);
    }
    write_query(out, expression, p->t_ms);
    buf_char(out, '}');
}

void rule_past_members(struct buf *out, const struct ruler_rule *rule)
{
    bool blind = rule->health == HEALTH_OK && rule->series_matched == 0;
    buf_format(out, ",\"verdict\":\"%s\",\"evaluations\":[",
               blind ? "no_series" : rule_health_text(rule->health));
    for (size_t i = 0; i < rule->past_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        one_evaluation(out, rule->query, &rule->past[i]);
    }
    buf_char(out, ']');
}

void rule_past_group_members(struct buf *out, const struct ruler_group *group)
{
    const struct rule_policy *policy = &group->policy;
    buf_format(out, ",\"evaluation\":\"%s\",\"dataWait\":", policy->by_data ? "data" : "clock");
    go_float_json(out, (double)group->data_wait_ms / 1000);
    buf_puts(out, ",\"catchUp\":");
    go_float_json(out, (double)policy->catch_up_ms / 1000);
    buf_format(out,
               ",\"limitBehaviour\":\"%s\",\"lastSlot\":", policy->keep_over_limit ? "keep" : "prometheus");
    json_go_time(out, group->slot_ns);
    buf_format(out, ",\"iterations\":%llu,\"missed\":%llu,\"looks\":%llu,\"caughtUp\":%llu",
               (unsigned long long)group->iterations, (unsigned long long)group->missed,
               (unsigned long long)group->looks, (unsigned long long)group->caught_up);
}
