#include "command_priv.h"

#include "tocsin/arena.h"
#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/serve.h"
#include "tocsin/tree.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

static const char usage[] =
    "usage: tocsin receive [FLAGS]\n"
    "\n"
    "Plays a webhook: prints each notification that is posted to /page, for trying out routes and "
    "templates.\n"
    "\n"
    "examples:\n"
    "  tocsin receive\n"
    "  tocsin receive --raw --web.listen-address=127.0.0.1:9000\n"
    "\n"
    "In alertmanager.yml:\n"
    "  receivers: [{name: me, webhook_configs: [{url: http://127.0.0.1:9596/page}]}]\n";

struct receiver {
    bool raw;
};

static struct str text_of(const struct tree *map, const char *key)
{
    const struct tree *child = map != NULL && map->kind == TREE_MAP ? tree_get(map, key) : NULL;
    return child != NULL && child->kind == TREE_SCALAR ? child->text : STR("");
}

static void print_pairs(const char *what, const struct tree *map)
{
    if (map == NULL || map->kind != TREE_MAP)
        return;
    for (const struct tree *child = map->first; child != NULL; child = child->next)
        printf("    %-12s %.*s = %.*s\n", what, STR_ARG(child->key->text), STR_ARG(child->text));
}

static void print_alert(const struct tree *alert)
{
    struct str status = text_of(alert, "status"), starts = text_of(alert, "startsAt");
    printf("  %.*s since %.*s\n", STR_ARG(status), STR_ARG(starts));
    if (alert->kind != TREE_MAP)
        return;
    print_pairs("label", tree_get(alert, "labels"));
    print_pairs("annotation", tree_get(alert, "annotations"));
    printf("    %-12s %.*s\n", "source", STR_ARG(text_of(alert, "generatorURL")));
}

static void print_page(const struct tree *page)
{
    struct str receiver = text_of(page, "receiver"), key = text_of(page, "groupKey");
    bool firing = str_is(text_of(page, "status"), "firing");
    printf("%s for %.*s, group %.*s\n", firing ? "FIRING" : "RESOLVED", STR_ARG(receiver), STR_ARG(key));
    const struct tree *alerts = page->kind == TREE_MAP ? tree_get(page, "alerts") : NULL;
    if (alerts == NULL || alerts->kind != TREE_LIST)
        return;
    for (const struct tree *alert = alerts->first; alert != NULL; alert = alert->next)
        print_alert(alert);
}

/* Two HTTP threads may be told at once; stdout's own lock keeps their pages apart. */
static void told(void *context, struct str body)
{
    const struct receiver *r = context;
    struct arena arena;
    struct tree *page;
    struct err err = {0};
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    int rc = r->raw ? 0 : json_parse(&arena, body, &page, &err);
    flockfile(stdout);
    if (r->raw)
        printf("%.*s\n", STR_ARG(body));
    else if (rc != 0)
        printf("not a page: %s\n", err.text);
    else if (page != NULL)
        print_page(page);
    fflush(stdout);
    funlockfile(stdout);
    arena_release(&arena);
}

static void wait_for_end(void)
{
    sigset_t set;
    int sig;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    while (sigwait(&set, &sig) != 0)
        ;
}

static void block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int command_receive(int argc, char **argv)
{
    struct receiver r = {0};
    const char *listen = "127.0.0.1:9596";
    const struct flag flags[] = {
        {"web.listen-address", FLAG_TEXT, &listen, "host:port to listen on"},
        {"raw", FLAG_SWITCH, &r.raw, "print bodies as they came"},
        {NULL, 0, NULL, NULL},
    };
    struct flag_rest rest;
    int status = 0;
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status;
    block_signals();
    struct world *world = world_real();
    struct serve_options options = {.listen = str_of(listen)};
    struct serve_parts parts = {.world = world,
                                .told = told,
                                .context = &r,
                                .version = TOCSIN_VERSION,
                                .started_ns = world->wall_ns(world)};
    struct serve *serve;
    struct err err = {0};
    if (serve_open(&options, &parts, &serve, &err) != 0) {
        fprintf(stderr, "tocsin receive: %s\n", err.text);
        return 1;
    }
    fprintf(stderr, "waiting for pages at http://%s/page; Ctrl-C ends it\n", listen);
    wait_for_end();
    serve_close(serve);
    return 0;
}
