#include "command_priv.h"
#include "daemon_priv.h"

#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/url.h"

#include <stdio.h>
#include <unistd.h>

static const char usage[] =
    "usage: tocsin alertmanager [FLAGS]\n"
    "\n"
    "Runs the router alone: Alertmanager's flags, its alertmanager.yml, its API; alerts come from Prometheus "
    "or\n"
    "from another Tocsin. Pages go out as Alertmanager sends them: contracts and digests of tocsin.yml are off. SIGHUP "
    "and\n"
    "POST /-/reload read the file anew; SIGTERM sends what is under way and ends.\n"
    "\n"
    "examples:\n"
    "  tocsin alertmanager                                 # alertmanager.yml in this folder, "
    "http://127.0.0.1:9093\n"
    "  tocsin alertmanager --config.file=/etc/alertmanager/alertmanager.yml --storage.path=/var/lib/tocsin "
    "\\\n"
    "      --web.listen-address=:9093                      # every address, as Alertmanager's default\n"
    "\n"
    "In prometheus.yml, as before:\n"
    "  alerting: {alertmanagers: [{static_configs: [{targets: [\"127.0.0.1:9093\"]}]}]}\n";

#define ALONE "there is one Tocsin, without others to talk to"

/* What people bring along and what means nothing here. */
static const struct {
    const char *name, *why;
} unused[] = {
    {"data.maintenance-interval", "each change is on disk at once"},
    {"dispatch.maintenance-interval", "a group goes as soon as it is empty"},
    {"web.get-concurrency", "two requests are worked on at once, the others wait their turn"},
    {"web.timeout", "headers have ten seconds, a body thirty, and no answer waits for anything"},
    {"auto-gomemlimit.ratio", "it concerns Go's runtime"},
    {"cluster.advertise-address", ALONE},
    {"cluster.peer-name", ALONE},
    {"cluster.peer-timeout", ALONE},
    {"cluster.peers-resolve-timeout", ALONE},
    {"cluster.gossip-interval", ALONE},
    {"cluster.pushpull-interval", ALONE},
    {"cluster.tcp-timeout", ALONE},
    {"cluster.probe-timeout", ALONE},
    {"cluster.probe-interval", ALONE},
    {"cluster.settle-timeout", ALONE},
    {"cluster.reconnect-interval", ALONE},
    {"cluster.reconnect-timeout", ALONE},
    {"cluster.tls-config", ALONE},
    {"cluster.label", ALONE},
};

enum { UNUSED_COUNT = sizeof unused / sizeof *unused };

struct am_flags {
    struct daemon_options daemon;
    const char *log_level, *log_format, *web_config, *cluster_listen;
    struct flag_list listen, peers, features;
    bool systemd_socket, log_silences, insecure_discovery, version;
    const char *unused[UNUSED_COUNT]; /* what was given; NULL: nothing */
    char *joined_listen, *made_url, *made_prefix;
};

/* Alertmanager 0.34's. */
static const char *const features[] = {
    "alert-names-in-metrics", "receiver-name-in-metrics", "group-key-in-metrics", "classic-mode",
    "utf8-strict-mode",       "auto-gomemlimit",          "event-recorder",
};

static bool is_feature(struct str name)
{
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        if (str_is(name, features[i]))
            return true;
    return false;
}

static int check_features(const struct flag_list *lists, struct err *err)
{
    for (size_t i = 0; i < lists->count; i++) {
        struct str rest = str_of(lists->items[i]);
        while (rest.p != NULL) {
            struct str name = str_trim(str_cut(&rest, ','));
            if (name.n > 0 && !is_feature(name))
                return err_set(err, ERR_ARG, "Unknown option '%.*s' for --enable-feature", STR_ARG(name));
            if (name.n > 0)
                log_warn("this feature flag changes nothing here", LOG_STR("feature", name));
        }
    }
    return 0;
}

/* What would leave somebody in the belief that pages are guarded in a way in which they are not. */
static int refuse_unbuilt(const struct am_flags *f, struct err *err)
{
    for (size_t i = 0; i < f->peers.count; i++)
        if (f->peers.items[i][0] != '\0')
            return err_set(
                err, ERR_UNSUPPORTED,
                "--cluster.peer: Tocsin has no cluster yet, each of two would send every page: run "
                "one, and leave the flag out");
    if (f->web_config[0] != '\0')
        return err_set(err, ERR_UNSUPPORTED,
                       "--web.config.file: TLS and logins are not built: put a proxy that has them in front, "
                       "and leave the flag out");
    if (f->systemd_socket)
        return err_set(err, ERR_UNSUPPORTED,
                       "--web.systemd-socket is not built: --web.listen-address says where to listen");
    return 0;
}

static void tell_unused(const struct am_flags *f)
{
    if (f->cluster_listen[0] != '\0')
        log_warn("there is no cluster: nothing listens for other Alertmanagers, and none is told of pages",
                 LOG_TEXT("address", f->cluster_listen));
    for (size_t i = 0; i < UNUSED_COUNT; i++)
        if (f->unused[i] != NULL)
            log_info("this flag changes nothing here", LOG_TEXT("flag", unused[i].name),
                     LOG_TEXT("why", unused[i].why));
    if (f->log_silences)
        log_info("this flag changes nothing here", LOG_TEXT("flag", "log.silences"));
}

/* ---- addresses ---- */

static char *text_of(struct buf *text)
{
    char *copy = mem_copy_text(buf_text(text), text->used);
    buf_release(text);
    return copy;
}

static void join_addresses(struct am_flags *f)
{
    struct buf all;
    buf_init(&all, 1 << 16);
    for (size_t i = 0; i < f->listen.count; i++)
        buf_format(&all, "%s%s", i > 0 ? "," : "", f->listen.items[i]);
    if (f->listen.count > 0)
        f->daemon.listen = f->joined_listen = text_of(&all);
    else
        buf_release(&all);
}

/* Under ":9093" people find this by the name of the machine. */
static void make_url(struct am_flags *f)
{
    char name[256] = "localhost";
    struct str rest = str_of(f->daemon.listen), first = str_cut(&rest, ',');
    struct buf url;
    buf_init(&url, 4096);
    if (gethostname(name, sizeof name - 1) != 0 || first.n == 0 || first.p[0] != ':')
        name[0] = '\0';
    buf_format(&url, "http://%s%.*s", name, STR_ARG(first));
    f->daemon.external_url = f->made_url = text_of(&url);
}

static int check_url(const char *text, struct url *url, struct err *err)
{
    if (url_parse(str_of(text), url, err) != 0) {
        err_prefix(err, "--web.external-url: ");
        return ERR_ARG;
    }
    if ((!str_is(url->scheme, "http") && !str_is(url->scheme, "https")) || url->authority.n == 0)
        return err_set(err, ERR_ARG,
                       "--web.external-url: \"%s\": invalid scheme, only 'http' and 'https' are supported",
                       text);
    return 0;
}

static struct str path_of(const struct url *url)
{
    const char *path = url->authority.p + url->authority.n;
    return (struct str){path, strcspn(path, "?#")};
}

/* One slash in front and none behind, or nothing at all. */
static void make_prefix(struct am_flags *f, struct str path)
{
    struct buf prefix;
    while (path.n > 0 && path.p[0] == '/')
        path = (struct str){path.p + 1, path.n - 1};
    while (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--;
    buf_init(&prefix, 4096);
    buf_format(&prefix, "%s%.*s", path.n > 0 ? "/" : "", STR_ARG(path));
    f->daemon.route_prefix = f->made_prefix = text_of(&prefix);
}

static int settle_addresses(struct am_flags *f, struct err *err)
{
    struct url url = {0};
    join_addresses(f);
    if (f->daemon.external_url[0] == '\0')
        make_url(f);
    int rc = check_url(f->daemon.external_url, &url, err);
    if (rc == 0)
        make_prefix(f, f->daemon.route_prefix != NULL ? str_of(f->daemon.route_prefix) : path_of(&url));
    return rc;
}

/* ---- all of them ---- */

static int check_flags(struct am_flags *f, struct err *err)
{
    int rc = command_log(f->log_level, f->log_format, err);
    if (rc != 0)
        return rc;
    if (f->daemon.router.retention_ms == 0 || f->daemon.router.alerts_gc_ms == 0)
        return err_set(err, ERR_ARG, "--data.retention and --alerts.gc-interval are longer than nothing");
    f->daemon.feature_flags = &f->features;
    rc = refuse_unbuilt(f, err);
    if (rc == 0)
        rc = check_features(&f->features, err);
    if (rc == 0)
        rc = settle_addresses(f, err);
    if (rc == 0)
        tell_unused(f);
    return rc;
}

#define CLUSTER_HELP "empty, or without meaning: there is no cluster"

enum { FLAGS_MAX = 64 };

/* The whole table, with its end. */
static void list_flags(struct am_flags *f, struct flag flags[FLAGS_MAX])
{
    struct router_options *router = &f->daemon.router;
    const struct flag used[] = {
        {"config.file", FLAG_TEXT, &f->daemon.config_file, "alertmanager.yml"},
        {"storage.path", FLAG_TEXT, &f->daemon.storage_path,
         "folder for alerts, silences and the notification log (Alertmanager's nflog and silences are taken "
         "over from there)"},
        {"web.listen-address", FLAG_LIST, &f->listen,
         "host:port to listen on, may be repeated (default 127.0.0.1:9093; Alertmanager's is :9093)"},
        {"web.external-url", FLAG_TEXT, &f->daemon.external_url,
         "URL under which people reach this, for links in pages; its path is the default of "
         "--web.route-prefix"},
        {"web.route-prefix", FLAG_TEXT, &f->daemon.route_prefix, "what every path begins with"},
        {"data.retention", FLAG_GO_DURATION_MS, &router->retention_ms,
         "how long the notification log and expired silences are kept"},
        {"alerts.gc-interval", FLAG_GO_DURATION_MS, &router->alerts_gc_ms,
         "how often alerts that have ended are looked for"},
        {"alerts.per-alertname-limit", FLAG_NUMBER, &router->alerts_per_name,
         "firing alerts of one alertname at most, others are dropped; 0: any number"},
        {"dispatch.start-delay", FLAG_GO_DURATION_MS, &router->start_delay_ms,
         "after the start no page goes out for so long"},
        {"silences.max-silences", FLAG_NUMBER, &router->max_silences,
         "silences held at most, expired ones included; 0: as limits.silences says"},
        {"silences.max-silence-size-bytes", FLAG_NUMBER, &router->max_silence_bytes,
         "bytes of one silence at most; 0: as limits.silence_bytes says"},
        {"enable-feature", FLAG_LIST, &f->features,
         "Alertmanager's feature flags; none changes anything here"},
        {"log.level", FLAG_TEXT, &f->log_level, "debug, info, warn or error"},
        {"log.format", FLAG_TEXT, &f->log_format, "logfmt or json"},
        {"version", FLAG_SWITCH, &f->version, "say which this is, and end"},
        {"cluster.listen-address", FLAG_TEXT, &f->cluster_listen, CLUSTER_HELP},
        {"cluster.peer", FLAG_LIST, &f->peers, "refused: there is no cluster"},
        {"cluster.allow-insecure-public-advertise-address-discovery", FLAG_SWITCH, &f->insecure_discovery,
         CLUSTER_HELP},
        {"web.config.file", FLAG_TEXT, &f->web_config, "refused: TLS and logins are not built"},
        {"web.systemd-socket", FLAG_SWITCH, &f->systemd_socket, "refused: not built"},
        {"log.silences", FLAG_SWITCH, &f->log_silences, "changes nothing here"},
    };
    enum { USED_COUNT = sizeof used / sizeof *used };
    _Static_assert(USED_COUNT + UNUSED_COUNT < FLAGS_MAX, "the table has room for all, and for its end");
    memcpy(flags, used, sizeof used);
    for (size_t i = 0; i < UNUSED_COUNT; i++)
        flags[USED_COUNT + i] =
            (struct flag){unused[i].name, FLAG_TEXT, &f->unused[i], "changes nothing here"};
    flags[USED_COUNT + UNUSED_COUNT] = (struct flag){0};
}

static int read_flags(int argc, char **argv, struct am_flags *f, int *status)
{
    struct flag flags[FLAGS_MAX];
    list_flags(f, flags);
    struct flag_rest rest;
    int rc = command_flags(usage, flags, argc, argv, &rest, status);
    if (rc != 0 || f->version)
        return rc;
    struct err err = {0};
    rc = rest.count > 0 ? err_set(&err, ERR_ARG, "\"%s\" is no flag", rest.items[0]) : check_flags(f, &err);
    if (rc != 0) {
        fprintf(stderr, "tocsin alertmanager: %s; `tocsin alertmanager --help` lists the flags\n", err.text);
        *status = 2;
    }
    return rc;
}

static void release(struct am_flags *f)
{
    mem_free(f->joined_listen);
    mem_free(f->made_url);
    mem_free(f->made_prefix);
}

int command_alertmanager(int argc, char **argv)
{
    struct am_flags f = {
        .daemon = {.config_file = "alertmanager.yml",
                   .router_only = true,
                   .storage_path = "data",
                   .listen = "127.0.0.1:9093",
                   .external_url = "",
                   .lifecycle = true,
                   .router = {.retention_ms = INT64_C(120) * 3600 * 1000, .alerts_gc_ms = 30 * 60 * 1000}},
        .log_level = "info",
        .log_format = "logfmt",
        .web_config = "",
        .cluster_listen = "",
    };
    int status = 0;
    int rc = read_flags(argc, argv, &f, &status);
    if (rc == 0 && f.version)
        puts("tocsin, version " TOCSIN_VERSION);
    else if (rc == 0)
        status = daemon_main(&f.daemon);
    release(&f);
    return status;
}
