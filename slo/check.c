/* What a file may say, and mean something by it. */
#include "slo_priv.h"

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_name(struct str s)
{
    if (s.n < 2 || !is_alphanumeric(s.p[0]) || !is_alphanumeric(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alphanumeric(s.p[i]) && memchr("-_.", s.p[i], 3) == NULL)
            return false;
    return true;
}

static int wrong(const struct slo *slo, struct err *err, const char *what)
{
    return err_at(err, ERR_PARSE, slo->line, 0, "SLO \"%.*s\": %s", STR_ARG(slo->name), what);
}

static int check_names(const struct slo *slo, struct err *err)
{
    static const char form[] =
        "must be two or more letters, digits, '-', '_' or '.', and begin and end with a "
        "letter or digit";
    if (!is_name(slo->service))
        return err_at(err, ERR_PARSE, slo->line, 0, "the service \"%.*s\" %s", STR_ARG(slo->service), form);
    if (!is_name(slo->name))
        return err_at(err, ERR_PARSE, slo->line, 0, "the SLO's name \"%.*s\" %s", STR_ARG(slo->name), form);
    return 0;
}

/* ---- labels ---- */

/* Sloth lets a label of the file take the place of its own, so that alerts look at series that are not there. */
static bool is_reserved(struct str name)
{
    static const char *const names[] = {"sloth_id", "sloth_service", "sloth_slo", "sloth_window", NULL};
    for (size_t i = 0; names[i] != NULL; i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

static int check_labels(const struct slo *slo, struct strict_pairs labels, bool recorded, struct err *err)
{
    for (size_t i = 0; i < labels.count; i++) {
        struct str name = labels.items[i].name, value = labels.items[i].value;
        if (!label_name_is_valid(name) || str_is(name, "__name__"))
            return err_at(err, ERR_PARSE, slo->line, 0, "SLO \"%.*s\": \"%.*s\" is no name of a label",
                          STR_ARG(slo->name), STR_ARG(name));
        if (recorded && is_reserved(name))
            return err_at(
                err, ERR_PARSE, slo->line, 0,
                "SLO \"%.*s\": the label %.*s is set by the generated rules; name yours differently",
                STR_ARG(slo->name), STR_ARG(name));
        if (recorded && value.n == 0)
            return err_at(err, ERR_PARSE, slo->line, 0, "SLO \"%.*s\": the label %.*s has no value",
                          STR_ARG(slo->name), STR_ARG(name));
    }
    return 0;
}

/* ---- queries ---- */

/* {{ .window }}, with blanks or without: what Sloth looks for. */
static bool has_window(struct str query)
{
    for (size_t i = 0; i + 2 < query.n; i++) {
        size_t at = i + 2;
        if (query.p[i] != '{' || query.p[i + 1] != '{')
            continue;
        while (at < query.n && query.p[at] == ' ')
            at++;
        if (!str_starts((struct str){query.p + at, query.n - at}, STR(".window")))
            continue;
        at += sizeof ".window" - 1;
        while (at < query.n && query.p[at] == ' ')
            at++;
        if (str_starts((struct str){query.p + at, query.n - at}, STR("}}")))
            return true;
    }
    return false;
}

static int check_promql(const struct slo *slo, const char *which, struct arena *arena, struct str query,
                        struct err *err)
{
    enum { MINUTE_MS = 60 * 1000 };
    struct err why;
    struct str text;
    struct expr *expr;
    int rc = objective_query(arena, query, MINUTE_MS, &text, &why);
    if (rc == 0) {
        rc = promql_parse(arena, text, &promql_features_all, &expr, &why);
        if (rc == 0)
            promql_free(expr);
    }
    return rc == 0
               ? 0
               : err_at(err, rc, slo->line, 0, "SLO \"%.*s\": %s: %s", STR_ARG(slo->name), which, why.text);
}

static int check_query(const struct slo *slo, const char *which, struct arena *arena, struct str query,
                       struct err *err)
{
    if (query.n == 0)
        return err_at(err, ERR_PARSE, slo->line, 0, "SLO \"%.*s\": %s is missing", STR_ARG(slo->name), which);
    if (!has_window(query))
        return err_at(err, ERR_PARSE, slo->line, 0,
                      "SLO \"%.*s\": %s must contain {{ .window }} where its range stands",
                      STR_ARG(slo->name), which);
    return check_promql(slo, which, arena, query, err);
}

static int check_indicator(const struct slo *slo, struct arena *arena, struct err *err)
{
    if (slo->indicator == SLO_ERROR_RATIO)
        return check_query(slo, "the query of the error ratio", arena, slo->error_query, err);
    int rc = check_query(slo, "the error query", arena, slo->error_query, err);
    rc = rc == 0 ? check_query(slo, "the total query", arena, slo->total_query, err) : rc;
    if (rc == 0 && str_eq(slo->error_query, slo->total_query))
        return wrong(slo, err, "the error query and the total query are the same");
    return rc;
}

/* ---- alerts ---- */

static int check_alerts(const struct slo *slo, struct err *err)
{
    const struct slo_alert *alerts[] = {&slo->page, &slo->ticket};
    bool wanted = !slo->page.disabled || !slo->ticket.disabled;
    if (wanted && slo->alert_name.n == 0)
        return wrong(slo, err, "its alerts need a name (alerting.name), unless both are disabled");
    int rc = check_labels(slo, slo->alert_labels, false, err);
    for (size_t i = 0; i < 2 && rc == 0; i++)
        rc = check_labels(slo, alerts[i]->labels, false, err);
    return rc;
}

int slo_check(const struct slo *slo, struct err *err)
{
    struct arena arena;
    int rc = check_names(slo, err);
    if (rc == 0 && !(slo->objective > 0 && slo->objective <= 100))
        rc = wrong(slo, err, "its objective must be more than 0 and at most 100 percent");
    rc = rc == 0 ? check_labels(slo, slo->labels, true, err) : rc;
    rc = rc == 0 ? check_alerts(slo, err) : rc;
    if (rc != 0)
        return rc;
    arena_init(&arena, 1 << 24);
    rc = check_indicator(slo, &arena, err);
    arena_release(&arena);
    return rc;
}

int slo_check_ids(const struct slo_document *document, struct err *err)
{
    for (size_t i = 0; i < document->count; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(document->slos[i].id, document->slos[j].id))
                return err_at(err, ERR_PARSE, document->slos[i].line, 0,
                              "SLO \"%.*s\" is there twice; the first one begins in line %d",
                              STR_ARG(document->slos[i].name), document->slos[j].line);
    return 0;
}
