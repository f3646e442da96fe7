#include "slab_priv.h"

enum { CHUNK_BYTES = 64 << 10 };

void slab_init(struct slab *s, struct account *account)
{
    *s = (struct slab){.account = account};
}

void slab_release(struct slab *s)
{
    for (struct slab_piece *next, *chunk = s->chunks; chunk != NULL; chunk = next) {
        next = chunk->next;
        account_give(s->account, chunk, CHUNK_BYTES);
    }
    slab_init(s, s->account);
}

static size_t units(size_t bytes)
{
    return bytes > 0 ? (bytes + SLAB_UNIT_BYTES - 1) / SLAB_UNIT_BYTES : 1;
}

/* What is left of the chunk before becomes a free piece. */
static void add_chunk(struct slab *s)
{
    size_t left = (size_t)(s->end - s->at);
    if (left > 0)
        slab_give(s, s->at, left);
    struct slab_piece *chunk = account_take(s->account, CHUNK_BYTES);
    chunk->next = s->chunks;
    s->chunks = chunk;
    s->at = (char *)(chunk + 1);
    s->end = (char *)chunk + CHUNK_BYTES;
}

void *slab_take(struct slab *s, size_t bytes)
{
    size_t n = units(bytes);
    if (n * SLAB_UNIT_BYTES > SLAB_BYTES_MAX)
        return account_take(s->account, bytes);
    struct slab_piece *piece = s->free[n];
    if (piece != NULL) {
        s->free[n] = piece->next;
        return piece;
    }
    if ((size_t)(s->end - s->at) < n * SLAB_UNIT_BYTES)
        add_chunk(s);
    s->at += n * SLAB_UNIT_BYTES;
    return s->at - n * SLAB_UNIT_BYTES;
}

void slab_give(struct slab *s, void *p, size_t bytes)
{
    size_t n = units(bytes);
    if (n * SLAB_UNIT_BYTES > SLAB_BYTES_MAX) {
        account_give(s->account, p, bytes);
        return;
    }
    struct slab_piece *piece = p;
    piece->next = s->free[n];
    s->free[n] = piece;
}
