/* Whatever is accepted as a rule file must, written out anew field by field, be read as the same rules, and be linted. */
#include "tocsin/check.h"
#include "tocsin/duration.h"
#include "tocsin/rulecheck.h"
#include "tocsin/rulefile.h"

#include <stdint.h>
#include <stdio.h>

static void put_text(struct buf *out, struct str s)
{
    buf_char(out, '"');
    for (size_t i = 0; i < s.n;) {
        int rune;
        i += str_rune(s.p + i, s.n - i, &rune);
        if (rune < 0x20 || rune >= 0x7f || rune == '"' || rune == '\\')
            buf_format(out, "\\U%08x", (unsigned)rune);
        else
            buf_char(out, (char)rune);
    }
    buf_char(out, '"');
}

static void put_field(struct buf *out, const char *name, struct str text)
{
    buf_format(out, ", %s: ", name);
    put_text(out, text);
}

static void put_duration(struct buf *out, const char *name, int64_t ms)
{
    buf_format(out, ", %s: ", name);
    duration_print(out, ms);
}

static void put_texts(struct buf *out, const char *name, const struct rule_text *texts, size_t count)
{
    buf_format(out, ", %s: {", name);
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, i > 0 ? ", ? " : "? ");
        put_text(out, texts[i].name);
        buf_puts(out, " : ");
        put_text(out, texts[i].text);
    }
    buf_char(out, '}');
}

static void put_rule(struct buf *out, const struct rule *rule)
{
    bool alert = rule->kind == RULE_ALERTING;
    buf_puts(out, "  - {expr: ");
    put_text(out, rule->query);
    put_field(out, alert ? "alert" : "record", rule->name);
    put_texts(out, "labels", rule->labels, rule->label_count);
    if (alert) {
        put_duration(out, "for", rule->for_ms);
        put_duration(out, "keep_firing_for", rule->keep_firing_for_ms);
        put_texts(out, "annotations", rule->annotations, rule->annotation_count);
    }
    buf_puts(out, "}\n");
}

static void put_group(struct buf *out, const struct rule_group *group)
{
    buf_puts(out, "- name: ");
    put_text(out, group->name);
    buf_format(out, "\n  limit: %lld\n  interval: ", (long long)group->limit);
    duration_print(out, group->interval_ms);
    if (group->query_offset_given) {
        buf_puts(out, "\n  query_offset: ");
        duration_print(out, group->query_offset_ms);
    }
    buf_puts(out, "\n  rules:\n");
    for (size_t i = 0; i < group->count; i++)
        put_rule(out, &group->rules[i]);
}

/* A group's label with a broken template is accepted there, and nowhere else. */
static bool has_broken_template(const struct rule_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        for (size_t j = 0; j < set->groups[i].count; j++) {
            const struct rule *rule = &set->groups[i].rules[j];
            for (size_t k = 0; k < rule->label_count; k++)
                if (!str_eq(rule->labels[k].plain, rule->labels[k].text))
                    return true;
        }
    return false;
}

/* Those of a manifest that holds several objects may share their names. */
static bool is_of_one_object(const struct rule_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (!str_is(set->groups[i].file, "f"))
            return false;
    return true;
}

static void lint(struct str text)
{
    static FILE *nowhere;
    struct rulecheck_options options = {.features = promql_features_all, .lints = LINT_ALL};
    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    must(nowhere != NULL);
    must(rulecheck_text(world_real(), text, &options, nowhere, nowhere) == RULECHECK_OK);
}

static void read_again(const struct rule_set *set)
{
    struct buf text, errors;
    struct rule_set *again = rule_set_new();
    buf_init(&text, 8 << 20);
    buf_init(&errors, 1 << 20);
    buf_puts(&text, "groups:\n");
    for (size_t i = 0; i < set->count; i++)
        put_group(&text, &set->groups[i]);
    if (!buf_overflow(&text)) {
        int code = rulefile_parse(again, STR("f"), buf_slice(&text), &promql_features_all, &errors);
        if (code != 0)
            fprintf(stderr, "%s%s", buf_text(&text), buf_text(&errors));
        must(code == 0);
        must(again->count == set->count && again->rule_count == set->rule_count);
        for (size_t i = 0; i < set->count; i++)
            must(again->groups[i].fingerprint == set->groups[i].fingerprint);
    }
    buf_release(&text);
    buf_release(&errors);
    rule_set_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rule_set *set = rule_set_new();
    struct buf errors;
    buf_init(&errors, 1 << 20);
    int code =
        rulefile_parse(set, STR("f"), (struct str){(const char *)data, size}, &promql_features_all, &errors);
    must((code == ERR_PARSE) == (errors.used > 0));
    if (code == 0 && !has_broken_template(set) && is_of_one_object(set))
        read_again(set);
    if (code == 0)
        lint((struct str){(const char *)data, size});
    buf_release(&errors);
    rule_set_free(set);
    return 0;
}
