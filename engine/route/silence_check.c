#include "silence_priv.h"

#include "tocsin/gotext.h"

static int refuse_text(struct err *err, const char *what, struct str text, size_t at)
{
    struct buf quoted;
    buf_init(&quoted, ERR_TEXT_MAX);
    go_quote(&quoted, text);
    int rc = err_set(err, ERR_PARSE, "invalid label matcher %zu in set 0: invalid %s %s", at, what,
                     buf_text(&quoted));
    buf_release(&quoted);
    return rc;
}

static int refuse_regex(struct err *err, struct str text, size_t at, const struct err *why)
{
    struct err refusal;
    refuse_text(&refusal, "regular expression", text, at);
    return err_set(err, ERR_PARSE, "%s: %s", refusal.text, why->text);
}

/* matches_empty: whether it holds where the label is not; a negative one never does, as Alertmanager counts. */
static int check_matcher(const struct matcher *m, size_t at, bool *matches_empty, struct err *err)
{
    struct matcher compiled;
    struct err why;
    if (!label_name_is_valid(m->name))
        return refuse_text(err, "label name", m->name, at);
    if (m->op < MATCH_REGEX && !str_is_utf8(m->value))
        return refuse_text(err, "label value", m->value, at);
    if (matcher_init(&compiled, m->op, m->name, m->value, REGEX_ANCHORED, &why) != 0)
        return refuse_regex(err, m->value, at, &why);
    bool positive = m->op == MATCH_EQUAL || m->op == MATCH_REGEX;
    *matches_empty = positive && matcher_matches_empty(&compiled);
    matcher_release(&compiled);
    return 0;
}

int silence_check(const struct silence *s, struct err *err)
{
    bool all_match_empty = true;
    if (s->matcher_count == 0)
        return err_set(err, ERR_PARSE, "invalid silence: matcher set 0 is empty");
    for (size_t i = 0; i < s->matcher_count; i++) {
        bool matches_empty;
        int rc = check_matcher(&s->matchers[i], i, &matches_empty, err);
        if (rc != 0) {
            err_prefix(err, "invalid silence: ");
            return rc;
        }
        all_match_empty = all_match_empty && matches_empty;
    }
    if (all_match_empty)
        return err_set(
            err, ERR_PARSE,
            "invalid silence: matcher set 0: at least one matcher must not match the empty string");
    if (s->ends_ns < s->starts_ns)
        return err_set(err, ERR_PARSE, "invalid silence: end time must not be before start time");
    return 0;
}

/* ---- its size as a message of Alertmanager's ---- */

static size_t varint_bytes(uint64_t value)
{
    size_t bytes = 1;
    while ((value >>= 7) != 0)
        bytes++;
    return bytes;
}

/* A field that holds so many bytes; its number takes one. */
static size_t field_bytes(size_t content)
{
    return 1 + varint_bytes(content) + content;
}

static size_t text_bytes(struct str text)
{
    return text.n > 0 ? field_bytes(text.n) : 0;
}

static size_t time_bytes(int64_t unix_ns)
{
    int64_t ns = unix_ns % NS_PER_S, s = unix_ns / NS_PER_S - (ns < 0);
    ns += ns < 0 ? NS_PER_S : 0;
    size_t content = (s != 0 ? 1 + varint_bytes((uint64_t)s) : 0);
    content += ns != 0 ? 1 + varint_bytes((uint64_t)ns) : 0;
    return field_bytes(content);
}

size_t silence_bytes(const struct silence *s)
{
    size_t matchers = 0, annotations = 0;
    for (size_t i = 0; i < s->matcher_count; i++) {
        const struct matcher *m = &s->matchers[i];
        matchers += field_bytes((m->op != MATCH_EQUAL ? 2 : 0) + text_bytes(m->name) + text_bytes(m->value));
    }
    for (size_t i = 0; i < s->annotations->count; i++) {
        struct label l = s->annotations->item[i];
        annotations += field_bytes(field_bytes(l.name.n) + field_bytes(l.value.n));
    }
    size_t silence = text_bytes(s->id) + time_bytes(s->starts_ns) + time_bytes(s->ends_ns) +
                     time_bytes(s->updated_ns) + text_bytes(s->created_by) + text_bytes(s->comment) +
                     annotations + field_bytes(matchers);
    return field_bytes(silence) + time_bytes(s->ends_ns + SILENCE_RETENTION_NS);
}
