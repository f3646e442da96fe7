#include "pairs_priv.h"

#include "tocsin/check.h"

void pairs_init(struct pairs *p, struct account *account)
{
    *p = (struct pairs){.account = account};
    map_init(&p->names);
    map_init(&p->map);
}

static void free_list(struct pairs *p, uint32_t *items, uint32_t capacity)
{
    account_give(p->account, items, capacity * sizeof *items);
}

/* Short lists double; long ones grow by a quarter, because there are millions of numbers in them. */
static uint32_t more_than(uint32_t capacity)
{
    enum { LONG = 64 };
    if (capacity >= LONG)
        return capacity + capacity / 4;
    return capacity > 0 ? capacity * 2 : 2;
}

/* Appends to a counted list of numbers. */
static uint32_t *list_add(struct pairs *p, uint32_t *items, uint32_t *count, uint32_t *capacity,
                          uint32_t number)
{
    if (*count == *capacity) {
        uint32_t more = more_than(*capacity);
        items = account_resize(p->account, items, *capacity * sizeof *items, more * sizeof *items);
        *capacity = more;
    }
    items[(*count)++] = number;
    return items;
}

static void free_name(struct pairs *p, struct label_name *name)
{
    free_list(p, name->values, name->capacity);
    account_give(p->account, name, sizeof *name + name->text_bytes);
}

static void free_pair(struct pairs *p, struct pair *pair)
{
    free_list(p, pair->postings, pair->capacity);
    account_give(p->account, pair, sizeof *pair + pair->value_bytes);
}

void pairs_release(struct pairs *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->item[i] != NULL)
            free_pair(p, p->item[i]);
    struct label_name *name;
    for (size_t at = 0; (name = map_next(&p->names, &at)) != NULL;)
        free_name(p, name);
    account_map_release(p->account, &p->names);
    account_map_release(p->account, &p->map);
    account_give(p->account, p->item, p->capacity * sizeof *p->item);
    free_list(p, p->unused, p->unused_capacity);
    pairs_init(p, p->account);
}

uint64_t pair_hash(struct str name, struct str value)
{
    return hash_mix(hash_bytes(name.p, name.n), hash_bytes(value.p, value.n));
}

static bool name_is(const void *item, const void *key)
{
    const struct label_name *name = item;
    return str_eq((struct str){name->text, name->text_bytes}, *(const struct str *)key);
}

static bool pair_is(const void *item, const void *key)
{
    const struct label *label = key;
    return str_eq(pair_value(item), label->value) && str_eq(pair_name(item), label->name);
}

struct label_name *pairs_find_name(const struct pairs *p, struct str name)
{
    return map_find(&p->names, hash_bytes(name.p, name.n), name_is, &name);
}

struct pair *pairs_find(const struct pairs *p, struct str name, struct str value, uint64_t hash)
{
    struct label key = {name, value};
    return map_find(&p->map, hash, pair_is, &key);
}

static struct label_name *make_name(struct pairs *p, struct str text)
{
    struct label_name *name = account_take(p->account, sizeof *name + text.n);
    name->hash = hash_bytes(text.p, text.n);
    name->text_bytes = (uint32_t)text.n;
    memcpy(name->text, text.p, text.n);
    p->text_bytes += text.n;
    account_map_add(p->account, &p->names, name->hash, name);
    return name;
}

static pair_id take_number(struct pairs *p)
{
    if (p->unused_count > 0)
        return p->unused[--p->unused_count];
    if (p->count == p->capacity) {
        uint32_t more = p->capacity > 0 ? p->capacity * 2 : 64;
        p->item = account_resize(p->account, p->item, p->capacity * sizeof *p->item, more * sizeof *p->item);
        p->capacity = more;
    }
    return p->count++;
}

static struct pair *make_pair(struct pairs *p, const struct label *label, uint64_t hash)
{
    struct label_name *name = pairs_find_name(p, label->name);
    if (name == NULL)
        name = make_name(p, label->name);
    struct pair *pair = account_take(p->account, sizeof *pair + label->value.n);
    pair->name = name;
    pair->hash = hash;
    pair->value_bytes = (uint32_t)label->value.n & INT32_MAX;
    memcpy(pair->value, label->value.p, label->value.n);
    pair->id = take_number(p);
    p->item[pair->id] = pair;
    name->values_bytes += label->value.n;
    p->text_bytes += label->value.n;
    pair->place = name->count;
    name->values = list_add(p, name->values, &name->count, &name->capacity, pair->id);
    account_map_add(p->account, &p->map, hash, pair);
    return pair;
}

struct pair *pairs_use(struct pairs *p, const struct label *label, uint64_t hash)
{
    struct pair *pair = pairs_find(p, label->name, label->value, hash);
    if (pair == NULL)
        pair = make_pair(p, label, hash);
    pair->uses++;
    return pair;
}

static void leave_name(struct pairs *p, struct pair *pair)
{
    struct label_name *name = pair->name;
    name->values_bytes -= pair->value_bytes;
    p->text_bytes -= pair->value_bytes;
    pair_id moved = name->values[--name->count];
    name->values[pair->place] = moved;
    p->item[moved]->place = pair->place;
    if (name->count > 0)
        return;
    p->text_bytes -= name->text_bytes;
    map_remove(&p->names, name->hash, name);
    free_name(p, name);
}

void pairs_leave(struct pairs *p, pair_id id)
{
    struct pair *pair = p->item[id];
    must(pair != NULL && pair->uses > 0);
    if (--pair->uses > 0)
        return;
    map_remove(&p->map, pair->hash, pair);
    leave_name(p, pair);
    p->item[id] = NULL;
    p->unused = list_add(p, p->unused, &p->unused_count, &p->unused_capacity, id);
    free_pair(p, pair);
}

void pair_post(struct pairs *p, struct pair *pair, uint32_t series)
{
    pair->postings = list_add(p, pair->postings, &pair->posted, &pair->capacity, series);
}

void pair_purge(struct pair *pair, bool (*dead)(void *context, uint32_t series), void *context)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pair->posted; i++)
        if (!dead(context, pair->postings[i]))
            pair->postings[kept++] = pair->postings[i];
    pair->posted = kept;
    pair->dirty = false;
}

size_t pair_bytes_max(const struct label *label)
{
    /* Amortised growth of tables and lists is within the constant. */
    return sizeof(struct pair) + sizeof(struct label_name) + label->name.n + label->value.n + 128;
}
