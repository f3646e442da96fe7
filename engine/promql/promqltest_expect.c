#include "promqltest_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"

int expectation_add(struct arena *arena, struct expectation *x, struct expect_line line)
{
    ARENA_GROW(arena, x->lines, x->line_count, x->line_capacity);
    if (x->lines == NULL)
        return ERR_LIMIT;
    x->lines[x->line_count++] = line;
    x->fail |= line.what == EXPECT_FAIL;
    return 0;
}

static bool what_of(struct str word, enum expect_what *what)
{
    static const char *const names[] = {
        [EXPECT_WARN] = "warn",       [EXPECT_NO_WARN] = "no_warn", [EXPECT_INFO] = "info",
        [EXPECT_NO_INFO] = "no_info", [EXPECT_FAIL] = "fail",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_is(word, names[i])) {
            *what = (enum expect_what)i;
            return true;
        }
    return false;
}

/* `msg:TEXT`, `regex:RE` or nothing. */
static bool how_of(struct str rest, struct expect_line *line)
{
    if (str_starts(rest, STR("msg:"))) {
        line->how = EXPECT_MESSAGE;
        line->text = str_trim((struct str){rest.p + 4, rest.n - 4});
        return true;
    }
    if (str_starts(rest, STR("regex:"))) {
        line->how = EXPECT_REGEX;
        line->text = str_trim((struct str){rest.p + 6, rest.n - 6});
        return true;
    }
    return rest.n == 0;
}

static int expect_string(struct arena *arena, struct str rest, struct expectation *x, struct err *err)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    bool ok = go_unquote(rest, &text);
    x->is_string = true;
    x->string = str_copy(arena, buf_slice(&text));
    buf_release(&text);
    return ok ? 0 : err_set(err, ERR_PARSE, "expected string is not quoted");
}

/* `vector from A to B step C` */
static int expect_window(struct str rest, struct expectation *x, struct err *err)
{
    struct str vector = str_cut_word(&rest), from = str_cut_word(&rest), a = str_cut_word(&rest),
               to = str_cut_word(&rest);
    struct str b = str_cut_word(&rest), step = str_cut_word(&rest), c = str_cut_word(&rest);
    x->is_window = true;
    if (!str_is(vector, "vector") || !str_is(from, "from") || !str_is(to, "to") || !str_is(step, "step"))
        return err_set(err, ERR_PARSE, "invalid expectation of a range vector");
    TRY(duration_parse(a, &x->from_ms, err));
    TRY(duration_parse(b, &x->to_ms, err));
    return duration_parse(c, &x->step_ms, err);
}

static int expect_line(struct arena *arena, struct str rest, struct expectation *x, struct err *err)
{
    struct expect_line line = {0};
    struct str word = str_cut_word(&rest);
    if (str_is(word, "ordered")) {
        x->ordered = true;
        return 0;
    }
    if (str_is(word, "string"))
        return expect_string(arena, rest, x, err);
    if (str_is(word, "range"))
        return expect_window(rest, x, err);
    if (!what_of(word, &line.what) || !how_of(rest, &line))
        return err_set(err, ERR_PARSE, "invalid expect statement");
    return expectation_add(arena, x, line);
}

static int expect_failure(struct arena *arena, struct expectation *x, enum expect_how how, struct str text)
{
    return expectation_add(arena, x, (struct expect_line){EXPECT_FAIL, how, str_trim(text)});
}

static int expect_series(struct arena *arena, struct str line, struct expectation *x, struct err *err)
{
    struct series_line series = {0};
    TRY(series_line_parse(arena, line, &series, err));
    ARENA_GROW(arena, x->series, x->series_count, x->series_capacity);
    if (x->series == NULL)
        return err_set(err, ERR_LIMIT, "an eval expects too much");
    x->series[x->series_count++] = series;
    return 0;
}

static bool number_of(struct str line, double *value)
{
    int64_t integer;
    if (go_parse_int(line, &integer)) {
        *value = (double)integer;
        return true;
    }
    return go_parse_float(line, value);
}

int expectation_line(struct arena *arena, struct str line, struct expectation *x, bool *ends, struct err *err)
{
    struct str rest = line;
    struct str word = str_cut_word(&rest);
    *ends = false;
    if (str_is(word, "expect"))
        return expect_line(arena, rest, x, err);
    if (str_is(word, "expected_fail_message"))
        return expect_failure(arena, x, EXPECT_MESSAGE, rest);
    if (str_is(word, "expected_fail_regexp"))
        return expect_failure(arena, x, EXPECT_REGEX, rest);
    if (number_of(line, &x->scalar)) {
        x->is_scalar = *ends = true;
        return 0;
    }
    return expect_series(arena, line, x, err);
}
