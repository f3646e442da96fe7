#include "tocsin/alert.h"

#include "labels_priv.h"
#include "tocsin/mem.h"

/* Labels and annotations may be absent in an event that is still being made. */
static size_t part_bytes(const struct labels *ls)
{
    return ls != NULL ? labels_flat_bytes(ls) : 0;
}

enum { HEAD_BYTES = (sizeof(struct alert_event) + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1) };

size_t alert_event_bytes(const struct alert_event *event)
{
    return HEAD_BYTES + part_bytes(event->labels) + part_bytes(event->annotations) + event->generator_url.n +
           1;
}

struct alert_event *alert_event_copy(const struct alert_event *event)
{
    size_t labels = part_bytes(event->labels), annotations = part_bytes(event->annotations);
    struct alert_event *copy = mem_new(alert_event_bytes(event), 1);
    char *at = (char *)copy + HEAD_BYTES;
    *copy = *event;
    if (event->labels != NULL)
        copy->labels = labels_flatten(at, event->labels);
    if (event->annotations != NULL)
        copy->annotations = labels_flatten(at + labels, event->annotations);
    char *url = at + labels + annotations;
    if (event->generator_url.n > 0)
        memcpy(url, event->generator_url.p, event->generator_url.n);
    copy->generator_url.p = url;
    return copy;
}

static uint64_t fnv_byte(uint64_t h, unsigned char c)
{
    return (h ^ c) * UINT64_C(1099511628211);
}

static uint64_t fnv_text(uint64_t h, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        h = fnv_byte(h, (unsigned char)s.p[i]);
    return fnv_byte(h, 0xFF);
}

uint64_t labels_fingerprint(const struct labels *ls)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < ls->count; i++)
        h = fnv_text(fnv_text(h, ls->item[i].name), ls->item[i].value);
    return h;
}
