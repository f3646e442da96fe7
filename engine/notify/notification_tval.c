#include "tocsin/notification.h"
#include "tocsin/world.h"

/*
 * Alertmanager's data types for templates: Data, Alerts, Alert, KV, Pairs. Names and methods are what templates in the
 * field call (Alertmanager 0.34).
 */

static int no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "too much memory for a template");
}

/* KV: its pairs with alertname first, then by name. */
static size_t sorted_place(const struct tval *kv, size_t i)
{
    size_t at = kv->map.count;
    for (size_t k = 0; k < kv->map.count; k++) {
        if (str_is(kv->map.fields[k].name, "alertname"))
            at = k;
    }
    if (at == kv->map.count)
        return i;
    if (i == 0)
        return at;
    return i <= at ? i - 1 : i;
}

static const struct tval_type pair_type = {.go_name = "template.Pair"};

static void print_pairs_text(struct buf *out, const struct tval *name, const struct tval *value, size_t i)
{
    buf_puts(out, i > 0 ? ", " : "");
    buf_str(out, name->text);
    buf_char(out, '=');
    buf_str(out, value->text);
}

static void print_pairs(struct buf *out, const struct tval *pairs)
{
    for (size_t i = 0; i < pairs->list.count; i++) {
        const struct tval *pair = &pairs->list.items[i];
        print_pairs_text(out, pair->map.fields[0].value, pair->map.fields[1].value, i);
    }
}

static int pick(struct template_run *run, const struct tval *pairs, size_t field, struct tval *out,
                struct err *err)
{
    struct tval *items = ARENA_ARRAY(template_arena(run), struct tval, pairs->list.count);
    if (items == NULL)
        return no_memory(err);
    for (size_t i = 0; i < pairs->list.count; i++)
        items[i] = *pairs->list.items[i].map.fields[field].value;
    *out = tval_texts(items, pairs->list.count);
    return 0;
}

static int pairs_names(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                       struct err *err)
{
    (void)count;
    return pick(run, &args[0], 0, out, err);
}

static int pairs_values(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                        struct err *err)
{
    (void)count;
    return pick(run, &args[0], 1, out, err);
}

static const struct template_function pairs_methods[] = {
    {"Names", pairs_names, ""},
    {"Values", pairs_values, ""},
    {NULL, NULL, NULL},
};

static const struct tval_type pairs_type = {
    .go_name = "template.Pairs", .methods = pairs_methods, .print = print_pairs};

static struct tval *new_text(struct arena *arena, struct str text)
{
    struct tval *value = ARENA_NEW(arena, struct tval);
    if (value != NULL)
        *value = tval_text(text);
    return value;
}

static bool make_pair(struct arena *arena, const struct tval_field *from, struct tval *pair)
{
    struct tval_field *fields = ARENA_ARRAY(arena, struct tval_field, 2);
    struct tval *name = new_text(arena, from->name);
    if (fields == NULL || name == NULL)
        return false;
    fields[0] = (struct tval_field){STR("Name"), name};
    fields[1] = (struct tval_field){STR("Value"), from->value};
    *pair = tval_object(&pair_type, fields, 2);
    return true;
}

static int kv_sorted_pairs(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                           struct err *err)
{
    (void)count;
    const struct tval *kv = &args[0];
    struct tval *pairs = ARENA_ARRAY(template_arena(run), struct tval, kv->map.count);
    if (pairs == NULL)
        return no_memory(err);
    for (size_t i = 0; i < kv->map.count; i++) {
        if (!make_pair(template_arena(run), &kv->map.fields[sorted_place(kv, i)], &pairs[i]))
            return no_memory(err);
    }
    *out = tval_list(pairs, kv->map.count);
    out->type = &pairs_type;
    return 0;
}

static int kv_names(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                    struct err *err)
{
    struct tval pairs;
    int rc = kv_sorted_pairs(run, args, count, &pairs, err);
    return rc != 0 ? rc : pick(run, &pairs, 0, out, err);
}

static int kv_values(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                     struct err *err)
{
    struct tval pairs;
    int rc = kv_sorted_pairs(run, args, count, &pairs, err);
    return rc != 0 ? rc : pick(run, &pairs, 1, out, err);
}

static bool lists(const struct tval *names, struct str name)
{
    for (size_t i = 0; i < names->list.count; i++) {
        if (names->list.items[i].kind == TVAL_TEXT && str_eq(names->list.items[i].text, name))
            return true;
    }
    return false;
}

static int kv_remove(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                     struct err *err)
{
    (void)count;
    const struct tval *kv = &args[0];
    struct tval_field *kept = ARENA_ARRAY(template_arena(run), struct tval_field, kv->map.count);
    size_t n = 0;
    if (kept == NULL)
        return no_memory(err);
    for (size_t i = 0; i < kv->map.count; i++) {
        if (!lists(&args[1], kv->map.fields[i].name))
            kept[n++] = kv->map.fields[i];
    }
    *out = tval_map(kept, n, TVAL_TEXT);
    out->type = kv->type;
    return 0;
}

static void kv_print(struct buf *out, const struct tval *kv)
{
    for (size_t i = 0; i < kv->map.count; i++) {
        const struct tval_field *field = &kv->map.fields[sorted_place(kv, i)];
        struct tval name = tval_text(field->name);
        print_pairs_text(out, &name, field->value, i);
    }
}

static const struct template_function kv_methods[] = {
    {"SortedPairs", kv_sorted_pairs, ""}, {"Names", kv_names, ""}, {"Values", kv_values, ""},
    {"Remove", kv_remove, "[]string"},    {NULL, NULL, NULL},
};

static const struct tval_type kv_type = {
    .go_name = "template.KV", .underlying = "map[string]string", .methods = kv_methods, .print = kv_print};

static const struct tval_type alert_type = {.go_name = "template.Alert", .json_small = true};
static const struct tval_type data_type = {.go_name = "template.Data", .json_small = true};
static const struct tval_type alerts_type;

static int with_status(struct template_run *run, const struct tval *alerts, const char *status,
                       struct tval *out, struct err *err)
{
    struct tval *kept = ARENA_ARRAY(template_arena(run), struct tval, alerts->list.count);
    size_t n = 0;
    if (kept == NULL)
        return no_memory(err);
    for (size_t i = 0; i < alerts->list.count; i++) {
        if (str_is(alerts->list.items[i].map.fields[0].value->text, status))
            kept[n++] = alerts->list.items[i];
    }
    *out = tval_list(kept, n);
    out->type = alerts->type;
    return 0;
}

static int alerts_firing(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                         struct err *err)
{
    (void)count;
    return with_status(run, &args[0], "firing", out, err);
}

static int alerts_resolved(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                           struct err *err)
{
    (void)count;
    return with_status(run, &args[0], "resolved", out, err);
}

static const struct template_function alerts_methods[] = {
    {"Firing", alerts_firing, ""},
    {"Resolved", alerts_resolved, ""},
    {NULL, NULL, NULL},
};

static const struct tval_type alerts_type = {.go_name = "template.Alerts", .methods = alerts_methods};

/* Fields of an object, filled one after another; a missing value is found once, at the end. */
struct object {
    struct arena *arena;
    struct tval_field *fields;
    size_t count;
    bool short_of_memory;
};

static struct object object_begin(struct arena *arena, size_t fields)
{
    struct object o = {.arena = arena, .fields = ARENA_ARRAY(arena, struct tval_field, fields)};
    o.short_of_memory = o.fields == NULL;
    return o;
}

static void object_add(struct object *o, const char *name, struct tval value)
{
    struct tval *copy = arena_copy(o->arena, &value, 1, sizeof value);
    o->short_of_memory = o->short_of_memory || copy == NULL;
    if (!o->short_of_memory)
        o->fields[o->count++] = (struct tval_field){str_of(name), copy};
}

static struct tval kv_of(struct object *o, const struct labels *ls)
{
    size_t count = ls != NULL ? ls->count : 0;
    struct tval_field *fields = ARENA_ARRAY(o->arena, struct tval_field, count);
    o->short_of_memory = o->short_of_memory || fields == NULL;
    for (size_t i = 0; i < count && !o->short_of_memory; i++) {
        fields[i] = (struct tval_field){ls->item[i].name, new_text(o->arena, ls->item[i].value)};
        o->short_of_memory = fields[i].value == NULL;
    }
    struct tval kv = tval_map(fields, o->short_of_memory ? 0 : count, TVAL_TEXT);
    kv.type = &kv_type;
    return kv;
}

static struct tval time_of(int64_t unix_ns, int32_t zone_s)
{
    int64_t seconds = unix_ns / NS_PER_S, ns = unix_ns % NS_PER_S;
    if (ns < 0) {
        seconds--;
        ns += NS_PER_S;
    }
    return tval_time_zoned(seconds, (int32_t)ns, zone_s, zone_s == 0 ? STR("UTC") : STR(""));
}

/* Go's zero time.Time: the first of January of the year 1. */
#define GO_ZERO_UNIX_S INT64_C(-62135596800)

static bool make_alert(struct arena *arena, const struct notification_alert *alert, struct tval *out)
{
    const struct alert_event *event = alert->event;
    const char *fingerprint = arena_format(arena, "%016llx", (unsigned long long)alert->fingerprint);
    struct object o = object_begin(arena, 7);
    object_add(&o, "Status", tval_text(alert->resolved ? STR("resolved") : STR("firing")));
    object_add(&o, "Labels", kv_of(&o, event->labels));
    object_add(&o, "Annotations", kv_of(&o, event->annotations));
    object_add(&o, "StartsAt", time_of(event->starts_ns, event->starts_zone_s));
    object_add(&o, "EndsAt",
               alert->resolved ? time_of(event->ends_ns, event->ends_zone_s)
                               : tval_time_zoned(GO_ZERO_UNIX_S, 0, 0, STR("UTC")));
    object_add(&o, "GeneratorURL", tval_text(event->generator_url));
    object_add(&o, "Fingerprint", tval_text(str_of(fingerprint)));
    *out = tval_object(&alert_type, o.fields, o.count);
    return !o.short_of_memory && fingerprint != NULL;
}

int notification_tval(struct arena *arena, const struct notification *n, struct tval *out)
{
    struct tval *alerts = ARENA_ARRAY(arena, struct tval, n->count);
    if (alerts == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < n->count; i++) {
        if (!make_alert(arena, &n->alerts[i], &alerts[i]))
            return ERR_LIMIT;
    }
    struct tval list = tval_list(alerts, n->count);
    list.type = &alerts_type;
    struct object o = object_begin(arena, 9);
    object_add(&o, "Receiver", tval_text(n->receiver_pattern));
    object_add(&o, "Status", tval_text(n->firing ? STR("firing") : STR("resolved")));
    object_add(&o, "Alerts", list);
    object_add(&o, "NotificationReason", tval_text(n->reason));
    object_add(&o, "GroupLabels", kv_of(&o, n->group_labels));
    object_add(&o, "CommonLabels", kv_of(&o, n->common_labels));
    object_add(&o, "CommonAnnotations", kv_of(&o, n->common_annotations));
    object_add(&o, "RouteLabels", kv_of(&o, n->route_labels));
    object_add(&o, "ExternalURL", tval_text(n->external_url));
    *out = tval_object(&data_type, o.fields, o.count);
    return o.short_of_memory ? ERR_LIMIT : 0;
}
