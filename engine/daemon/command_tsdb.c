#include "command_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/histogram.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/storefile.h"
#include "tocsin/view.h"
#include "tocsin/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: tocsin tsdb dump|verify|stat FOLDER\n"
    "\n"
    "Looks into the folder in which `tocsin serve` keeps its samples (--storage.path); changes nothing. A "
    "server may be\n"
    "running in it.\n"
    "  dump    all samples, a line each: labels, value, milliseconds since 1970; as `promtool tsdb dump` "
    "prints them\n"
    "  verify  reads all that a start would read, and names each place that cannot be read\n"
    "  stat    how much there is of what\n"
    "\n"
    "examples:\n"
    "  tocsin tsdb verify /var/lib/tocsin\n"
    "  tocsin tsdb dump data | grep '__name__=\"up\"' | tail\n"
    "\n"
    "Exit status 0; 1 if a place is damaged (dump and stat then tell of the rest); 3 for a bad command line, "
    "or if the\n"
    "folder cannot be read.\n";

enum { UNREADABLE = 3, LINE_BYTES_MAX = 64 << 20, SERIES_BYTES_MAX = 1 << 30 };

/* ---- dump ---- */

struct dumped {
    const struct labels *labels;
    series_ref ref;
};

static int by_labels(const void *a, const void *b)
{
    return labels_compare(((const struct dumped *)a)->labels, ((const struct dumped *)b)->labels);
}

static void print_sample(struct buf *line, size_t labels_bytes, const struct sample *s)
{
    buf_truncate(line, labels_bytes);
    buf_char(line, ' ');
    if (s->histogram != NULL)
        histogram_print(line, s->histogram);
    else
        go_float(line, s->value, 'g', -1);
    buf_format(line, " %" PRId64 "\n", s->t_ms);
    fwrite(buf_text(line), 1, line->used, stdout);
}

static int dump_series(struct view *view, const struct dumped *series)
{
    struct arena arena;
    struct buf line;
    struct sample_run run;
    arena_init(&arena, SERIES_BYTES_MAX);
    buf_init(&line, LINE_BYTES_MAX);
    labels_print(&line, series->labels);
    size_t labels_bytes = line.used;
    int rc = view_read(view, series->ref, INT64_MIN, INT64_MAX, &arena, &run);
    for (size_t i = 0; rc == 0 && i < run.count; i++)
        print_sample(&line, labels_bytes, &run.samples[i]);
    buf_release(&line);
    arena_release(&arena);
    return rc;
}

static int dump_all(struct view *view, struct arena *arena)
{
    struct series_set set;
    int rc = view_select(view, NULL, 0, arena, &set);
    if (rc != 0)
        return rc;
    struct dumped *all = MEM_ARRAY(struct dumped, set.count);
    for (size_t i = 0; i < set.count; i++)
        all[i] = (struct dumped){view_labels(view, set.refs[i]), set.refs[i]};
    if (set.count > 1)
        qsort(all, set.count, sizeof *all, by_labels);
    for (size_t i = 0; rc == 0 && i < set.count && !ferror(stdout); i++)
        rc = dump_series(view, &all[i]);
    mem_free(all);
    return rc;
}

static int dump(struct storefile *file)
{
    struct arena arena;
    arena_init(&arena, SERIES_BYTES_MAX);
    struct view *view = view_open(storefile_store(file));
    int rc = dump_all(view, &arena);
    view_close(view);
    arena_release(&arena);
    if (rc == 0)
        return 0;
    fputs("tocsin tsdb: a series has too many samples to be printed\n", stderr);
    return UNREADABLE;
}

/* ---- verify ---- */

static int verify(struct storefile *file)
{
    struct storefile_figures f;
    storefile_figures(file, &f);
    for (size_t i = 0; i < storefile_damage_count(file); i++) {
        struct storefile_damage d = storefile_damage(file, i);
        printf("%s %s: offset %" PRIu64 ", %" PRIu64 " bytes: %s\n", d.torn ? "torn   " : "damaged", d.path,
               d.offset, d.bytes, d.why);
    }
    if (f.recovery.orphans > 0)
        printf("lost    %" PRIu64
               " samples of series that are introduced in a damaged or torn place, or in a gap\n",
               f.recovery.orphans);
    printf("%" PRIu64 " series, %" PRIu64 " samples; %" PRIu64 " places damaged, %" PRIu64
           " torn at the end of a process\n",
           f.recovery.series, f.recovery.samples, f.recovery.damaged, f.recovery.torn);
    return 0;
}

/* ---- stat ---- */

static void print_time(const char *name, int64_t t_ms)
{
    struct buf text;
    int64_t t_ns;
    buf_init(&text, 100);
    if (__builtin_mul_overflow(t_ms, NS_PER_MS, &t_ns))
        buf_format(&text, "%" PRId64 " ms", t_ms);
    else
        go_time_rfc3339(&text, t_ns, 3);
    printf("%-18s %s\n", name, buf_text(&text));
    buf_release(&text);
}

static int print_stat(struct storefile *file)
{
    struct storefile_figures f;
    struct store_figures s;
    storefile_figures(file, &f);
    store_figures(storefile_store(file), &s);
    printf("%-18s %" PRIu64 "\n", "series", s.series);
    printf("%-18s %" PRIu64 "\n", "samples", s.samples);
    if (s.samples > 0) {
        print_time("oldest sample", s.oldest_ms);
        print_time("newest sample", s.newest_ms);
    }
    printf("%-18s %" PRIu64 " bytes\n", "in memory", s.bytes);
    if (f.snapshot != 0)
        printf("%-18s number %u, %" PRIu64 " bytes\n", "snapshot", f.snapshot, f.snapshot_bytes);
    if (f.snapshot_ms != 0)
        print_time("  begun", f.snapshot_ms);
    printf("%-18s %u segments, %" PRIu64 " bytes\n", "log", f.segments, f.log_bytes);
    printf("%-18s %" PRIu64 " bytes\n", "label sets", f.series_bytes);
    printf("%-18s %" PRIu64 " bytes\n", "packed samples", f.packed_bytes);
    printf("%-18s %" PRIu64 " bytes\n", "plain samples", f.float_bytes);
    printf("%-18s %" PRIu64 " bytes\n", "wide samples", f.wide_bytes);
    printf("%-18s %" PRIu64 "\n", "damaged places", f.recovery.damaged);
    return 0;
}

/* ---- the command ---- */

static const struct {
    const char *name;
    int (*run)(struct storefile *file);
} verbs[] = {{"dump", dump}, {"verify", verify}, {"stat", print_stat}};

static int look(struct world *world, const char *folder, int (*run)(struct storefile *file))
{
    struct storefile *file;
    struct storefile_figures f;
    struct err err = {0};
    if (storefile_open(world, folder, &file, &err) != 0) {
        fprintf(stderr, "tocsin tsdb: %s\n", err.text);
        return UNREADABLE;
    }
    int status = run(file);
    storefile_figures(file, &f);
    storefile_close(file);
    if (fflush(stdout) != 0)
        return UNREADABLE;
    return status == 0 && f.recovery.damaged > 0 ? 1 : status;
}

int command_tsdb(int argc, char **argv)
{
    static const struct flag flags[] = {{NULL, 0, NULL, NULL}};
    struct flag_rest rest;
    int status = 0;
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status == 0 ? 0 : UNREADABLE;
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, 2);
    for (size_t i = 0; rest.count == 2 && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(rest.items[0], verbs[i].name) == 0)
            return look(world_real(), rest.items[1], verbs[i].run);
    fputs(usage, stderr);
    return UNREADABLE;
}
