#include "notification_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/tree.h"

static struct str quote_regex(struct arena *arena, struct str text)
{
    char *quoted = arena_alloc(arena, text.n * 2 + 1);
    size_t n = 0;
    for (size_t i = 0; quoted != NULL && i < text.n; i++) {
        if (text.p[i] != '\0' && strchr("\\.+*?()|[]{}^$", text.p[i]) != NULL)
            quoted[n++] = '\\';
        quoted[n++] = text.p[i];
    }
    return (struct str){quoted, n};
}

static const struct labels *part(const struct flush_item *item, bool annotations)
{
    return annotations ? item->fact->event->annotations : item->fact->event->labels;
}

/* The pairs that all have. */
static const struct labels *common(struct arena *arena, const struct notification *n, bool annotations)
{
    const struct labels *first = n->count > 0 ? part(n->items[0], annotations) : NULL;
    if (first == NULL)
        return labels_empty(arena);
    struct label *kept = ARENA_ARRAY(arena, struct label, first->count);
    size_t count = 0;
    for (size_t i = 0; kept != NULL && i < first->count; i++) {
        bool shared = true;
        for (size_t k = 1; k < n->count && shared; k++) {
            const struct labels *other = part(n->items[k], annotations);
            shared = other != NULL && str_eq(labels_get(other, first->item[i].name), first->item[i].value);
        }
        if (shared)
            kept[count++] = first->item[i];
    }
    return kept != NULL ? labels_make(arena, kept, count) : NULL;
}

static void choose(struct notification *n, const struct delivery *d, size_t max)
{
    bool cut = d->batch_count > max;
    for (int resolved = 0; resolved < (cut ? 2 : 1); resolved++) {
        for (size_t i = 0; i < d->batch_count && n->count < max; i++) {
            if (!cut || d->batch[i]->resolved == resolved)
                n->items[n->count++] = d->batch[i];
        }
    }
    n->truncated = d->batch_count - n->count;
    for (size_t i = 0; i < n->count; i++)
        n->firing_count += !n->items[i]->resolved;
    n->firing = n->firing_count > 0;
}

int notification_make(struct arena *arena, const struct router *router, const struct delivery *d,
                      uint64_t max_alerts, struct notification *out)
{
    size_t max = max_alerts > 0 && max_alerts < d->batch_count ? (size_t)max_alerts : d->batch_count;
    *out = (struct notification){
        .receiver = quote_regex(arena, d->flush->route->receiver->name),
        .items = ARENA_ARRAY(arena, const struct flush_item *, max),
        .reason = dedup_reason_text(d->reason),
        .group_labels = d->flush->labels,
        .route_labels = d->flush->route->labels,
        .external_url = router->options.external_url,
        .group_key = d->flush->key,
    };
    if (out->items == NULL || out->receiver.p == NULL)
        return ERR_LIMIT;
    choose(out, d, max);
    out->common_labels = common(arena, out, false);
    out->common_annotations = common(arena, out, true);
    return out->common_labels != NULL && out->common_annotations != NULL ? 0 : ERR_LIMIT;
}

void alert_time_print(struct buf *out, int64_t unix_ns, int32_t zone_s, int decimals)
{
    go_time_rfc3339(out, unix_ns + zone_s * NS_PER_S, decimals);
    if (zone_s == 0 || out->overflow)
        return;
    int32_t minutes = (zone_s < 0 ? -zone_s : zone_s) / 60;
    buf_truncate(out, out->used - 1); /* the Z */
    buf_format(out, "%c%02d:%02d", zone_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static void write_labels(struct buf *out, const char *key, const struct labels *ls)
{
    buf_format(out, "\"%s\":", key);
    labels_print_json(out, ls);
}

static void write_text(struct buf *out, const char *key, struct str text)
{
    buf_format(out, "\"%s\":", key);
    json_string(out, text);
}

static void write_alert(struct buf *out, const struct flush_item *item)
{
    const struct alert_event *event = item->fact->event;
    buf_format(out, "{\"status\":\"%s\",", item->resolved ? "resolved" : "firing");
    write_labels(out, "labels", event->labels);
    buf_char(out, ',');
    write_labels(out, "annotations", event->annotations);
    buf_puts(out, ",\"startsAt\":\"");
    alert_time_print(out, event->starts_ns, event->starts_zone_s, -1);
    buf_puts(out, "\",\"endsAt\":\"");
    if (item->resolved)
        alert_time_print(out, event->ends_ns, event->ends_zone_s, -1);
    else
        buf_puts(out, "0001-01-01T00:00:00Z");
    buf_puts(out, "\",");
    write_text(out, "generatorURL", event->generator_url);
    buf_format(out, ",\"fingerprint\":\"%016llx\"}", (unsigned long long)item->fact->fingerprint);
}

void notification_write_json(struct buf *out, const struct notification *n)
{
    buf_char(out, '{');
    write_text(out, "receiver", n->receiver);
    buf_format(out, ",\"status\":\"%s\",\"alerts\":[", n->firing ? "firing" : "resolved");
    for (size_t i = 0; i < n->count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        write_alert(out, n->items[i]);
    }
    buf_puts(out, "],");
    write_text(out, "notification_reason", n->reason);
    const struct {
        const char *key;
        const struct labels *labels;
    } maps[] = {{"groupLabels", n->group_labels},
                {"commonLabels", n->common_labels},
                {"commonAnnotations", n->common_annotations},
                {"routeLabels", n->route_labels}};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        buf_char(out, ',');
        write_labels(out, maps[i].key, maps[i].labels);
    }
    buf_char(out, ',');
    write_text(out, "externalURL", n->external_url);
    buf_puts(out, ",\"version\":\"4\",");
    write_text(out, "groupKey", n->group_key);
    buf_format(out, ",\"truncatedAlerts\":%zu}\n", n->truncated);
}
