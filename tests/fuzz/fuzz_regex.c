/* Regular expressions: "PATTERN\0TEXT\0REPLACEMENT". Shortcuts agree with the engine, nothing trips. */
#include "tocsin/check.h"
#include "tocsin/regex.h"

static void use(struct str pattern, enum regex_kind kind, struct str text, struct str replacement)
{
    struct err err = {0};
    struct regex *re = regex_open(pattern, kind, &err);
    struct buf out;
    if (re == NULL) {
        must(err.code == ERR_PARSE || err.code == ERR_LIMIT);
        return;
    }
    buf_init(&out, 1 << 16);
    must(regex_match(re, text) == regex_expand(re, text, replacement, &out));
    regex_replace_all(re, text, replacement, &out);
    buf_release(&out);
    regex_free(re);
}

/* The same, wrapped by hand and thus never a shortcut. The dot differs on bytes that are no text. */
static void compare(struct str pattern, struct str text)
{
    struct regex *one = regex_open(pattern, REGEX_PROMQL, NULL);
    struct regex *two = regex_open(pattern, REGEX_RELABEL, NULL);
    if (one != NULL && two != NULL && str_is_utf8(text))
        must(regex_match(one, text) == regex_match(two, text));
    regex_free(one);
    regex_free(two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    if (size > 300)
        return 0;
    struct str pattern = str_cut(&rest, '\0'), text = str_cut(&rest, '\0');
    for (int kind = REGEX_PROMQL; kind <= REGEX_RELABEL; kind++)
        use(pattern, (enum regex_kind)kind, text, rest);
    compare(pattern, text);
    return 0;
}
