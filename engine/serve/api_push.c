#include "api_priv.h"

#include "tocsin/intake.h"
#include "tocsin/log.h"

#include <inttypes.h>

enum push_protocol push_protocol_of(struct str content_type)
{
    struct str type = str_trim(str_cut(&content_type, ';'));
    struct str message = str_trim(content_type);
    if (type.n == 0 && message.n == 0)
        return PUSH_V1;
    if (!str_eq_nocase(type, STR("application/x-protobuf")))
        return PUSH_UNKNOWN;
    if (message.n == 0 || str_is(message, "proto=prometheus.WriteRequest"))
        return PUSH_V1;
    return str_is(message, "proto=io.prometheus.write.v2.Request") ? PUSH_V2 : PUSH_UNKNOWN;
}

static void add_count(const struct request *request, struct answer *answer, const char *name, uint64_t count)
{
    const char *text = arena_format(request->arena, "%" PRIu64, count);
    if (text != NULL)
        answer_header(answer, name, text);
}

static void confirm(const struct request *request, struct answer *answer, const struct intake_answer *verdict)
{
    if (push_protocol_of(request->content_type) != PUSH_V2)
        return;
    add_count(request, answer, "X-Prometheus-Remote-Write-Samples-Written", verdict->written_samples);
    add_count(request, answer, "X-Prometheus-Remote-Write-Histograms-Written", verdict->written_histograms);
    add_count(request, answer, "X-Prometheus-Remote-Write-Exemplars-Written", verdict->written_exemplars);
}

void push_confirm_nothing(const struct request *request, struct answer *answer)
{
    confirm(request, answer, &(struct intake_answer){0});
}

/* The sender reads all reasons; who runs this process reads the first. */
static void log_refusal(const struct request *request, const struct intake_answer *verdict)
{
    static struct log_rate rate;
    struct world *world = request->service->parts.world;
    struct str text = buf_slice(&verdict->text);
    if (log_allowed(&rate, world->mono_ns(world)))
        log_warn("push refused", LOG_STR("from", request->from), LOG_INT("status", verdict->status),
                 LOG_STR("reason", str_cut(&text, '\n')));
}

static void conclude(const struct request *request, struct answer *answer,
                     const struct intake_answer *verdict)
{
    if (verdict->status != 204)
        log_refusal(request, verdict);
    answer_text(answer, verdict->status, buf_text(&verdict->text));
    confirm(request, answer, verdict);
    if (verdict->retry_after_ms >= 0)
        add_count(request, answer, "Retry-After", (uint64_t)(verdict->retry_after_ms + 999) / 1000);
    answer->logged = verdict->logged;
}

void route_refuse_unlogged(const struct request *request, struct answer *answer, bool late)
{
    struct intake_answer verdict;
    intake_answer_init(&verdict);
    verdict.status = answer->status;
    intake_refuse_unlogged(&verdict, late);
    answer->header_count = 0;
    conclude(request, answer, &verdict);
    intake_answer_release(&verdict);
}

/* What a trusted header says, or else where the push comes from. */
static struct str identity_of(const struct request *request)
{
    return request->identity.n > 0 ? request->identity : request->from;
}

/* Type, encoding and length have been checked on the headers; the rest is the intake's. */
void api_write(struct request *request, struct answer *answer)
{
    const struct serve_parts *parts = &request->service->parts;
    if (parts->intake == NULL || parts->store == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    struct str identity = identity_of(request);
    struct intake_answer verdict;
    intake_answer_init(&verdict);
    if (push_protocol_of(request->content_type) == PUSH_V2)
        intake_push_v2(parts->intake, parts->store, identity, request->body, &verdict);
    else
        intake_push(parts->intake, parts->store, identity, request->body, &verdict);
    if (parts->pushed != NULL)
        parts->pushed(parts->context);
    conclude(request, answer, &verdict);
    intake_answer_release(&verdict);
}
