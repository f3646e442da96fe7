#include "rule_history_priv.h"

#include "tocsin/mem.h"

void rule_history_note(struct rule_history *h, const struct rule_past *past)
{
    if (h->items == NULL)
        h->items = MEM_ARRAY(struct rule_past, RULE_PAST_MAX);
    struct rule_past *to = &h->items[h->count++ % RULE_PAST_MAX];
    mem_free(to->error);
    *to = *past;
}

void rule_history_free(struct rule_history *h)
{
    for (size_t i = 0; i < h->count && i < RULE_PAST_MAX; i++)
        mem_free(h->items[i].error);
    mem_free(h->items);
}
