/* tocsin check slo. */
#include "command_priv.h"

#include "tocsin/limits.h"
#include "tocsin/objective.h"

#include <stdio.h>

/* Ids are unique over all files, so they go into one set. */
static int check_file(struct world *world, struct objective_set *set, const char *path, struct buf *errors)
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
    buf_release(&text);
    if (rc != 0)
        fprintf(stderr, "  FAILED:\n%s\n", buf_text(errors));
    else
        printf("  SUCCESS: %zu objectives found\n\n", set->count - before);
    return rc == 0 ? 0 : 1;
}

int check_slo(struct world *world, char **paths, size_t count)
{
    enum { ERRORS_MAX_BYTES = 1 << 20 };
    struct objective_set *set = objective_set_new();
    struct buf errors;
    int status = 0;
    buf_init(&errors, ERRORS_MAX_BYTES);
    for (size_t i = 0; i < count; i++)
        status |= check_file(world, set, paths[i], &errors);
    buf_release(&errors);
    objective_set_free(set);
    return status;
}
