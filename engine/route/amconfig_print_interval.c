#include "amconfig_priv.h"

#include "tocsin/yaml_print.h"

/* Numbers are quoted so that they are read back as the texts that ranges are; of two with a colon those in double quotes that YAML 1.1
 * would take for a number to the base of sixty. */
static void print_numbers(struct buf *out, struct am_range range)
{
    if (range.begin == range.end)
        buf_format(out, "\"%lld\"", (long long)range.begin);
    else if (range.end >= 0 && range.end < 60)
        buf_format(out, "\"%lld:%lld\"", (long long)range.begin, (long long)range.end);
    else
        buf_format(out, "'%lld:%lld'", (long long)range.begin, (long long)range.end);
}

static void print_weekdays(struct buf *out, struct am_range range)
{
    if (range.begin == range.end)
        buf_puts(out, am_weekdays[range.begin]);
    else
        buf_format(out, "'%s:%s'", am_weekdays[range.begin], am_weekdays[range.end]);
}

static void print_ranges(struct buf *out, const char *key, const struct am_ranges *ranges,
                         void (*print)(struct buf *out, struct am_range range))
{
    if (ranges->count == 0)
        return;
    yaml_key(out, 4, key);
    buf_puts(out, " [");
    for (size_t i = 0; i < ranges->count; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        print(out, ranges->items[i]);
    }
    buf_puts(out, "]\n");
}

static void print_clock(struct buf *out, const char *key, int64_t minutes)
{
    buf_format(out, "%s: \"%02d:%02d\"\n", key, (int)(minutes / 60), (int)(minutes % 60));
}

static void print_spec(struct buf *out, const struct am_time_spec *spec)
{
    size_t from = out->used;
    if (spec->minutes.count > 0)
        buf_puts(out, "    times:\n");
    for (size_t i = 0; i < spec->minutes.count; i++) {
        print_clock(out, "    - start_time", spec->minutes.items[i].begin);
        print_clock(out, "      end_time", spec->minutes.items[i].end);
    }
    print_ranges(out, "weekdays", &spec->weekdays, print_weekdays);
    print_ranges(out, "days_of_month", &spec->days, print_numbers);
    print_ranges(out, "months", &spec->months, print_numbers);
    print_ranges(out, "years", &spec->years, print_numbers);
    yaml_text(out, 4, "location", spec->location);
    if (out->used == from)
        buf_puts(out, "  - {}\n");
    else
        yaml_dash(out, from, 2);
}

static void print_interval(struct buf *out, const struct am_interval *interval)
{
    size_t from = out->used;
    yaml_text(out, 2, "name", interval->name);
    buf_puts(out, interval->spec_count > 0 ? "  time_intervals:\n" : "  time_intervals: []\n");
    for (size_t i = 0; i < interval->spec_count; i++)
        print_spec(out, &interval->specs[i]);
    yaml_dash(out, from, 0);
}

void am_print_intervals(struct buf *out, const struct am_reader *r, bool mute)
{
    bool any = false;
    for (size_t i = 0; i < r->interval_count; i++) {
        if (r->intervals[i].mute != mute)
            continue;
        if (!any)
            buf_puts(out, mute ? "mute_time_intervals:\n" : "time_intervals:\n");
        any = true;
        print_interval(out, &r->intervals[i].interval);
    }
}
