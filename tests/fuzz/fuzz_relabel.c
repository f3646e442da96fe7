/* Relabelling: rules as YAML, a NUL, then "NAME\0VALUE\0..." of a label set. What comes out is a sound set; rules that are printed read
 * as the same rules. */
#include "tocsin/check.h"
#include "tocsin/relabel.h"

enum { PAIRS_MAX = 64, ARENA_MAX = 16 << 20 };

static const struct labels *make(struct arena *arena, struct str rest)
{
    struct label items[PAIRS_MAX];
    size_t count = 0;
    for (; rest.p != NULL && count < PAIRS_MAX; count++) {
        items[count].name = str_cut(&rest, '\0');
        items[count].value = str_cut(&rest, '\0');
    }
    return labels_make(arena, items, count);
}

static bool read_rules(struct arena *arena, struct str yaml, struct relabel_rules *rules)
{
    struct strict s;
    struct tree *root = NULL;
    *rules = (struct relabel_rules){0};
    strict_init(&s, arena);
    if (yaml_parse(arena, yaml, &root, NULL) == 0) {
        relabel_read(&s, root, rules);
        relabel_refuse_empty(&s, rules, "empty");
        relabel_check(&s, rules);
    }
    bool sound = root != NULL && strict_result(&s, NULL) == 0;
    strict_release(&s);
    return sound;
}

static void apply(struct arena *arena, const struct relabel_rules *rules, const struct labels *in,
                  struct buf *out)
{
    struct relabel *relabel;
    const struct labels *set;
    must(relabel_open(rules, &relabel, NULL) == 0);
    if (relabel_apply(relabel, arena, in, &set) == 0 && set != NULL) {
        must(set->hash == labels_hash(set->item, set->count));
        for (size_t i = 0; i < set->count; i++) {
            must(set->item[i].value.n > 0);
            must(i == 0 || str_cmp(set->item[i - 1].name, set->item[i].name) < 0);
        }
        labels_print(out, set);
    }
    relabel_free(relabel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct relabel_rules rules, again;
    struct buf first, second, yaml;
    struct str rest = {(const char *)data, size};
    arena_init(&arena, ARENA_MAX);
    buf_init(&first, ARENA_MAX);
    buf_init(&second, ARENA_MAX);
    buf_init(&yaml, ARENA_MAX);
    struct str text = str_cut(&rest, '\0');
    if (read_rules(&arena, text, &rules) && rules.count > 0) {
        const struct labels *in = make(&arena, rest);
        relabel_print(&yaml, 0, "r", &rules);
        bool same = read_rules(&arena, (struct str){yaml.bytes + 3, yaml.used - 3}, &again);
        must(same || arena_exhausted(&arena));
        apply(&arena, &rules, in, &first);
        if (same)
            apply(&arena, &again, in, &second);
        must(arena_exhausted(&arena) || str_eq(buf_slice(&first), buf_slice(&second)));
    }
    buf_release(&yaml);
    buf_release(&second);
    buf_release(&first);
    arena_release(&arena);
    return 0;
}
