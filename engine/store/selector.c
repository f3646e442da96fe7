#include "selector_priv.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"

void selectors_init(struct selectors *s, struct account *account)
{
    *s = (struct selectors){.account = account};
    map_init(&s->by_text);
    map_init(&s->buckets);
}

static uint64_t hash_matchers(const struct matcher *matchers, size_t count)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++)
        hash = hash_mix(hash_mix(hash, pair_hash(matchers[i].name, matchers[i].value)), matchers[i].op);
    return hash;
}

struct text {
    const struct matcher *matchers;
    size_t count;
};

static bool selector_is(const void *item, const void *key)
{
    const struct selector *selector = item;
    const struct text *text = key;
    if (selector->count != text->count)
        return false;
    for (size_t i = 0; i < text->count; i++)
        if (!matcher_equal(&selector->matchers[i], &text->matchers[i]))
            return false;
    return true;
}

struct selector *selectors_find(const struct selectors *s, const struct matcher *matchers, size_t count)
{
    struct text key = {matchers, count};
    return map_find(&s->by_text, hash_matchers(matchers, count), selector_is, &key);
}

static struct str copy_heap(struct str s)
{
    return (struct str){mem_copy_text(s.p, s.n), s.n};
}

static void free_heap(struct str s)
{
    mem_free((char *)s.p);
}

static struct matcher *copy_matchers(const struct matcher *from, size_t count)
{
    struct matcher *to = MEM_ARRAY(struct matcher, count);
    for (size_t i = 0; i < count; i++) {
        int rc = matcher_init(&to[i], from[i].op, copy_heap(from[i].name), copy_heap(from[i].value),
                              REGEX_PROMQL, NULL);
        must(rc == 0); /* the same pattern has compiled before */
    }
    return to;
}

static bool bucket_is(const void *item, const void *key)
{
    const struct selector_bucket *bucket = item;
    const struct label *label = key;
    return str_eq(bucket->label.value, label->value) && str_eq(bucket->label.name, label->name);
}

static struct selector_bucket *find_bucket(const struct selectors *s, const struct label *label,
                                           uint64_t hash)
{
    return map_find(&s->buckets, hash, bucket_is, label);
}

static struct selector_bucket *make_bucket(struct selectors *s, const struct matcher *m)
{
    struct label label = {m->name, m->value};
    uint64_t hash = pair_hash(m->name, m->value);
    struct selector_bucket *bucket = find_bucket(s, &label, hash);
    if (bucket != NULL)
        return bucket;
    bucket = MEM_NEW(struct selector_bucket);
    *bucket = (struct selector_bucket){.hash = hash, .label = {copy_heap(m->name), copy_heap(m->value)}};
    map_add(&s->buckets, hash, bucket);
    return bucket;
}

/* The matcher by which to file: of those that name one label the one that tells most selectors apart. */
static const struct matcher *pick_key(const struct selectors *s, const struct matcher *matchers, size_t count)
{
    const struct matcher *best = NULL;
    size_t best_count = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct matcher *m = &matchers[i];
        if (m->op != MATCH_EQUAL || m->value.n == 0)
            continue;
        struct label label = {m->name, m->value};
        const struct selector_bucket *bucket = find_bucket(s, &label, pair_hash(m->name, m->value));
        size_t there = bucket != NULL ? bucket->list.count : 0;
        if (there < best_count) {
            best = m;
            best_count = there;
        }
    }
    return best;
}

struct selector *selectors_add(struct selectors *s, const struct matcher *matchers, size_t count)
{
    struct selector *selector = MEM_NEW(struct selector);
    const struct matcher *key = pick_key(s, matchers, count);
    *selector = (struct selector){.matchers = copy_matchers(matchers, count),
                                  .count = count,
                                  .hash = hash_matchers(matchers, count),
                                  .bucket = key != NULL ? make_bucket(s, key) : &s->general};
    struct selector_list *list = &selector->bucket->list;
    MEM_GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = selector;
    map_add(&s->by_text, selector->hash, selector);
    return selector;
}

static void free_bucket(struct selectors *s, struct selector_bucket *bucket)
{
    map_remove(&s->buckets, bucket->hash, bucket);
    free_heap(bucket->label.name);
    free_heap(bucket->label.value);
    mem_free(bucket->list.items);
    mem_free(bucket);
}

static void leave_bucket(struct selectors *s, struct selector *selector)
{
    struct selector_bucket *bucket = selector->bucket;
    struct selector_list *list = &bucket->list;
    size_t i = 0;
    while (list->items[i] != selector)
        i++;
    list->items[i] = list->items[--list->count];
    if (list->count == 0 && bucket != &s->general)
        free_bucket(s, bucket);
}

void selectors_remove(struct selectors *s, struct selector *selector)
{
    leave_bucket(s, selector);
    map_remove(&s->by_text, selector->hash, selector);
    for (size_t i = 0; i < selector->count; i++) {
        struct str name = selector->matchers[i].name;
        struct str value = selector->matchers[i].value;
        matcher_release(&selector->matchers[i]);
        free_heap(name);
        free_heap(value);
    }
    mem_free(selector->matchers);
    account_give(s->account, selector->refs, selector->ref_capacity * sizeof *selector->refs);
    mem_free(selector);
}

void selectors_release(struct selectors *s)
{
    for (;;) {
        size_t at = 0;
        struct selector *selector = map_next(&s->by_text, &at);
        if (selector == NULL)
            break;
        while (selector->users != NULL) {
            struct standing *next = selector->users->next;
            mem_free(selector->users);
            selector->users = next;
        }
        selectors_remove(s, selector);
    }
    map_release(&s->by_text);
    map_release(&s->buckets);
    mem_free(s->general.list.items);
}

static struct str value_of(const struct series_key *key, struct str name)
{
    for (size_t i = 0; i < key->count; i++)
        if (str_eq(key->labels[i].name, name))
            return key->labels[i].value;
    return (struct str){0};
}

static bool passes(const struct selector *selector, const struct series_key *key)
{
    for (size_t i = 0; i < selector->count; i++)
        if (!matcher_matches(&selector->matchers[i], value_of(key, selector->matchers[i].name)))
            return false;
    return true;
}

static void match_list(const struct selector_list *list, const struct series_key *key,
                       void (*found)(void *context, struct selector *selector), void *context)
{
    for (size_t i = 0; i < list->count; i++)
        if (passes(list->items[i], key))
            found(context, list->items[i]);
}

void selectors_match(const struct selectors *s, const struct series_key *key,
                     void (*found)(void *context, struct selector *selector), void *context)
{
    match_list(&s->general.list, key, found, context);
    for (size_t i = 0; i < key->count && s->buckets.count > 0; i++) {
        const struct selector_bucket *bucket = find_bucket(s, &key->labels[i], key->pair_hashes[i]);
        if (bucket != NULL)
            match_list(&bucket->list, key, found, context);
    }
}

void selector_add_series(struct selectors *s, struct selector *selector, series_ref ref)
{
    if (selector->ref_count == selector->ref_capacity) {
        size_t more = selector->ref_capacity > 0 ? selector->ref_capacity * 2 : 4;
        selector->refs =
            account_resize(s->account, selector->refs, selector->ref_capacity * sizeof(series_ref),
                           more * sizeof(series_ref));
        selector->ref_capacity = more;
    }
    selector->refs[selector->ref_count++] = ref;
}
