#include "http_priv.h"

#include "tocsin/check.h"

unsigned http_method_of(struct str name)
{
    static const struct {
        const char *name;
        unsigned bit;
    } methods[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},
                   {"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS}};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (str_is(name, methods[i].name))
            return methods[i].bit;
    return 0;
}

void answer_init(struct answer *answer)
{
    *answer = (struct answer){.status = 200, .content_type = "text/plain; charset=utf-8"};
    buf_init(&answer->body, (size_t)limits.response_bytes);
}

void answer_release(struct answer *answer)
{
    buf_release(&answer->body);
}

void answer_header(struct answer *answer, const char *name, const char *value)
{
    must(answer->header_count < ANSWER_HEADERS_MAX);
    answer->headers[answer->header_count++] = (struct answer_header){name, value};
}

void answer_text(struct answer *answer, int status, const char *text)
{
    answer->status = status;
    answer->content_type = "text/plain; charset=utf-8";
    buf_clear(&answer->body);
    buf_puts(&answer->body, text);
}

void answer_check_size(struct answer *answer)
{
    if (!buf_overflow(&answer->body))
        return;
    limit_hit(LIMIT_response_bytes);
    answer_text(answer, 500, "the answer is larger than limits.response_bytes\n");
}

struct str request_param(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->target.count; i++)
        if (str_is(request->target.params[i].name, name))
            return request->target.params[i].value;
    return (struct str){0};
}

struct str *request_params(const struct request *request, const char *name, size_t *count)
{
    *count = 0;
    struct str *values = ARENA_ARRAY(request->arena, struct str, request->target.count);
    for (size_t i = 0; values != NULL && i < request->target.count; i++)
        if (str_is(request->target.params[i].name, name))
            values[(*count)++] = request->target.params[i].value;
    return values;
}
