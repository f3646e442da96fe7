#include "tocsin/route_labels.h"
#include "integration_priv.h"

#include "tocsin/limits.h"

enum state { STATE_NEW, STATE_BUSY, STATE_DONE, STATE_FAILED };

/* One label and what has become of it. */
struct cell {
    enum state state;
    struct str value;
    struct err why;
};

struct rendering {
    struct exchange x; /* must be first: templates ask it for time zones */
    const struct labels *sources;
    struct cell *cells;   /* as the sources */
    struct arena *values; /* the exchange's arena is rewound after each text */
    struct str path[TEMPLATE_LABELS_MAX];
    size_t depth;
};

static int too_large(struct err *err)
{
    limit_hit(LIMIT_flush_arena_bytes);
    return err_set(err, ERR_LIMIT, "the route labels need more memory than flush_arena_bytes");
}

static int say_cycle(const struct rendering *r, struct str name, struct err *err)
{
    struct buf path;
    size_t from = 0;
    while (from < r->depth && !str_eq(r->path[from], name))
        from++;
    buf_init(&path, 1024);
    for (size_t i = from; i < r->depth; i++)
        buf_format(&path, "%.*s -> ", STR_ARG(r->path[i]));
    int rc = err_set(err, ERR_EXEC, "route label cycle detected: %s%.*s", buf_text(&path), STR_ARG(name));
    buf_release(&path);
    return rc;
}

static int render(struct rendering *r, size_t i);

static int find_label(void *context, struct str name, struct buf *out, struct err *err)
{
    struct rendering *r = context;
    for (size_t i = 0; i < r->sources->count; i++) {
        if (!str_eq(r->sources->item[i].name, name))
            continue;
        struct cell *cell = &r->cells[i];
        if (cell->state == STATE_BUSY)
            return say_cycle(r, name, err);
        int rc = render(r, i);
        if (rc != 0 && err != NULL)
            *err = cell->why;
        if (rc == 0)
            buf_str(out, cell->value);
        return rc;
    }
    return 0;
}

static int render_text(struct rendering *r, struct cell *cell, struct str source)
{
    struct buf text;
    buf_init(&text, (size_t)limits.template_output_bytes);
    int rc = exchange_run(&r->x, source, false, find_label, &text);
    cell->why = r->x.why;
    if (rc == 0)
        cell->value = str_copy(r->values, buf_slice(&text));
    if (rc == 0 && cell->value.p == NULL)
        rc = too_large(&cell->why);
    buf_release(&text);
    return rc;
}

/* Each label once, whoever asks for it first. */
static int render(struct rendering *r, size_t i)
{
    struct cell *cell = &r->cells[i];
    const struct label *source = &r->sources->item[i];
    if (cell->state == STATE_DONE || cell->state == STATE_FAILED)
        return cell->state == STATE_DONE ? 0 : cell->why.code;
    if (r->depth == TEMPLATE_LABELS_MAX)
        return err_set(&cell->why, ERR_LIMIT, "route labels ask for each other too deeply");
    cell->state = STATE_BUSY;
    r->path[r->depth++] = source->name;
    int rc = 0;
    if (text_is_template(source->value))
        rc = render_text(r, cell, source->value);
    else
        cell->value = source->value;
    r->depth--;
    cell->state = rc == 0 ? STATE_DONE : STATE_FAILED;
    return rc;
}

void route_labels_check(struct strict *s, const struct tree *node, struct str text)
{
    field_check_template(s, node, text);
}

bool route_labels_have_templates(const struct labels *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        if (text_is_template(sources->item[i].value))
            return true;
    return false;
}

/* What has an empty value is no label. */
static struct labels *gather(struct rendering *r, route_label_failed *failed, void *context)
{
    struct label *items = ARENA_ARRAY(r->values, struct label, r->sources->count);
    size_t count = 0;
    for (size_t i = 0; items != NULL && i < r->sources->count; i++) {
        struct str name = r->sources->item[i].name;
        if (render(r, i) != 0)
            failed(context, name, &r->cells[i].why);
        else if (r->cells[i].value.n > 0)
            items[count++] = (struct label){name, r->cells[i].value};
    }
    return items != NULL ? labels_make(r->values, items, count) : NULL;
}

struct labels *route_labels_render(struct world *world, const struct template_set *templates,
                                   const struct labels *sources, const struct notification *n,
                                   struct arena *arena, route_label_failed *failed, void *context)
{
    struct arena scratch;
    struct labels *made = NULL;
    struct rendering *r = ARENA_NEW(arena, struct rendering);
    arena_init(&scratch, (size_t)limits.flush_arena_bytes);
    if (r != NULL) {
        r->x =
            (struct exchange){.world = world, .arena = &scratch, .templates = templates, .notification = *n};
        r->sources = sources;
        r->values = arena;
        r->cells = ARENA_ARRAY(arena, struct cell, sources->count);
        r->x.notification.reason = STR("unknown");
        r->x.notification.route_labels = labels_empty(arena);
        if (r->cells != NULL && notification_complete(&scratch, &r->x.notification, 0) == 0)
            made = gather(r, failed, context);
    }
    if (made == NULL)
        limit_hit(LIMIT_flush_arena_bytes);
    arena_release(&scratch);
    return made;
}
