#include "config_tool_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/url.h"

/* --alertmanager.url as people may read it: without the slash at its end, and without a login. */
static struct str link_of(const struct tool *tool, struct arena *arena)
{
    struct url url;
    const char *link = "";
    if (url_parse(str_of(tool->url), &url, NULL) == 0)
        link = arena_format(arena, "%.*s://%s", STR_ARG(url.scheme), url.authority.p);
    struct str text = str_of(link);
    while (text.n > 0 && text.p[text.n - 1] == '/')
        text.n--;
    return text;
}

static const struct alert_event *make_event(struct tool *tool, const struct labels *ls,
                                            const struct labels *texts, int64_t starts_ns, int64_t ends_ns,
                                            struct str url)
{
    struct alert_event *event = ARENA_NEW(&tool->arena, struct alert_event);
    if (event == NULL || ls == NULL || texts == NULL)
        return NULL;
    *event = (struct alert_event){.labels = labels_copy(&tool->arena, ls),
                                  .annotations = labels_copy(&tool->arena, texts),
                                  .generator_url = url,
                                  .starts_ns = starts_ns,
                                  .ends_ns = ends_ns,
                                  .updated_ns = starts_ns};
    return event->labels != NULL && event->annotations != NULL ? event : NULL;
}

static int add_alert(struct tool *tool, struct sample *s, const struct alert_event *event, struct err *err)
{
    if (event == NULL)
        return err_set(err, ERR_LIMIT, "the alerts need too much memory");
    s->alerts[s->count++] =
        (struct notification_alert){event, labels_fingerprint(event->labels),
                                    alert_is_resolved(event, tool->world->wall_ns(tool->world))};
    return 0;
}

static int begin(struct tool *tool, struct sample *s, size_t count, const struct labels *group,
                 struct err *err)
{
    struct buf key;
    buf_init(&key, 1 << 20);
    if (group != NULL) {
        buf_puts(&key, "{}:");
        labels_print(&key, group);
    }
    *s = (struct sample){.alerts = ARENA_ARRAY(&tool->arena, struct notification_alert, count),
                         .group_labels = group,
                         .group_key = arena_copy_text(&tool->arena, buf_text(&key), key.used)};
    buf_release(&key);
    return s->alerts != NULL && group != NULL && s->group_key != NULL
               ? 0
               : err_set(err, ERR_LIMIT, "the alerts need too much memory");
}

int sample_test(struct tool *tool, struct str receiver, struct sample *out, struct err *err)
{
    struct arena *arena = &tool->arena;
    const char *what =
        arena_format(arena,
                     "Somebody tries out the receiver %.*s with `tocsin config test-receiver`. Nothing "
                     "is wrong, nothing is to be done.",
                     STR_ARG(receiver));
    int64_t now_ns = tool->world->wall_ns(tool->world);
    int rc = begin(tool, out, 1, labels_of(arena, "alertname", "TocsinTestPage", NULL), err);
    if (rc != 0 || what == NULL)
        return rc;
    const struct labels *ls = labels_of(arena, "alertname", "TocsinTestPage", "severity", "info", NULL);
    const struct labels *texts =
        labels_of(arena, "summary", "TEST PAGE, nothing is wrong", "description", what, NULL);
    return add_alert(tool, out, make_event(tool, ls, texts, now_ns, 0, link_of(tool, arena)), err);
}

int sample_made_up(struct tool *tool, struct sample *out, struct err *err)
{
    struct arena *arena = &tool->arena;
    int64_t now_ns = tool->world->wall_ns(tool->world), minute_ns = 60 * NS_PER_S;
    int rc = begin(tool, out, 3, labels_of(arena, "alertname", "DiskFull", NULL), err);
    for (int i = 1; rc == 0 && i <= 3; i++) {
        const char *host = arena_format(arena, "db%d", i);
        const char *summary = arena_format(arena, "The disk of db%d is full", i);
        if (host == NULL || summary == NULL)
            return err_set(err, ERR_LIMIT, "the alerts need too much memory");
        const struct labels *ls =
            labels_of(arena, "alertname", "DiskFull", "host", host, "severity", "critical", NULL);
        const struct labels *texts =
            labels_of(arena, "summary", summary, "runbook", "http://runbooks.example/disk", NULL);
        rc = add_alert(tool, out,
                       make_event(tool, ls, texts, now_ns - (10 - i) * minute_ns,
                                  i == 3 ? now_ns - minute_ns : 0, STR("http://prometheus.example/graph")),
                       err);
    }
    return rc;
}

/* ---- alerts of the API ---- */

static const struct labels *read_labels(struct tool *tool, const struct tree *map)
{
    size_t n = 0;
    struct label *items = ARENA_ARRAY(&tool->arena, struct label, map != NULL ? map->count : 0);
    for (const struct tree *pair = map != NULL ? map->first : NULL; items != NULL && pair != NULL;
         pair = pair->next)
        if (pair->key != NULL)
            items[n++] = (struct label){pair->key->text, pair->text};
    return items != NULL ? labels_make_texts(&tool->arena, items, n) : NULL;
}

/* 0 for a time that is not given. */
static int64_t read_time(const struct tree *alert, const char *key)
{
    int64_t ns = 0;
    struct str text = tree_get_text(alert, key);
    if (str_starts(text, STR("0001-01-01")) || !go_parse_rfc3339(text, &ns))
        return 0;
    return ns;
}

static const struct labels *common_name(struct tool *tool, const struct tree *list)
{
    struct str name = tree_get_text(tree_get(list->first, "labels"), "alertname");
    for (const struct tree *alert = list->first; alert != NULL; alert = alert->next)
        if (!str_eq(name, tree_get_text(tree_get(alert, "labels"), "alertname")))
            return labels_empty(&tool->arena);
    struct label item = {STR("alertname"), name};
    return labels_make(&tool->arena, &item, 1);
}

int sample_read(struct tool *tool, const struct tree *list, const struct tree *group, struct sample *out,
                struct err *err)
{
    if (list == NULL || list->kind != TREE_LIST || list->count == 0)
        return err_set(err, ERR_PARSE,
                       "there is no alert: a list of them is wanted, as /api/v2/alerts has it");
    int rc = begin(tool, out, list->count, group != NULL ? read_labels(tool, group) : common_name(tool, list),
                   err);
    for (const struct tree *alert = list->first; rc == 0 && alert != NULL; alert = alert->next) {
        const struct labels *ls = read_labels(tool, tree_get(alert, "labels"));
        if (ls != NULL && ls->count == 0)
            return err_set(err, ERR_PARSE, "line %d: an alert without labels", alert->line);
        rc = add_alert(tool, out,
                       make_event(tool, ls, read_labels(tool, tree_get(alert, "annotations")),
                                  read_time(alert, "startsAt"), read_time(alert, "endsAt"),
                                  tree_get_text(alert, "generatorURL")),
                       err);
    }
    return rc;
}

/* ---- whom ---- */

struct exchange sample_exchange(const struct tool *tool, const struct sample *sample, struct str receiver,
                                const struct amconfig *config, struct arena *arena)
{
    return (struct exchange){
        .world = tool->world,
        .arena = arena,
        .templates = config->templates,
        .notification = {.receiver = receiver,
                         .alerts = sample->alerts,
                         .count = sample->count,
                         .reason = STR("first notification"),
                         .group_labels = sample->group_labels,
                         .route_labels = labels_empty(arena),
                         .external_url = link_of(tool, arena),
                         .group_key = str_of(sample->group_key),
                         .now_ns = tool->world->wall_ns(tool->world)},
    };
}

int receiver_find(const struct amconfig *config, const char *name, const struct am_receiver **out,
                  struct err *err)
{
    struct buf names;
    for (size_t i = 0; i < config->receiver_count; i++)
        if (str_is(config->receivers[i].name, name)) {
            *out = &config->receivers[i];
            return 0;
        }
    buf_init(&names, ERR_TEXT_MAX);
    for (size_t i = 0; i < config->receiver_count; i++)
        buf_format(&names, "%s%.*s", i > 0 ? ", " : "", STR_ARG(config->receivers[i].name));
    int rc = err_set(err, ERR_NOT_FOUND, "no receiver is named \"%s\"; there are %s", name, buf_text(&names));
    buf_release(&names);
    return rc;
}
