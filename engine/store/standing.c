/* Standing selectors come and go: their lists of series, and the reach of each series, follow. */
#include "store_priv.h"
#include "tocsin/err.h"
#include "tocsin/mem.h"

/* Labels and hashes of a series that exists, for selectors_match. */
struct known_key {
    struct series_key key;
    struct label *labels;
    uint64_t *hashes;
};

static struct known_key known_key_make(const struct store *s, const struct series *series)
{
    struct known_key k = {.labels = MEM_ARRAY(struct label, series->pair_count),
                          .hashes = MEM_ARRAY(uint64_t, series->pair_count)};
    store_series_labels(s, series, k.labels);
    k.key = series_key_make(k.labels, series->pair_count, NULL, k.hashes);
    return k;
}

static void known_key_release(struct known_key *k)
{
    mem_free(k->labels);
    mem_free(k->hashes);
}

static void raise_reach(void *reach_ms, struct selector *selector)
{
    int64_t *reach = reach_ms;
    if (selector->reach_ms > *reach)
        *reach = selector->reach_ms;
}

static void recompute_reach(struct store *s, struct series *series)
{
    struct known_key k = known_key_make(s, series);
    series->reach_ms = 0;
    selectors_match(&s->selectors, &k.key, raise_reach, &series->reach_ms);
    known_key_release(&k);
}

static int64_t longest_reach(const struct selector *selector)
{
    int64_t reach_ms = 0;
    for (const struct standing *u = selector->users; u != NULL; u = u->next)
        if (u->reach_ms > reach_ms)
            reach_ms = u->reach_ms;
    return reach_ms;
}

/* Takes over the users' longest reach and, if it changed, tells the series. */
static void update_reach(struct store *s, struct selector *selector)
{
    int64_t before_ms = selector->reach_ms;
    selector->reach_ms = longest_reach(selector);
    if (selector->reach_ms == before_ms)
        return;
    for (size_t i = 0; i < selector->ref_count; i++) {
        struct series *series = series_at(&s->series, selector->refs[i]);
        if (selector->reach_ms > before_ms)
            raise_reach(&series->reach_ms, selector);
        else
            recompute_reach(s, series);
    }
}

/* Room to list every series there can be. */
static size_t select_bytes_max(void)
{
    return (1 << 20) + (size_t)limits.series * 32;
}

/* A selector that is new meets the series that are there. */
static int fill(struct store *s, struct selector *selector)
{
    struct arena arena;
    struct series_set set;
    arena_init(&arena, select_bytes_max());
    int rc = select_series(s, selector->matchers, selector->count, &arena, &set);
    for (size_t i = 0; rc == 0 && i < set.count; i++)
        selector_add_series(&s->selectors, selector, set.refs[i]);
    arena_release(&arena);
    return rc;
}

static int find_or_file(struct store *s, const struct matcher *matchers, size_t count, struct selector **out)
{
    *out = selectors_find(&s->selectors, matchers, count);
    if (*out != NULL)
        return 0;
    if ((int64_t)s->selectors.by_text.count >= limits.standing_selectors) {
        limit_hit(LIMIT_standing_selectors);
        return ERR_LIMIT;
    }
    *out = selectors_add(&s->selectors, matchers, count);
    int rc = fill(s, *out);
    if (rc != 0)
        selectors_remove(&s->selectors, *out);
    return rc;
}

static struct standing *add_user(struct selector *selector, int64_t reach_ms)
{
    struct standing *user = MEM_NEW(struct standing);
    /* A reach of 0 means that nobody looks: a user who asks for an instant still looks. */
    *user = (struct standing){selector, selector->users, reach_ms > 0 ? reach_ms : 1};
    selector->users = user;
    return user;
}

int store_stand(struct store *s, const struct matcher *matchers, size_t count, int64_t reach_ms,
                struct standing **out, struct err *err)
{
    struct selector *selector;
    rwlock_write(&s->index);
    int rc = find_or_file(s, matchers, count, &selector);
    if (rc == 0) {
        *out = add_user(selector, reach_ms);
        update_reach(s, selector);
    }
    rwlock_drop(&s->index);
    if (rc != 0)
        return err_set(err, rc, "too many selectors in rules (limit standing_selectors: %lld)",
                       (long long)limits.standing_selectors);
    return 0;
}

static void remove_user(struct standing *user)
{
    struct standing **at = &user->selector->users;
    while (*at != user)
        at = &(*at)->next;
    *at = user->next;
    mem_free(user);
}

void store_unstand(struct store *s, struct standing *standing)
{
    struct selector *selector = standing->selector;
    rwlock_write(&s->index);
    remove_user(standing);
    update_reach(s, selector);
    if (selector->users == NULL)
        selectors_remove(&s->selectors, selector);
    rwlock_drop(&s->index);
}

void standing_fetch(const struct standing *standing, bool within)
{
    if (within)
        mem_fetch(standing->selector, sizeof *standing->selector);
    else
        mem_fetch(standing, sizeof *standing);
}

size_t standing_count(struct store *s, const struct standing *standing)
{
    rwlock_read(&s->index);
    size_t count = standing->selector->ref_count;
    rwlock_drop(&s->index);
    return count;
}

struct introduction {
    struct store *store;
    series_ref ref;
};

static void introduce(void *context, struct selector *selector)
{
    struct introduction *in = context;
    selector_add_series(&in->store->selectors, selector, in->ref);
}

int64_t standing_reach(const struct store *s, const struct series_key *key)
{
    int64_t reach_ms = 0;
    selectors_match(&s->selectors, key, raise_reach, &reach_ms);
    return reach_ms;
}

void standing_introduce(struct store *s, series_ref ref, const struct series_key *key)
{
    struct introduction in = {s, ref};
    selectors_match(&s->selectors, key, introduce, &in);
}

void standing_introduce_all(struct store *s)
{
    if (s->selectors.by_text.count == 0)
        return;
    for (series_ref ref = 1; ref < s->series.next; ref++) {
        struct series *series = series_at(&s->series, ref);
        if (series->state != SERIES_LIVING)
            continue;
        struct known_key k = known_key_make(s, series);
        series->reach_ms = standing_reach(s, &k.key);
        standing_introduce(s, ref, &k.key);
        known_key_release(&k);
    }
}

static void soil(void *context, struct selector *selector)
{
    struct selector_list *dirty = context;
    if (selector->dirty)
        return;
    selector->dirty = true;
    MEM_GROW(dirty->items, dirty->count, dirty->capacity);
    dirty->items[dirty->count++] = selector;
}

static void purge(const struct store *s, struct selector *selector)
{
    size_t kept = 0;
    for (size_t i = 0; i < selector->ref_count; i++)
        if (series_at(&s->series, selector->refs[i])->state == SERIES_LIVING)
            selector->refs[kept++] = selector->refs[i];
    selector->ref_count = kept;
    selector->purges++;
    selector->dirty = false;
}

void standing_forget(struct store *s, const series_ref *dead, size_t count)
{
    struct selector_list dirty = {0};
    for (size_t i = 0; i < count; i++) {
        struct series *series = series_at(&s->series, dead[i]);
        if (series->reach_ms == 0)
            continue;
        struct known_key k = known_key_make(s, series);
        selectors_match(&s->selectors, &k.key, soil, &dirty);
        known_key_release(&k);
    }
    for (size_t i = 0; i < dirty.count; i++)
        purge(s, dirty.items[i]);
    mem_free(dirty.items);
}
