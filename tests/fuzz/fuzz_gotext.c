/* Go's text forms: quoting and unquoting, floats, integers and times are each other's inverse. */
#include "tocsin/check.h"
#include "tocsin/gotext.h"
#include "tocsin/sample.h"

static struct buf out, back;

static void check_quote(struct str text)
{
    buf_clear(&out);
    buf_clear(&back);
    go_quote(&out, text);
    must(go_unquote(buf_slice(&out), &back));
    must(str_eq(buf_slice(&back), text));
    must(str_is_utf8(buf_slice(&out)));
}

static void check_float(double v, char form)
{
    double again;
    buf_clear(&out);
    go_float(&out, v, form, -1);
    must(go_parse_float(buf_slice(&out), &again));
    must(v != v ? again != again : double_bits(again) == double_bits(v));
}

static void check_text(struct str text)
{
    double v;
    int64_t whole, again;
    if (go_parse_float(text, &v))
        check_float(v, 'g');
    if (go_parse_int(text, &whole)) {
        buf_clear(&out);
        buf_i64(&out, whole);
        must(go_parse_int(buf_slice(&out), &again) && again == whole);
    }
    if (go_parse_rfc3339(text, &whole)) {
        buf_clear(&out);
        go_time_rfc3339(&out, whole, -1);
        must(go_parse_rfc3339(buf_slice(&out), &again) && again == whole);
    }
    buf_clear(&out);
    go_unquote(text, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    buf_init(&out, 8 * size + 1024);
    buf_init(&back, 8 * size + 1024);
    check_quote(text);
    check_text(text);
    if (size >= sizeof(uint64_t)) {
        uint64_t bits;
        memcpy(&bits, data, sizeof bits);
        check_float(double_from_bits(bits), 'e');
        check_float(double_from_bits(bits), 'f');
    }
    buf_release(&out);
    buf_release(&back);
    return 0;
}
