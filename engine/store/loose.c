#include "loose_priv.h"

#include "tocsin/check.h"

struct loose loose_unpack(const struct sealed *s, size_t more)
{
    struct loose l = {.count = s->count};
    arena_init(&l.arena, SIZE_MAX); /* what comes out has been taken in before */
    l.samples = ARENA_ARRAY(&l.arena, struct sample, l.count + more);
    int rc = wide_unpack(s->packed, s->oldest_ms, l.count, 0, l.count, &l.arena, l.samples);
    must(rc == 0);
    return l;
}

void loose_release(struct loose *l)
{
    arena_release(&l->arena);
}

size_t loose_upto(const struct loose *l, int64_t t_ms)
{
    size_t n = l->count;
    while (n > 0 && l->samples[n - 1].t_ms > t_ms)
        n--;
    return n;
}

void loose_insert(struct loose *l, size_t at, const struct sample *s)
{
    memmove(l->samples + at + 1, l->samples + at, (l->count - at) * sizeof *s);
    l->samples[at] = *s;
    l->count++;
}

void loose_add(struct loose *l, const struct sample *samples, size_t count)
{
    memcpy(l->samples + l->count, samples, count * sizeof *samples);
    l->count += count;
}

void loose_pack(struct loose *l, struct ring *r, size_t i, struct account *account)
{
    size_t first = l->count > WIDE_SAMPLES_MAX ? l->count / 2 : l->count;
    sealed_free(account, &r->spine->item[i]);
    r->spine->item[i] = sealed_wide(account, l->samples, first);
    if (first < l->count) {
        struct sealed upper = sealed_wide(account, l->samples + first, l->count - first);
        spine_insert(r, i + 1, &upper, account);
    }
    loose_release(l);
}
