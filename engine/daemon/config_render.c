#include "config_tool_priv.h"

#include "tocsin/limits.h"
#include "tocsin/url.h"

#include <stdio.h>

enum { FILE_BYTES_MAX = 64 << 20, PATH_BYTES_MAX = 1 << 16, REQUESTS_MAX = 6 };

struct rendering {
    const char *config_file, *text, *alerts_file;
    bool html, stored;
    const char *receiver;    /* its name, as given */
    struct amconfig *config; /* NULL: --template without a file */
    struct amconfig *bare;   /* the same without secrets */
    struct world world;      /* in which every file holds <secret> */
};

/* ---- nothing secret ---- */

#define SECRET STR("<secret>")

/* Integrations read files for nothing but secrets. */
static int read_secret(struct world *world, const char *path, struct buf *out, struct err *err)
{
    (void)world;
    (void)path;
    (void)err;
    buf_str(out, SECRET);
    return 0;
}

static struct str folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return (struct str){path, slash != NULL ? (size_t)(slash - path) : 0};
}

/* What is printed has not even seen them: it is rendered with the configuration as the API shows it. */
static int load(struct tool *tool, struct rendering *r, struct err *err)
{
    r->world = *tool->world;
    r->world.read_file = read_secret;
    if (r->config_file[0] == '\0')
        return 0;
    int rc = amconfig_load(tool->world, r->config_file, &r->config, err);
    if (rc == 0)
        rc = amconfig_parse(tool->world, r->config->original, folder_of(r->config_file), &r->bare, err);
    if (rc != 0)
        err_prefix(err, "%s: ", r->config_file);
    return rc;
}

/* ---- one integration ---- */

/* What stands for a secret, however the format writes its brackets. */
static void print_text(struct str text)
{
    static const char *const spellings[] = {"\\u003csecret\\u003e", "%3Csecret%3E", "%3csecret%3e"};
    for (size_t at = 0; at < text.n;) {
        struct str rest = {text.p + at, text.n - at}, shown = {rest.p, 1};
        for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
            if (str_starts(rest, str_of(spellings[i]))) {
                shown = SECRET;
                at += strlen(spellings[i]) - 1;
            }
        fwrite(shown.p, 1, shown.n, stdout);
        at++;
    }
}

static void print_address(const struct net_request *request)
{
    struct buf url;
    buf_init(&url, PATH_BYTES_MAX);
    url_print_redacted(&url, str_of(request->url));
    if (request->mail != NULL)
        buf_truncate(&url, (size_t)(strrchr(buf_text(&url), '/') - buf_text(&url)));
    printf("%s ", request->mail != NULL ? "MAIL" : request->method);
    print_text(buf_slice(&url));
    putchar('\n');
    buf_release(&url);
}

static void print_request(const struct net_request *request)
{
    print_address(request);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct net_header *header = &request->headers[i];
        bool login = strcmp(header->name, "Authorization") == 0 || strncmp(header->name, "X-Amz-", 6) == 0;
        printf("%s: %s\n", header->name, login ? "<secret>" : header->value);
    }
    for (size_t i = 0; request->mail != NULL && i < request->mail->to_count; i++)
        printf("RCPT TO: %s\n", request->mail->to[i]);
    print_text(request->body);
    if (request->body.n > 0 && request->body.p[request->body.n - 1] != '\n')
        putchar('\n');
}

static int print_requests(struct exchange *x, struct err *err)
{
    /* Enough for those that ask first: a token for WeChat, no issue yet for Jira. */
    const struct net_answer yes = {
        .status = 200,
        .body = STR("{\"access_token\":\"<secret>\",\"errcode\":0,\"issues\":[],\"ok\":true}"),
        .retry_after_ms = -1,
    };
    int rc = exchange_begin(x, err);
    for (int i = 0; rc == 0 && i < REQUESTS_MAX; i++) {
        rc = exchange_next(x, err);
        if (rc == 0)
            print_request(&x->request);
        if (rc == 0 && exchange_judge(x, &yes, err) != EXCHANGE_MORE)
            return 0;
    }
    return rc;
}

static bool render_one(struct tool *tool, const struct rendering *r, const struct am_receiver *receiver,
                       const struct integration *integration, const struct sample *sample)
{
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    struct exchange x = sample_exchange(tool, sample, receiver->name, r->config, &arena);
    struct world world = r->world;
    x.world = &world;
    x.integration = integration;
    printf("---- %s[%zu]\n", integration_name(integration), integration->index);
    int rc = print_requests(&x, &err);
    if (rc != 0)
        printf("FAILED: %s\n", err.text);
    arena_release(&arena);
    return rc == 0;
}

static int render_receiver(struct tool *tool, const struct rendering *r, const struct sample *sample)
{
    const struct am_receiver *receiver;
    struct err err = {0};
    size_t failed = 0;
    if (receiver_find(r->bare, r->receiver, &receiver, &err) != 0)
        return tool_fail(tool, "%s", err.text);
    if (receiver->integrations.count == 0)
        return tool_fail(tool, "the receiver \"%s\" has no integrations: nobody would be told", r->receiver);
    for (size_t i = 0; i < receiver->integrations.count; i++)
        failed += !render_one(tool, r, receiver, receiver->integrations.items[i], sample);
    return failed == 0 ? 0 : 1;
}

/* ---- one text ---- */

static int render_text(struct tool *tool, const struct rendering *r, const struct sample *sample)
{
    struct arena arena;
    struct buf out;
    struct err err = {0};
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    buf_init(&out, (size_t)limits.template_output_bytes);
    const struct amconfig none = {.templates =
                                      r->config == NULL ? integration_templates(&tool->arena) : NULL};
    struct exchange x =
        sample_exchange(tool, sample, str_of(r->receiver), r->config != NULL ? r->config : &none, &arena);
    int rc = x.templates != NULL ? notification_complete(&arena, &x.notification, 0) : ERR_LIMIT;
    if (rc != 0)
        err_set(&err, rc, "the alerts need too much memory");
    else
        rc = exchange_render(&x, str_of(r->text), r->html, &out, &err);
    if (rc == 0)
        printf("%s\n", buf_text(&out));
    buf_release(&out);
    arena_release(&arena);
    return rc == 0 ? 0 : tool_fail(tool, "%s", err.text);
}

/* ---- of which alerts ---- */

static int render(struct tool *tool, const struct rendering *r, const struct sample *sample)
{
    return r->text[0] != '\0' ? render_text(tool, r, sample) : render_receiver(tool, r, sample);
}

static int read_alerts(struct tool *tool, const char *path, struct sample *sample, struct err *err)
{
    struct buf text;
    struct tree *root = NULL;
    buf_init(&text, FILE_BYTES_MAX);
    int rc = tool->world->read_file(tool->world, path, &text, err);
    if (rc == 0)
        rc = json_parse(&tool->arena, str_copy(&tool->arena, buf_slice(&text)), &root, err);
    buf_release(&text);
    if (rc == 0)
        rc = sample_read(tool, root, NULL, sample, err);
    if (rc != 0)
        err_prefix(err, "%s: ", path);
    return rc;
}

static int ask_groups(struct tool *tool, const struct rendering *r, const struct tree **list, struct err *err)
{
    struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    buf_puts(&path, "/alerts/groups?silenced=false&inhibited=false&receiver=");
    for (const char *c = r->receiver; *c != '\0'; c++) {
        char literal[] = {'\\', *c, '\0'};
        bool meant = strchr("\\.+*?()|[]{}^$", *c) != NULL;
        asker_escape(&path, str_of(meant ? literal : literal + 1));
    }
    int rc = tool_call(tool, "GET", buf_text(&path), STR(""), list, err);
    buf_release(&path);
    if (rc == 0 && (*list == NULL || (*list)->first == NULL))
        rc = err_set(err, ERR_NOT_FOUND, "the server has no active alerts for the receiver \"%s\"",
                     r->receiver);
    return rc;
}

static int render_stored(struct tool *tool, const struct rendering *r)
{
    const struct tree *list;
    struct sample sample;
    struct err err = {0};
    int status = 0;
    if (ask_groups(tool, r, &list, &err) != 0)
        return tool_fail(tool, "%s", err.text);
    for (const struct tree *group = list->first; group != NULL; group = group->next) {
        if (sample_read(tool, tree_get(group, "alerts"), tree_get(group, "labels"), &sample, &err) != 0)
            return tool_fail(tool, "%s", err.text);
        status |= render(tool, r, &sample);
    }
    return status;
}

static int run(struct tool *tool, const struct rendering *r)
{
    struct sample sample;
    struct err err = {0};
    if (r->stored)
        return render_stored(tool, r);
    int rc = r->alerts_file[0] != '\0' ? read_alerts(tool, r->alerts_file, &sample, &err)
                                       : sample_made_up(tool, &sample, &err);
    return rc == 0 ? render(tool, r, &sample) : tool_fail(tool, "%s", err.text);
}

static const char *is_odd(const struct rendering *r, const struct flag_rest *rest)
{
    if (rest->count > 1 || (rest->count == 0 && (r->text[0] == '\0' || r->stored)))
        return "the name of one receiver is wanted";
    if (r->text[0] == '\0' && r->config_file[0] == '\0')
        return "--config.file is wanted: where the receiver stands";
    return r->stored && r->alerts_file[0] != '\0' ? "--stored and --alerts exclude each other" : NULL;
}

int config_render(struct tool *tool, int argc, char **argv)
{
    struct rendering r = {.config_file = "", .text = "", .alerts_file = "", .receiver = "receiver"};
    const struct tool_flag flags[] = {
        {{"config.file", FLAG_TEXT, &r.config_file,
          "the alertmanager.yml in which receivers and templates stand"},
         0},
        {{"template", FLAG_TEXT, &r.text, "a text with templates to print, in place of what a receiver gets"},
         0},
        {{"html", FLAG_SWITCH, &r.html, "the text of --template is HTML: escape what goes into it"}, 0},
        {{"alerts", FLAG_TEXT, &r.alerts_file, "a JSON file with alerts, as /api/v2/alerts has them"}, 0},
        {{"stored", FLAG_SWITCH, &r.stored,
          "the alerts that the server has for the receiver, group by group"},
         0},
        {{NULL, 0, NULL, NULL}, 0},
    };
    struct flag_rest rest;
    struct err err = {0};
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    const char *odd = is_odd(&r, &rest);
    if (odd != NULL)
        return tool_fail(tool, "%s", odd);
    if (rest.count == 1)
        r.receiver = rest.items[0];
    status = load(tool, &r, &err) == 0 ? run(tool, &r) : tool_fail(tool, "%s", err.text);
    if (r.bare != NULL)
        amconfig_free(r.bare);
    if (r.config != NULL)
        amconfig_free(r.config);
    return status;
}
