#include "slo_priv.h"

#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/template.h"

void slo_pairs_put(struct arena *arena, struct strict_pairs *pairs, struct str name, struct str value)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (str_eq(pairs->items[i].name, name)) {
            pairs->items[i].value = value;
            return;
        }
    }
    struct label *more = ARENA_ARRAY(arena, struct label, pairs->count + 1);
    if (more == NULL)
        return;
    if (pairs->count > 0)
        memcpy(more, pairs->items, pairs->count * sizeof *more);
    more[pairs->count] = (struct label){name, value};
    *pairs = (struct strict_pairs){more, pairs->count + 1};
}

struct strict_pairs slo_pairs_over(struct arena *arena, struct strict_pairs under, struct strict_pairs over)
{
    struct label *items = ARENA_ARRAY(arena, struct label, under.count + over.count);
    struct strict_pairs out = {items, 0};
    if (items == NULL)
        return out;
    if (under.count > 0)
        memcpy(items, under.items, under.count * sizeof *items);
    out.count = under.count;
    for (size_t i = 0; i < over.count; i++)
        slo_pairs_put(arena, &out, over.items[i].name, over.items[i].value);
    return out;
}

/* An object, because asking for anything but .window is to be an error. */
static struct tval data_of(struct tval *window, struct tval_field *field)
{
    static const struct tval_type type = {.go_name = "map[string]string"};
    *field = (struct tval_field){STR("window"), window};
    return tval_object(&type, field, 1);
}

static int render(struct arena *arena, struct str query, struct str window, struct buf *out, struct err *err)
{
    static const struct template_function *const none[] = {NULL};
    struct template_set *set = template_set_make(arena, none, 0);
    struct tval text = tval_text(window);
    struct tval_field field;
    struct tval data = data_of(&text, &field);
    if (set == NULL)
        return err_set(err, ERR_LIMIT, "the file takes more memory than generation_arena_bytes allows");
    int rc = template_parse(set, STR("sliExpr"), query, err);
    return rc == 0 ? template_execute(set, STR("sliExpr"), &data, NULL, out, err) : rc;
}

int objective_query(struct arena *arena, struct str query, int64_t window_ms, struct str *out, struct err *err)
{
    struct buf window, text;
    buf_init(&window, (size_t)limits.query_text_bytes);
    buf_init(&text, (size_t)limits.query_text_bytes);
    duration_print(&window, window_ms);
    int rc = render(arena, query, buf_slice(&window), &text, err);
    *out = rc == 0 ? str_copy(arena, buf_slice(&text)) : STR("");
    if (rc == 0 && buf_overflow(&text))
        rc = err_set(err, ERR_LIMIT, "the query is longer than query_text_bytes allows");
    else if (rc == 0 && out->p == NULL)
        rc = err_set(err, ERR_LIMIT, "the file takes more memory than generation_arena_bytes allows");
    buf_release(&window);
    buf_release(&text);
    return rc;
}
