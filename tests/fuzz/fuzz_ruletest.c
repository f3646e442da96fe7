/* A rule unit-test file is either read or refused with a reason. */
#include "../../rules/ruletest_priv.h"

#include "tocsin/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct test_file file = {0};
    struct err err = {0};
    arena_init(&arena, 64 << 20);
    int code = ruletest_decode(&arena, (struct str){(const char *)data, size}, &file, &err);
    must((code == 0) == (err.text[0] == '\0'));
    const struct test_group *tests = file.tests.items;
    for (size_t i = 0; code == 0 && i < file.tests.count; i++)
        must(tests[i].interval.ms >= 0 && tests[i].name.n <= 2 * size);
    arena_release(&arena);
    return 0;
}
