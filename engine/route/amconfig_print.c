#include "amconfig_priv.h"

#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/yaml_print.h"

static void print_duration(struct buf *out, int indent, const char *key, struct str text)
{
    int64_t ms = 0;
    if (duration_parse(text, &ms, NULL) != 0)
        return;
    yaml_key(out, indent, key);
    buf_char(out, ' ');
    duration_print(out, ms);
    buf_char(out, '\n');
}

static void print_bool(struct buf *out, int indent, const char *key, bool value)
{
    yaml_plain(out, indent, key, value ? "true" : "false");
}

static void print_matchers(struct buf *out, struct am_reader *r, int indent, const struct tree *map,
                           const char *key)
{
    const struct tree *node = tree_get(map, key);
    struct am_matchers ms = {0};
    am_matcher_list(&r->strict, node, &ms);
    am_matchers_sort(&ms);
    if (ms.count > 0) {
        yaml_key(out, indent, key);
        buf_char(out, '\n');
    }
    struct buf text;
    buf_init(&text, (size_t)limits.yaml_bytes);
    for (size_t i = 0; i < ms.count; i++) {
        buf_clear(&text);
        am_matcher_print(&text, &ms.items[i]);
        buf_repeat(out, ' ', (size_t)indent);
        buf_puts(out, "- ");
        yaml_scalar(out, buf_slice(&text));
        buf_char(out, '\n');
    }
    buf_release(&text);
    am_matchers_release(ms.items, ms.count);
}

static void print_timer(struct buf *out, int indent, const struct tree *node, const char *key)
{
    const struct tree *timer = tree_get(node, key);
    if (!tree_is_null(timer))
        print_duration(out, indent, key, timer->text);
}

static void print_route(struct buf *out, struct am_reader *r, int indent, const struct tree *node,
                        const struct am_route *route)
{
    yaml_child(out, indent, node, "receiver");
    yaml_child(out, indent, node, "group_by");
    yaml_child(out, indent, node, "match");
    yaml_child(out, indent, node, "match_re");
    print_matchers(out, r, indent, node, "matchers");
    yaml_child(out, indent, node, "mute_time_intervals");
    yaml_child(out, indent, node, "active_time_intervals");
    print_bool(out, indent, "continue", route->go_on);
    yaml_child(out, indent, node, "labels");
    if (route->route_count > 0) {
        yaml_key(out, indent, "routes");
        buf_char(out, '\n');
        const struct tree *child = tree_get(node, "routes")->first;
        for (size_t i = 0; i < route->route_count; i++, child = child->next) {
            size_t from = out->used;
            print_route(out, r, indent + 2, child, &route->routes[i]);
            yaml_dash(out, from, indent);
        }
    }
    print_timer(out, indent, node, "group_wait");
    print_timer(out, indent, node, "group_interval");
    print_timer(out, indent, node, "repeat_interval");
}

static void print_inhibit_rules(struct buf *out, struct am_reader *r)
{
    const struct tree *list = tree_get(r->top, "inhibit_rules");
    if (r->config->inhibit_count == 0)
        return;
    buf_puts(out, "inhibit_rules:\n");
    for (const struct tree *node = list->first; node != NULL; node = node->next) {
        size_t from = out->used;
        if (node->kind != TREE_MAP || node->count == 0) {
            buf_puts(out, "- {}\n");
            continue;
        }
        yaml_child(out, 2, node, "name");
        yaml_child(out, 2, node, "source_match");
        yaml_child(out, 2, node, "source_match_re");
        print_matchers(out, r, 2, node, "source_matchers");
        yaml_child(out, 2, node, "target_match");
        yaml_child(out, 2, node, "target_match_re");
        print_matchers(out, r, 2, node, "target_matchers");
        yaml_child(out, 2, node, "equal");
        yaml_dash(out, from, 0);
    }
}

static void print_labels(struct buf *out, const struct labels *ls)
{
    if (ls->count < 2)
        return;
    buf_puts(out, "  labels:\n");
    for (size_t i = 0; i < ls->count; i++) {
        buf_puts(out, "    ");
        yaml_scalar(out, ls->item[i].name);
        buf_puts(out, ": ");
        yaml_scalar(out, ls->item[i].value);
        buf_char(out, '\n');
    }
}

static void print_receivers(struct buf *out, const struct amconfig *config)
{
    if (config->receiver_count > 0)
        buf_puts(out, "receivers:\n");
    for (size_t i = 0; i < config->receiver_count; i++) {
        const struct am_receiver *receiver = &config->receivers[i];
        size_t from = out->used;
        yaml_text(out, 2, "name", receiver->name);
        yaml_dash(out, from, 0);
        print_labels(out, receiver->labels);
        integrations_print(out, &receiver->integrations);
    }
}

static void print_templates(struct buf *out, const struct amconfig *config)
{
    buf_puts(out, config->template_count > 0 ? "templates:\n" : "templates: []\n");
    for (size_t i = 0; i < config->template_count; i++) {
        buf_puts(out, "- ");
        yaml_scalar(out, config->template_globs[i]);
        buf_char(out, '\n');
    }
}

void am_print_config(struct am_reader *r)
{
    struct buf out;
    buf_init(&out, (size_t)limits.yaml_bytes * 4);
    am_globals_print(&out, &r->globals);
    buf_puts(&out, "route:\n");
    print_route(&out, r, 2, r->route, &r->config->root);
    print_inhibit_rules(&out, r);
    print_receivers(&out, r->config);
    print_templates(&out, r->config);
    am_print_intervals(&out, r, true);
    am_print_intervals(&out, r, false);
    if (buf_overflow(&out))
        am_too_large(r, "configuration, printed again,");
    else
        r->config->original = str_copy(&r->config->arena, buf_slice(&out));
    buf_release(&out);
}
