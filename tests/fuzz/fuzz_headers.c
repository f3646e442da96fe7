/* The header gate on any request line and headers: what it lets in has one meaning. */
#include "../../engine/serve/gate_priv.h"
#include "tocsin/check.h"

static unsigned count_of(const struct gate_request *request, const char *name)
{
    unsigned count = 0;
    for (size_t i = 0; i < request->count; i++)
        count += str_eq_nocase(request->headers[i].name, str_of(name));
    return count;
}

static void check_let_in(const struct gate_request *request, const struct gate_verdict *verdict)
{
    unsigned lengths = count_of(request, "content-length"),
             encodings = count_of(request, "transfer-encoding");
    must(lengths + encodings <= 1);
    must(count_of(request, "host") == 1);
    must((lengths == 1) == (verdict->length >= 0));
    must((encodings == 1) == verdict->chunked);
    for (size_t i = 0; i < request->count; i++) {
        must(str_find_char(request->headers[i].name, ' ') == request->headers[i].name.n);
        must(str_find_char(request->headers[i].value, '\r') == request->headers[i].value.n);
    }
}

/* Lines: method, target, version, then "name:value" each. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct gate_header headers[GATE_HEADERS_MAX + 2];
    struct gate_request request = {.headers = headers};
    request.method = str_cut(&rest, '\n');
    request.target = str_cut(&rest, '\n');
    request.version = str_cut(&rest, '\n');
    while (rest.p != NULL && request.count < GATE_HEADERS_MAX + 2) {
        struct str value = str_cut(&rest, '\n');
        struct str name = str_cut(&value, ':');
        headers[request.count++] = (struct gate_header){name, value};
    }
    struct gate_verdict verdict;
    gate_check(&request, &verdict);
    must((verdict.status == 0) == (verdict.reason == NULL));
    must(verdict.status == 0 || verdict.close);
    if (verdict.status == 0)
        check_let_in(&request, &verdict);
    return 0;
}
