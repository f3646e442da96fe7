#include "gate_priv.h"

#include "target_priv.h"

#include <ctype.h>

/* What has been seen of the headers that decide. */
struct tally {
    int hosts, lengths, encodings;
    bool forwarded;
    struct str host;
};

static void refuse(struct gate_verdict *verdict, int status, const char *reason)
{
    if (verdict->status != 0)
        return;
    verdict->status = status;
    verdict->reason = reason;
    verdict->close = true;
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!isalnum(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return s.n > 0;
}

static bool is_field_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool name_is(struct str name, const char *text)
{
    return str_eq_nocase(name, str_of(text));
}

/* `Content-Length5`: what a folded Content-Length line looks like once the library has glued it to the name.
 */
static bool is_glued_name(struct str name)
{
    static const char *const framing[] = {"content-length", "transfer-encoding"};
    for (size_t i = 0; i < 2; i++) {
        struct str whole = str_of(framing[i]);
        if (name.n > whole.n && str_eq_nocase((struct str){name.p, whole.n}, whole))
            return true;
    }
    return false;
}

static void take_length(struct str value, struct tally *tally, struct gate_verdict *verdict)
{
    if (tally->lengths++ > 0)
        refuse(verdict, 400, "more than one Content-Length");
    bool digits = value.n >= 1 && value.n <= 19;
    for (size_t i = 0; digits && i < value.n; i++)
        digits = value.p[i] >= '0' && value.p[i] <= '9';
    long long length = 0;
    if (!digits || !str_to_i64(value, &length))
        refuse(verdict, 400, "bad Content-Length");
    verdict->length = length;
}

static void take_encoding(struct str value, struct tally *tally, struct gate_verdict *verdict)
{
    if (tally->encodings++ > 0)
        refuse(verdict, 400, "more than one Transfer-Encoding");
    if (!name_is(value, "chunked"))
        refuse(verdict, 400, "Transfer-Encoding must be chunked");
    verdict->chunked = true;
}

static bool is_authority(struct str host)
{
    for (size_t i = 0; i < host.n; i++) {
        unsigned char c = (unsigned char)host.p[i];
        if (!isalnum(c) && (c == '\0' || strchr("-._~:[]%", c) == NULL))
            return false;
    }
    return host.n > 0;
}

static void take_host(struct str value, struct tally *tally, struct gate_verdict *verdict)
{
    if (tally->hosts++ > 0)
        refuse(verdict, 400, "more than one Host");
    if (!is_authority(value))
        refuse(verdict, 400, "bad Host");
    tally->host = value;
}

static bool is_forwarding(struct str name)
{
    return name_is(name, "via") || name_is(name, "forwarded") ||
           (name.n > 12 && str_eq_nocase((struct str){name.p, 12}, STR("x-forwarded-")));
}

static void take_header(struct gate_header header, struct tally *tally, struct gate_verdict *verdict)
{
    if (!is_token(header.name) || is_glued_name(header.name))
        refuse(verdict, 400, "bad header name");
    if (!is_field_text(header.value))
        refuse(verdict, 400, "bad header value");
    if (name_is(header.name, "content-length"))
        take_length(header.value, tally, verdict);
    else if (name_is(header.name, "transfer-encoding"))
        take_encoding(header.value, tally, verdict);
    else if (name_is(header.name, "host"))
        take_host(header.value, tally, verdict);
    else if (name_is(header.name, "expect") && !name_is(header.value, "100-continue"))
        refuse(verdict, 417, "unknown expectation");
    tally->forwarded |= is_forwarding(header.name);
}

static bool is_unsafe(struct str method)
{
    return str_is(method, "POST") || str_is(method, "PUT") || str_is(method, "DELETE");
}

static void check_request_line(const struct gate_request *request, struct gate_verdict *verdict)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"};
    bool served = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        served |= str_is(request->method, known[i]);
    if (!served)
        refuse(verdict, 501, "unknown method");
    if (!str_is(request->version, "HTTP/1.1") && !str_is(request->version, "HTTP/1.0"))
        refuse(verdict, 505, "only HTTP/1.0 and HTTP/1.1");
    const char *why = target_refusal(request->target);
    if (why != NULL)
        refuse(verdict, 400, why);
    if (request->count > GATE_HEADERS_MAX)
        refuse(verdict, 431, "too many headers");
}

static void check_framing(const struct gate_request *request, const struct tally *tally,
                          struct gate_verdict *verdict)
{
    if (tally->encodings > 0 && tally->lengths > 0)
        refuse(verdict, 400, "both Content-Length and Transfer-Encoding");
    if (tally->encodings > 0 && !str_is(request->version, "HTTP/1.1"))
        refuse(verdict, 400, "Transfer-Encoding needs HTTP/1.1");
    if (tally->hosts == 0)
        refuse(verdict, 400, "no Host");
    if (tally->forwarded || (!is_unsafe(request->method) && gate_has_body(verdict)))
        verdict->close = true;
}

/* A page of another site may make a browser post here: its Origin gives it away. Whether that matters depends on the route. */
static void check_origin(const struct gate_request *request, const struct tally *tally,
                         struct gate_verdict *verdict)
{
    if (!is_unsafe(request->method))
        return;
    for (size_t i = 0; i < request->count; i++) {
        if (!name_is(request->headers[i].name, "origin"))
            continue;
        struct str origin = request->headers[i].value;
        size_t scheme = str_find_char(origin, '/');
        bool has_authority = scheme > 0 && scheme + 2 <= origin.n && origin.p[scheme - 1] == ':' &&
                             origin.p[scheme + 1] == '/';
        struct str site =
            has_authority ? (struct str){origin.p + scheme + 2, origin.n - scheme - 2} : STR("");
        if (!str_eq_nocase(site, tally->host))
            verdict->cross_site = true;
    }
}

void gate_check(const struct gate_request *request, struct gate_verdict *verdict)
{
    *verdict = (struct gate_verdict){.length = -1};
    struct tally tally = {0};
    check_request_line(request, verdict);
    for (size_t i = 0; i < request->count && verdict->status == 0; i++)
        take_header(request->headers[i], &tally, verdict);
    check_framing(request, &tally, verdict);
    check_origin(request, &tally, verdict);
}
