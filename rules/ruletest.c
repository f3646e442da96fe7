#include "ruletest_priv.h"

#include "rulefile_priv.h"
#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/promqltest.h"

#include <stdlib.h>

enum { MINUTE_MS = 60000 };

void test_failure(struct test_run *run, const char *format, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text, (size_t)limits.response_bytes);
    va_start(args, format);
    buf_vformat(&text, format, args);
    va_end(args);
    run->failed++;
    test_print_failure(run->print, buf_text(&text));
    buf_release(&text);
}

/* ---- what goes in ---- */

static int load_input(struct test_run *run, struct err *err)
{
    const struct test_series *series = run->test->input.items;
    int64_t step_ms = run->test->interval.ms > 0 ? run->test->interval.ms : run->step_ns / NS_PER_MS;
    run->input = ARENA_ARRAY(&run->arena, struct test_input, run->test->input.count);
    for (size_t i = 0; i < run->test->input.count && run->input != NULL; i++) {
        struct test_input *input = &run->input[run->input_count++];
        struct labels *labels;
        struct sample *samples;
        int code =
            promqltest_series(&run->arena, series[i].series, series[i].values, run->start_ns / NS_PER_MS,
                              step_ms, &labels, &samples, &input->count, err);
        if (code != 0)
            return code;
        input->labels = labels;
        input->samples = samples;
    }
    return run->input != NULL ? 0 : err_set(err, ERR_LIMIT, "the test takes too much memory");
}

/* Admits all samples up to now; nothing that lies ahead may be seen. */
static void feed(struct test_run *run, int64_t now_ms)
{
    for (size_t i = 0; i < run->input_count; i++) {
        struct test_input *input = &run->input[i];
        size_t upto = input->admitted;
        while (upto < input->count && input->samples[upto].t_ms <= now_ms)
            upto++;
        if (upto == input->admitted)
            continue;
        struct admit_result result = {0};
        struct batch_series series = {input->labels->item, input->labels->count,
                                      &input->samples[input->admitted], upto - input->admitted};
        struct batch batch = {.series = &series, .count = 1};
        store_admit(run->store, &batch, &result);
        if (result.first != ADMIT_OK && result.first != ADMIT_UNREFERENCED)
            test_failure(run, "%s", admit_reason_text(result.first));
        input->admitted = upto;
    }
}

/* ---- rules ---- */

static void note_found(void *context, const char *path)
{
    (void)path;
    *(bool *)context = true;
}

/* promtool's complaint about a pattern that matches nothing. */
static void warn_patterns(struct world *disk, struct str folder, const struct test_file *file, FILE *errors)
{
    const struct str *patterns = file->rule_files.items;
    for (size_t i = 0; i < file->rule_files.count; i++) {
        struct buf path;
        bool found = false;
        buf_init(&path, 1 << 16);
        rule_path_join(&path, folder, patterns[i]);
        (void)disk->glob(disk, buf_text(&path), note_found, &found, NULL);
        if (!found)
            fprintf(errors, "  WARNING: no file match pattern %s\n", buf_text(&path));
        buf_release(&path);
    }
}

static int open_ruler(struct test_run *run, struct rule_set *set, struct err *err)
{
    const struct test_group *test = run->test;
    struct label *pairs =
        arena_copy(&run->arena, test->external_labels.items, test->external_labels.count, sizeof *pairs);
    struct ruler_options options = {
        .world = &run->sim.world,
        .store = run->store,
        .interval_ms = run->step_ns / NS_PER_MS,
        .external_labels =
            pairs != NULL ? labels_make(&run->arena, pairs, test->external_labels.count) : NULL,
        .external_url = test->external_url,
        .promql = {.features = run->options->features, .subquery_step_ms = run->step_ns / NS_PER_MS},
    };
    run->ruler = ruler_open(&options);
    run->ruler->quiet = true;
    return ruler_load(run->ruler, set, err);
}

static size_t order_of(const struct test_file *file, const struct live_group *group)
{
    const struct str *names = file->group_order.items;
    size_t at = 0;
    while (at < file->group_order.count && !str_eq(names[at], group->definition->name))
        at++;
    return at;
}

/* Groups as group_eval_order wants them; the others keep the order of their files. */
static void order_groups(struct test_run *run)
{
    live_groups_keep(run->ruler, &run->groups, &run->group_count);
    for (size_t i = 1; i < run->group_count; i++) {
        struct live_group *moved = run->groups[i];
        size_t at = i;
        for (; at > 0 && order_of(run->file, run->groups[at - 1]) > order_of(run->file, moved); at--)
            run->groups[at] = run->groups[at - 1];
        run->groups[at] = moved;
    }
}

static struct rule_set *read_rules(struct test_run *run)
{
    const struct strict_texts *files = &run->file->rule_files;
    struct rule_set *set = rule_set_new();
    struct buf errors;
    buf_init(&errors, (size_t)limits.yaml_bytes);
    set->ignore_unknown_fields = run->options->ignore_unknown_fields;
    if (rule_set_read(set, run->disk, run->folder, files->items, files->count, &run->options->features,
                      &errors) != 0) {
        buf_truncate(&errors, errors.used > 0 ? errors.used - 1 : 0);
        test_failure(run, "%s", buf_text(&errors));
        rule_set_free(set);
        set = NULL;
    }
    buf_release(&errors);
    return set;
}

static bool load_rules(struct test_run *run)
{
    struct err err = {0};
    struct rule_set *set = read_rules(run);
    if (set == NULL)
        return false;
    if (open_ruler(run, set, &err) != 0) {
        test_failure(run, "%s", err.text);
        return false;
    }
    order_groups(run);
    return true;
}

/* ---- the evaluations ---- */

/* False if a rule failed: the test ends there. */
static bool evaluate_groups(struct test_run *run, int64_t now_ns)
{
    size_t before = run->failed;
    struct buf since;
    buf_init(&since, 128);
    go_duration_print(&since, now_ns - run->start_ns);
    for (size_t i = 0; i < run->group_count; i++) {
        struct live_group *group = run->groups[i];
        live_group_evaluate(run->ruler, run->ruler->globals, group, now_ns);
        for (size_t j = 0; j < group->count; j++)
            if (group->rules[j].last_error != NULL)
                test_failure(run, "    rule: %.*s, time: %s, err: %s", STR_ARG(group->rules[j].rule->name),
                             buf_text(&since), group->rules[j].last_error);
    }
    buf_release(&since);
    return run->failed == before;
}

static void play(struct test_run *run)
{
    for (int64_t now_ns = run->start_ns; now_ns <= run->end_ns; now_ns += run->step_ns) {
        run->sim.now_ns = now_ns;
        feed(run, now_ns / NS_PER_MS);
        if (!evaluate_groups(run, now_ns))
            return;
        test_alerts_at(run, now_ns);
    }
    test_exprs(run);
    if (run->options->debug)
        test_dump(run);
}

static int64_t last_eval_ms(const struct test_group *test)
{
    const struct test_alert *alerts = test->alerts.items;
    const struct test_expr *exprs = test->exprs.items;
    int64_t last = 0;
    for (size_t i = 0; i < test->alerts.count; i++)
        if (alerts[i].eval_time.ms > last)
            last = alerts[i].eval_time.ms;
    for (size_t i = 0; i < test->exprs.count; i++)
        if (exprs[i].eval_time.ms > last)
            last = exprs[i].eval_time.ms;
    return last;
}

static bool alerts_are_named(struct test_run *run)
{
    const struct test_alert *alerts = run->test->alerts.items;
    for (size_t i = 0; i < run->test->alerts.count; i++) {
        struct buf time;
        if (alerts[i].alertname.n > 0)
            continue;
        buf_init(&time, 128);
        duration_print(&time, alerts[i].eval_time.ms);
        bool named = run->test->name.n > 0;
        test_failure(
            run, "an item under alert_rule_test misses required attribute alertname at eval_time %s%s%.*s%s",
            buf_text(&time), named ? " (in TestGroup " : "", STR_ARG(run->test->name), named ? ")" : "");
        buf_release(&time);
        return false;
    }
    return true;
}

/* False if the clock cannot go that far. */
static bool set_times(struct test_run *run)
{
    int64_t step_ms = run->file->interval.ms > 0 ? run->file->interval.ms : MINUTE_MS;
    int64_t length_ns, beyond_ns;
    run->start_ns = run->test->start_ns;
    return !__builtin_mul_overflow(step_ms, NS_PER_MS, &run->step_ns) &&
           !__builtin_mul_overflow(last_eval_ms(run->test), NS_PER_MS, &length_ns) &&
           !__builtin_add_overflow(run->start_ns, length_ns, &run->end_ns) &&
           !__builtin_add_overflow(run->end_ns, run->step_ns, &beyond_ns);
}

static void run_test(struct test_run *run)
{
    struct store_options options = {.retention_ms = INT64_MAX};
    struct err err = {0};
    if (!set_times(run)) {
        test_failure(run, "the times of this test are out of range");
        return;
    }
    arena_init(&run->arena, (size_t)limits.query_arena_bytes);
    world_sim_init(&run->sim, run->start_ns, 1);
    run->store = store_open(&options, &run->sim.world);
    if (load_input(run, &err) != 0) {
        test_failure(run, "%s", err.text);
    } else if (load_rules(run) && alerts_are_named(run)) {
        if (run->coverage != NULL)
            test_cover(run);
        play(run);
    }
    if (run->ruler != NULL) {
        live_groups_drop(run->ruler, run->groups, run->group_count);
        ruler_close(run->ruler);
    }
    store_close(run->store);
    arena_release(&run->arena);
}

/* ---- a file ---- */

static int order_is_sound(const struct test_file *file, struct err *err)
{
    const struct str *names = file->group_order.items;
    for (size_t i = 0; i < file->group_order.count; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(names[i], names[j]))
                return err_set(err, ERR_PARSE, "group name repeated in evaluation order: %.*s",
                               STR_ARG(names[i]));
    return 0;
}

/* 1 if the test is wanted, 0 if not, negative for a bad expression. */
static int is_wanted(const struct ruletest_options *options, struct str name, struct err *err)
{
    int wanted = options->run_count == 0;
    for (size_t i = 0; i < options->run_count; i++) {
        struct regex *re = regex_open(options->run[i], REGEX_SEARCH, err);
        if (re == NULL)
            return ERR_PARSE;
        wanted |= regex_match(re, name);
        regex_free(re);
    }
    return wanted;
}

static struct str folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return (struct str){path, slash != NULL ? (size_t)(slash - path) : 0};
}

/* promtool's name for a test that has none. */
static struct str name_of(struct arena *arena, const struct test_group *test, size_t number)
{
    return test->name.n > 0 ? test->name : str_of(arena_format(arena, "unnamed#%zu", number));
}

static void run_told(struct test_run *run, struct str name)
{
    FILE *errors = run->print->errors;
    struct buf took;
    int64_t start_ns = run->disk->mono_ns(run->disk);
    buf_init(&took, 128);
    fprintf(errors, "DEBUG: Starting test %.*s\n", STR_ARG(name));
    run_test(run);
    go_duration_print(&took, run->disk->mono_ns(run->disk) - start_ns);
    fprintf(errors, "DEBUG: Test %.*s finished, took %s\n", STR_ARG(name), buf_text(&took));
    buf_release(&took);
}

static void run_named(struct test_run *run, struct str name)
{
    if (run->print->junit != NULL)
        junit_case(run->print->junit, name);
    if (run->options->debug)
        run_told(run, name);
    else
        run_test(run);
}

static void run_tests(const struct test_run *prepared, struct arena *arena, struct ruletest_report *report)
{
    const struct test_file *file = prepared->file;
    const struct test_group *tests = file->tests.items;
    for (size_t i = 0; i < file->tests.count; i++) {
        struct test_run run = *prepared;
        struct err err = {0};
        run.test = &tests[i];
        int wanted = is_wanted(run.options, tests[i].name, &err);
        if (wanted > 0)
            run_named(&run, name_of(arena, &tests[i], i));
        else if (wanted < 0)
            test_failure(&run, "%s", err.text);
        report->passed += wanted > 0 && run.failed == 0;
        report->failed += run.failed > 0;
    }
}

static int run_file(struct test_run *run, const char *path, struct arena *arena,
                    struct ruletest_report *report, struct err *err)
{
    struct test_file file = {0};
    struct buf text;
    buf_init(&text, (size_t)limits.yaml_bytes);
    int code = run->disk->read_file(run->disk, path, &text, err);
    if (code == 0)
        code = ruletest_decode(arena, buf_slice(&text), &file, err);
    if (code == 0) {
        warn_patterns(run->disk, run->folder, &file, run->print->errors);
        code = order_is_sound(&file, err);
    }
    if (code != 0)
        test_failure(run, "%s", err->text);
    run->file = &file;
    if (code == 0)
        run_tests(run, arena, report);
    buf_release(&text);
    return code;
}

int ruletest_run(struct world *world, const char *path, const struct ruletest_options *options, FILE *out,
                 FILE *errors, struct ruletest_report *report)
{
    struct arena arena;
    struct err err = {0};
    struct junit junit;
    struct test_print print = {.out = out, .errors = errors, .junit = report->junit != NULL ? &junit : NULL};
    struct test_run run = {.disk = world,
                           .folder = folder_of(path),
                           .options = options,
                           .print = &print,
                           .coverage = report->coverage};
    arena_init(&arena, (size_t)limits.generation_arena_bytes);
    junit_init(&junit);
    fprintf(out, "Unit Testing:  %s\n", path);
    fflush(out);
    int code = run_file(&run, path, &arena, report, &err);
    if (!print.failed)
        fputs("  SUCCESS\n", out);
    fputc('\n', out);
    if (report->junit != NULL)
        junit_end(&junit, str_of(path), world->wall_ns(world), code != 0 ? err.text : NULL, report->junit);
    else
        buf_release(&junit.cases);
    arena_release(&arena);
    return code;
}
