/* Any bytes as a template, run on small data with every function of both tables: it ends, within its limits, and a
 * second run says the same. */
#include "tocsin/template.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"

static struct tval small_data(struct tval values[8], struct tval_field fields[8], struct tval items[3])
{
    items[0] = tval_text(STR("a\"<b>"));
    items[1] = tval_float(1234.5);
    items[2] = tval_nil();
    values[0] = tval_duration(90500000000);
    values[1] = tval_int(-3);
    values[2] = tval_list(items, 3);
    values[3] = tval_nil();
    values[4] = tval_text(STR("host.example:9100"));
    values[5] = tval_time(1435065584128000000);
    values[6] = tval_texts(items, 1);
    static const char names[] = "dilnstx";
    for (size_t i = 0; i < 7; i++)
        fields[i] = (struct tval_field){.name = {&names[i], 1}, .value = &values[i]};
    return tval_map(fields, 7, TVAL_NIL);
}

static int run(const struct template_set *set, struct buf *out, struct err *err)
{
    struct tval values[8], items[3];
    struct tval_field fields[8];
    struct tval data = small_data(values, fields, items);
    return template_execute(set, STR("t"), &data, NULL, out, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct template_function *const tables[] = {template_prometheus_functions,
                                                             template_alertmanager_functions};
    limits.template_steps = 2000; /* so that one input takes no second */
    limits.template_output_bytes = 1 << 16;
    limits.template_arena_bytes = 1 << 20;
    struct arena arena;
    arena_init(&arena, 4 << 20);
    struct template_set *set = template_set_make(&arena, tables, 2);
    struct err err = {0}, again = {0};
    if (template_parse(set, STR("t"), (struct str){(const char *)data, size}, &err) == 0) {
        struct buf first, second;
        buf_init(&first, 1 << 20);
        buf_init(&second, 1 << 20);
        int rc = run(set, &first, &err);
        must(run(set, &second, &again) == rc);
        must(str_eq(buf_slice(&first), buf_slice(&second)) && str_eq(str_of(err.text), str_of(again.text)));
        must(rc == 0 || err.text[0] != '\0');
        buf_release(&first);
        buf_release(&second);
    } else {
        must(str_starts(str_of(err.text), STR("template: t:")));
    }
    arena_release(&arena);
    return 0;
}
