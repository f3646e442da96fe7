#include "silence_priv.h"

#include "tocsin/mem.h"

static struct str keep(char **at, struct str s)
{
    struct str kept = {*at, s.n};
    if (s.n > 0)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return kept;
}

static int keep_matchers(struct held *held, const struct silence *s, struct err *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->matcher_count; i++)
        bytes += s->matchers[i].name.n + s->matchers[i].value.n;
    char *at = held->matcher_text = mem_new(bytes + 1, 1);
    held->matchers = MEM_ARRAY(struct matcher, s->matcher_count + 1);
    for (size_t i = 0; i < s->matcher_count; i++) {
        const struct matcher *m = &s->matchers[i];
        struct str name = keep(&at, m->name), value = keep(&at, m->value);
        int rc = matcher_init(&held->matchers[i], m->op, name, value, REGEX_ANCHORED, err);
        if (rc != 0)
            return rc;
        held->matcher_count++;
    }
    return 0;
}

static void keep_rest(struct held *held, const struct silence *s)
{
    char *at = held->text = mem_new(s->created_by.n + s->comment.n + 1, 1);
    keep(&at, s->created_by);
    keep(&at, s->comment);
    held->created_by_bytes = s->created_by.n;
    held->comment_bytes = s->comment.n;
    held->annotations = labels_copy_heap(s->annotations);
    held->starts_ns = s->starts_ns;
    held->ends_ns = s->ends_ns;
    held->updated_ns = s->updated_ns;
}

struct held *held_make(struct str id, const struct silence *s, struct err *err)
{
    struct held *held = MEM_NEW(struct held);
    memcpy(held->id, id.p, id.n < SILENCE_ID_BYTES ? id.n : SILENCE_ID_BYTES);
    keep_rest(held, s);
    if (keep_matchers(held, s, err) != 0) {
        held_free(held);
        return NULL;
    }
    return held;
}

static void free_rest(struct held *held)
{
    mem_free(held->text);
    mem_free(held->annotations);
}

void held_change(struct held *held, const struct silence *s)
{
    struct held old = *held;
    keep_rest(held, s);
    free_rest(&old);
}

void held_free(struct held *held)
{
    for (size_t i = 0; i < held->matcher_count; i++)
        matcher_release(&held->matchers[i]);
    mem_free(held->matchers);
    mem_free(held->matcher_text);
    free_rest(held);
    mem_free(held);
}

enum silence_state held_state(const struct held *held, int64_t now_ns)
{
    if (now_ns < held->starts_ns)
        return SILENCE_PENDING;
    return now_ns > held->ends_ns ? SILENCE_EXPIRED : SILENCE_ACTIVE;
}

const char *silence_state_text(enum silence_state state)
{
    static const char *const texts[SILENCE_STATES] = {"active", "pending", "expired"};
    return texts[state];
}

struct silence held_view(const struct held *held, int64_t now_ns)
{
    return (struct silence){
        .id = {held->id, SILENCE_ID_BYTES},
        .state = held_state(held, now_ns),
        .matchers = held->matchers,
        .matcher_count = held->matcher_count,
        .starts_ns = held->starts_ns,
        .ends_ns = held->ends_ns,
        .updated_ns = held->updated_ns,
        .created_by = {held->text, held->created_by_bytes},
        .comment = {held->text + held->created_by_bytes, held->comment_bytes},
        .annotations = held->annotations,
    };
}

bool held_matches(const struct held *held, const struct labels *ls)
{
    return matchers_match(held->matchers, held->matcher_count, ls);
}
