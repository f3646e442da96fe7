/*
 * The rule file that Sloth writes of its SLOs. Which digits are printed depends on the order of each computation; three of them differ:
 * the objective as a ratio, the budget in alerts, and the budget as a series, which PromQL computes.
 */
#include "slo_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/limits.h"
#include "tocsin/rulefile.h"
#include "tocsin/yaml_emit.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WINDOWS = 8, HOUR_MS = 60 * 60 * 1000 };

struct generation {
    struct arena arena;
    const struct slo_document *document;
    const struct slo_generate *options;
    struct tree *groups;
    struct err *err;
};

static struct str vformat(struct arena *arena, const char *format, va_list args)
{
    struct buf text;
    buf_init(&text, (size_t)limits.query_text_bytes);
    buf_vformat(&text, format, args);
    struct str copy = buf_overflow(&text) ? STR("") : str_copy(arena, buf_slice(&text));
    arena->exhausted |= buf_overflow(&text);
    buf_release(&text);
    return copy;
}

/* Past the arena's cap it is empty, and the arena is exhausted. */
static struct str format(struct generation *g, const char *form, ...) __attribute__((format(printf, 2, 3)));
static struct str format(struct generation *g, const char *form, ...)
{
    va_list args;
    va_start(args, form);
    struct str text = vformat(&g->arena, form, args);
    va_end(args);
    return text;
}

/* Texts of numbers as they stand in a rule; all of them are short. */
struct digits {
    char text[32];
};

static struct digits digits_of(struct buf *b)
{
    struct digits d = {0};
    memcpy(d.text, buf_text(b), b->used < sizeof d.text ? b->used : sizeof d.text - 1);
    buf_release(b);
    return d;
}

static struct digits number(double v, char form)
{
    struct buf b;
    struct digits d;
    buf_init(&b, sizeof d.text - 1);
    go_float(&b, v, form, -1);
    return digits_of(&b);
}

static struct digits duration(int64_t ms)
{
    struct buf b;
    struct digits d;
    buf_init(&b, sizeof d.text - 1);
    duration_print(&b, ms);
    return digits_of(&b);
}

/* ---- labels ---- */

static struct tree *map_of(struct generation *g, struct strict_pairs pairs)
{
    struct tree *map = tree_map(&g->arena);
    for (size_t i = 0; i < pairs.count; i++)
        tree_put_text(&g->arena, map, pairs.items[i].name, pairs.items[i].value);
    if (map != NULL)
        tree_sort(&g->arena, map);
    return map;
}

/* Of a recorded series; the window is 0 where it belongs to none. */
static struct strict_pairs series_labels(struct generation *g, const struct slo *slo, int64_t window_ms)
{
    struct strict_pairs labels = {NULL, 0};
    slo_pairs_put(&g->arena, &labels, STR("sloth_id"), slo->id);
    slo_pairs_put(&g->arena, &labels, STR("sloth_service"), slo->service);
    slo_pairs_put(&g->arena, &labels, STR("sloth_slo"), slo->name);
    if (window_ms > 0)
        slo_pairs_put(&g->arena, &labels, STR("sloth_window"), format(g, "%s", duration(window_ms).text));
    labels = slo_pairs_over(&g->arena, labels, slo->labels);
    return slo_pairs_over(&g->arena, labels, g->options->extra_labels);
}

/* ---- rules and groups ---- */

static void put_pairs(struct generation *g, struct tree *rule, struct str key, struct strict_pairs pairs)
{
    if (pairs.count > 0)
        tree_put(&g->arena, rule, key, map_of(g, pairs));
}

static struct tree *add_rule(struct generation *g, struct tree *rules, struct str kind, struct str name,
                             struct str expr)
{
    struct tree *rule = tree_map(&g->arena);
    tree_put_text(&g->arena, rule, kind, name);
    tree_put_text(&g->arena, rule, STR("expr"), expr);
    tree_add(rules, rule);
    return rule;
}

static void record(struct generation *g, struct tree *rules, struct str name, struct str expr,
                   struct strict_pairs labels)
{
    put_pairs(g, add_rule(g, rules, STR("record"), name, expr), STR("labels"), labels);
}

/* A group without rules is none. */
static void add_group(struct generation *g, const char *what, const struct slo *slo, struct tree *rules)
{
    struct tree *group = tree_map(&g->arena);
    if (rules == NULL || rules->count == 0)
        return;
    tree_put_text(&g->arena, group, STR("name"), format(g, "sloth-slo-%s-%.*s", what, STR_ARG(slo->id)));
    tree_put(&g->arena, group, STR("rules"), rules);
    tree_add(g->groups, group);
}

/* ---- what the SLI is, window by window ---- */

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Each once, in order. Returns how many. */
static size_t windows_of(const struct slo_catalogue *c, int64_t windows[WINDOWS])
{
    const struct slo_windows *pairs[] = {&c->page_quick, &c->page_slow, &c->ticket_quick, &c->ticket_slow};
    size_t count = 0;
    for (size_t i = 0; i < WINDOWS; i++)
        windows[i] = i % 2 == 0 ? pairs[i / 2]->short_ms : pairs[i / 2]->long_ms;
    qsort(windows, WINDOWS, sizeof *windows, by_length);
    for (size_t i = 0; i < WINDOWS; i++)
        if (i == 0 || windows[i] != windows[count - 1])
            windows[count++] = windows[i];
    return count;
}

static int ratio_for(struct generation *g, const struct slo *slo, int64_t window_ms, struct str *expr)
{
    struct str error, total;
    int rc = objective_query(&g->arena, slo->error_query, window_ms, &error, g->err);
    if (rc != 0 || slo->indicator == SLO_ERROR_RATIO) {
        *expr = rc == 0 ? format(g, "(%.*s)", STR_ARG(error)) : STR("");
        return rc;
    }
    rc = objective_query(&g->arena, slo->total_query, window_ms, &total, g->err);
    *expr = rc == 0 ? format(g, "(%.*s)\n/\n(%.*s)\n", STR_ARG(error), STR_ARG(total)) : STR("");
    return rc;
}

static struct str series(struct generation *g, const struct slo *slo, const char *name, int64_t window_ms)
{
    return format(g, "%s%s{sloth_id=\"%.*s\", sloth_service=\"%.*s\", sloth_slo=\"%.*s\"}", name,
                  window_ms > 0 ? duration(window_ms).text : "", STR_ARG(slo->id), STR_ARG(slo->service),
                  STR_ARG(slo->name));
}

#define RATIO "slo:sli_error:ratio_rate"

/* The period's ratio is the mean of the shortest window's, which is cheap, and right where traffic is even. */
static struct str period_ratio(struct generation *g, const struct slo *slo)
{
    const struct slo_catalogue *c = g->options->catalogue;
    struct str quick = series(g, slo, RATIO, c->page_quick.short_ms);
    struct digits period = duration(c->period_ms);
    return format(g, "sum_over_time(%.*s[%s])\n/ ignoring (sloth_window)\ncount_over_time(%.*s[%s])\n",
                  STR_ARG(quick), period.text, STR_ARG(quick), period.text);
}

static int add_indicators(struct generation *g, const struct slo *slo)
{
    int64_t windows[WINDOWS], period_ms = g->options->catalogue->period_ms;
    struct tree *rules = tree_list(&g->arena);
    size_t count = windows_of(g->options->catalogue, windows);
    for (size_t i = 0; i < count; i++) {
        struct str expr;
        int rc = ratio_for(g, slo, windows[i], &expr);
        if (rc != 0)
            return rc;
        record(g, rules, format(g, RATIO "%s", duration(windows[i]).text), expr,
               series_labels(g, slo, windows[i]));
    }
    record(g, rules, format(g, RATIO "%s", duration(period_ms).text), period_ratio(g, slo),
           series_labels(g, slo, period_ms));
    add_group(g, "sli-recordings", slo, rules);
    return 0;
}

/* ---- what is said about the SLO ---- */

static struct str burn_rate(struct generation *g, const struct slo *slo, int64_t window_ms)
{
    struct str ratio = series(g, slo, RATIO, window_ms), budget = series(g, slo, "slo:error_budget:ratio", 0);
    return format(g, "%.*s\n/ on(sloth_id, sloth_slo, sloth_service) group_left\n%.*s\n", STR_ARG(ratio),
                  STR_ARG(budget));
}

static struct strict_pairs info_labels(struct generation *g, const struct slo *slo)
{
    bool kubernetes = g->document->format == SLO_SLOTH_KUBERNETES;
    struct strict_pairs labels = series_labels(g, slo, 0);
    slo_pairs_put(&g->arena, &labels, STR("sloth_mode"),
                  kubernetes ? STR("cli-gen-k8s") : STR("cli-gen-prom"));
    slo_pairs_put(&g->arena, &labels, STR("sloth_objective"),
                  format(g, "%s", number(slo->objective, 'f').text));
    slo_pairs_put(&g->arena, &labels, STR("sloth_spec"),
                  kubernetes ? STR("sloth.slok.dev/v1") : STR("prometheus/v1"));
    slo_pairs_put(&g->arena, &labels, STR("sloth_version"), g->options->version);
    return labels;
}

static void add_metadata(struct generation *g, const struct slo *slo)
{
    const struct slo_catalogue *c = g->options->catalogue;
    struct tree *rules = tree_list(&g->arena);
    struct strict_pairs labels = series_labels(g, slo, 0);
    struct digits ratio = number(slo->objective / 100, 'g');
    struct digits days = number((double)c->period_ms / HOUR_MS / 24, 'g');
    struct str spent = series(g, slo, "slo:period_burn_rate:ratio", 0);
    record(g, rules, STR("slo:objective:ratio"), format(g, "vector(%s)", ratio.text), labels);
    record(g, rules, STR("slo:error_budget:ratio"), format(g, "vector(1-%s)", ratio.text), labels);
    record(g, rules, STR("slo:time_period:days"), format(g, "vector(%s)", days.text), labels);
    record(g, rules, STR("slo:current_burn_rate:ratio"), burn_rate(g, slo, c->page_quick.short_ms), labels);
    record(g, rules, STR("slo:period_burn_rate:ratio"), burn_rate(g, slo, c->period_ms), labels);
    record(g, rules, STR("slo:period_error_budget_remaining:ratio"), format(g, "1 - %.*s", STR_ARG(spent)),
           labels);
    record(g, rules, STR("sloth_slo_info"), STR("vector(1)"), info_labels(g, slo));
    add_group(g, "meta-recordings", slo, rules);
}

/* ---- alerts ---- */

static struct str burns(struct generation *g, const struct slo *slo, const struct slo_windows *windows,
                        int64_t window_ms)
{
    struct str ratio = series(g, slo, RATIO, window_ms);
    struct digits factor = number(slo_burn_factor(g->options->catalogue, windows), 'g');
    struct digits budget = number((100 - slo->objective) / 100, 'g');
    return format(g, "    max(%.*s > (%s * %s)) without (sloth_window)\n", STR_ARG(ratio), factor.text,
                  budget.text);
}

static struct str burns_both(struct generation *g, const struct slo *slo, const struct slo_windows *windows)
{
    struct str quick = burns(g, slo, windows, windows->short_ms),
               slow = burns(g, slo, windows, windows->long_ms);
    return format(g, "(\n%.*s    and\n%.*s)\n", STR_ARG(quick), STR_ARG(slow));
}

static struct strict_pairs annotations_of(struct generation *g, const struct slo *slo,
                                          const struct slo_alert *alert, const char *severity)
{
#define OF_WHICH "{{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate is "
    struct strict_pairs known = {NULL, 0};
    slo_pairs_put(&g->arena, &known, STR("summary"), STR(OF_WHICH "over expected."));
    slo_pairs_put(&g->arena, &known, STR("title"), format(g, "(%s) " OF_WHICH "too fast.", severity));
    known = slo_pairs_over(&g->arena, known, slo->alert_annotations);
    return slo_pairs_over(&g->arena, known, alert->annotations);
}

static void add_alert(struct generation *g, struct tree *rules, const struct slo *slo,
                      const struct slo_alert *alert, const char *severity, const struct slo_windows *quick,
                      const struct slo_windows *slow)
{
    struct str first = burns_both(g, slo, quick), second = burns_both(g, slo, slow);
    struct strict_pairs labels = {NULL, 0};
    slo_pairs_put(&g->arena, &labels, STR("sloth_severity"), str_of(severity));
    labels = slo_pairs_over(&g->arena, labels, slo->alert_labels);
    labels = slo_pairs_over(&g->arena, labels, alert->labels);
    struct tree *rule = add_rule(g, rules, STR("alert"), slo->alert_name,
                                 format(g, "%.*sor\n%.*s", STR_ARG(first), STR_ARG(second)));
    put_pairs(g, rule, STR("labels"), labels);
    put_pairs(g, rule, STR("annotations"), annotations_of(g, slo, alert, severity));
}

static void add_alerts(struct generation *g, const struct slo *slo)
{
    const struct slo_catalogue *c = g->options->catalogue;
    struct tree *rules = tree_list(&g->arena);
    if (!slo->page.disabled)
        add_alert(g, rules, slo, &slo->page, "page", &c->page_quick, &c->page_slow);
    if (!slo->ticket.disabled)
        add_alert(g, rules, slo, &slo->ticket, "ticket", &c->ticket_quick, &c->ticket_slow);
    add_group(g, "alerts", slo, rules);
}

/* ---- documents ---- */

static int add_slo(struct generation *g, const struct slo *slo)
{
    int rc = g->options->no_recordings ? 0 : add_indicators(g, slo);
    if (rc != 0)
        return rc;
    if (!g->options->no_recordings)
        add_metadata(g, slo);
    if (!g->options->no_alerts)
        add_alerts(g, slo);
    return 0;
}

static void put_texts(struct generation *g, struct tree *to, const struct tree *from)
{
    for (const struct tree *child = from != NULL ? from->first : NULL; child != NULL; child = child->next)
        tree_put_text(&g->arena, to, child->key->text, child->text);
}

static struct tree *metadata_of(struct generation *g, const struct tree *given)
{
    struct tree *metadata = tree_map(&g->arena), *labels = tree_map(&g->arena),
                *annotations = tree_map(&g->arena);
    put_texts(g, labels, tree_get(given, "labels"));
    tree_put_text(&g->arena, labels, STR("app.kubernetes.io/component"), STR("SLO"));
    tree_put_text(&g->arena, labels, STR("app.kubernetes.io/managed-by"), STR("sloth"));
    put_texts(g, annotations, tree_get(given, "annotations"));
    if (annotations != NULL && annotations->count > 0)
        tree_put(&g->arena, metadata, STR("annotations"), annotations);
    tree_put(&g->arena, metadata, STR("labels"), labels);
    tree_put_text(&g->arena, metadata, STR("name"), tree_get_text(given, "name"));
    if (tree_get_text(given, "namespace").n > 0)
        tree_put_text(&g->arena, metadata, STR("namespace"), tree_get_text(given, "namespace"));
    return metadata;
}

static struct tree *root_of(struct generation *g)
{
    struct tree *root = tree_map(&g->arena), *spec = root;
    if (g->document->format == SLO_SLOTH_KUBERNETES) {
        spec = tree_map(&g->arena);
        tree_put_text(&g->arena, root, STR("apiVersion"), STR("monitoring.coreos.com/v1"));
        tree_put_text(&g->arena, root, STR("kind"), STR("PrometheusRule"));
        tree_put(&g->arena, root, STR("metadata"), metadata_of(g, g->document->metadata));
        tree_put(&g->arena, root, STR("spec"), spec);
    }
    tree_put(&g->arena, spec, STR("groups"), g->groups);
    if (root != spec && root != NULL)
        tree_sort(&g->arena, root);
    return root;
}

/* A template of an annotation, for one, may be none; better told now than when it should tell somebody. */
static int check_loads(struct generation *g, struct str rules)
{
    struct buf errors;
    struct rule_set *set = rule_set_new();
    buf_init(&errors, (size_t)limits.yaml_bytes);
    int rc = rulefile_parse(set, STR(""), rules, &promql_features_all, &errors);
    if (rc != 0)
        err_set(g->err, rc, "the rules made of it do not load: %s", buf_text(&errors));
    rule_set_free(set);
    buf_release(&errors);
    return rc;
}

static int write_document(struct generation *g, struct buf *out)
{
    size_t from = out->used;
    buf_format(out,
               "\n---\n# Code generated by Sloth (%.*s): https://github.com/slok/sloth.\n# DO NOT EDIT.\n\n",
               STR_ARG(g->options->version));
    struct tree *root = root_of(g);
    if (arena_exhausted(&g->arena))
        return err_set(g->err, ERR_LIMIT, "the rules take more memory than generation_arena_bytes allows");
    int rc = yaml_emit(out, root, g->err);
    return rc == 0 ? check_loads(g, (struct str){buf_text(out) + from, out->used - from}) : rc;
}

static int generate(struct generation *g, struct buf *out)
{
    int rc = 0;
    g->groups = tree_list(&g->arena);
    for (size_t i = 0; i < g->document->count && rc == 0; i++)
        rc = add_slo(g, &g->document->slos[i]);
    if (rc == 0 && g->groups != NULL && g->groups->count == 0)
        rc = err_set(g->err, ERR_ARG, "no rules would be left: all recordings and alerts are disabled");
    return rc == 0 ? write_document(g, out) : rc;
}

int slo_generate_sloth(const struct slo_document *document, const struct slo_generate *options,
                       struct buf *out, struct err *err)
{
    struct generation g = {.document = document, .options = options, .err = err};
    arena_init(&g.arena, (size_t)limits.generation_arena_bytes);
    int rc = generate(&g, out);
    arena_release(&g.arena);
    return rc;
}
