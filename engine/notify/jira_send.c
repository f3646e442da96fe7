#include "jira_priv.h"
#include "json_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"
#include "tocsin/url.h"

/* A notification is up to four requests: is there an issue of the group? Make one, or change it; how does its workflow name the
 * transition; go through it. An attempt after a failure begins with the search again, so that it finds what has been made. */
enum step { SEARCH, WRITE, LIST_TRANSITIONS, GO_THROUGH };

/* What the answers yielded. */
struct progress {
    struct str key; /* of the issue; empty: there is none */
    bool has_status, is_done;
    struct str transition; /* its id */
};

/* ---- what is sent ---- */

static struct str join(struct exchange *x, struct str url, const char *path)
{
    return exchange_format(x, "%.*s%s%s", STR_ARG(url), str_ends(url, STR("/")) ? "" : "/", path);
}

/* A request about something below the URL; its body goes into what is returned. */
static struct buf *ask(struct exchange *x, const char *method, struct str url)
{
    struct buf *out = exchange_post_json(x, "Jira URL", url);
    exchange_header(x, "Accept-Language", STR("en"));
    x->request.method = method;
    return out;
}

static struct str issue_path(struct exchange *x, struct str key, const char *below)
{
    const struct jira *jira = EXCHANGE_SETTINGS(x, struct jira);
    struct str path = exchange_format(x, "issue/%.*s%s", STR_ARG(exchange_path(x, key)), below);
    return join(x, jira->api_url, path.p != NULL ? path.p : "");
}

static bool is_cloud(const struct jira *jira)
{
    struct url url;
    if (!str_is(jira->api_type, "auto"))
        return str_is(jira->api_type, "cloud");
    return url_parse(jira->api_url, &url, NULL) == 0 && str_ends(url.authority, STR("atlassian.net"));
}

/* The cloud has one search left, and it is version 3's. */
static struct str search_url(struct exchange *x, const struct jira *jira)
{
    static const char old[] = "/rest/api/2/", new[] = "/rest/api/3/";
    if (!is_cloud(jira))
        return join(x, jira->api_url, "search");
    struct str url = join(x, jira->api_url, "search/jql");
    const char *at = url.n > 0 ? memmem(url.p, url.n, old, sizeof old - 1) : NULL;
    if (at == NULL)
        return url;
    size_t before = (size_t)(at - url.p), after = before + sizeof old - 1;
    return exchange_format(x, "%.*s%s%.*s", (int)before, url.p, new, (int)(url.n - after), url.p + after);
}

static void write_jql(struct exchange *x, struct buf *out, const struct jira *jira)
{
    int64_t minutes = jira->reopen_duration / (60 * 1000);
    if (jira->wont_fix_resolution.n > 0) {
        buf_puts(out, "(resolution is EMPTY or resolution != ");
        go_quote(out, jira->wont_fix_resolution);
        buf_puts(out, ") and ");
    }
    if (x->notification.firing && jira->reopen_transition.n > 0 && minutes > 0)
        buf_format(out, "(resolutiondate is EMPTY OR resolutiondate >= -%lldm) and ", (long long)minutes);
    else
        buf_puts(out, "statusCategory != Done and ");
    buf_puts(out, "project=");
    go_quote(out, exchange_text(x, jira->project));
    buf_puts(out, " and labels=");
    go_quote(out, jira_label(x));
    buf_puts(out, " order by status ASC,resolutiondate DESC");
}

static void search(struct exchange *x, const struct jira *jira)
{
    static const struct str wanted = {"status", 6};
    struct buf jql, *out = ask(x, "POST", search_url(x, jira));
    buf_init(&jql, (size_t)limits.flush_arena_bytes);
    write_jql(x, &jql, jira);
    json_open(out, NULL, '{');
    json_texts(out, "fields", &wanted, 1);
    json_text(out, "jql", buf_slice(&jql));
    json_key(out, "maxResults");
    buf_char(out, '2');
    json_close(out, '}');
    buf_release(&jql);
}

static void write_issue(struct exchange *x, const struct jira *jira, const struct progress *progress)
{
    bool exists = progress->key.n > 0;
    struct str url = exists ? issue_path(x, progress->key, "") : join(x, jira->api_url, "issue");
    jira_write_issue(x, ask(x, exists ? "PUT" : "POST", url), jira, exists);
}

static void go_through(struct exchange *x, const struct progress *progress)
{
    struct buf *out = ask(x, "POST", issue_path(x, progress->key, "/transitions"));
    json_open(out, NULL, '{');
    json_open(out, "transition", '{');
    json_text(out, "id", progress->transition);
    json_close(out, '}');
    json_close(out, '}');
}

void jira_request(struct exchange *x)
{
    const struct jira *jira = EXCHANGE_SETTINGS(x, struct jira);
    const struct progress *progress = x->memory;
    switch ((enum step)x->step) {
    case SEARCH:
        search(x, jira);
        break;
    case WRITE:
        write_issue(x, jira, progress);
        break;
    case LIST_TRANSITIONS:
        ask(x, "GET", issue_path(x, progress->key, "/transitions"));
        x->body_is_json = false; /* there is none */
        break;
    case GO_THROUGH:
        go_through(x, progress);
        break;
    }
}

/* ---- what is answered ---- */

/* No issue is made for alerts that have ended, unless nobody ever heard that they fired. */
static enum exchange_verdict judge_search(struct exchange *x, const struct tree *root, struct err *err)
{
    struct progress *progress = ARENA_NEW(x->arena, struct progress);
    const struct tree *issues = tree_get(root, "issues");
    const struct tree *issue = issues != NULL ? issues->first : NULL;
    const struct tree *category = tree_get(tree_get(tree_get(issue, "fields"), "status"), "statusCategory");
    x->memory = progress;
    if (progress == NULL) {
        err_set(err, ERR_LIMIT, "the answer needs more memory than flush_arena_bytes");
        return EXCHANGE_REFUSED;
    }
    if (issue == NULL)
        return x->notification.firing || x->notification.late ? EXCHANGE_MORE : EXCHANGE_DONE;
    progress->key = exchange_answer_text(issue, "key");
    progress->has_status = category != NULL;
    progress->is_done = str_is(exchange_answer_text(category, "key"), "done");
    if (progress->key.n > 0)
        return EXCHANGE_MORE;
    err_set(err, ERR_PARSE, "an issue without a key");
    return EXCHANGE_REFUSED;
}

/* Where the issue has to go; empty: it may stay. */
static struct str transition_of(const struct exchange *x, const struct progress *progress)
{
    const struct jira *jira = EXCHANGE_SETTINGS(x, struct jira);
    bool firing = x->notification.firing;
    if (!progress->has_status || progress->key.n == 0 || firing != progress->is_done)
        return STR("");
    return firing ? jira->reopen_transition : jira->resolve_transition;
}

/* An issue that was made just now is open. */
static enum exchange_verdict judge_write(struct exchange *x, const struct tree *root)
{
    struct progress *progress = x->memory;
    if (progress->key.n == 0) {
        progress->key = exchange_answer_text(root, "key");
        progress->has_status = true;
    }
    return transition_of(x, progress).n > 0 ? EXCHANGE_MORE : EXCHANGE_DONE;
}

static enum exchange_verdict judge_transitions(struct exchange *x, const struct tree *root, struct err *err)
{
    struct progress *progress = x->memory;
    struct str wanted = transition_of(x, progress);
    const struct tree *list = tree_get(root, "transitions");
    for (const struct tree *t = list != NULL ? list->first : NULL; t != NULL; t = t->next) {
        if (!str_eq(exchange_answer_text(t, "name"), wanted))
            continue;
        progress->transition = exchange_answer_text(t, "id");
        return EXCHANGE_MORE;
    }
    err_set(err, ERR_NOT_FOUND, "can't find transition %.*s for issue %.*s", STR_ARG(wanted),
            STR_ARG(progress->key));
    return EXCHANGE_REFUSED;
}

static enum exchange_verdict judge_body(struct exchange *x, struct str body, struct err *err)
{
    struct tree *root = NULL;
    struct err why;
    bool sound = json_parse(x->arena, body, &root, &why) == 0;
    if (x->step == GO_THROUGH)
        return EXCHANGE_DONE;
    /* A change is answered with nothing; and an issue has been made, whatever is said of it. */
    if (x->step == WRITE)
        return judge_write(x, sound ? root : NULL);
    if (sound)
        return x->step == SEARCH ? judge_search(x, root, err) : judge_transitions(x, root, err);
    err_set(err, ERR_PARSE, "could not unmarshal JSON response: %s", why.text);
    return EXCHANGE_REFUSED;
}

enum exchange_verdict jira_judge(struct exchange *x, const struct net_answer *answer, struct err *err)
{
    static const char *const asked[] = {"failed to look up existing issues", "the issue was not written",
                                        "the issue's transitions are not known",
                                        "the issue did not go through the transition"};
    enum exchange_verdict verdict = integration_judge_status(answer, err);
    if (verdict == EXCHANGE_DONE)
        verdict = judge_body(x, answer->body, err);
    if (verdict == EXCHANGE_RETRY || verdict == EXCHANGE_REFUSED) {
        struct err why = *err;
        err_set(err, why.code, "%s: %s", asked[x->step], why.text);
    }
    return verdict;
}
