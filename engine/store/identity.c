#include "identity_priv.h"

#include "store_priv.h"
#include "tocsin/err.h"
#include "tocsin/hash.h"

#include <stdlib.h>

enum { SILENT_MS = 3600000 };

void identities_init(struct identities *ids, struct account *account)
{
    *ids = (struct identities){.account = account};
    ids->item = account_take(account, IDENTITIES * sizeof *ids->item);
}

static void forget_name(struct identities *ids, struct identity *identity)
{
    if (identity->name != NULL)
        account_give(ids->account, identity->name, strlen(identity->name) + 1);
    identity->name = NULL;
}

void identities_release(struct identities *ids)
{
    for (int i = 0; i < IDENTITIES; i++)
        forget_name(ids, &ids->item[i]);
    account_give(ids->account, ids->item, IDENTITIES * sizeof *ids->item);
}

static struct str shortened(struct str name)
{
    return (struct str){name.p, name.n < IDENTITY_NAME_BYTES ? name.n : IDENTITY_NAME_BYTES};
}

uint16_t identities_find(struct identities *ids, struct str name, int64_t now_ms)
{
    name = shortened(name);
    uint64_t hash = hash_bytes(name.p, name.n);
    for (uint16_t i = IDENTITY_OTHERS + 1; i < IDENTITIES; i++) {
        struct identity *identity = &ids->item[i];
        if (identity->hash != hash || identity->name == NULL || !str_is(name, identity->name))
            continue;
        atomic_store_explicit(&identity->seen_ms, now_ms, memory_order_relaxed);
        return i;
    }
    return IDENTITY_NONE;
}

/* Nobody who pushes right now has been silent for so long. */
static bool is_free(const struct identity *identity, int64_t now_ms)
{
    return identity->name == NULL || (atomic_load(&identity->series) == 0 &&
                                      minus_ms(now_ms, atomic_load(&identity->seen_ms)) > SILENT_MS);
}

uint16_t identities_add(struct identities *ids, struct str name, int64_t now_ms)
{
    uint16_t i = identities_find(ids, name, now_ms);
    if (i != IDENTITY_NONE)
        return i;
    for (i = IDENTITY_OTHERS + 1; i < IDENTITIES && !is_free(&ids->item[i], now_ms); i++)
        ;
    if (i == IDENTITIES)
        return IDENTITY_OTHERS;
    struct identity *identity = &ids->item[i];
    forget_name(ids, identity);
    name = shortened(name);
    identity->name = account_take(ids->account, name.n + 1);
    memcpy(identity->name, name.p, name.n);
    identity->hash = hash_bytes(name.p, name.n);
    atomic_store(&identity->seen_ms, now_ms);
    atomic_store(&identity->refused, 0);
    return i;
}

uint16_t store_identity(struct store *s, struct str name)
{
    int64_t now_ms = world_now_ms(s->world);
    rwlock_read(&s->index);
    uint16_t number = identities_find(&s->identities, name, now_ms);
    rwlock_drop(&s->index);
    if (number != IDENTITY_NONE)
        return number;
    rwlock_write(&s->index);
    number = identities_add(&s->identities, name, now_ms);
    rwlock_drop(&s->index);
    return number;
}

static int by_series(const void *a, const void *b)
{
    const struct store_identity *x = a, *y = b;
    if (x->series != y->series)
        return (x->series < y->series) - (x->series > y->series);
    return (x->refused < y->refused) - (x->refused > y->refused);
}

int store_identities(struct store *s, struct arena *arena, struct store_identity **out, size_t *count)
{
    struct store_identity *list = *out = ARENA_ARRAY(arena, struct store_identity, IDENTITIES);
    *count = 0;
    if (list == NULL)
        return ERR_LIMIT;
    rwlock_read(&s->index);
    for (int i = IDENTITY_OTHERS; i < IDENTITIES; i++) {
        const struct identity *from = &s->identities.item[i];
        struct store_identity identity = {.series = atomic_load(&from->series),
                                          .refused = atomic_load(&from->refused)};
        identity.name = str_copy(arena, i == IDENTITY_OTHERS ? STR("others")
                                                             : str_of(from->name != NULL ? from->name : ""));
        if (identity.series + identity.refused > 0)
            list[(*count)++] = identity;
    }
    rwlock_drop(&s->index);
    qsort(list, *count, sizeof *list, by_series);
    return arena_exhausted(arena) ? ERR_LIMIT : 0;
}
