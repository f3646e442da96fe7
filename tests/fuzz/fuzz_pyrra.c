/* A file of Pyrra's objectives is read, or refused; what is read becomes rules, which are read again, and objectives. */
#include "tocsin/objective.h"
#include "tocsin/pyrra.h"

#include <stdint.h>

static void generate(const struct pyrra_file *file, bool objects)
{
    const struct pyrra_generate options = {
        .generic_rules = true, .external_url = STR("https://a.example"), .operator_rule = objects};
    for (int part = PYRRA_WHOLE; part <= PYRRA_LONG; part++) {
        struct buf out;
        struct err err;
        buf_init(&out, 1 << 24);
        pyrra_generate(file->objectives, file->count, (enum pyrra_part)part, &options, &out, &err);
        buf_release(&out);
    }
}

/* What is taken as an objective has queries that are templates. */
static void take(struct str text)
{
    struct objective_set *set = objective_set_new();
    struct buf errors;
    buf_init(&errors, 1 << 20);
    objective_file_parse(set, STR("f"), text, &errors);
    for (size_t i = 0; i < set->count; i++) {
        struct str query;
        struct err err;
        if (objective_query(&set->arena, set->items[i].indicator.total, 60000, &query, &err) == ERR_PARSE)
            __builtin_trap();
    }
    buf_release(&errors);
    objective_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct pyrra_file *file;
    struct buf warnings;
    struct err err;
    if (pyrra_file_parse(text, &file, &err) != 0)
        return 0;
    buf_init(&warnings, 1 << 20);
    for (size_t i = 0; i < file->count; i++)
        pyrra_warn(&file->objectives[i], STR("f"), true, &warnings);
    buf_release(&warnings);
    generate(file, false);
    generate(file, true);
    pyrra_file_free(file);
    take(text);
    return 0;
}
