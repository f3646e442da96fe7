/* What parses, prints; what was printed, on one line or over several, parses again and prints the same. */
#include "tocsin/arena.h"
#include "tocsin/check.h"
#include "tocsin/promql_parse.h"

#include <stdint.h>

enum { ARENA_BYTES = 16 << 20, TEXT_BYTES = 4 << 20 };

static void parses_again(struct arena *a, const struct expr *e, struct str text, struct str canonical)
{
    struct buf again_text;
    struct expr *again;
    struct err err = {0};
    int code = promql_parse(a, text, &promql_features_all, &again, &err);
    must(code == 0 || code == ERR_LIMIT); /* the text may have grown past a limit */
    if (code != 0)
        return;
    buf_init(&again_text, TEXT_BYTES);
    must(again->type == e->type);
    promql_print(&again_text, again);
    must(str_eq(canonical, buf_slice(&again_text)));
    promql_free(again);
    buf_release(&again_text);
}

static void round_trip(struct arena *a, const struct expr *e)
{
    struct buf canonical, pretty;
    buf_init(&canonical, TEXT_BYTES);
    buf_init(&pretty, TEXT_BYTES);
    promql_print(&canonical, e);
    must(!buf_overflow(&canonical));
    parses_again(a, e, buf_slice(&canonical), buf_slice(&canonical));
    promql_pretty(&pretty, e);
    if (!buf_overflow(&pretty))
        parses_again(a, e, buf_slice(&pretty), buf_slice(&canonical));
    buf_release(&canonical);
    buf_release(&pretty);
}

static void parse_metric(struct arena *a, struct str text)
{
    struct labels *ls;
    size_t used;
    if (promql_parse_metric(a, text, &ls, &used, NULL) == 0)
        must(used <= text.n);
}

static void parse_matchers(struct arena *a, struct str text)
{
    struct matcher *ms;
    size_t count;
    if (promql_parse_matchers(a, text, &ms, &count, NULL) != 0)
        return;
    for (size_t i = 0; i < count; i++)
        matcher_release(&ms[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct expr *e;
    struct err err = {0};
    struct str text = {(const char *)data, size};
    arena_init(&a, ARENA_BYTES);
    if (promql_parse(&a, text, &promql_features_all, &e, &err) == 0) {
        round_trip(&a, e);
        promql_free(e);
    } else {
        must(e == NULL && err.code != 0 && err.text[0] != '\0');
    }
    parse_metric(&a, text);
    parse_matchers(&a, text);
    arena_release(&a);
    return 0;
}
