#include "features_priv.h"

#include "tocsin/buf.h"
#include "tocsin/log.h"

#include <stdio.h>

#define SCRAPING "it concerns scraping, which stays with Prometheus"
#define BLOCKS "it concerns Prometheus' own files on disk"
#define OTLP "OTLP is not received"
#define GO "it concerns Go's runtime"

/* note: why it changes nothing; NULL: it sets a member of struct promql_features. */
struct feature {
    const char *name;
    size_t member;
    const char *note;
};

#define SETS(member) offsetof(struct promql_features, member), NULL
#define NOTE(text) 0, (text)

/* In the order of Prometheus 3.14's documentation; behind them those that version 3 has dropped. */
static const struct feature features[] = {
    {"promql-experimental-functions", SETS(experimental_functions)},
    {"promql-extended-range-selectors", SETS(extended_range_selectors)},
    {"promql-binop-fill-modifiers", SETS(binop_fill_modifiers)},
    {"promql-duration-expr", NOTE("always on, as in Prometheus")},
    {"promql-delayed-name-removal", SETS(delayed_name_removal)},
    {"promql-per-step-stats", SETS(per_step_stats)},
    {"use-start-timestamps", SETS(start_timestamps)},
    {"type-and-unit-labels", SETS(type_and_unit_labels)},
    {"exemplar-storage", NOTE("always on: the last exemplars of each series are kept")},
    {"memory-snapshot-on-shutdown", NOTE("always on: the log has snapshots of its own")},
    {"extra-scrape-metrics", NOTE(SCRAPING)},
    {"created-timestamp-zero-ingestion",
     NOTE("start timestamps are kept with their samples instead; use-start-timestamps makes use of them")},
    {"st-storage", NOTE("always on: start timestamps are kept with their samples")},
    {"st-synthesis", NOTE(SCRAPING)},
    {"concurrent-rule-eval", SETS(concurrent_rule_eval)},
    {"old-ui", NOTE("it concerns Prometheus' web interface")},
    {"metadata-wal-records", NOTE("always on: metadata is kept, in memory")},
    {"delayed-compaction", NOTE(BLOCKS)},
    {"auto-reload-config", NOTE("files are read anew on SIGHUP or POST /-/reload")},
    {"otlp-deltatocumulative", NOTE(OTLP)},
    {"otlp-native-delta-ingestion", NOTE(OTLP)},
    {"use-uncached-io", NOTE(BLOCKS)},
    {"xor2-encoding", NOTE(BLOCKS)},
    {"histograms-st-encoding", NOTE(BLOCKS)},
    {"fast-startup", NOTE(BLOCKS)},
    {"search-api", NOTE("that API is not served")},
    {"native-histograms", NOTE("always on")},
    {"ooo-native-histograms", NOTE("always on, as in Prometheus")},

    {"promql-at-modifier", NOTE("always on, as in Prometheus")},
    {"promql-negative-offset", NOTE("always on, as in Prometheus")},
    {"remote-write-receiver", NOTE("always on")},
    {"utf8-names", NOTE("always on, as in Prometheus")},
    {"expand-external-labels", NOTE("always on, as in Prometheus")},
    {"no-default-scrape-port", NOTE(SCRAPING)},
    {"new-service-discovery-manager", NOTE(SCRAPING)},
    {"otlp-write-receiver", NOTE(OTLP)},
    {"auto-gomaxprocs", NOTE(GO)},
    {"auto-gomemlimit", NOTE(GO)},
};

enum { FEATURE_COUNT = sizeof features / sizeof *features };

static int refuse(struct str name, struct err *err)
{
    struct buf known;
    buf_init(&known, ERR_TEXT_MAX);
    for (size_t i = 0; i < FEATURE_COUNT; i++)
        if (features[i].note == NULL)
            buf_format(&known, "%s%s", known.used > 0 ? ", " : "", features[i].name);
    buf_puts(&known, "; and, without effect here:");
    for (size_t i = 0; i < FEATURE_COUNT; i++)
        if (features[i].note != NULL)
            buf_format(&known, " %s", features[i].name);
    int rc = err_set(err, ERR_ARG, "--enable-feature: \"%.*s\" is not known; known are %s",
                     (int)(name.n < 64 ? name.n : 64), name.p, buf_text(&known));
    buf_release(&known);
    return rc;
}

static int enable(struct promql_features *to, struct str name, struct err *err)
{
    for (size_t i = 0; i < FEATURE_COUNT; i++) {
        const struct feature *f = &features[i];
        if (!str_is(name, f->name))
            continue;
        if (f->note == NULL)
            *(bool *)((char *)to + f->member) = true;
        else
            log_info("this feature flag changes nothing here", LOG_TEXT("feature", f->name),
                     LOG_TEXT("why", f->note));
        return 0;
    }
    return refuse(name, err);
}

int features_enable(struct promql_features *to, const struct flag_list *lists, struct err *err)
{
    for (size_t i = 0; i < lists->count; i++) {
        struct str rest = str_of(lists->items[i]);
        while (rest.p != NULL) {
            struct str name = str_trim(str_cut(&rest, ','));
            int rc = name.n > 0 ? enable(to, name, err) : 0;
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

int features_read(struct promql_features *to, const struct flag_list *lists, const char *command)
{
    struct err err;
    int rc = features_enable(to, lists, &err);
    if (rc != 0)
        fprintf(stderr, "tocsin %s: %s\n", command, err.text);
    return rc;
}
