/* Any bytes as request target and form body: what is not refused decodes to a harmless path. */
#include "../../engine/serve/target_priv.h"
#include "tocsin/check.h"

#include <stdint.h>

static void check_path(struct str path)
{
    must(path.n > 0 && path.p[0] == '/');
    for (size_t i = 0; i < path.n; i++)
        must((unsigned char)path.p[i] >= 0x20 && path.p[i] != 0x7f);
    while (path.p != NULL) {
        struct str segment = str_cut(&path, '/');
        must(!str_is(segment, ".") && !str_is(segment, ".."));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str form = {(const char *)data, size};
    struct str raw = str_cut(&form, '\n');
    struct arena arena;
    arena_init(&arena, 64 + size * 128);
    struct target target = {0};
    if (target_refusal(raw) == NULL) {
        int rc = target_parse(&arena, raw, &target, NULL);
        must(rc == 0 || rc == ERR_LIMIT);
        if (rc == 0)
            check_path(target.path);
    }
    size_t before = target.count;
    int rc = target_add_form(&arena, form, &target, NULL);
    must(rc == 0 ? target.count >= before : target.count == before);
    arena_release(&arena);
    return 0;
}
