/* Pyrra's files for `tocsin slo generate`. */
#include "command_slo_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <stdio.h>
#include <string.h>

enum { OUTPUT_BYTES_MAX = 1 << 30, PATH_BYTES_MAX = 1 << 16, FIRST_FILE = 1 };

struct generation {
    struct world *world;
    const struct flag_rest *rest; /* behind `generate`: the files */
    const struct pyrra_generate *options;
    const char *folder; /* NULL: standard output */
    struct pyrra_file **files;
};

static int warn(const struct generation *g, const char *path, const struct pyrra_file *file)
{
    struct buf warnings;
    buf_init(&warnings, (size_t)limits.yaml_bytes);
    for (size_t i = 0; i < file->count; i++)
        pyrra_warn(&file->objectives[i], str_of(path), g->options->generic_rules, &warnings);
    fputs(buf_text(&warnings), stderr);
    buf_release(&warnings);
    return 0;
}

static int read_file(const struct generation *g, size_t i)
{
    struct buf text;
    struct err err = {0};
    const char *path = g->rest->items[i];
    int rc = slo_read_text(g->world, path, &text, &err);
    rc = rc == 0 ? pyrra_file_parse(buf_slice(&text), &g->files[i], &err) : rc;
    buf_release(&text);
    return rc == 0 ? warn(g, path, g->files[i]) : slo_fail(path, &err);
}

/* ---- all on standard output ---- */

/* The same groups stand in both of its files, so that one cannot hold them. */
static int refuse_two_files(const struct generation *g, size_t i)
{
    struct err err;
    for (size_t j = 0; j < g->files[i]->count; j++) {
        const struct pyrra_objective *o = &g->files[i]->objectives[j];
        if (o->performance_over_accuracy) {
            err_at(&err, ERR_ARG, o->line, 0,
                   "SLO \"%.*s\": performanceOverAccuracy makes two files of rules: say --output-dir=FOLDER",
                   STR_ARG(o->name));
            return slo_fail(g->rest->items[i], &err);
        }
    }
    return 0;
}

static size_t count_all(const struct generation *g)
{
    size_t count = 0;
    for (size_t i = FIRST_FILE; i < g->rest->count; i++)
        count += g->files[i]->count;
    return count;
}

static struct pyrra_objective *gather(const struct generation *g)
{
    struct pyrra_objective *all = MEM_ARRAY(struct pyrra_objective, count_all(g));
    size_t count = 0;
    for (size_t i = FIRST_FILE; i < g->rest->count; i++) {
        const struct pyrra_file *file = g->files[i];
        memcpy(all + count, file->objectives, file->count * sizeof *all);
        count += file->count;
    }
    return all;
}

static int print_all(const struct generation *g)
{
    struct buf out;
    struct err err = {0};
    int status = 0;
    for (size_t i = FIRST_FILE; i < g->rest->count && status == 0; i++)
        status = refuse_two_files(g, i);
    if (status != 0)
        return status;
    struct pyrra_objective *all = gather(g);
    buf_init(&out, OUTPUT_BYTES_MAX);
    if (pyrra_generate(all, count_all(g), PYRRA_WHOLE, g->options, &out, &err) != 0)
        status = slo_fail(g->rest->count == 2 ? g->rest->items[FIRST_FILE] : "the files together", &err);
    else if (fwrite(buf_text(&out), 1, out.used, stdout) != out.used)
        status = 1;
    buf_release(&out);
    mem_free(all);
    return status;
}

/* ---- files in a folder ---- */

static struct str base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return str_of(slash != NULL ? slash + 1 : path);
}

/* FOLDER/NAME-short.yaml of NAME.yaml */
static void target_path(struct buf *out, const char *folder, const char *path, enum pyrra_part part)
{
    static const char *const suffix[] = {
        [PYRRA_WHOLE] = "", [PYRRA_SHORT] = "-short", [PYRRA_LONG] = "-long"};
    struct str base = base_name(path), stem = base;
    const char *dot = memrchr(base.p, '.', base.n);
    if (dot != NULL && dot > base.p)
        stem.n = (size_t)(dot - base.p);
    buf_format(out, "%s/%.*s%s", folder, STR_ARG(stem), suffix[part]);
    buf_add(out, base.p + stem.n, base.n - stem.n);
}

/* A folder that holds the objectives themselves is soon given by mistake. */
static int refuse_objectives(const struct generation *g, const char *target, struct err *err)
{
    struct buf text;
    struct pyrra_file *file = NULL;
    int rc = 0;
    if (slo_read_text(g->world, target, &text, NULL) == 0 &&
        pyrra_file_parse(buf_slice(&text), &file, NULL) == 0)
        rc = err_set(err, ERR_ARG, "would be overwritten, and holds objectives: say another --output-dir");
    pyrra_file_free(file);
    buf_release(&text);
    return rc;
}

/* for_real: false tries whether it can be made. */
static int write_part(const struct generation *g, size_t i, enum pyrra_part part, bool for_real)
{
    struct buf out, target;
    struct err err = {0};
    const struct pyrra_file *file = g->files[i];
    int status = 0;
    buf_init(&out, OUTPUT_BYTES_MAX);
    buf_init(&target, PATH_BYTES_MAX);
    target_path(&target, g->folder, g->rest->items[i], part);
    if (pyrra_generate(file->objectives, file->count, part, g->options, &out, &err) != 0)
        status = slo_fail(g->rest->items[i], &err);
    else if (out.used > 0 &&
             (refuse_objectives(g, buf_text(&target), &err) != 0 ||
              (for_real && g->world->write_file(g->world, buf_text(&target), buf_slice(&out), &err) != 0)))
        status = slo_fail(buf_text(&target), &err);
    buf_release(&target);
    buf_release(&out);
    return status;
}

static int refuse_same_names(const struct generation *g)
{
    for (size_t i = FIRST_FILE; i < g->rest->count; i++)
        for (size_t j = FIRST_FILE; j < i; j++)
            if (str_eq(base_name(g->rest->items[i]), base_name(g->rest->items[j]))) {
                fprintf(stderr, "%s: would be written to the same file as %s\n", g->rest->items[i],
                        g->rest->items[j]);
                return 1;
            }
    return 0;
}

static int write_parts(const struct generation *g, bool for_real)
{
    int status = 0;
    for (size_t i = FIRST_FILE; i < g->rest->count && status == 0; i++)
        for (int part = PYRRA_WHOLE; part <= PYRRA_LONG && status == 0; part++)
            status = write_part(g, i, (enum pyrra_part)part, for_real);
    return status;
}

/* All of them, or none: rules of half the files would load, too. */
static int write_all(const struct generation *g)
{
    int status = refuse_same_names(g);
    status = status == 0 ? write_parts(g, false) : status;
    return status == 0 ? write_parts(g, true) : status;
}

int slo_generate_pyrra(struct world *world, const struct flag_rest *rest,
                       const struct pyrra_generate *options, const char *folder)
{
    struct generation g = {world, rest, options, folder, MEM_ARRAY(struct pyrra_file *, rest->count)};
    int status = 0;
    for (size_t i = FIRST_FILE; i < rest->count && status == 0; i++)
        status = read_file(&g, i);
    if (status == 0)
        status = folder != NULL ? write_all(&g) : print_all(&g);
    for (size_t i = FIRST_FILE; i < rest->count; i++)
        pyrra_file_free(g.files[i]);
    mem_free(g.files);
    return status;
}
