#include "forward_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/tree.h"

/* The keys in the order in which Prometheus' encoder has them. */
void forward_write_alert(struct buf *out, const struct alert_event *event)
{
    buf_puts(out, "{\"annotations\":");
    labels_print_json(out, event->annotations);
    buf_puts(out, ",\"endsAt\":\"");
    go_time_rfc3339(out, event->ends_ns, 3);
    buf_puts(out, "\",\"startsAt\":\"");
    go_time_rfc3339(out, event->starts_ns, 3);
    buf_char(out, '"');
    if (event->generator_url.n > 0) {
        buf_puts(out, ",\"generatorURL\":");
        json_string(out, event->generator_url);
    }
    buf_puts(out, ",\"labels\":");
    labels_print_json(out, event->labels);
    buf_char(out, '}');
}
