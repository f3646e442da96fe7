/* tocsin slo contract: what objectives promise before there is any data, and whether that can be kept. */
#include "command_slo_priv.h"

#include "tocsin/contract.h"
#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/objective.h"

#include <stdio.h>

static const char usage[] =
    "usage: tocsin slo contract [FLAGS] FILE...\n"
    "\n"
    "For each objective: at which level of errors who is told, after how long at worst, how much of the "
    "budget is gone by\n"
    "then, and when it is over; then what is wrong with it, with the mend. Needs no data. Files are those of "
    "slo_files.\n"
    "\n"
    "examples:\n"
    "  tocsin slo contract slos/*.yml\n"
    "  tocsin slo contract --scrape-interval=30s --group-wait=1m --retention=3d slos.yml\n"
    "  tocsin slo contract --page-within=5m slos/*.yml      # in CI: a total outage pages somebody in five "
    "minutes\n"
    "\n"
    "Exit status 0; 1 if a file is wrong, an objective cannot do what it says (error), or the page is too "
    "late; 2 for a\n"
    "bad command line.\n";

enum { SECOND_MS = 1000, TEXT_BYTES_MAX = 64 << 20 };

struct contracting {
    struct contract_pace pace;
    int64_t events_per_hour, page_within_ms; /* 0: not asked for */
    struct buf out;
    bool broken;
};

static void put_lints(struct contracting *c, const struct contract_finding *findings, size_t count)
{
    static const char *const weights[] = {
        [CONTRACT_HINT] = "hint", [CONTRACT_WARNING] = "warning", [CONTRACT_ERROR] = "error"};
    for (size_t i = 0; i < count; i++) {
        enum contract_weight weight = contract_lint_weight(findings[i].lint);
        buf_format(&c->out, "%s [%s]: %.*s\n", weights[weight], contract_lint_name(findings[i].lint),
                   STR_ARG(findings[i].text));
        c->broken |= weight == CONTRACT_ERROR;
    }
}

/* Of a total outage. */
static int check_page(struct contracting *c, const struct objective *o, struct arena *arena, struct err *err)
{
    struct contract_level level;
    if (c->page_within_ms == 0)
        return 0;
    int rc = contract_level(o, &c->pace, (struct fraction){1, 1}, arena, &level, err);
    if (rc != 0)
        return rc;
    int first = level.first[TIER_PAGE];
    if (first != CONTRACT_NOBODY && level.tiers[first].told_ms <= c->page_within_ms)
        return 0;
    c->broken = true;
    buf_puts(&c->out, "error [page-within]: in a total outage ");
    if (first == CONTRACT_NOBODY)
        buf_puts(&c->out, "nobody is paged");
    else {
        buf_puts(&c->out, "the page leaves after ");
        duration_print(&c->out, (level.tiers[first].told_ms + SECOND_MS - 1) / SECOND_MS * SECOND_MS);
    }
    buf_puts(&c->out, ", not within ");
    duration_print(&c->out, c->page_within_ms);
    buf_char(&c->out, '\n');
    return 0;
}

static int contract_of(struct contracting *c, const struct objective *o, struct err *err)
{
    struct arena arena;
    struct contract_finding *findings;
    size_t count;
    arena_init(&arena, (size_t)limits.generation_arena_bytes);
    int rc = contract_print(o, &c->pace, &c->out, err);
    if (rc == 0)
        rc = contract_lints(o, &c->pace, &arena, &findings, &count, err);
    if (rc == 0)
        put_lints(c, findings, count);
    if (rc == 0)
        rc = check_page(c, o, &arena, err);
    buf_char(&c->out, '\n');
    arena_release(&arena);
    return rc;
}

static int contract_of_all(struct contracting *c, const struct objective_set *set, struct buf *errors)
{
    int result = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct err err = {0};
        int rc = contract_of(c, &set->items[i], &err);
        if (rc == 0)
            continue;
        buf_format(errors, "%.*s:%d: %s\n", STR_ARG(set->items[i].file), set->items[i].line, err.text);
        result = rc;
    }
    return result;
}

static int run(struct contracting *c, const struct flag_rest *rest)
{
    struct objective_set *set = objective_set_new();
    struct buf errors;
    buf_init(&errors, (size_t)limits.yaml_bytes);
    buf_init(&c->out, TEXT_BYTES_MAX);
    c->pace.events_per_hour = (double)c->events_per_hour;
    int rc = slo_read_objectives(set, rest, &errors);
    if (rc == 0)
        rc = contract_of_all(c, set, &errors);
    fputs(buf_text(&c->out), stdout);
    fputs(buf_text(&errors), stderr);
    buf_release(&c->out);
    buf_release(&errors);
    objective_set_free(set);
    return rc != 0 || c->broken ? 1 : 0;
}

int slo_contract(int argc, char **argv)
{
    struct contracting c = {.pace = {.scrape_ms = 15 * SECOND_MS,
                                     .interval_ms = 60 * SECOND_MS,
                                     .group_wait_ms = 30 * SECOND_MS}};
    const struct flag flags[] = {
        {"scrape-interval", FLAG_DURATION_MS, &c.pace.scrape_ms, "between two samples"},
        {"evaluation-interval", FLAG_DURATION_MS, &c.pace.interval_ms, "between two evaluations"},
        {"group-wait", FLAG_DURATION_MS, &c.pace.group_wait_ms, "of the route that the alerts take"},
        {"retention", FLAG_DURATION_MS, &c.pace.retention_ms, "how long samples are kept; 0s: long enough"},
        {"events-per-hour", FLAG_NUMBER, &c.events_per_hour,
         "traffic, for lints on few events; 0: not known"},
        {"page-within", FLAG_DURATION_MS, &c.page_within_ms,
         "fail unless a total outage pages somebody within this; 0s: not asked for"},
        {NULL, FLAG_SWITCH, NULL, NULL},
    };
    struct flag_rest rest;
    int status = 0;
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status;
    if (rest.count < 2 || c.pace.interval_ms <= 0) {
        fputs(usage, stderr);
        return 2;
    }
    return run(&c, &rest);
}
