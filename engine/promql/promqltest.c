#include "promqltest_priv.h"

#include "tocsin/duration.h"
#include "tocsin/limits.h"

/* Two hundred years of memory, and a clock behind the last sample any test may have. */
#define RETENTION_MS (INT64_C(200) * 365 * 24 * 3600 * 1000)
#define CLOCK_NS (INT64_C(100) * 365 * 24 * 3600 * NS_PER_S)

bool script_line(struct script *s, struct str *line)
{
    if (s->rest.p == NULL)
        return false;
    *line = str_trim(str_cut(&s->rest, '\n'));
    s->line++;
    if (line->n > 0 && line->p[0] == '#')
        line->n = 0;
    return true;
}

static void open_store(struct script *s)
{
    struct store_options options = {.retention_ms = RETENTION_MS, .keep = STORE_KEEP_ALL};
    world_sim_init(&s->clock, CLOCK_NS, 1);
    s->store = store_open(&options, &s->clock.world);
}

static void tell(struct script *s, int line, struct str what, const char *why)
{
    if (s->report->detail != NULL)
        buf_format(s->report->detail, "%s:%d: %.*s: %s\n", s->path, line, STR_ARG(what), why);
}

/* The part of `eval_fail` after the underscore; deprecated, but in use. */
static int read_suffix(struct arena *arena, struct str word, struct eval_command *c, struct err *err)
{
    struct str suffix = {word.p + 4, word.n - 4};
    if (suffix.n == 0)
        return 0;
    if (str_is(suffix, "_ordered"))
        c->expect.ordered = true;
    else if (str_is(suffix, "_fail"))
        c->expect.fail = true;
    else if (str_is(suffix, "_warn"))
        return expectation_add(arena, &c->expect, (struct expect_line){.what = EXPECT_WARN});
    else if (str_is(suffix, "_info"))
        return expectation_add(arena, &c->expect, (struct expect_line){.what = EXPECT_INFO});
    else
        return err_set(err, ERR_PARSE, "invalid eval command");
    return 0;
}

static int read_time(struct str *rest, const char *keyword, int64_t *ms, struct err *err)
{
    if (!str_is(str_cut_word(rest), keyword))
        return err_set(err, ERR_PARSE, "invalid eval command: \"%s\" is missing", keyword);
    return duration_parse(str_cut_word(rest), ms, err);
}

static int read_times(struct str *rest, struct eval_command *c, struct err *err)
{
    if (!c->range)
        return str_starts(*rest, STR("at ")) ? read_time(rest, "at", &c->at_ms, err) : 0;
    TRY(read_time(rest, "from", &c->from_ms, err));
    TRY(read_time(rest, "to", &c->to_ms, err));
    TRY(read_time(rest, "step", &c->step_ms, err));
    return c->to_ms >= c->from_ms && c->step_ms > 0 ? 0 : err_set(err, ERR_PARSE, "invalid times of eval");
}

static int read_eval(struct arena *arena, struct str command, struct eval_command *c, struct err *err)
{
    struct str rest = command;
    TRY(read_suffix(arena, str_cut_word(&rest), c, err));
    struct str kind = str_cut_word(&rest);
    c->range = str_is(kind, "range");
    if (!c->range && !str_is(kind, "instant"))
        return err_set(err, ERR_PARSE, "invalid eval command");
    TRY(read_times(&rest, c, err));
    c->text = rest;
    return 0;
}

/* Reads the whole body, even after an error: the next block begins behind it. */
static int read_expectations(struct script *s, struct arena *arena, struct eval_command *c, struct err *err)
{
    struct str line;
    int first = 0;
    bool ends = false;
    while (!ends && script_line(s, &line) && line.n > 0) {
        int code = expectation_line(arena, line, &c->expect, &ends, first == 0 ? err : NULL);
        first = first != 0 ? first : code;
    }
    return first;
}

static void run_eval(struct script *s, struct str command)
{
    struct arena arena;
    struct eval_command c = {0};
    struct err err = {0};
    int line = s->line;
    arena_init(&arena, (size_t)limits.query_arena_bytes);
    int code = read_eval(&arena, command, &c, &err);
    int body = read_expectations(s, &arena, &c, code == 0 ? &err : NULL);
    code = code != 0 ? code : body;
    if (code == 0)
        code = eval_run(s, &c, &arena, &err);
    if (code == 0) {
        s->report->passed++;
    } else {
        s->report->failed++;
        tell(s, line, command, err.text);
    }
    arena_release(&arena);
}

static void run_load(struct script *s, struct str command)
{
    struct err err = {0};
    int line = s->line;
    if (load_run(s, command, &err) != 0)
        tell(s, err.line > 0 ? err.line : line, command, err.text);
}

static int run_command(struct script *s, struct str command, struct err *err)
{
    struct str rest = command;
    struct str word = str_cut_word(&rest);
    if (str_eq_nocase(word, STR("clear"))) {
        store_close(s->store);
        open_store(s);
        return 0;
    }
    if (word.n >= 4 && str_eq_nocase((struct str){word.p, 4}, STR("load"))) {
        run_load(s, command);
        return 0;
    }
    if (word.n >= 4 && str_eq_nocase((struct str){word.p, 4}, STR("eval"))) {
        run_eval(s, command);
        return 0;
    }
    return err_at(err, ERR_PARSE, s->line, 1, "invalid command \"%.*s\"", STR_ARG(word));
}

const struct promql_features promqltest_features = {
    .experimental_functions = true,
    .extended_range_selectors = true,
    .binop_fill_modifiers = true,
    .duration_expressions = true,
    .delayed_name_removal = true,
    .start_timestamps = true,
};

int promqltest_run(struct world *world, const char *path, struct str text,
                   const struct promql_features *features, struct promqltest_report *report, struct err *err)
{
    struct script s = {.world = world, .path = path, .features = features, .report = report, .rest = text};
    struct str line;
    int code = 0;
    open_store(&s);
    while (code == 0 && script_line(&s, &line))
        if (line.n > 0)
            code = run_command(&s, line, err);
    store_close(s.store);
    return code;
}
