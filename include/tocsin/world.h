/*
 * world: the one door to time, randomness, disk and outgoing network.
 *
 * Everything above takes a `struct world *` and calls nothing else: no time(), no clock_gettime(), no sleep,
 * no open(), no socket. The daemon passes the real world; unit tests of rules and pages, backtests and the
 * simulator pass one whose clock they turn and whose network they watch.
 *
 * Units: wall time is nanoseconds since the Unix epoch (what goes into samples and messages), monotonic time
 * is nanoseconds since some point (what deadlines and durations are made of). Never mix them.
 */
#ifndef TOCSIN_WORLD_H
#define TOCSIN_WORLD_H

#include "tocsin/buf.h"
#include "tocsin/err.h"

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

struct http_config; /* http_config.h */
struct http_tls;

/* Who sends a mail to whom, and how. */
struct net_mail {
    const char *from; /* addresses as they stand between < and > */
    const char *const *to;
    size_t to_count;
    bool starttls;              /* TLS must be begun, or nothing is sent; false: it is not even tried */
    const struct http_tls *tls; /* NULL: the system's certificates */

    /* Proven only to servers that offer AUTH: CRAM-MD5 with the secret, PLAIN and LOGIN with the password, where there is one. */
    const char *user; /* NULL: nobody */
    const char *identity, *password, *secret;
    bool plain; /* PLAIN may be used */
};

/* One outgoing request, of HTTP or, with a mail, of SMTP: then the URL is smtp://HOST:PORT/HELLO or smtps://..., the body the message as it
 * is to arrive, and method, headers and http mean nothing. The caller owns the memory until its answer has come. */
struct net_header {
    const char *name, *value;
};

struct net_request {
    const char *method;
    const char *url;
    const struct net_header *headers;
    size_t header_count;
    struct str body;
    int64_t timeout_ms; /* whole request; 0: limits.send_ms */
    bool secret_url;    /* the URL itself is a credential: never log it */
    const struct http_config
        *http;                   /* NULL: no credentials, no proxy, no redirects, the system's certificates */
    const struct net_mail *mail; /* NULL: HTTP */
};

/* What came back. `status` is 0 if no answer arrived; then `error` says why. Of a mail it is 250 once the server has taken it for all
 * recipients, or the reply (400 and above, its text the body) that ended it. */
struct net_answer {
    int status;
    struct str body;        /* at most limits.answer_bytes of it; valid during the callback */
    int64_t retry_after_ms; /* from Retry-After; -1: none */
    bool tells_written;     /* of a push by remote write 2.0 the receiver says what it has taken: */
    uint64_t samples_written,
        histograms_written; /* X-Prometheus-Remote-Write-Samples-Written, -Histograms-Written */
    int64_t took_ms;
    struct err error;
};

/* Called exactly once per request, on the network's own thread; must only note the answer and return. */
typedef void net_done(void *context, const struct net_answer *answer);

enum file_mode {
    FILE_READ,   /* it must be there */
    FILE_WRITE,  /* it must be there; its content stays */
    FILE_CREATE, /* empty, whatever was there; mode 0600, never through a symbolic link */
    FILE_OWN /* made if it is not there; nobody else's until it is closed or its process ends (ERR_FULL: it is another's) */
};

struct file; /* an open one */

struct world {
    int64_t (*wall_ns)(struct world *);
    int64_t (*mono_ns)(struct world *);
    uint64_t (*random)(struct world *);
    void (*pause)(struct world *,
                  int64_t ms); /* for tools and shutdown; a simulated clock is turned by as much */

    /* Disk. Paths are relative to the process' folder, or absolute. */
    int (*read_file)(struct world *, const char *path, struct buf *out, struct err *);
    int (*write_file)(struct world *, const char *path, struct str content,
                      struct err *); /* atomic: temp file, fsync, rename */
    int (*make_folder)(struct world *, const char *path,
                       struct err *); /* mode 0700; it may be there already */
    /* Calls found(context, path) for each file matching a shell pattern, in byte order. */
    int (*glob)(struct world *, const char *pattern, void (*found)(void *context, const char *path),
                void *context, struct err *);

    /* One open file. Errors are ERR_IO, ERR_NOT_FOUND, and ERR_FULL where the disk has no room; what is written is durable
     * after file_sync only, and what was created, renamed or removed after sync_folder of its folder. A failed file_sync says
     * nothing about what was written before it: such a file must be given up, not synced again. */
    int (*file_open)(struct world *, const char *path, enum file_mode mode, struct file **out, struct err *);
    int (*file_read)(struct world *, struct file *, int64_t offset, void *to, size_t bytes, size_t *got,
                     struct err *); /* less than `bytes` only at the end of the file */
    int (*file_write)(struct world *, struct file *, int64_t offset, struct str bytes,
                      struct err *);                               /* all of it, or an error */
    int (*file_sync)(struct world *, struct file *, struct err *); /* content and length */
    int (*file_size)(struct world *, struct file *, int64_t *bytes, struct err *);
    void (*file_close)(struct world *, struct file *);
    int (*rename_file)(struct world *, const char *from, const char *to, struct err *); /* atomic */
    int (*remove_file)(struct world *, const char *path, struct err *);
    int (*sync_folder)(struct world *, const char *path, struct err *);

    /* Network: starts a request; 0, or ERR_FULL / ERR_CLOSED and then done is not called. NULL: no network. The request
     * and what it points to are borrowed until done is called. */
    int (*send)(struct world *, const struct net_request *request, net_done *done, void *context);
    /* Asks the name servers for records of an enum dns_type (dns.h) and appends their answer as it came. It waits, up to some seconds: only
     * for threads that may. ERR_NOT_FOUND: there are none; ERR_IO: nobody knows. NULL: no network. */
    int (*resolve)(struct world *, const char *name, int type, struct buf *answer, struct err *);
    void *net;  /* behind send; private to whoever installed it */
    void *disk; /* behind the calls for the disk; likewise (tests/sim/sim_disk.h) */
};

/* The real clock, random source and disk; no network until engine/route/courier.h installs one. */
struct world *world_real(void);

/* A simulated world: a clock that stands still until it is turned, a seeded random source, the real disk
 * read-only (tests read their fixtures), no network unless the owner sets send. */
struct world_sim {
    struct world world; /* pass &sim.world; must be first */
    int64_t now_ns;     /* both clocks */
    uint64_t seed;
};

void world_sim_init(struct world_sim *sim, int64_t start_ns, uint64_t seed);

static inline int64_t world_now_ms(struct world *w)
{
    return w->wall_ns(w) / NS_PER_MS;
}

#endif
