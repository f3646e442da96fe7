#include "api_priv.h"

#include "tocsin/intake.h"

#include <inttypes.h>

/* Type, encoding and length have been checked on the headers; the rest is the intake's. */
void api_write(struct request *request, struct answer *answer)
{
    const struct serve_parts *parts = &request->service->parts;
    if (parts->intake == NULL || parts->store == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    struct intake_answer verdict;
    intake_answer_init(&verdict);
    intake_push(parts->intake, parts->store, request->body, &verdict);
    answer_text(answer, verdict.status, buf_text(&verdict.text));
    if (verdict.retry_after_ms >= 0) {
        int64_t seconds = (verdict.retry_after_ms + 999) / 1000;
        const char *text = arena_format(request->arena, "%" PRId64, seconds);
        if (text != NULL)
            answer_header(answer, "Retry-After", text);
    }
    intake_answer_release(&verdict);
}
