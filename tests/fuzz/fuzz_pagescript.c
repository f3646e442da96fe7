/* A page script is refused with its line, or read into a timetable that holds together. */
#include "../../engine/daemon/pagetest_priv.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"

static int line_count(struct str text)
{
    int lines = 1;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    return lines;
}

static void check_expectations(const struct page_script *script, int lines)
{
    for (size_t i = 0; i < script->expectation_count; i++) {
        const struct page_expectation *e = &script->expectations[i];
        must(e->line > 0 && e->line <= lines && !e->met);
        must(e->from_ns >= 0 && e->to_ns >= e->from_ns && e->receiver.n > 0);
        for (size_t k = 0; k < e->alert_count; k++)
            must(!labels_has(e->alerts[k].labels, STR(LABEL_METRIC_NAME)));
    }
}

static void check_actions(const struct page_script *script)
{
    for (size_t i = 0; i < script->action_count; i++) {
        const struct page_action *a = &script->actions[i];
        must(a->at_ns >= 0 && (i == 0 || script->actions[i - 1].at_ns <= a->at_ns));
        must((a->labels != NULL) ==
             (a->kind == ACTION_POST || a->kind == ACTION_RESOLVE || a->kind == ACTION_TRAIL));
        must(a->kind != ACTION_ANSWER || a->receiver.n > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct page_script script;
    struct err err = {0};
    limits.generation_arena_bytes = 16 << 20;
    int rc = page_script_parse(&script, text, &err);
    must(rc == err.code);
    if (rc != 0) {
        must(err.text[0] != '\0' && err.line >= 0 && err.line <= line_count(text));
    } else {
        must(script.routes.n > 0 && script.until_ns > 0 && script.rules_interval_ms > 0);
        check_expectations(&script, line_count(text));
        check_actions(&script);
    }
    arena_release(&script.arena);
    return 0;
}
