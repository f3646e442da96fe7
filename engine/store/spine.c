#include "spine_priv.h"

static size_t bytes_of(size_t capacity)
{
    return capacity > 0 ? sizeof(struct spine) + capacity * sizeof(struct sealed) : 0;
}

static uint32_t capacity_of(const struct ring *r)
{
    return r->spine != NULL ? r->spine->capacity : 0;
}

static void set_capacity(struct ring *r, uint32_t capacity, struct account *account)
{
    uint32_t count = (uint32_t)spine_count(r);
    r->spine = account_resize(account, r->spine, bytes_of(capacity_of(r)), bytes_of(capacity));
    r->spine->count = count;
    r->spine->capacity = capacity;
}

static uint32_t next_capacity(const struct ring *r)
{
    return capacity_of(r) + capacity_of(r) / 8 + 1;
}

size_t spine_bytes_more(const struct ring *r)
{
    return bytes_of(next_capacity(r)) - bytes_of(capacity_of(r));
}

void spine_insert(struct ring *r, size_t i, const struct sealed *item, struct account *account)
{
    if (spine_count(r) == capacity_of(r))
        set_capacity(r, next_capacity(r), account);
    struct sealed *at = r->spine->item + i;
    memmove(at + 1, at, (r->spine->count - i) * sizeof *at);
    *at = *item;
    r->spine->count++;
}

void spine_drop(struct ring *r, size_t n, struct account *account)
{
    if (n == 0)
        return;
    r->spine->count -= (uint32_t)n;
    memmove(r->spine->item, r->spine->item + n, r->spine->count * sizeof *r->spine->item);
    if (r->spine->count > 0) {
        if (r->spine->count < capacity_of(r) / 2)
            set_capacity(r, r->spine->count, account);
        return;
    }
    account_give(account, r->spine, bytes_of(capacity_of(r)));
    r->spine = NULL;
}

size_t spine_upto(const struct ring *r, int64_t t_ms)
{
    size_t low = 0;
    size_t high = spine_count(r);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (r->spine->item[middle].oldest_ms <= t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t spine_within(const struct ring *r, int64_t after_ms, int64_t upto_ms, size_t *end)
{
    size_t i = spine_upto(r, after_ms);
    *end = spine_upto(r, upto_ms);
    if (i > 0 && r->spine->item[i - 1].newest_ms > after_ms)
        i--;
    return i;
}
