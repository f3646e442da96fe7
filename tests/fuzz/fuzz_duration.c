/* Durations: what is read and printed reads back the same, in both grammars. */
#include "tocsin/check.h"
#include "tocsin/duration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct err err = {0};
    struct buf out;
    int64_t value, again;
    buf_init(&out, 256);
    if (duration_parse(text, &value, &err) == 0) {
        duration_print(&out, value);
        must(value >= 0 && duration_parse(buf_slice(&out), &again, NULL) == 0 && again == value);
    } else {
        must(err.code == ERR_PARSE);
    }
    buf_clear(&out);
    if (go_duration_parse(text, &value, &err) == 0) {
        go_duration_print(&out, value);
        must(go_duration_parse(buf_slice(&out), &again, NULL) == 0 && again == value);
    }
    buf_release(&out);
    return 0;
}
