#include "relabel_priv.h"

#include "tocsin/limits.h"
#include "tocsin/md5.h"
#include "tocsin/mem.h"
#include "tocsin/regex.h"
#include "tocsin/unicode.h"

/* A label value or name while it is built; longer ones than this nobody takes. */
enum { TEXT_MAX = 1 << 20 };

struct rule {
    struct relabel_rule as;
    struct regex *regex;
};

struct relabel {
    struct arena arena;
    struct rule *rules;
    size_t count;
};

/* ---- the set under way ---- */

/* Labels in the order in which Prometheus goes through them: those that came, then those that were set, as they were set. It shows when
 * labelmap copies two labels to one name. */
struct part {
    struct label label;
    bool set;
};

struct work {
    struct arena *arena;
    struct part *parts;
    size_t count, capacity;
    struct buf text;
    bool changed;
};

static struct part *find(const struct work *w, struct str name)
{
    for (size_t i = 0; i < w->count; i++)
        if (str_eq(w->parts[i].label.name, name))
            return &w->parts[i];
    return NULL;
}

static struct str get(const struct work *w, struct str name)
{
    const struct part *part = find(w, name);
    return part != NULL ? part->label.value : (struct str){0};
}

static void cut(struct work *w, struct part *part)
{
    size_t at = (size_t)(part - w->parts);
    memmove(part, part + 1, (w->count - at - 1) * sizeof *part);
    w->count--;
    w->changed = true;
}

static void del(struct work *w, struct str name)
{
    struct part *part = find(w, name);
    if (part != NULL)
        cut(w, part);
}

static void append(struct work *w, struct label label, bool set)
{
    ARENA_GROW(w->arena, w->parts, w->count, w->capacity);
    if (w->parts == NULL)
        w->count = w->capacity = 0;
    else
        w->parts[w->count++] = (struct part){label, set};
}

/* name and value are borrowed; an empty value removes the label. */
static void set(struct work *w, struct str name, struct str value)
{
    struct part *part = find(w, name);
    if (value.n == 0) {
        del(w, name);
        return;
    }
    if (part != NULL && part->set) {
        part->label.value = value;
    } else {
        if (part != NULL)
            cut(w, part);
        append(w, (struct label){name, value}, true);
    }
    w->changed = true;
}

/* What w->text holds, in the arena. */
static struct str keep_text(struct work *w)
{
    if (buf_overflow(&w->text))
        w->arena->exhausted = true;
    struct str kept = str_copy(w->arena, buf_slice(&w->text));
    buf_clear(&w->text);
    return kept.p != NULL ? kept : (struct str){0};
}

/* ---- actions ---- */

static struct str value_of(struct work *w, const struct relabel_rule *rule)
{
    if (rule->source_count == 1)
        return get(w, rule->sources[0]);
    for (size_t i = 0; i < rule->source_count; i++) {
        if (i > 0)
            buf_str(&w->text, rule->separator);
        buf_str(&w->text, get(w, rule->sources[i]));
    }
    return keep_text(w);
}

/* A template filled in from a match; false: there is none. */
static bool expand(struct work *w, const struct rule *rule, struct str value, struct str template,
                   struct str *out)
{
    bool matches = regex_expand(rule->regex, value, template, &w->text);
    *out = keep_text(w);
    return matches;
}

static void replace(struct work *w, const struct rule *rule, struct str value)
{
    struct str name, text;
    if (expand(w, rule, value, rule->as.target_label, &name) && label_name_is_valid(name) &&
        expand(w, rule, value, rule->as.replacement, &text))
        set(w, name, text);
}

static void hashmod(struct work *w, const struct relabel_rule *rule, struct str value)
{
    buf_format(&w->text, "%llu", (unsigned long long)(md5_low(value) % rule->modulus));
    set(w, rule->target_label, keep_text(w));
}

static void change_case(struct work *w, const struct relabel_rule *rule, struct str value)
{
    if (rule->action == RELABEL_LOWERCASE)
        text_lower(&w->text, value);
    else
        text_upper(&w->text, value);
    set(w, rule->target_label, keep_text(w));
}

/* What is copied is not looked at again. */
static void map_names(struct work *w, const struct rule *rule)
{
    size_t count = w->count;
    struct part *before = arena_copy(w->arena, w->parts, count, sizeof *w->parts);
    for (size_t i = 0; before != NULL && i < count; i++) {
        struct label label = before[i].label;
        if (!regex_match(rule->regex, label.name))
            continue;
        regex_replace_all(rule->regex, label.name, rule->as.replacement, &w->text);
        struct str name = keep_text(w);
        if (name.n > 0)
            set(w, name, label.value);
    }
}

static void filter_names(struct work *w, const struct rule *rule)
{
    bool drops = rule->as.action == RELABEL_LABELDROP;
    for (size_t i = w->count; i > 0; i--)
        if (regex_match(rule->regex, w->parts[i - 1].label.name) == drops)
            cut(w, &w->parts[i - 1]);
}

/* False: the set is dropped. */
static bool apply_rule(struct work *w, const struct rule *rule)
{
    struct str value = value_of(w, &rule->as);
    switch (rule->as.action) {
    case RELABEL_KEEP:
        return regex_match(rule->regex, value);
    case RELABEL_DROP:
        return !regex_match(rule->regex, value);
    case RELABEL_KEEPEQUAL:
        return str_eq(get(w, rule->as.target_label), value);
    case RELABEL_DROPEQUAL:
        return !str_eq(get(w, rule->as.target_label), value);
    case RELABEL_REPLACE:
        replace(w, rule, value);
        return true;
    case RELABEL_HASHMOD:
        hashmod(w, &rule->as, value);
        return true;
    case RELABEL_LOWERCASE:
    case RELABEL_UPPERCASE:
        change_case(w, &rule->as, value);
        return true;
    case RELABEL_LABELMAP:
        map_names(w, rule);
        return true;
    case RELABEL_LABELDROP:
    case RELABEL_LABELKEEP:
        filter_names(w, rule);
        return true;
    case RELABEL_NONE:
        break;
    }
    return true;
}

static const struct labels *finish(struct work *w, const struct labels *in)
{
    struct label *items = w->changed ? ARENA_ARRAY(w->arena, struct label, w->count) : NULL;
    for (size_t i = 0; items != NULL && i < w->count; i++)
        items[i] = w->parts[i].label;
    return items != NULL ? labels_make(w->arena, items, w->count) : in;
}

int relabel_apply(const struct relabel *relabel, struct arena *arena, const struct labels *in,
                  const struct labels **out)
{
    *out = in;
    if (relabel == NULL || relabel->count == 0)
        return 0;
    struct work w = {.arena = arena};
    buf_init(&w.text, TEXT_MAX);
    for (size_t i = 0; i < in->count; i++)
        append(&w, in->item[i], false);
    bool kept = true;
    for (size_t i = 0; kept && i < relabel->count && !arena_exhausted(arena); i++)
        kept = apply_rule(&w, &relabel->rules[i]);
    *out = kept ? finish(&w, in) : NULL;
    buf_release(&w.text);
    return arena_exhausted(arena) ? ERR_LIMIT : 0;
}

/* ---- opening ---- */

static int open_rule(struct relabel *r, const struct relabel_rule *as, struct err *err)
{
    struct rule *rule = &r->rules[r->count];
    int rc = relabel_judge(as, err);
    rule->regex = rc == 0 ? regex_open(as->regex, REGEX_RELABEL, err) : NULL;
    if (rule->regex == NULL)
        return rc != 0 ? rc : ERR_PARSE;
    r->count++;
    rule->as = *as;
    rule->as.node = NULL;
    rule->as.separator = str_copy(&r->arena, as->separator);
    rule->as.target_label = str_copy(&r->arena, as->target_label);
    rule->as.replacement = str_copy(&r->arena, as->replacement);
    rule->as.sources = arena_copy(&r->arena, as->sources, as->source_count, sizeof *as->sources);
    for (size_t i = 0; rule->as.sources != NULL && i < as->source_count; i++)
        rule->as.sources[i] = str_copy(&r->arena, as->sources[i]);
    return arena_exhausted(&r->arena) ? err_set(err, ERR_LIMIT, "the relabelling rules are too large") : 0;
}

int relabel_open(const struct relabel_rules *rules, struct relabel **out, struct err *err)
{
    struct relabel *r = MEM_NEW(struct relabel);
    int rc = 0;
    arena_init(&r->arena, (size_t)limits.generation_arena_bytes);
    r->rules = MEM_ARRAY(struct rule, rules->count);
    for (size_t i = 0; rc == 0 && i < rules->count; i++)
        rc = open_rule(r, &rules->items[i], err);
    if (rc != 0) {
        relabel_free(r);
        r = NULL;
    }
    *out = r;
    return rc;
}

void relabel_free(struct relabel *relabel)
{
    if (relabel == NULL)
        return;
    for (size_t i = 0; i < relabel->count; i++)
        regex_free(relabel->rules[i].regex);
    mem_free(relabel->rules);
    arena_release(&relabel->arena);
    mem_free(relabel);
}
