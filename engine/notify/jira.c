#include "jira_priv.h"

#include "tocsin/yaml_print.h"

/* Jira's settings; what is asked and answered stands in jira_send.c. */

static const struct field text_fields[] = {
    {FIELD(jira_text, template, template)},
    {FIELD(jira_text, enable_update, maybe)},
    {.key = NULL},
};

static const struct shape text_shape = {"jira.plain", "[]jira.JiraFieldConfig", sizeof(struct jira_text),
                                        text_fields, NULL};

/* A template, or a map where only what is given takes the place of the default. */
static void read_text(struct strict *s, const struct tree *node, void *target)
{
    struct jira_text *text = target;
    if (tree_is_null(node))
        *text = (struct jira_text){0};
    else if (node->kind == TREE_SCALAR)
        FIELD_template.read(s, node, &text->template);
    else
        shape_read(s, node, &text_shape, text);
}

static void set_text(void *target, const char *given)
{
    ((struct jira_text *)target)->template = str_of(given);
}

/* In the form that has room for both; an empty template is printed too, as the default would come back in its place. */
static void print_text(struct buf *out, int indent, const struct field *field, const void *value)
{
    enum { LEVEL = 2 };
    const struct jira_text *text = value;
    yaml_key(out, indent, field->key);
    buf_char(out, '\n');
    yaml_key(out, indent + LEVEL, "template");
    buf_char(out, ' ');
    yaml_scalar(out, text->template);
    buf_char(out, '\n');
    FIELD_maybe.print(out, indent + LEVEL, &text_fields[1], &text->enable_update);
}

static const struct field_type FIELD_jira_text = {read_text, set_text, print_text};

static const struct field fields[] = {
    INTEGRATION_FIELDS(jira, "true"),
    {FIELD(jira, api_url, url)},
    {FIELD(jira, api_type, text), .given = "auto"},
    {FIELD(jira, project, template)},
    {FIELD(jira, summary, jira_text), .given = "{{ template \"jira.default.summary\" . }}"},
    {FIELD(jira, description, jira_text), .given = "{{ template \"jira.default.description\" . }}"},
    {FIELD(jira, labels, texts)},
    {FIELD(jira, priority, template), .given = "{{ template \"jira.default.priority\" . }}"},
    {FIELD(jira, issue_type, template)},
    {FIELD(jira, reopen_transition, text)},
    {FIELD(jira, resolve_transition, text)},
    {FIELD(jira, wont_fix_resolution, text)},
    {FIELD(jira, reopen_duration, duration)},
    {FIELD(jira, fields, tree)},
    {.key = NULL},
};

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct jira *jira = target;
    if (jira->fields != NULL && jira->fields->kind != TREE_MAP) {
        strict_mismatch(s, jira->fields, "map[string]interface {}");
        return;
    }
    if (jira->project.n == 0)
        strict_fail(s, node, "missing project in jira_config");
    else if (jira->issue_type.n == 0)
        strict_fail(s, node, "missing issue_type in jira_config");
    else if (!str_is(jira->api_type, "auto") && !str_is(jira->api_type, "cloud") &&
             !str_is(jira->api_type, "datacenter"))
        strict_fail(s, node, "unknown api_type on jira_config, must be auto, cloud or datacenter");
    for (size_t i = 0; i < jira->labels.count; i++)
        field_check_template(s, tree_get(node, "labels"), jira->labels.items[i]);
}

static void inherit(const struct inheritance *in, struct integration *integration)
{
    struct jira *jira = (struct jira *)integration;
    if (jira->api_url.n == 0)
        jira->api_url = in->globals->text[AM_GLOBAL_jira_api_url];
    if (jira->api_url.n == 0)
        strict_fail(in->strict, integration->place, "no global Jira Cloud URL set");
}

const struct integration_kind integration_jira = {
    .key = "jira_configs",
    .name = "jira",
    .missing = "missing jira config",
    .shape = {"jira.plain", "[]*jira.JiraConfig", sizeof(struct jira), fields, check},
    .inherit = inherit,
    .request = jira_request,
    .judge = jira_judge,
};
