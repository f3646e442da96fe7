#include "tocsin/notification.h"

#include "tocsin/gotext.h"
#include "tocsin/tree.h"
#include "tocsin/world.h"

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

static const struct labels *part(const struct notification_alert *alert, bool annotations)
{
    return annotations ? alert->event->annotations : alert->event->labels;
}

/* The pairs that all have. */
static const struct labels *common(struct arena *arena, const struct notification *n, bool annotations)
{
    const struct labels *first = n->count > 0 ? part(&n->alerts[0], annotations) : NULL;
    if (first == NULL)
        return labels_empty(arena);
    struct label *kept = ARENA_ARRAY(arena, struct label, first->count);
    size_t count = 0;
    for (size_t i = 0; kept != NULL && i < first->count; i++) {
        bool shared = true;
        for (size_t k = 1; k < n->count && shared; k++) {
            const struct labels *other = part(&n->alerts[k], annotations);
            shared = other != NULL && str_eq(labels_get(other, first->item[i].name), first->item[i].value);
        }
        if (shared)
            kept[count++] = first->item[i];
    }
    return kept != NULL ? labels_make(arena, kept, count) : NULL;
}

/* Those that fire, then those that have ended, as many as may go. */
static int cut(struct arena *arena, struct notification *n, size_t max)
{
    struct notification_alert *kept = ARENA_ARRAY(arena, struct notification_alert, max);
    size_t count = 0;
    if (kept == NULL)
        return ERR_LIMIT;
    for (int resolved = 0; resolved < 2; resolved++) {
        for (size_t i = 0; i < n->count && count < max; i++) {
            if (n->alerts[i].resolved == resolved)
                kept[count++] = n->alerts[i];
        }
    }
    n->truncated = n->count - count;
    n->alerts = kept;
    n->count = count;
    return 0;
}

int notification_complete(struct arena *arena, struct notification *n, uint64_t max_alerts)
{
    n->receiver_pattern = quote_regex(arena, n->receiver);
    if (n->receiver_pattern.p == NULL)
        return ERR_LIMIT;
    if (max_alerts > 0 && max_alerts < n->count && cut(arena, n, (size_t)max_alerts) != 0)
        return ERR_LIMIT;
    for (size_t i = 0; i < n->count; i++)
        n->firing_count += !n->alerts[i].resolved;
    n->firing = n->firing_count > 0;
    n->common_labels = common(arena, n, false);
    n->common_annotations = common(arena, n, true);
    return n->common_labels != NULL && n->common_annotations != NULL ? 0 : ERR_LIMIT;
}

static void print_time(struct buf *out, int64_t unix_ns, int32_t zone_s, int decimals)
{
    go_time_rfc3339(out, unix_ns + zone_s * NS_PER_S, decimals);
    if (zone_s == 0 || out->overflow)
        return;
    int32_t minutes = (zone_s < 0 ? -zone_s : zone_s) / 60;
    buf_truncate(out, out->used - 1); /* the Z */
    buf_format(out, "%c%02d:%02d", zone_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static void write_key(struct buf *out, const char *key)
{
    buf_char(out, '"');
    buf_puts(out, key);
    buf_puts(out, "\":");
}

static void write_labels(struct buf *out, const char *key, const struct labels *ls)
{
    write_key(out, key);
    labels_print_json(out, ls);
}

static void write_text(struct buf *out, const char *key, struct str text)
{
    write_key(out, key);
    json_string(out, text);
}

static void write_hex(struct buf *out, uint64_t value)
{
    char digits[16];
    for (size_t i = sizeof digits; i > 0; i--, value >>= 4)
        digits[i - 1] = "0123456789abcdef"[value & 15];
    buf_add(out, digits, sizeof digits);
}

static void write_alert(struct buf *out, const struct notification_alert *alert)
{
    const struct alert_event *event = alert->event;
    buf_puts(out, alert->resolved ? "{\"status\":\"resolved\"," : "{\"status\":\"firing\",");
    write_labels(out, "labels", event->labels);
    buf_char(out, ',');
    write_labels(out, "annotations", event->annotations);
    buf_puts(out, ",\"startsAt\":\"");
    print_time(out, event->starts_ns, event->starts_zone_s, -1);
    buf_puts(out, "\",\"endsAt\":\"");
    if (alert->resolved)
        print_time(out, event->ends_ns, event->ends_zone_s, -1);
    else
        buf_puts(out, "0001-01-01T00:00:00Z");
    buf_puts(out, "\",");
    write_text(out, "generatorURL", event->generator_url);
    buf_puts(out, ",\"fingerprint\":\"");
    write_hex(out, alert->fingerprint);
    buf_puts(out, "\"}");
}

void notification_write_json(struct buf *out, const struct notification *n, const char *version)
{
    buf_char(out, '{');
    write_text(out, "receiver", n->receiver_pattern);
    buf_format(out, ",\"status\":\"%s\",\"alerts\":[", n->firing ? "firing" : "resolved");
    for (size_t i = 0; i < n->count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        write_alert(out, &n->alerts[i]);
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
    buf_format(out, ",\"version\":\"%s\",", version);
    write_text(out, "groupKey", n->group_key);
    buf_format(out, ",\"truncatedAlerts\":%zu}", n->truncated);
}
