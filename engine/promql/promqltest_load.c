#include "promqltest_priv.h"

#include "tocsin/duration.h"
#include "tocsin/limits.h"

static int apply_starts(struct loading *l, struct series_line *line)
{
    if (l->starts.labels == NULL)
        return 0;
    if (!labels_equal(l->starts.labels, line->labels) || l->starts.count != line->count)
        return err_set(l->err, ERR_PARSE, "start times do not fit the series line below them");
    for (size_t i = 0; i < line->count; i++) {
        struct sample *s = &line->items[i].sample;
        if (l->starts.items[i].present && line->items[i].present)
            s->start_ms = (int64_t)i * l->step_ms + (int64_t)(l->starts.items[i].sample.value * 1000);
    }
    l->starts = (struct series_line){0};
    return 0;
}

static struct series_line *find_series(struct loading *l, const struct labels *labels)
{
    for (size_t i = 0; i < l->count; i++)
        if (labels_equal(l->series[i].labels, labels))
            return &l->series[i];
    return NULL;
}

/* A line for a series that is there replaces it. */
static int load_line(struct loading *l, struct str text)
{
    struct series_line line = {0};
    TRY(series_line_parse(&l->arena, text, &line, l->err));
    for (size_t i = 0; i < line.count; i++)
        line.items[i].sample.t_ms = (int64_t)i * l->step_ms;
    if (line.starts) {
        l->starts = line;
        return 0;
    }
    TRY(apply_starts(l, &line));
    struct series_line *known = find_series(l, line.labels);
    if (known != NULL) {
        *known = line;
        return 0;
    }
    ARENA_GROW(&l->arena, l->series, l->count, l->capacity);
    if (l->series == NULL)
        return err_set(l->err, ERR_LIMIT, "a load block needs too much memory");
    l->series[l->count++] = line;
    return 0;
}

static int append_series(struct loading *l, const struct series_line *line)
{
    struct sample *samples = ARENA_ARRAY(&l->arena, struct sample, line->count);
    struct batch_series series = {.labels = line->labels->item, .label_count = line->labels->count};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    if (samples == NULL)
        return err_set(l->err, ERR_LIMIT, "a load block needs too much memory");
    series.samples = samples;
    for (size_t i = 0; i < line->count; i++)
        if (line->items[i].present)
            samples[series.sample_count++] = line->items[i].sample;
    if (series.sample_count == 0)
        return 0;
    store_admit(l->script->store, &batch, &result);
    if (result.first != ADMIT_OK)
        return err_set(l->err, ERR_EXEC, "load: %s", admit_reason_text(result.first));
    return 0;
}

static int append_all(struct loading *l)
{
    for (size_t i = 0; i < l->count; i++)
        TRY(append_series(l, &l->series[i]));
    return 0;
}

static int read_body(struct loading *l)
{
    struct str line;
    int first = 0;
    while (script_line(l->script, &line) && line.n > 0) {
        int code = load_line(l, line);
        if (code != 0 && first == 0) {
            first = code;
            if (l->err != NULL)
                l->err->line = l->script->line;
        }
    }
    return first;
}

int load_run(struct script *s, struct str command, struct err *err)
{
    struct loading l = {.script = s, .err = err};
    struct str rest = command;
    struct str word = str_cut(&rest, ' ');
    bool histograms = str_eq_nocase(word, STR("load_with_nhcb"));
    arena_init(&l.arena, (size_t)limits.query_arena_bytes);
    int code = 0;
    if (!histograms && !str_eq_nocase(word, STR("load")))
        code = err_set(err, ERR_PARSE, "invalid load command");
    if (code == 0)
        code = duration_parse(str_trim(rest), &l.step_ms, err);
    int body = read_body(&l);
    code = code != 0 ? code : body;
    if (code == 0 && histograms)
        code = load_histograms(&l);
    if (code == 0)
        code = append_all(&l);
    arena_release(&l.arena);
    return code;
}
