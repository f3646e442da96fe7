#include "api_priv.h"
#include "client_priv.h"
#include "gzip_priv.h"

#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"
#include "tocsin/store.h"

#include <stddef.h>

/* A client that reads its answer slower than this is cut off, limits.body_ms later than one that is fast. */
enum { SEND_BYTES_PER_S = 65536 };

struct client {
    struct watched watched; /* must be first */
    struct serve *serve;
    struct buf raw_target;

    struct gate_header headers[GATE_HEADERS_MAX + 1];
    size_t header_count;
    struct gate_verdict verdict;
    bool judged;

    struct arena arena;
    struct request request;
    const struct route *found; /* whose path it is; NULL: nobody's */
    const struct route *route; /* NULL: the answer says why */
    int64_t judged_ns;
    struct answer answer;
    struct MHD_Connection *suspended; /* while a worker runs the handler, or its answer waits for the log */
    struct commit commit;
    struct work work;
    bool answered; /* the handler has run */

    struct buf body;
    int64_t reserved_bytes;
    size_t dropped_bytes; /* of a body that is refused while it comes */
    int late_status;      /* what it will be refused with; 0: it is not */
};

struct client *client_open(struct serve *serve, int fd, const char address[ADDRESS_BYTES])
{
    struct client *client = MEM_NEW(struct client);
    client->serve = serve;
    buf_init(&client->raw_target, (size_t)limits.header_bytes);
    buf_init(&client->body, 0);
    arena_init(&client->arena, (size_t)limits.query_arena_bytes);
    answer_init(&client->answer);
    memcpy(client->watched.address, address, ADDRESS_BYTES);
    atomic_fetch_add(&serve->meter.connections, 1);
    if (watch_add(&serve->watch, &client->watched, fd) >= serve->connections_max)
        limit_hit(LIMIT_connections); /* from here on others wait until one ends */
    watch_deadline(&serve->watch, &client->watched, limits.header_ms);
    return client;
}

void client_end(struct client *client)
{
    buf_release(&client->body);
    answer_release(&client->answer);
    arena_release(&client->arena);
    atomic_fetch_sub(&client->serve->in_flight, client->reserved_bytes);
    client->reserved_bytes = 0;
    watch_deadline(&client->serve->watch, &client->watched, limits.header_ms);
    atomic_store(&client->watched.busy, false);
}

void client_close(struct client *client)
{
    watch_remove(&client->serve->watch, &client->watched);
    atomic_fetch_sub(&client->serve->meter.connections, 1);
    client_end(client);
    buf_release(&client->raw_target);
    mem_free(client);
}

void client_begin(struct client *client, const char *raw_target)
{
    buf_clear(&client->raw_target);
    buf_puts(&client->raw_target, raw_target);
    answer_init(&client->answer);
    client->header_count = 0;
    client->judged = false;
    client->found = client->route = NULL;
    client->answered = false;
    client->dropped_bytes = 0;
    client->late_status = 0;
}

/* Bodies get what the handlers leave of the budget. */
static bool reserve(struct client *client, int64_t bytes)
{
    int64_t budget = limits.in_flight_bytes - limits_pushes_bytes(&limits);
    if (atomic_fetch_add(&client->serve->in_flight, bytes) + bytes > budget) {
        atomic_fetch_sub(&client->serve->in_flight, bytes);
        limit_hit(LIMIT_in_flight_bytes);
        return false;
    }
    client->reserved_bytes += bytes;
    return true;
}

static int64_t mono_ns(const struct client *client)
{
    struct world *world = client->serve->service.parts.world;
    return world->mono_ns(world);
}

static struct str header_value(const struct client *client, struct str name)
{
    for (size_t i = 0; i < client->header_count; i++)
        if (str_eq_nocase(client->headers[i].name, name))
            return client->headers[i].value;
    return (struct str){0};
}

/* What depends on Accept-Encoding says so, that no cache mixes it up. */
static void compress_answer(struct client *client)
{
    struct answer *answer = &client->answer;
    if (answer->body.used < GZIP_BYTES_MIN)
        return;
    answer_header(answer, "Vary", "Accept-Encoding");
    if (gzip_accepted(header_value(client, STR("accept-encoding"))) && gzip_body(&answer->body))
        answer_header(answer, "Content-Encoding", "gzip");
}

static void add_headers(struct MHD_Response *response, const struct client *client)
{
    const struct answer *answer = &client->answer;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    MHD_add_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; frame-ancestors 'none'");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    for (size_t i = 0; i < answer->header_count; i++)
        MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
    if (answer->close || client->verdict.close)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

/* Hands the answer to the library, which takes over its body. */
static enum MHD_Result send_answer(struct client *client, struct MHD_Connection *connection)
{
    struct answer *answer = &client->answer;
    compress_answer(client);
    size_t size = answer->body.used;
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(size, answer->body.bytes, mem_free);
    if (response == NULL)
        return MHD_NO;
    buf_init(&answer->body, 0);
    add_headers(response, client);
    stat_add(STAT_http_requests, 1);
    meter_count(&client->serve->meter, client->found, answer->status, mono_ns(client) - client->judged_ns);
    watch_deadline(&client->serve->watch, &client->watched,
                   limits.body_ms + (int64_t)size * 1000 / SEND_BYTES_PER_S);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct client *client, struct MHD_Connection *connection, int status,
                              const char *reason)
{
    static struct log_rate rate;
    stat_add(STAT_http_refused, 1);
    if (log_allowed(&rate, mono_ns(client)))
        log_warn("request refused", LOG_TEXT("from", client->watched.address), LOG_INT("status", status),
                 LOG_TEXT("reason", reason));
    answer_text(&client->answer, status, reason);
    buf_char(&client->answer.body, '\n');
    client->answer.close = true;
    return send_answer(client, connection);
}

static enum MHD_Result collect(void *context, enum MHD_ValueKind kind, const char *key, size_t key_size,
                               const char *value, size_t value_size)
{
    struct client *client = context;
    (void)kind;
    client->headers[client->header_count++] =
        (struct gate_header){.name = {key, key_size}, .value = {value, value != NULL ? value_size : 0}};
    return client->header_count <= GATE_HEADERS_MAX ? MHD_YES : MHD_NO;
}

static int make_request(struct client *client, const char *method, struct err *err)
{
    client->request = (struct request){
        .service = &client->serve->service,
        .method = http_method_of(str_of(method)),
        .content_type = header_value(client, STR("content-type")),
        .content_encoding = header_value(client, STR("content-encoding")),
        .accept = header_value(client, STR("accept")),
        .origin = header_value(client, STR("origin")),
        .from = str_of(client->watched.address),
        .identity = client->serve->identity_header.n > 0
                        ? header_value(client, client->serve->identity_header)
                        : (struct str){0},
        .arena = &client->arena,
        .gone = &client->watched.gone,
    };
    return target_parse(&client->arena, buf_slice(&client->raw_target), &client->request.target, err);
}

static bool takes_body(const struct client *client)
{
    return client->route != NULL && route_body_max(client->route) > 0 &&
           (client->request.method & (HTTP_POST | HTTP_PUT)) != 0;
}

/* The status to refuse the announced body with; 0 if it is welcome. */
static int body_refusal(struct client *client)
{
    const struct gate_verdict *verdict = &client->verdict;
    if (!takes_body(client))
        return 0;
    if ((client->route->flags & ROUTE_PUSH) != 0 && verdict->length < 0 && !verdict->chunked)
        return 411;
    if (verdict->length > route_body_max(client->route)) {
        limit_hit(client->route->body_limit);
        return 413;
    }
    return verdict->length > 0 && !reserve(client, verdict->length) ? 503 : 0;
}

static enum MHD_Result refuse_body(struct client *client, struct MHD_Connection *connection, int status)
{
    route_note_refusal(client->route, &client->request, &client->answer);
    if (status == 411)
        return refuse(client, connection, 411, "a push needs Content-Length or chunked Transfer-Encoding");
    if (status == 413)
        return refuse(client, connection, 413, "request body is too large");
    if (status == 403)
        return refuse(client, connection, 403, "cross-site request refused");
    answer_header(&client->answer, "Retry-After", "1");
    return refuse(client, connection, 503, "too many request bodies under way");
}

/* An answer that needs no more of the request, and ends the connection because the rest is not read. */
static enum MHD_Result answer_early(struct client *client, struct MHD_Connection *connection)
{
    client->answer.close = true;
    if (client->route != NULL)
        route_run(client->route, &client->request, &client->answer);
    return send_answer(client, connection);
}

/* A query changes nothing, however it is sent; anything else is not for pages of other sites to send. */
static bool is_foreign(const struct client *client)
{
    return client->verdict.cross_site && (client->route->flags & ROUTE_FORM) == 0;
}

/* Finds the route; what it refuses on the headers is in the answer then, and the route is NULL. */
static int choose_route(struct client *client)
{
    client->found = client->route = route_find(&client->request, &client->answer);
    if (client->route == NULL)
        return 0;
    if (is_foreign(client))
        return 403;
    if (route_refuses(client->route, &client->request, &client->answer)) {
        client->route = NULL;
        return 0;
    }
    buf_init(&client->body, (size_t)route_body_max(client->route));
    return body_refusal(client);
}

static enum MHD_Result judge(struct client *client, struct MHD_Connection *connection, const char *method,
                             const char *version)
{
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, collect, client);
    const struct gate_request seen = {.method = str_of(method),
                                      .target = buf_slice(&client->raw_target),
                                      .version = str_of(version),
                                      .headers = client->headers,
                                      .count = client->header_count};
    gate_check(&seen, &client->verdict);
    if (client->verdict.status != 0)
        return refuse(client, connection, client->verdict.status, client->verdict.reason);
    if (atomic_load(&client->serve->closing))
        return refuse(client, connection, 503, "shutting down");
    struct err err;
    if (make_request(client, method, &err) != 0)
        return refuse(client, connection, 400, err.text);
    int status = choose_route(client);
    if (status != 0)
        return refuse_body(client, connection, status);
    if (gate_has_body(&client->verdict) && !takes_body(client))
        return answer_early(client, connection);
    return MHD_YES;
}

/* 413 or 503 for a body whose length was not announced; 0 while it is welcome. */
static int late_refusal(struct client *client, size_t bytes)
{
    if (bytes > client->body.max_bytes - client->body.used) {
        limit_hit(client->route->body_limit);
        return 413;
    }
    return client->verdict.chunked && !reserve(client, (int64_t)bytes) ? 503 : 0;
}

/* The library cannot answer in the middle of a body: what is refused is dropped, and the connection goes
 * without an answer if that goes on for longer than the largest good body. */
static enum MHD_Result take_body(struct client *client, const char *bytes, size_t *size)
{
    if (client->late_status == 0)
        client->late_status = late_refusal(client, *size);
    if (client->late_status == 0)
        buf_add(&client->body, bytes, *size);
    else
        client->dropped_bytes += *size;
    *size = 0;
    return client->dropped_bytes <= client->body.max_bytes ? MHD_YES : MHD_NO;
}

static struct client *client_of(struct work *work)
{
    return (struct client *)((char *)work - offsetof(struct client, work));
}

static void leave_workers(struct client *client)
{
    client->answered = true;
    atomic_fetch_sub(&client->serve->service.queries, (client->route->flags & ROUTE_QUERY) != 0);
    atomic_store(&client->watched.evaluating, false);
    MHD_resume_connection(client->suspended);
}

void client_work(struct work *work)
{
    struct client *client = client_of(work);
    route_handle(client->route, &client->request, &client->answer);
    leave_workers(client);
}

void client_give_up(struct work *work)
{
    struct client *client = client_of(work);
    if (!atomic_load(&client->watched.gone))
        limit_hit(LIMIT_queries_concurrent);
    route_refuse_waiting(client->route, &client->answer);
    leave_workers(client);
}

/* Suspended first: the worker may be done before this returns. */
static enum MHD_Result hand_to_worker(struct client *client, struct MHD_Connection *connection)
{
    client->suspended = connection;
    client->request.queued_ns = mono_ns(client);
    client->work =
        (struct work){.until_ns = client->request.queued_ns + query_timeout_ms(&client->request) * NS_PER_MS,
                      .gone = &client->watched.gone};
    atomic_fetch_add(&client->serve->service.queries, (client->route->flags & ROUTE_QUERY) != 0);
    atomic_store(&client->watched.evaluating, true);
    MHD_suspend_connection(connection);
    if (workers_take(&client->serve->workers, &client->work) == 0)
        return MHD_YES;
    answer_text(&client->answer, 503, "shutting down\n");
    leave_workers(client);
    return MHD_YES;
}

void client_resume(struct commit *commit)
{
    struct client *client = (struct client *)((char *)commit - offsetof(struct client, commit));
    MHD_resume_connection(client->suspended);
}

/* Suspended first: the log may come so far before this returns. */
static void wait_for_log(struct client *client, struct MHD_Connection *connection)
{
    struct serve *serve = client->serve;
    struct world *world = serve->service.parts.world;
    atomic_fetch_add(&serve->service.waiting_pushes, 1);
    client->suspended = connection;
    MHD_suspend_connection(connection);
    int64_t deadline_ns = world->mono_ns(world) + limits.commit_ms * NS_PER_MS;
    if (commits_wait(&serve->commits, &client->commit, client->answer.logged, deadline_ns))
        store_log_wake(serve->service.parts.store);
    else
        MHD_resume_connection(connection);
}

static enum MHD_Result send_committed(struct client *client, struct MHD_Connection *connection)
{
    enum commit_end end = client->commit.end;
    atomic_fetch_sub(&client->serve->service.waiting_pushes, 1);
    if (end != COMMIT_DURABLE)
        route_refuse_unlogged(&client->request, &client->answer, end == COMMIT_LATE);
    return send_answer(client, connection);
}

/* Nothing is promised that a restart would not keep. */
static enum MHD_Result send_when_durable(struct client *client, struct MHD_Connection *connection)
{
    uint64_t logged = client->answer.logged;
    if (logged == 0 || logged <= store_durable(client->serve->service.parts.store))
        return send_answer(client, connection);
    wait_for_log(client, connection);
    return MHD_YES;
}

static enum MHD_Result finish(struct client *client, struct MHD_Connection *connection)
{
    if (client->answered && client->answer.logged != 0)
        return send_committed(client, connection);
    if (client->answered || client->route == NULL)
        return send_answer(client, connection);
    if (client->late_status != 0)
        return refuse_body(client, connection, client->late_status);
    watch_deadline(&client->serve->watch, &client->watched, -1);
    client->request.body = buf_slice(&client->body);
    if (!route_prepare(client->route, &client->request, &client->answer))
        return send_answer(client, connection);
    if ((client->route->flags & ROUTE_SLOW) != 0)
        return hand_to_worker(client, connection);
    route_handle(client->route, &client->request, &client->answer);
    client->answered = true;
    return send_when_durable(client, connection);
}

enum MHD_Result client_step(struct client *client, struct MHD_Connection *connection, const char *method,
                            const char *version, const char *upload, size_t *upload_bytes)
{
    if (!client->judged) {
        client->judged = true;
        client->judged_ns = mono_ns(client);
        atomic_store(&client->watched.busy, true);
        watch_deadline(&client->serve->watch, &client->watched, limits.body_ms);
        return judge(client, connection, method, version);
    }
    if (*upload_bytes > 0)
        return take_body(client, upload, upload_bytes);
    return finish(client, connection);
}
