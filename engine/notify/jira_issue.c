#include "jira_priv.h"
#include "json_priv.h"

#include <stdlib.h>

enum { SUMMARY_RUNES = 255, DESCRIPTION_RUNES = 32767 };

/* What writes one field: its key and value, or nothing. */
struct issue {
    const struct jira *jira;
    bool exists;
};
typedef void write_field(struct exchange *x, struct buf *out, const struct issue *issue);

struct str jira_label(struct exchange *x)
{
    return exchange_format(x, "ALERT{%.*s}", STR_ARG(exchange_group_hash(x)));
}

/* ---- the description ---- */

static bool wants_document(struct str url)
{
    while (str_ends(url, STR("/")))
        url.n--;
    return str_ends(url, STR("/3"));
}

static bool is_document(struct exchange *x, struct str text)
{
    struct tree *root = NULL;
    struct arena_mark mark = arena_mark(x->arena);
    bool sound = json_parse(x->arena, text, &root, NULL) == 0 && root->kind == TREE_MAP;
    arena_rewind(x->arena, mark);
    return sound;
}

/* A text as version 3 of the API wants it: a document of one paragraph, its lines kept. */
static void write_document(struct buf *out, struct str text)
{
    buf_puts(out, "{\"content\":[{\"content\":[");
    for (struct str rest = text; rest.p != NULL;) {
        struct str line = str_cut(&rest, '\n');
        if (line.n > 0) {
            json_open(out, NULL, '{');
            json_text(out, "text", line);
            json_text(out, "type", STR("text"));
            json_close(out, '}');
        }
        if (rest.p != NULL) {
            json_key(out, NULL);
            buf_puts(out, "{\"type\":\"hardBreak\"}");
        }
    }
    buf_puts(out, "],\"type\":\"paragraph\"}],\"type\":\"doc\",\"version\":1}");
}

static void write_description(struct exchange *x, struct buf *out, const struct issue *issue)
{
    const struct jira_text *description = &issue->jira->description;
    if (issue->exists && str_is(description->enable_update, "false"))
        return;
    struct str text = exchange_text_runes(x, description->template, DESCRIPTION_RUNES);
    if (!wants_document(issue->jira->api_url)) {
        json_text_some(out, "description", text);
        return;
    }
    text = str_trim(text);
    if (text.n == 0)
        return;
    json_key(out, "description");
    if (is_document(x, text))
        buf_str(out, text);
    else
        write_document(out, text);
}

/* ---- the other fields ---- */

static void write_named(struct buf *out, const char *key, const char *member, struct str value)
{
    json_open(out, key, '{');
    json_text(out, member, value);
    json_close(out, '}');
}

static void write_type(struct exchange *x, struct buf *out, const struct issue *issue)
{
    write_named(out, "issuetype", "name", exchange_text(x, issue->jira->issue_type));
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void write_labels(struct exchange *x, struct buf *out, const struct issue *issue)
{
    const struct strict_texts *own = &issue->jira->labels;
    struct str *labels = ARENA_ARRAY(x->arena, struct str, own->count + 1);
    if (labels == NULL)
        return;
    for (size_t i = 0; i < own->count; i++)
        labels[i] = exchange_text(x, own->items[i]);
    labels[own->count] = jira_label(x);
    qsort(labels, own->count + 1, sizeof *labels, by_text);
    json_texts(out, "labels", labels, own->count + 1);
}

static void write_priority(struct exchange *x, struct buf *out, const struct issue *issue)
{
    struct str priority = exchange_text(x, issue->jira->priority);
    if (priority.n > 0)
        write_named(out, "priority", "name", priority);
}

static void write_project(struct exchange *x, struct buf *out, const struct issue *issue)
{
    write_named(out, "project", "key", exchange_text(x, issue->jira->project));
}

static void write_summary(struct exchange *x, struct buf *out, const struct issue *issue)
{
    const struct jira_text *summary = &issue->jira->summary;
    if (!issue->exists || !str_is(summary->enable_update, "false"))
        json_text(out, "summary", exchange_text_runes(x, summary->template, SUMMARY_RUNES));
}

/* ---- all of them ---- */

static const struct {
    const char *key;
    write_field *write;
} own_fields[] = {{"description", write_description}, {"issuetype", write_type},  {"labels", write_labels},
                  {"priority", write_priority},       {"project", write_project}, {"summary", write_summary}};
enum { OWN_FIELDS = sizeof own_fields / sizeof *own_fields };

static int by_key(const void *a, const void *b)
{
    const struct tree *const *x = a, *const *y = b;
    return str_cmp((*x)->key->text, (*y)->key->text);
}

/* The settings' fields, sorted. */
static const struct tree **sort_custom(struct exchange *x, const struct tree *map, size_t *count)
{
    *count = 0;
    const struct tree **sorted =
        map != NULL ? ARENA_ARRAY(x->arena, const struct tree *, map->count + 1) : NULL;
    if (sorted == NULL)
        return NULL;
    for (const struct tree *child = map->first; child != NULL; child = child->next)
        sorted[(*count)++] = child;
    if (*count > 0)
        qsort(sorted, *count, sizeof *sorted, by_key);
    return sorted;
}

static void write_custom(struct exchange *x, struct buf *out, const struct tree *field)
{
    json_key(out, NULL);
    json_string(out, field->key->text);
    buf_char(out, ':');
    exchange_payload(x, out, field);
}

void jira_write_issue(struct exchange *x, struct buf *out, const struct jira *jira, bool exists)
{
    struct issue issue = {jira, exists};
    size_t count;
    const struct tree **custom = sort_custom(x, jira->fields, &count);
    json_open(out, NULL, '{');
    json_open(out, "fields", '{');
    for (size_t i = 0, k = 0; i < OWN_FIELDS || k < count;) {
        int order = i == OWN_FIELDS ? 1
                    : k == count    ? -1
                                    : str_cmp(str_of(own_fields[i].key), custom[k]->key->text);
        /* Under the same name the settings' own value counts. */
        if (order < 0)
            own_fields[i].write(x, out, &issue);
        else
            write_custom(x, out, custom[k]);
        i += order <= 0;
        k += order >= 0;
    }
    json_close(out, '}');
    json_close(out, '}');
}
