#include "api_priv.h"

void tocsin_page(struct request *request, struct answer *answer)
{
    const struct serve_parts *parts = &request->service->parts;
    if (parts->told == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    parts->told(parts->context, request->body);
    answer_text(answer, 200, "");
}
