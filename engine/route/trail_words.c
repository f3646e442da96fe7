#include "router_priv.h"
#include "trail_priv.h"

#include "tocsin/gotext.h"

enum { DAY_BYTES = 10 }; /* 2026-11-22 */

void trail_time_print(struct buf *out, int64_t at_ns, int64_t now_ns)
{
    struct buf at, now;
    buf_init(&at, 64);
    buf_init(&now, 64);
    go_time_rfc3339(&at, at_ns, 0);
    go_time_rfc3339(&now, now_ns, 0);
    bool today =
        at.used > DAY_BYTES && now.used > DAY_BYTES && memcmp(buf_text(&at), buf_text(&now), DAY_BYTES) == 0;
    buf_puts(out, buf_text(&at) + (today ? DAY_BYTES + 1 : 0));
    buf_release(&at);
    buf_release(&now);
}

static void put_via(struct buf *out, const char *integration, uint32_t number)
{
    buf_puts(out, integration);
    if (number > 0)
        buf_format(out, "[%u]", number);
}

static void put_attempts(struct buf *out, int attempts)
{
    buf_format(out, "%d attempt%s", attempts, attempts == 1 ? "" : "s");
}

static void put_answer(struct buf *out, int status)
{
    if (status > 0)
        buf_format(out, " (answered %d)", status);
}

static void put_trouble(struct buf *out, int status, struct str detail)
{
    while (detail.n > 0 && (detail.p[detail.n - 1] == ' ' || detail.p[detail.n - 1] == ':'))
        detail.n--; /* an answer without a body */
    if (status > 0)
        buf_format(out, "answered %d%s", status, detail.n > 0 ? ": " : "");
    buf_str(out, detail);
}

/* ---- lines ---- */

static void print_matched(struct buf *out, const struct trail_line *line, int64_t now_ns)
{
    buf_puts(out, "matched route ");
    buf_str(out, line->route);
    buf_format(out, " of %.*s; %.*s", STR_ARG(line->receiver), STR_ARG(line->detail));
    if (line->until_ns > line->at_ns) {
        buf_puts(out, " until ");
        trail_time_print(out, line->until_ns, now_ns);
    }
    buf_format(out, "; group %.*s", STR_ARG(line->group));
}

static void print_rest(struct buf *out, const struct trail_line *line, int64_t now_ns)
{
    buf_str(out, line->detail);
    if (line->until_ns == 0 || strcmp(line->what, "quiet") != 0)
        return;
    buf_puts(out, "; a repeat is due at ");
    trail_time_print(out, line->until_ns, now_ns);
}

static void print_sent(struct buf *out, const struct trail_line *line)
{
    buf_puts(out, "sent");
    put_answer(out, line->status);
    if (line->attempt > 1)
        buf_format(out, " at attempt %d", line->attempt);
    buf_format(out, "%s%.*s", line->detail.n > 0 ? ": " : "", STR_ARG(line->detail));
}

static void print_failure(struct buf *out, const struct trail_line *line, int64_t now_ns)
{
    bool over = strcmp(line->what, "failed") == 0;
    if (over && line->flushes > 1) {
        buf_format(out, "given up in %u flushes, the last one at ", line->flushes);
        trail_time_print(out, line->last_ns, now_ns);
        buf_puts(out, ", after ");
    } else {
        buf_puts(out, over ? "given up for this flush after " : "");
    }
    put_attempts(out, line->attempt);
    buf_puts(out, over ? ", " : " failed, ");
    put_trouble(out, line->status, line->detail);
    if (line->until_ns == 0)
        return;
    buf_puts(out, "; the next at ");
    trail_time_print(out, line->until_ns, now_ns);
}

void trail_line_print(struct buf *out, const struct trail_line *line, int64_t now_ns)
{
    if (strcmp(line->what, "matched") == 0) {
        print_matched(out, line, now_ns);
        return;
    }
    if (line->receiver.n > 0)
        buf_str(out, line->receiver);
    if (line->integration != NULL) {
        buf_puts(out, " via ");
        put_via(out, line->integration, line->number);
    }
    buf_puts(out, line->receiver.n > 0 ? ": " : "");
    if (strcmp(line->what, "sent") == 0)
        print_sent(out, line);
    else if (strcmp(line->what, "retrying") == 0 || strcmp(line->what, "failed") == 0)
        print_failure(out, line, now_ns);
    else
        print_rest(out, line, now_ns);
}

/* ---- verdicts ---- */

static bool has_told(const struct trail_via *via)
{
    return via->told != NULL || via->logged_ns != 0;
}

bool trail_story_paged(const struct trail_story *story)
{
    for (size_t i = 0; i < story->via_count; i++) {
        if (has_told(&story->via[i]))
            return true;
    }
    return false;
}

static void print_told(struct buf *out, const struct trail_story *story, const struct trail_via *via)
{
    put_via(out, via->integration, via->number);
    buf_puts(out, " at ");
    trail_time_print(out, via->told != NULL ? via->told->at_ns : via->logged_ns, story->now_ns);
    if (via->told != NULL)
        put_answer(out, via->told->status);
    else
        buf_puts(out, " (says the notification log)");
}

static void print_told_end(struct buf *out, const struct trail_story *story, const struct trail_via *via)
{
    buf_puts(out, "its end told via ");
    put_via(out, via->integration, via->number);
    buf_puts(out, " at ");
    trail_time_print(out, via->told_end->at_ns, story->now_ns);
    put_answer(out, via->told_end->status);
}

static void print_trouble(struct buf *out, const struct trail_story *story, const struct trail_via *via)
{
    const struct trail_event *e = via->trouble;
    put_via(out, via->integration, via->number);
    buf_puts(out, e->kind == TRAIL_FAILED ? " failed at " : " fails since ");
    trail_time_print(out, e->kind == TRAIL_FAILED ? e->last_ns : e->at_ns, story->now_ns);
    buf_puts(out, " (");
    put_attempts(out, e->attempt);
    buf_puts(out, ", ");
    put_trouble(out, e->status, str_of(e->detail != NULL ? e->detail : "no answer"));
    buf_char(out, ')');
    if (e->until_ns == 0)
        return;
    buf_puts(out, ", next attempt at ");
    trail_time_print(out, e->until_ns, story->now_ns);
}

static void print_troubles(struct buf *out, const struct trail_story *story, const char *before)
{
    for (size_t i = 0; i < story->via_count; i++) {
        if (story->via[i].trouble == NULL)
            continue;
        buf_puts(out, before);
        print_trouble(out, story, &story->via[i]);
        before = "; ";
    }
}

static void print_paged(struct buf *out, const struct trail_story *story)
{
    const char *between = " via ";
    buf_puts(out, "paged: ");
    buf_str(out, story->receiver);
    for (size_t i = 0; i < story->via_count; i++) {
        if (!has_told(&story->via[i]))
            continue;
        buf_puts(out, between);
        print_told(out, story, &story->via[i]);
        between = ", ";
    }
    for (size_t i = 0; i < story->via_count; i++) {
        if (story->via[i].told_end == NULL)
            continue;
        buf_puts(out, "; ");
        print_told_end(out, story, &story->via[i]);
    }
    print_troubles(out, story, "; ");
    if (story->hold.n > 0 && story->open)
        buf_format(out, "; quiet now: %.*s", STR_ARG(story->hold));
}

static bool has_trouble(const struct trail_story *story)
{
    for (size_t i = 0; i < story->via_count; i++) {
        if (story->via[i].trouble != NULL)
            return true;
    }
    return false;
}

static bool told_end_only(const struct trail_story *story, const struct trail_via **which)
{
    for (size_t i = 0; i < story->via_count; i++) {
        *which = &story->via[i];
        if ((*which)->told_end != NULL)
            return true;
    }
    return false;
}

static void print_waiting(struct buf *out, const struct trail_story *story)
{
    buf_format(out, "waits for %s until ", story->waits_interval ? "group_interval" : "group_wait");
    trail_time_print(out, story->waits_ns, story->now_ns);
    if (story->hold.n > 0)
        buf_format(out, ", and stays quiet then: %.*s", STR_ARG(story->hold));
}

static void print_unpaged(struct buf *out, const struct trail_story *story)
{
    const struct trail_via *end;
    if (told_end_only(story, &end)) {
        buf_puts(out, "only ");
        print_told_end(out, story, end);
    } else if (story->nobody) {
        buf_puts(out, "the receiver has no integrations");
    } else if (has_trouble(story)) {
        print_troubles(out, story, "");
    } else if (!story->flushed && story->open) {
        print_waiting(out, story);
    } else if (story->hold.n > 0) {
        buf_str(out, story->hold);
    } else if (story->under_way) {
        buf_puts(out, "it is being sent");
    } else {
        buf_puts(out, story->resolved ? "it ended before anybody was told" : "nothing was sent");
    }
}

void trail_story_print(struct buf *out, const struct trail_story *story)
{
    if (trail_story_paged(story)) {
        print_paged(out, story);
        return;
    }
    buf_format(out, "not paged: %.*s: ", STR_ARG(story->receiver));
    print_unpaged(out, story);
}
