/* tocsin check slo. */
#include "command_priv.h"

#include "tocsin/limits.h"
#include "tocsin/objective_rules.h"

#include <stdio.h>

/* Of those from `first` on: what the rules that they become refuse. */
static int check_rules(const struct objective_set *set, size_t first, const struct promql_features *features,
                       struct buf *errors)
{
    struct rule_set *rules = rule_set_new();
    const struct objective_set some = {.items = set->items + first, .count = set->count - first};
    int rc = objective_set_compile(&some, features, rules, errors);
    rule_set_free(rules);
    return rc;
}

/* Ids are unique over all files, so they go into one set. */
static int check_file(struct world *world, const struct promql_features *features, struct objective_set *set,
                      const char *path, struct buf *errors)
{
    struct buf text;
    struct err err = {0};
    size_t before = set->count;
    buf_init(&text, (size_t)limits.yaml_bytes);
    buf_clear(errors);
    printf("Checking %s\n", path);
    fflush(stdout);
    int rc = world->read_file(world, path, &text, &err);
    if (rc != 0)
        buf_format(errors, "%s: %s\n", path, err.text);
    else
        rc = objective_file_parse(set, str_of(path), buf_slice(&text), errors);
    if (rc == 0)
        rc = check_rules(set, before, features, errors);
    buf_release(&text);
    if (rc != 0)
        fprintf(stderr, "  FAILED:\n%s\n", buf_text(errors));
    else
        printf("  SUCCESS: %zu objectives found\n\n", set->count - before);
    return rc == 0 ? 0 : 1;
}

int check_slo(struct world *world, const struct promql_features *features, char **paths, size_t count)
{
    enum { ERRORS_MAX_BYTES = 1 << 20 };
    struct objective_set *set = objective_set_new();
    struct buf errors;
    int status = 0;
    buf_init(&errors, ERRORS_MAX_BYTES);
    for (size_t i = 0; i < count; i++)
        status |= check_file(world, features, set, paths[i], &errors);
    buf_release(&errors);
    objective_set_free(set);
    return status;
}
