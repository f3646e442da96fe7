#include "asker_priv.h"
#include "command_priv.h"
#include "explain_priv.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: tocsin explain page [FLAGS] [MATCHER... | FINGERPRINT]\n"
    "\n"
    "Why was somebody paged, or not? Asks a running Tocsin for the trail of decisions about each alert that "
    "matches: a\n"
    "sentence for each receiver, then what was decided when, then what comes next.\n"
    "A MATCHER is written as for amtool (severity=page, host=~\"a.*\"); a word alone is an alertname.\n"
    "\n"
    "With --config.file nobody is asked: it says for the labels that are given which routes they take, and "
    "why, and\n"
    "which timing, muted times and inhibition hold there.\n"
    "\n"
    "examples:\n"
    "  tocsin explain page DiskFull\n"
    "  tocsin explain page alertname=DiskFull host=~\"db.*\" --receiver=team-db\n"
    "  tocsin explain page 498074676852febe -o json\n"
    "  tocsin explain page --url=http://tocsin.example.com:9595\n"
    "  tocsin explain page --config.file=alertmanager.yml alertname=DiskFull team=db\n"
    "\n"
    "Exit status 0 if an alert was found, or routes were explained, 1 if none matches, 2 if the command "
    "line makes no\n"
    "sense, Tocsin does not answer, or the file cannot be read.\n";

enum { URL_BYTES_MAX = 1 << 16 };

static bool is_fingerprint(const char *word)
{
    return strlen(word) == 16 && strspn(word, "0123456789abcdef") == 16;
}

static void put_word(struct buf *url, const char *word)
{
    bool matcher = strpbrk(word, "=~!{") != NULL;
    if (is_fingerprint(word)) {
        buf_format(url, "&fingerprint=%s", word);
        return;
    }
    buf_puts(url, "&filter=");
    asker_escape(url, str_of(matcher ? "" : "alertname=\""));
    asker_escape(url, str_of(word));
    asker_escape(url, str_of(matcher ? "" : "\""));
}

struct explaining {
    struct world *world;
    const char *url, *receiver, *output, *config_file;
    int64_t limit;
};

static void make_url(const struct explaining *e, const struct flag_rest *rest, struct buf *url)
{
    size_t length = strlen(e->url);
    while (length > 0 && e->url[length - 1] == '/')
        length--;
    buf_format(url, "%.*s/api/tocsin/v1/trail?limit=%lld", (int)length, e->url, (long long)e->limit);
    if (e->receiver != NULL) {
        buf_puts(url, "&receiver=");
        asker_escape(url, str_of(e->receiver));
    }
    for (size_t i = 1; i < rest->count; i++)
        put_word(url, rest->items[i]);
}

static int explain_running(const struct explaining *e, const struct flag_rest *rest)
{
    struct buf url, body;
    struct err err = {0};
    int status = 2;
    buf_init(&url, URL_BYTES_MAX);
    make_url(e, rest, &url);
    if (asker_get(e->world, buf_text(&url), &body, &err) != 0)
        fprintf(stderr, "tocsin explain: %s: %s\n", e->url, err.text);
    else
        status = explain_print(buf_slice(&body), strcmp(e->output, "json") == 0);
    buf_release(&body);
    buf_release(&url);
    return status;
}

static bool is_sane(const struct explaining *e, const struct flag_rest *rest)
{
    if (rest->count == 0 || strcmp(rest->items[0], "page") != 0) {
        fputs(usage, stderr);
        return false;
    }
    const char *why = NULL;
    if (strcmp(e->output, "text") != 0 && strcmp(e->output, "json") != 0)
        why = "--output is text or json";
    else if (e->config_file != NULL && strcmp(e->output, "text") != 0)
        why = "with --config.file there is no --output=json";
    else if (e->limit < 1)
        why = "--limit is at least 1";
    else if (strncmp(e->url, "http://", 7) != 0 && strncmp(e->url, "https://", 8) != 0)
        why = "--url takes a URL like http://127.0.0.1:9595";
    if (why != NULL)
        fprintf(stderr, "tocsin explain: %s\n", why);
    return why == NULL;
}

int command_explain(int argc, char **argv)
{
    struct explaining e = {
        .world = world_real(), .url = "http://127.0.0.1:9595", .output = "text", .limit = 100};
    const struct flag flags[] = {
        {"url", FLAG_TEXT, &e.url, "the Tocsin to ask"},
        {"receiver", FLAG_TEXT, &e.receiver,
         "only what concerns receivers that this regular expression matches"},
        {"limit", FLAG_NUMBER, &e.limit, "alerts at most; firing ones come first"},
        {"output", FLAG_TEXT, &e.output, "text or json; also -o"},
        {"config.file", FLAG_TEXT, &e.config_file,
         "ask nobody: explain the routes of this alertmanager.yml for the labels given"},
        {NULL, 0, NULL, NULL},
    };
    struct flag_rest rest;
    int status = 0;
    command_spell_output(argc, argv);
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status;
    if (!is_sane(&e, &rest))
        return 2;
    if (e.config_file != NULL)
        return explain_routes(e.world, e.config_file, &rest);
    return explain_running(&e, &rest);
}
