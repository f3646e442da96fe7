#include "tocsin/page.h"

#include "labels_priv.h"
#include "tocsin/mem.h"

#include <stddef.h>

static size_t part_bytes(const struct labels *ls)
{
    return ls != NULL ? labels_flat_bytes(ls) : 0;
}

static const struct labels *move_labels(char **at, const struct labels *ls)
{
    if (ls == NULL)
        return NULL;
    const struct labels *copy = labels_flatten(*at, ls);
    *at += labels_flat_bytes(ls);
    return copy;
}

static struct str move_text(char **at, struct str text)
{
    struct str copy = {*at, text.n};
    if (text.n > 0)
        memcpy(*at, text.p, text.n);
    *at += text.n;
    return copy;
}

struct page_event *page_event_copy(const struct page_event *event)
{
    size_t head = (sizeof *event + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    size_t labels = part_bytes(event->group_labels) + part_bytes(event->common_labels) +
                    part_bytes(event->common_annotations);
    size_t texts =
        event->group_key.n + event->receiver.n + event->integration.n + event->reason.n + event->detail.n;
    struct page_event *copy = mem_new(head + labels + texts, 1);
    char *at = (char *)copy + head;
    *copy = *event;
    copy->group_labels = move_labels(&at, event->group_labels);
    copy->common_labels = move_labels(&at, event->common_labels);
    copy->common_annotations = move_labels(&at, event->common_annotations);
    copy->group_key = move_text(&at, event->group_key);
    copy->receiver = move_text(&at, event->receiver);
    copy->integration = move_text(&at, event->integration);
    copy->reason = move_text(&at, event->reason);
    copy->detail = move_text(&at, event->detail);
    return copy;
}
