#include "command_priv.h"
#include "daemon_priv.h"
#include "features_priv.h"

#include "tocsin/log.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

static const char usage[] =
    "usage: tocsin serve [FLAGS]\n"
    "\n"
    "Receives samples over Prometheus remote write, evaluates rule files on them, and routes the alerts as\n"
    "Alertmanager does. SIGHUP reads all files anew; SIGTERM sends what is under way and ends.\n"
    "\n"
    "examples:\n"
    "  tocsin serve                                        # tocsin.yml in this folder, "
    "http://127.0.0.1:9595\n"
    "  tocsin serve --config.file=/etc/tocsin/tocsin.yml --storage.path=/var/lib/tocsin\n"
    "\n"
    "In prometheus.yml:\n"
    "  remote_write: [{url: http://127.0.0.1:9595/api/v1/write}]\n";

struct serve_flags {
    struct daemon_options daemon;
    const char *log_level, *log_format;
    struct flag_list features;
};

static int check_flags(struct serve_flags *f, struct err *err)
{
    int rc = command_log(f->log_level, f->log_format, err);
    if (rc != 0)
        return rc;
    if (f->daemon.evaluators < 1 || f->daemon.evaluators > EVALUATORS_MAX)
        return err_set(err, ERR_ARG, "--rules.evaluators is 1 to %d", EVALUATORS_MAX);
    if (f->daemon.concurrent_evals < 1)
        return err_set(err, ERR_ARG, "--rules.max-concurrent-evals is 1 or more");
    f->daemon.feature_flags = &f->features;
    return features_enable(&f->daemon.features, &f->features, err);
}

static int read_flags(int argc, char **argv, struct serve_flags *f, int *status)
{
    const struct flag flags[] = {
        {"config.file", FLAG_TEXT, &f->daemon.config_file, "tocsin.yml or prometheus.yml"},
        {"storage.path", FLAG_TEXT, &f->daemon.storage_path,
         "folder for samples, alerts, silences, the notification log and incidents (Alertmanager's nflog and "
         "silences are taken over from there); empty: keep nothing on disk"},
        {"web.listen-address", FLAG_TEXT, &f->daemon.listen, "host:port to listen on"},
        {"web.external-url", FLAG_TEXT, &f->daemon.external_url,
         "URL under which people reach this, for links in pages"},
        {"web.enable-lifecycle", FLAG_SWITCH, &f->daemon.lifecycle, "allow POST /-/reload"},
        {"silences.max-silences", FLAG_NUMBER, &f->daemon.router.max_silences,
         "silences held at most, expired ones included; 0: as limits.silences says"},
        {"silences.max-silence-size-bytes", FLAG_NUMBER, &f->daemon.router.max_silence_bytes,
         "bytes of one silence at most; 0: as limits.silence_bytes says"},
        {"rules.evaluators", FLAG_NUMBER, &f->daemon.evaluators, "threads that evaluate rule groups"},
        {"rules.max-concurrent-evals", FLAG_NUMBER, &f->daemon.concurrent_evals,
         "with --enable-feature=concurrent-rule-eval: how many of them may be at rules of groups that are "
         "another's"},
        {"rules.alert.resend-delay", FLAG_DURATION_MS, &f->daemon.resend_delay_ms,
         "how often a firing alert is told again"},
        {"rules.alert.for-outage-tolerance", FLAG_DURATION_MS, &f->daemon.outage_tolerance_ms,
         "for alerts that another Prometheus or an older Tocsin left in ALERTS_FOR_STATE: how old that may "
         "be"},
        {"rules.alert.for-grace-period", FLAG_DURATION_MS, &f->daemon.for_grace_ms,
         "for the same alerts: how long it takes at least until they fire; a shorter `for` begins anew"},
        {"query.lookback-delta", FLAG_DURATION_MS, &f->daemon.lookback_ms,
         "how old a sample may be to count as current"},
        {"enable-feature", FLAG_LIST, &f->features, FEATURES_HELP},
        {"log.level", FLAG_TEXT, &f->log_level, "debug, info, warn or error"},
        {"log.format", FLAG_TEXT, &f->log_format, "logfmt or json"},
        {NULL, 0, NULL, NULL},
    };
    struct flag_rest rest;
    int rc = command_flags(usage, flags, argc, argv, &rest, status);
    if (rc != 0)
        return rc;
    struct err err = {0};
    if (rest.count > 0)
        rc = err_set(&err, ERR_ARG, "\"%s\" is no flag", rest.items[0]);
    else
        rc = check_flags(f, &err);
    if (rc != 0) {
        fprintf(stderr, "tocsin serve: %s; `tocsin serve --help` lists the flags\n", err.text);
        *status = 2;
    }
    return rc;
}

/* What the system allows at most, as servers do that hold many connections. */
static void allow_many_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

/* Signals are blocked in every thread and taken here, so that nothing is ever interrupted half-way. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void reload(struct daemon *d)
{
    struct err err = {0};
    if (daemon_reload(d, &err) != 0)
        log_error("reload failed, the previous configuration stays", LOG_ERR(&err));
}

static void tell_addresses(const struct daemon *d)
{
    struct buf address;
    buf_init(&address, 1024);
    for (size_t i = 0; serve_address(d->serve, i, &address); i++) {
        log_info("Listening on", LOG_TEXT("address", buf_text(&address)),
                 LOG_TEXT("version", TOCSIN_VERSION));
        buf_clear(&address);
    }
    buf_release(&address);
}

static void run_until_told(struct daemon *d, const sigset_t *set)
{
    for (;;) {
        int sig = 0;
        if (sigwait(set, &sig) != 0)
            continue;
        if (sig != SIGHUP)
            return;
        reload(d);
    }
}

int daemon_main(const struct daemon_options *options)
{
    sigset_t set;
    struct daemon *d;
    struct err err = {0};
    block_signals(&set);
    allow_many_files();
    if (daemon_open(world_real(), options, &d, &err) != 0) {
        log_error("cannot start", LOG_ERR(&err));
        return 1;
    }
    tell_addresses(d);
    run_until_told(d, &set);
    log_info("stopping: sending what is under way");
    daemon_close(d);
    log_info("see you next time");
    return 0;
}

int command_serve(int argc, char **argv)
{
    struct serve_flags f = {
        .daemon = {.config_file = "tocsin.yml",
                   .storage_path = "data",
                   .listen = "127.0.0.1:9595",
                   .external_url = "",
                   .evaluators = 2,
                   .concurrent_evals = 4,
                   .resend_delay_ms = 60000,
                   .outage_tolerance_ms = 3600000,
                   .for_grace_ms = 600000,
                   .lookback_ms = 300000,
                   .features = promql_features_default},
        .log_level = "info",
        .log_format = "logfmt",
    };
    int status = 0;
    if (read_flags(argc, argv, &f, &status) != 0)
        return status;
    return daemon_main(&f.daemon);
}
