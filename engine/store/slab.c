#include "slab_priv.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"

enum { CHUNK_BYTES = 16 << 10, REGION_CHUNKS = 64 /* mapped at once */ };

struct piece {
    struct piece *next;
};

struct slab_chunk {
    struct slab_chunk *next, *previous; /* in its list, if it is in one */
    struct piece *free;                 /* given back */
    char *at;                           /* behind the last piece that was cut off */
    uint32_t used, units;
};

void slab_init(struct slab *s, struct account *account)
{
    *s = (struct slab){.account = account};
    lock_init(&s->lock, LOCK_slab);
}

/* ---- lists of chunks ---- */

static void put_first(struct slab_chunk **list, struct slab_chunk *c)
{
    c->previous = NULL;
    c->next = *list;
    if (c->next != NULL)
        c->next->previous = c;
    *list = c;
}

static void take_out(struct slab_chunk **list, struct slab_chunk *c)
{
    *(c->previous != NULL ? &c->previous->next : list) = c->next;
    if (c->next != NULL)
        c->next->previous = c->previous;
}

/* ---- chunks ---- */

static void add_region(struct slab *s)
{
    char *region = mem_map(REGION_CHUNKS * CHUNK_BYTES, CHUNK_BYTES);
    MEM_GROW(s->regions, s->region_count, s->region_capacity);
    s->regions[s->region_count++] = region;
    for (size_t i = REGION_CHUNKS; i-- > 0;) {
        MEM_GROW(s->cold, s->cold_count, s->cold_capacity);
        s->cold[s->cold_count++] = (struct slab_chunk *)(region + i * CHUNK_BYTES);
    }
}

static struct slab_chunk *warm_up(struct slab *s)
{
    if (s->cold_count == 0)
        add_region(s);
    account_add(s->account, CHUNK_BYTES);
    return s->cold[--s->cold_count];
}

static struct slab_chunk *pop_spare(struct slab *s)
{
    struct slab_chunk *c = s->spare;
    take_out(&s->spare, c);
    return c;
}

static void cool_down(struct slab *s, struct slab_chunk *c)
{
    mem_forget(c, CHUNK_BYTES);
    account_add(s->account, -CHUNK_BYTES);
    MEM_GROW(s->cold, s->cold_count, s->cold_capacity);
    s->cold[s->cold_count++] = c;
}

static void add_chunk(struct slab *s, size_t units)
{
    struct slab_chunk *c = s->spare != NULL ? pop_spare(s) : warm_up(s);
    *c = (struct slab_chunk){.at = (char *)(c + 1), .units = (uint32_t)units};
    mem_poison(c->at, CHUNK_BYTES - sizeof *c);
    put_first(&s->room[units], c);
    s->used_count++;
}

static void drop_chunk(struct slab *s, struct slab_chunk *c)
{
    mem_unpoison(c, CHUNK_BYTES);
    put_first(&s->spare, c);
    s->used_count--;
}

static bool has_room(const struct slab_chunk *c)
{
    return c->free != NULL || c->at + c->units * SLAB_UNIT_BYTES <= (const char *)c + CHUNK_BYTES;
}

static struct slab_chunk *chunk_of(void *p)
{
    return (struct slab_chunk *)((char *)p - (uintptr_t)p % CHUNK_BYTES);
}

/* ---- pieces ---- */

static void *cut(struct slab_chunk *c)
{
    void *p = c->free;
    if (p != NULL) {
        c->free = c->free->next;
    } else {
        p = c->at;
        c->at += c->units * SLAB_UNIT_BYTES;
    }
    c->used++;
    return p;
}

/* The link of a free piece can be read and written, and may be more than its user was given. */
static void put_back(struct slab_chunk *c, struct piece *p)
{
    mem_unpoison(p, sizeof *p);
    p->next = c->free;
    mem_poison(p + 1, c->units * SLAB_UNIT_BYTES - sizeof *p);
    c->free = p;
    c->used--;
}

static size_t units_of(size_t bytes)
{
    return bytes > 0 ? (bytes + SLAB_UNIT_BYTES - 1) / SLAB_UNIT_BYTES : 1;
}

void *slab_take(struct slab *s, size_t bytes)
{
    if (bytes > SLAB_BYTES_MAX)
        return account_take(s->account, bytes);
    size_t units = units_of(bytes);
    lock_take(&s->lock);
    if (s->room[units] == NULL)
        add_chunk(s, units);
    struct slab_chunk *c = s->room[units];
    void *p = cut(c);
    if (!has_room(c))
        take_out(&s->room[units], c);
    lock_drop(&s->lock);
    mem_unpoison(p, bytes);
    return p;
}

void slab_give(struct slab *s, void *p, size_t bytes)
{
    if (bytes > SLAB_BYTES_MAX) {
        account_give(s->account, p, bytes);
        return;
    }
    struct slab_chunk *c = chunk_of(p);
    must(c->units == units_of(bytes));
    lock_take(&s->lock);
    if (!has_room(c))
        put_first(&s->room[c->units], c);
    put_back(c, p);
    if (c->used == 0) {
        take_out(&s->room[c->units], c);
        drop_chunk(s, c);
    }
    lock_drop(&s->lock);
}

void slab_trim(struct slab *s)
{
    lock_take(&s->lock);
    while (s->spare != NULL)
        cool_down(s, pop_spare(s));
    lock_drop(&s->lock);
}

void slab_release(struct slab *s)
{
    must(s->used_count == 0);
    slab_trim(s);
    for (size_t i = 0; i < s->region_count; i++)
        mem_unmap(s->regions[i], REGION_CHUNKS * CHUNK_BYTES);
    mem_free(s->regions);
    mem_free(s->cold);
    lock_release(&s->lock);
}
