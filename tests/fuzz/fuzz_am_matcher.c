#include "tocsin/amconfig.h"

#include "tocsin/check.h"

static void release(struct matcher *ms, size_t count)
{
    for (size_t i = 0; i < count; i++)
        matcher_release(&ms[i]);
}

/* What was printed as UTF-8 reads as the same matcher. */
static void read_again(struct arena *arena, const struct matcher *m)
{
    struct buf text;
    struct matcher again;
    struct err err;
    buf_init(&text, 1 << 20);
    am_matcher_print(&text, m);
    /* An escape in a quoted name means different things to the two grammars, and a name of bytes is no name. */
    if (str_is_utf8(m->name) && str_is_utf8(m->value) && str_find_char(m->value, '\\') == m->value.n &&
        buf_text(&text)[0] != '"') {
        must(am_matcher_parse(arena, buf_slice(&text), &again, &err) == 0);
        must(matcher_equal(m, &again));
        matcher_release(&again);
    }
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct matcher *list = NULL, one;
    size_t count = 0;
    struct str text = {(const char *)data, size};
    arena_init(&arena, 4 << 20);
    if (am_matchers_parse(&arena, text, &list, &count, NULL) == 0) {
        for (size_t i = 0; i < count; i++)
            read_again(&arena, &list[i]);
        release(list, count);
    }
    if (am_matcher_parse(&arena, text, &one, NULL) == 0)
        matcher_release(&one);
    arena_release(&arena);
    return 0;
}
