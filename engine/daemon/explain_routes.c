#include "explain_priv.h"

#include "tocsin/amconfig.h"
#include "tocsin/duration.h"
#include "tocsin/limits.h"

#include <stdio.h>

enum { LINE_BYTES_MAX = 1 << 20 };

struct tour {
    const struct labels *labels;
    int64_t now_ns;
};

static void indent(size_t depth)
{
    printf("%*s", (int)(2 * depth), "");
}

static const struct matcher *first_miss(const struct matcher *ms, size_t count, const struct labels *ls)
{
    for (size_t i = 0; i < count; i++)
        if (!matcher_matches(&ms[i], labels_get(ls, ms[i].name)))
            return &ms[i];
    return NULL;
}

static void print_miss(const struct tour *tour, const struct am_route *route, const struct matcher *miss)
{
    struct buf text;
    struct str value = labels_get(tour->labels, miss->name);
    buf_init(&text, LINE_BYTES_MAX);
    am_matcher_print(&text, miss);
    printf("no   %.*s: not %s, %.*s ", STR_ARG(route->key), buf_text(&text), STR_ARG(miss->name));
    if (value.n > 0)
        printf("is \"%.*s\"\n", STR_ARG(value));
    else
        printf("is not there\n");
    buf_release(&text);
}

static bool groups_by(const struct am_route *route, struct str name)
{
    bool named = route->group_by_all;
    for (size_t i = 0; i < route->group_by_count && !named; i++)
        named = str_eq(route->group_by[i], name);
    return named;
}

static void print_group(const struct tour *tour, const struct am_route *route, size_t depth)
{
    struct arena arena;
    struct buf text;
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    buf_init(&text, LINE_BYTES_MAX);
    struct label *items = ARENA_ARRAY(&arena, struct label, tour->labels->count);
    size_t n = 0;
    for (size_t i = 0; items != NULL && i < tour->labels->count; i++)
        if (groups_by(route, tour->labels->item[i].name))
            items[n++] = tour->labels->item[i];
    struct labels *ls = items != NULL ? labels_make(&arena, items, n) : NULL;
    if (ls != NULL)
        labels_print(&text, ls);
    indent(depth);
    printf("     group %s\n", buf_text(&text));
    buf_release(&text);
    arena_release(&arena);
}

static void print_duration(const char *name, int64_t ms)
{
    struct buf text;
    buf_init(&text, 64);
    duration_print(&text, ms);
    printf("%s %s", name, buf_text(&text));
    buf_release(&text);
}

static void print_intervals(const struct tour *tour, const char *what, const struct am_intervals *intervals,
                            size_t depth)
{
    int64_t unix_s = tour->now_ns / NS_PER_S;
    for (size_t i = 0; i < intervals->count; i++) {
        const struct am_interval *interval = intervals->items[i];
        indent(depth);
        printf("     %s \"%.*s\", which %s now\n", what, STR_ARG(interval->name),
               am_interval_holds(interval, unix_s) > 0 ? "holds" : "does not hold");
    }
}

static void print_taken(const struct tour *tour, const struct am_route *route, size_t depth)
{
    indent(depth);
    printf("  -> told: %.*s", STR_ARG(route->receiver->name));
    const struct integrations *all = &route->receiver->integrations;
    for (size_t i = 0; i < all->count; i++)
        printf("%s%s%s", i > 0 ? ", " : " (", integration_name(all->items[i]),
               all->items[i]->send_resolved ? "" : " without ends");
    printf("%s\n", all->count > 0 ? ")" : ", which has no integrations: nobody");
    print_group(tour, route, depth);
    indent(depth);
    print_duration("     group_wait", route->group_wait_ms);
    print_duration(", group_interval", route->group_interval_ms);
    print_duration(", repeat_interval", route->repeat_interval_ms);
    putchar('\n');
    print_intervals(tour, "muted by", &route->mute, depth);
    print_intervals(tour, "active only in", &route->active, depth);
}

/* Answers whether the route takes the alert. The tree is as deep as its YAML. */
static bool visit(const struct tour *tour, const struct am_route *route, size_t depth)
{
    const struct matcher *miss = first_miss(route->matchers, route->matcher_count, tour->labels);
    indent(depth);
    if (miss != NULL) {
        print_miss(tour, route, miss);
        return false;
    }
    printf("yes  %.*s%s\n", STR_ARG(route->key), route->go_on ? " (continue)" : "");
    bool taken = false;
    for (size_t i = 0; i < route->route_count; i++) {
        bool here = visit(tour, &route->routes[i], depth + 1);
        taken = taken || here;
        if (here && !route->routes[i].go_on)
            break;
    }
    if (!taken)
        print_taken(tour, route, depth);
    return true;
}

static void print_matchers(const struct matcher *ms, size_t count)
{
    struct buf text;
    buf_init(&text, LINE_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_puts(&text, i > 0 ? ", " : "");
        am_matcher_print(&text, &ms[i]);
    }
    printf("{%s}", buf_text(&text));
    buf_release(&text);
}

static void print_inhibition(const struct tour *tour, const struct amconfig *config)
{
    for (size_t i = 0; i < config->inhibit_count; i++) {
        const struct am_inhibit_rule *rule = &config->inhibit_rules[i];
        if (!matchers_match(rule->targets, rule->target_count, tour->labels) ||
            rule->source_count + rule->target_count == 0)
            continue;
        printf("quiet while an alert ");
        print_matchers(rule->sources, rule->source_count);
        printf(" fires");
        for (size_t k = 0; k < rule->equal_count; k++)
            printf("%s%.*s", k > 0 ? ", " : " with equal ", STR_ARG(rule->equal[k]));
        putchar('\n');
    }
}

static struct labels *read_labels(struct arena *arena, const struct flag_rest *rest)
{
    struct label *items = ARENA_ARRAY(arena, struct label, rest->count);
    size_t n = 0;
    for (size_t i = 1; items != NULL && i < rest->count; i++) {
        struct str value = str_of(rest->items[i]), name = str_cut(&value, '=');
        items[n++] = value.p != NULL ? (struct label){name, value} : (struct label){STR("alertname"), name};
        if (!label_name_is_valid(items[n - 1].name)) {
            fprintf(stderr, "tocsin explain: \"%s\" is no label; write name=value\n", rest->items[i]);
            return NULL;
        }
    }
    return items != NULL ? labels_make(arena, items, n) : NULL;
}

int explain_routes(struct world *world, const char *path, const struct flag_rest *rest)
{
    struct amconfig *config;
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    const struct tour tour = {.labels = read_labels(&arena, rest), .now_ns = world->wall_ns(world)};
    int status = 2;
    if (tour.labels != NULL && amconfig_load(world, path, &config, &err) != 0) {
        fprintf(stderr, "tocsin explain: %s: %s\n", path, err.text);
    } else if (tour.labels != NULL) {
        visit(&tour, &config->root, 0);
        print_inhibition(&tour, config);
        status = 0;
        amconfig_free(config);
    }
    arena_release(&arena);
    return status;
}
