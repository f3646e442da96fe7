/* storm: how many pages an integration gets in a minute before it is told the others in one. */
#include "config_priv.h"

#include "tocsin/check.h"
#include "tocsin/tree.h"

/* More than anybody reads, and more than a deployment or a network that fails makes where groups are groups. */
enum { PAGES_DEFAULT = 500, PAGES_MAX = 1000000 };

/* What is to wake somebody comes by itself. */
static const struct str never_default[] = {
    {"severity=~\"critical|page\"", 25},
    {"sloth_severity=\"page\"", 21},
};

void config_default_storm(struct config *config)
{
    size_t count = sizeof never_default / sizeof *never_default;
    config->storm_pages = PAGES_DEFAULT;
    config->storm_never.items = arena_copy(&config->arena, never_default, count, sizeof *never_default);
    must(config->storm_never.items != NULL);
    config->storm_never.count = count;
}

static void read_pages(struct strict *s, const struct tree *node, void *target)
{
    uint64_t *pages = target;
    strict_u64(s, node, pages);
    if (*pages > PAGES_MAX)
        strict_fail(s, node, "storm.pages_per_minute is %d at most; 0: no digests", PAGES_MAX);
}

static void check_matchers(struct strict *s, const struct tree *node, struct str text)
{
    struct err err = {0};
    struct matcher *ms = NULL;
    size_t count = 0;
    if (am_matchers_parse(s->arena, text, &ms, &count, &err) != 0)
        strict_stop(s, node, &err);
    else if (count == 0)
        strict_fail(s, node, "storm.never has an item without matchers, which every alert matches");
    for (size_t i = 0; i < count; i++)
        matcher_release(&ms[i]);
}

static void read_never(struct strict *s, const struct tree *node, void *target)
{
    struct strict_texts *never = target;
    *never = (struct strict_texts){0};
    strict_texts(s, node, never);
    for (size_t i = 0; i < never->count && !strict_stopped(s); i++)
        check_matchers(s, node, never->items[i]);
}

void config_read_storm(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"pages_per_minute", read_pages, offsetof(struct config, storm_pages)},
        {"never", read_never, offsetof(struct config, storm_never)},
        {NULL, NULL, 0},
    };
    strict_struct(s, node, "config.Storm", fields, target);
}

struct router_storm config_storm(const struct config *config)
{
    return (struct router_storm){(int64_t)config->storm_pages, config->storm_never.items,
                                 config->storm_never.count};
}

void config_print_storm(struct buf *out, const struct config *config)
{
    buf_format(out, "storm:\n  pages_per_minute: %llu\n  never: [", (unsigned long long)config->storm_pages);
    for (size_t i = 0; i < config->storm_never.count; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        json_string_raw(out, config->storm_never.items[i]);
    }
    buf_puts(out, "]\n");
}
