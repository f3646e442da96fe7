#include "client_priv.h"

#include "tocsin/log.h"
#include "tocsin/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <sys/resource.h>

enum {
    BACKLOG = 1024,
    DRAIN_MS = 5000,
    REFUSE_MS = 500,
    OWN_DESCRIPTORS = 64, /* never given to clients: logs, disk, pages on their way out */
    CLIENTS_MIN = 16      /* fewer are no service */
};

/* As text; an IPv4 client of a socket for both is what it is, not ::ffff:a.b.c.d. */
static void write_address(const struct sockaddr *from, char to[ADDRESS_BYTES])
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
    to[0] = '\0';
    if (from->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr, to, ADDRESS_BYTES);
    else if (from->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], to, ADDRESS_BYTES);
    else if (from->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &six->sin6_addr, to, ADDRESS_BYTES);
}

/* Not left to the library, which would not tell. Two clients that are accepted at the same moment may both be the last one. */
static enum MHD_Result on_accept(void *context, const struct sockaddr *address, socklen_t length)
{
    struct serve *serve = context;
    char text[ADDRESS_BYTES];
    (void)length;
    if (atomic_load(&serve->closing))
        return MHD_NO;
    write_address(address, text);
    if (watch_count(&serve->watch, text).same < limits.connections_per_address)
        return MHD_YES;
    limit_hit(LIMIT_connections_per_address);
    return MHD_NO;
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_bytes, void **request)
{
    (void)context;
    (void)url; /* decoded by the library, and cut at %00: never used */
    if (*request == NULL)
        return MHD_NO;
    return client_step(*request, connection, method, version, upload, upload_bytes);
}

static struct client *client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

/* Sees the request target as it came; what it returns is the request's context from here on. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    (void)context;
    struct client *client = client_of(connection);
    if (client != NULL)
        client_begin(client, target);
    return client;
}

static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)connection;
    (void)why;
    if (*request != NULL)
        client_end(*request);
    *request = NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **client,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        char address[ADDRESS_BYTES];
        write_address(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
                      address);
        *client = client_open(
            context, MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
            address);
    } else if (*client != NULL) {
        client_close(*client);
        *client = NULL;
    }
}

static struct MHD_Daemon *start(struct serve *serve, const struct addrinfo *address, bool any_address)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    if (address->ai_family == AF_INET6)
        flags |= any_address ? MHD_USE_DUAL_STACK : MHD_USE_IPv6;
    return MHD_start_daemon(
        flags, 0, on_accept, serve, on_access, serve, MHD_OPTION_SOCK_ADDR, address->ai_addr,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)SERVE_THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)serve->connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)limits.header_bytes,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((limits.header_ms + 999) / 1000),
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, serve,
        MHD_OPTION_END);
}

/* "host:port", "[v6]:port", ":port" (any address). */
static int resolve(struct str listen, struct addrinfo **out, bool *any_address, struct err *err)
{
    size_t colon = listen.n;
    while (colon > 0 && listen.p[colon - 1] != ':')
        colon--;
    if (colon == 0 || listen.n - colon > 5)
        return err_set(err, ERR_ARG, "listen address \"%.*s\": missing port in address", STR_ARG(listen));
    struct str host = {listen.p, colon - 1};
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (struct str){host.p + 1, host.n - 2};
    *any_address = host.n == 0;
    char *node = host.n > 0 ? mem_copy_text(host.p, host.n) : NULL;
    char *port = mem_copy_text(listen.p + colon, listen.n - colon);
    const struct addrinfo hints = {.ai_family = *any_address ? AF_INET6 : AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    int rc = getaddrinfo(node, port, &hints, out);
    mem_free(node);
    mem_free(port);
    if (rc != 0)
        return err_set(err, ERR_ARG, "listen address \"%.*s\": %s", STR_ARG(listen), gai_strerror(rc));
    return 0;
}

static int bind_daemon(struct serve *serve, struct str listen, struct err *err)
{
    struct addrinfo *addresses;
    struct MHD_Daemon *daemon = NULL;
    bool any_address = false;
    int rc = resolve(listen, &addresses, &any_address, err);
    if (rc != 0)
        return rc;
    for (struct addrinfo *a = addresses; a != NULL && daemon == NULL; a = a->ai_next)
        daemon = start(serve, a, any_address);
    int failed = errno;
    freeaddrinfo(addresses);
    if (daemon == NULL)
        return err_set(err, ERR_IO, "listen tcp %.*s: %s", STR_ARG(listen), strerror(failed));
    size_t host = listen.n;
    while (listen.p[host - 1] != ':')
        host--;
    serve->listeners[serve->listener_count++] =
        (struct listener){daemon, mem_copy_text(listen.p, host - 1),
                          MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port};
    return 0;
}

static void unbind_all(struct serve *serve)
{
    for (size_t i = 0; i < serve->listener_count; i++)
        MHD_stop_daemon(serve->listeners[i].daemon);
}

static void forget_listeners(struct serve *serve)
{
    for (size_t i = 0; i < serve->listener_count; i++)
        mem_free(serve->listeners[i].host);
}

static int bind_all(struct serve *serve, struct str listen, struct err *err)
{
    int rc = 0;
    while (rc == 0 && listen.p != NULL) {
        struct str address = str_cut(&listen, ',');
        rc = serve->listener_count < LISTENERS_MAX
                 ? bind_daemon(serve, address, err)
                 : err_set(err, ERR_ARG, "no more than %d addresses can be listened on", LISTENERS_MAX);
    }
    if (rc != 0)
        unbind_all(serve);
    return rc;
}

/* As many as the limit says, unless that left no descriptors for the rest of the program. */
static int count_connections(struct serve *serve, struct err *err)
{
    struct rlimit files;
    serve->connections_max = limits.connections;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY ||
        (int64_t)files.rlim_cur - OWN_DESCRIPTORS >= limits.connections)
        return 0;
    serve->connections_max = (int64_t)files.rlim_cur - OWN_DESCRIPTORS;
    if (serve->connections_max < CLIENTS_MIN)
        return err_set(err, ERR_LIMIT,
                       "only %lld files may be open at once: %d are needed at least (ulimit -n)",
                       (long long)files.rlim_cur, OWN_DESCRIPTORS + CLIENTS_MIN);
    log_warn("fewer connections than limits.connections, for want of file descriptors (ulimit -n)",
             LOG_INT("connections", serve->connections_max), LOG_INT("descriptors", files.rlim_cur));
    return 0;
}

static void expire(void *context, int64_t now_ns)
{
    struct serve *serve = context;
    workers_expire(&serve->workers, now_ns);
    if (commits_expire(&serve->commits, now_ns) > 0)
        limit_hit(LIMIT_commit_ms);
}

/* The watch gives up what waits for the workers, so it begins behind them. */
static int open_watched(struct serve *serve, struct str listen, struct err *err)
{
    int rc = watch_open(&serve->watch, serve->service.parts.world, expire, serve, err);
    if (rc != 0)
        return rc;
    rc = bind_all(serve, listen, err);
    if (rc != 0)
        watch_close(&serve->watch);
    return rc;
}

/* The threads behind the listener, then the listener. */
static int open_all(struct serve *serve, struct str listen, struct err *err)
{
    int rc = count_connections(serve, err);
    if (rc == 0)
        rc = workers_open(&serve->workers, limits.queries_concurrent, client_work, client_give_up, err);
    if (rc != 0)
        return rc;
    rc = open_watched(serve, listen, err);
    if (rc != 0)
        workers_close(&serve->workers);
    return rc;
}

static void serve_free(struct serve *serve)
{
    commits_release(&serve->commits);
    forget_listeners(serve);
    mem_free((char *)serve->identity_header.p);
    mem_free((char *)serve->service.prefix.p);
    mem_free(serve);
}

int serve_open(const struct serve_options *options, const struct serve_parts *parts, struct serve **out,
               struct err *err)
{
    struct serve *serve = MEM_NEW(struct serve);
    serve->service =
        (struct service){.parts = *parts, .lifecycle = options->lifecycle, .meter = &serve->meter};
    struct str header = options->identity_header, prefix = options->route_prefix;
    serve->identity_header = (struct str){mem_copy_text(header.p, header.n), header.n};
    serve->service.prefix = (struct str){mem_copy_text(prefix.p, prefix.n), prefix.n};
    commits_open(&serve->commits, client_resume);
    int rc = open_all(serve, options->listen, err);
    if (rc != 0) {
        serve_free(serve);
        serve = NULL;
    }
    *out = serve;
    return rc;
}

void serve_committed(struct serve *serve, uint64_t durable, bool works)
{
    commits_tell(&serve->commits, durable, works);
}

void serve_stop(struct serve *serve)
{
    if (serve->stopped)
        return;
    serve->stopped = true;
    /* Not MHD_quiesce_daemon: in this version it races with its own threads, and aborts. */
    atomic_store(&serve->closing, true);
    watch_drain(&serve->watch, DRAIN_MS);
    /* The library aborts if it is stopped while a connection is suspended: the workers end first, and no answer waits any
     * more. */
    watch_give_up(&serve->watch);
    workers_stop(&serve->workers);
    commits_close(&serve->commits);
    watch_drain(&serve->watch, REFUSE_MS);
    unbind_all(serve);
    watch_close(&serve->watch);
}

void serve_close(struct serve *serve)
{
    if (serve == NULL)
        return;
    serve_stop(serve);
    workers_close(&serve->workers);
    serve_free(serve);
}

int serve_port(const struct serve *serve)
{
    return serve->listeners[0].port;
}

bool serve_address(const struct serve *serve, size_t n, struct buf *out)
{
    if (n >= serve->listener_count)
        return false;
    buf_format(out, "%s:%d", serve->listeners[n].host, serve->listeners[n].port);
    return true;
}
