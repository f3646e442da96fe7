#include "rulefile_priv.h"

#include "tocsin/hash.h"
#include "tocsin/limits.h"

#include <stddef.h>

static const struct strict_field rule_fields[] = {
    {"record", strict_scalar, offsetof(struct raw_rule, record)},
    {"alert", strict_scalar, offsetof(struct raw_rule, alert)},
    {"expr", strict_scalar, offsetof(struct raw_rule, expr)},
    {"for", strict_duration, offsetof(struct raw_rule, hold)},
    {"keep_firing_for", strict_duration, offsetof(struct raw_rule, keep_firing)},
    {"labels", strict_pairs, offsetof(struct raw_rule, labels)},
    {"annotations", strict_pairs, offsetof(struct raw_rule, annotations)},
    {NULL, NULL, 0},
};

static void read_rule(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "rulefmt.Rule", rule_fields, target);
}

void rulefile_read_rules(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]rulefmt.Rule", sizeof(struct raw_rule), read_rule, target);
}

/* Thanos' ruler knows it, and the operator's manifests have a place for it. */
static void read_partial_response(struct strict *s, const struct tree *node, void *target)
{
    bool in_manifest = s->context != NULL;
    if (in_manifest)
        strict_skip(s, node, target);
    else if (!s->ignore_unknown)
        strict_unknown(s, node->key, "rulefmt.RuleGroup");
}

static const struct strict_field group_fields[] = {
    {"name", strict_text, offsetof(struct raw_group, name)},
    {"interval", strict_duration, offsetof(struct raw_group, interval)},
    {"query_offset", strict_duration, offsetof(struct raw_group, query_offset)},
    {"limit", strict_i64, offsetof(struct raw_group, limit)},
    {"rules", rulefile_read_rules, offsetof(struct raw_group, rules)},
    {"labels", strict_pairs, offsetof(struct raw_group, labels)},
    {"partial_response_strategy", read_partial_response, 0},
    {NULL, NULL, 0},
};

static void read_group(struct strict *s, const struct tree *node, void *target)
{
    ((struct raw_group *)target)->node = node;
    strict_struct(s, node, "rulefmt.RuleGroup", group_fields, target);
}

void rulefile_read_groups(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]rulefmt.RuleGroup", sizeof(struct raw_group), read_group, target);
}

static const struct strict_field file_fields[] = {
    {"groups", rulefile_read_groups, offsetof(struct raw_object, groups)},
    {NULL, NULL, 0},
};

void reading_error(struct reading *r, const char *format, ...)
{
    va_list args;
    r->error_count++;
    if (r->file.n > 0)
        buf_format(r->errors, "%.*s: ", STR_ARG(r->file));
    va_start(args, format);
    buf_vformat(r->errors, format, args);
    va_end(args);
    buf_char(r->errors, '\n');
}

bool reading_is_sound(struct reading *r, const struct strict *strict)
{
    const char *why = strict_why(strict);
    if (why != NULL)
        reading_error(r, "%s", why);
    return why == NULL;
}

static bool decode_plain(struct reading *r, const struct tree *root, struct raw_file *out)
{
    struct strict strict;
    out->objects = ARENA_NEW(r->scratch, struct raw_object);
    strict_init(&strict, r->scratch);
    strict.ignore_unknown = r->set->ignore_unknown_fields;
    if (out->objects != NULL) {
        out->objects[out->count++].source = r->file;
        strict_struct(&strict, root, "rulefmt.RuleGroups", file_fields, &out->objects[0]);
    }
    bool sound = reading_is_sound(r, &strict);
    strict_release(&strict);
    return sound;
}

/* Of several documents Prometheus takes the first; a manifest is read to its end. */
bool rulefile_decode(struct reading *r, struct str text, struct raw_file *out)
{
    struct err err;
    struct tree_documents documents;
    if (yaml_parse_documents(r->scratch, text, false, &documents, &err) != 0) {
        reading_error(r, "%s", err.text);
        return false;
    }
    const struct tree *root = documents.count > 0 ? documents.items[0] : NULL;
    return rulefile_is_manifest(root) ? rulefile_decode_manifest(r, text, out) : decode_plain(r, root, out);
}

static bool is_group_named(const void *item, const void *key)
{
    return str_eq(((const struct raw_group *)item)->name, *(const struct str *)key);
}

/* names: the groups of the file so far. */
static void check_group_name(struct reading *r, struct map *names, struct raw_group *group)
{
    uint64_t hash = hash_bytes(group->name.p, group->name.n);
    if (group->name.n == 0)
        reading_error(r, "%d:%d: Groupname must not be empty", group->node->line, group->node->column);
    if (map_find(names, hash, is_group_named, &group->name) == NULL)
        map_add(names, hash, group);
    else
        reading_error(r, "%d:%d: groupname: \"%.*s\" is repeated in the same file", group->node->line,
                      group->node->column, STR_ARG(group->name));
}

static uint64_t mix_text(uint64_t hash, struct str s)
{
    return hash_mix(hash, hash_stable(s.p, s.n));
}

static uint64_t mix_texts(uint64_t hash, const struct rule_text *texts, size_t count)
{
    hash = hash_mix(hash, count);
    for (size_t i = 0; i < count; i++)
        hash = mix_text(mix_text(hash, texts[i].name), texts[i].text);
    return hash;
}

static uint64_t group_fingerprint(const struct rule_group *group)
{
    uint64_t hash = mix_text(mix_text(0, group->file), group->name);
    hash = hash_mix(hash_mix(hash, (uint64_t)group->interval_ms), (uint64_t)group->limit);
    hash = hash_mix(hash_mix(hash, (uint64_t)group->query_offset_ms), group->query_offset_given);
    for (size_t i = 0; i < group->count; i++) {
        const struct rule *rule = &group->rules[i];
        hash = mix_text(mix_text(hash_mix(hash, rule->kind), rule->name), rule->query);
        hash = hash_mix(hash_mix(hash, (uint64_t)rule->for_ms), (uint64_t)rule->keep_firing_for_ms);
        hash = mix_texts(hash, rule->labels, rule->label_count);
        hash = mix_texts(hash, rule->annotations, rule->annotation_count);
    }
    return hash;
}

static void build_group(struct reading *r, struct str source, const struct raw_group *raw,
                        struct rule_group *out)
{
    struct arena *arena = &r->set->arena;
    *out = (struct rule_group){
        .file = source,
        .name = str_copy(arena, raw->name),
        .interval_ms = raw->interval.ms,
        .query_offset_ms = raw->query_offset.ms,
        .query_offset_given = raw->query_offset.given,
        .limit = raw->limit,
        .rules = ARENA_ARRAY(arena, struct rule, raw->rules.count),
    };
    rule_check_labels(r, "", &raw->labels);
    const struct raw_rule *rules = raw->rules.items;
    for (size_t i = 0; i < raw->rules.count && out->rules != NULL; i++) {
        struct str name = rules[i].alert.text.n > 0 ? rules[i].alert.text : rules[i].record.text;
        struct rule_place place = {.group = raw->name, .name = name, .number = i + 1};
        rule_build(r, &place, &rules[i], &raw->labels, &out->rules[out->count++]);
    }
    out->fingerprint = group_fingerprint(out);
}

static void build_object(struct reading *r, const struct raw_object *raw)
{
    struct rule_set *set = r->set;
    struct raw_group *groups = raw->groups.items;
    struct map names;
    map_init(&names);
    for (size_t i = 0; i < raw->groups.count; i++) {
        check_group_name(r, &names, &groups[i]);
        ARENA_GROW(&set->arena, set->groups, set->count, set->capacity);
        if (set->groups == NULL)
            break;
        build_group(r, raw->source, &groups[i], &set->groups[set->count++]);
    }
    map_release(&names);
}

static void build_file(struct reading *r, const struct raw_file *raw)
{
    struct rule_set *set = r->set;
    size_t before = set->count;
    for (size_t i = 0; i < raw->count && !arena_exhausted(&set->arena); i++)
        build_object(r, &raw->objects[i]);
    if (r->error_count > 0 || arena_exhausted(&set->arena)) {
        set->count = set->groups != NULL ? before : 0;
        return;
    }
    for (size_t i = before; i < set->count; i++)
        set->rule_count += set->groups[i].count;
}

static int result_of(const struct reading *r)
{
    if (r->error_count > 0)
        return ERR_PARSE;
    return arena_exhausted(&r->set->arena) ? ERR_LIMIT : 0;
}

int rulefile_parse(struct rule_set *set, struct str file, struct str text,
                   const struct promql_features *features, struct buf *errors)
{
    struct arena scratch;
    struct raw_file raw = {0};
    arena_init(&scratch, (size_t)limits.generation_arena_bytes);
    struct reading r = {.set = set, .scratch = &scratch, .features = features, .errors = errors};
    r.file = str_copy(&set->arena, file);
    if (rulefile_decode(&r, text, &raw))
        build_file(&r, &raw);
    arena_release(&scratch);
    set->file_count += result_of(&r) == 0;
    return result_of(&r);
}

int rulefile_add(struct rule_set *set, struct str file, const struct tree *root,
                 const struct promql_features *features, struct buf *errors)
{
    struct arena scratch;
    struct raw_file raw = {0};
    arena_init(&scratch, (size_t)limits.generation_arena_bytes);
    struct reading r = {.set = set, .scratch = &scratch, .features = features, .errors = errors};
    r.file = str_copy(&set->arena, file);
    if (decode_plain(&r, root, &raw))
        build_file(&r, &raw);
    arena_release(&scratch);
    return result_of(&r);
}
