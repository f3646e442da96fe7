#include "am_snapshot_priv.h"

#include "tocsin/log.h"
#include "tocsin/wire.h"
#include "tocsin/world.h"

/* ---- the file: messages, each behind its length ---- */

static bool next_message(struct wire *w, struct str *message)
{
    return w->at < w->end && wire_bytes(w, message);
}

static bool count_messages(struct str bytes, size_t *count)
{
    struct wire w = wire_of(bytes);
    struct str message;
    for (*count = 0; w.at < w.end; ++*count)
        if (!wire_bytes(&w, &message))
            return false;
    return true;
}

static int corrupt(struct str bytes, struct str message, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "no message of Alertmanager's at byte %zu of %zu",
                   (size_t)(message.p - bytes.p), bytes.n);
}

static int cut_off(struct err *err)
{
    return err_set(err, ERR_CORRUPT, "its last message is cut off");
}

static int too_large(struct err *err)
{
    return err_set(err, ERR_LIMIT, "it needs more memory than its size allows");
}

/* Rows as large as their messages are small: 16 bytes at least, or they say nothing. */
size_t am_snapshot_arena_bytes(struct str bytes)
{
    return 64 * bytes.n + (1 << 20);
}

/* ---- what both are made of ---- */

/* Calls take for each field, which is of a known number and of another type in nobody's message; false where one is wrong. */
typedef bool take_field(void *to, const struct wire_field *f);

static bool walk(struct str message, take_field *take, void *to)
{
    struct wire w = wire_of(message);
    struct wire_field f;
    enum wire_step step;
    while ((step = wire_next(&w, &f)) == WIRE_FIELD)
        if (!take(to, &f))
            return false;
    return step == WIRE_END;
}

static bool take_text(const struct wire_field *f, struct str *to)
{
    *to = f->bytes;
    return f->type == WIRE_BYTES && str_is_utf8(f->bytes);
}

static bool take_message(const struct wire_field *f, take_field *take, void *to)
{
    return f->type == WIRE_BYTES && walk(f->bytes, take, to);
}

struct stamp {
    int64_t seconds, nanos;
};

static bool take_stamp_field(void *to, const struct wire_field *f)
{
    struct stamp *t = to;
    if (f->number == 1)
        t->seconds = (int64_t)f->value;
    else if (f->number == 2)
        t->nanos = (int64_t)f->value;
    else
        return true;
    return f->type == WIRE_VARINT;
}

static bool take_time(const struct wire_field *f, int64_t *unix_ns)
{
    enum { SECONDS_MOST_IN_NS = 1000000000 };
    const int64_t seconds_max = INT64_MAX / NS_PER_S - 1;
    struct stamp t = {0};
    if (!take_message(f, take_stamp_field, &t) || t.nanos < 0 || t.nanos >= SECONDS_MOST_IN_NS)
        return false;
    if (t.seconds > seconds_max || t.seconds < -seconds_max)
        t = (struct stamp){t.seconds > 0 ? seconds_max : -seconds_max, 0}; /* as good as for ever */
    *unix_ns = t.seconds * NS_PER_S + t.nanos;
    return true;
}

/* Everything that repeats is counted first, with `items` NULL, and then read into arrays of that size. */
struct pairs {
    struct label *items;
    size_t count;
};

static bool take_pair(struct pairs *pairs, const struct wire_field *f, take_field *take)
{
    struct label pair = {STR(""), STR("")}, *to = pairs->items != NULL ? &pairs->items[pairs->count] : &pair;
    pairs->count++;
    *to = pair;
    return take_message(f, take, to);
}

/* ---- the notification log ---- */

struct hashes {
    uint64_t *items;
    size_t count;
};

struct entry {
    struct str group_key, receiver, integration;
    uint64_t index;
    int64_t sent_ns, expires_ns;
    struct hashes firing, resolved;
    struct pairs kept;
    bool has_receiver;
};

static void add_hash(struct hashes *to, uint64_t hash)
{
    if (to->items != NULL)
        to->items[to->count] = hash;
    to->count++;
}

/* Packed, or one by one. */
static bool take_hashes(const struct wire_field *f, struct hashes *to)
{
    if (f->type == WIRE_VARINT) {
        add_hash(to, f->value);
        return true;
    }
    struct wire w = wire_of(f->bytes);
    uint64_t hash;
    while (f->type == WIRE_BYTES && w.at < w.end) {
        if (!wire_varint(&w, &hash))
            return false;
        add_hash(to, hash);
    }
    return f->type == WIRE_BYTES;
}

static bool take_receiver_field(void *to, const struct wire_field *f)
{
    struct entry *e = to;
    if (f->number == 1)
        return take_text(f, &e->receiver);
    if (f->number == 2)
        return take_text(f, &e->integration);
    if (f->number == 3)
        e->index = (uint32_t)f->value;
    return f->number != 3 || f->type == WIRE_VARINT;
}

/* Numbers are nothing that an integration keeps. */
static bool take_kept_value(void *to, const struct wire_field *f)
{
    return f->number != 1 || take_text(f, to);
}

static bool take_kept(void *to, const struct wire_field *f)
{
    struct label *l = to;
    if (f->number == 1)
        return take_text(f, &l->name);
    return f->number != 2 || take_message(f, take_kept_value, &l->value);
}

static bool take_entry_field(void *to, const struct wire_field *f)
{
    struct entry *e = to;
    switch (f->number) {
    case 1:
        e->group_key = f->bytes;
        return f->type == WIRE_BYTES;
    case 2:
        e->has_receiver = true;
        return take_message(f, take_receiver_field, e);
    case 5:
        return take_time(f, &e->sent_ns);
    case 6:
        return take_hashes(f, &e->firing);
    case 7:
        return take_hashes(f, &e->resolved);
    case 8:
        return take_pair(&e->kept, f, take_kept);
    default:
        return true;
    }
}

static bool take_mesh_entry_field(void *to, const struct wire_field *f)
{
    struct entry *e = to;
    if (f->number == 1)
        return take_message(f, take_entry_field, e);
    return f->number != 2 || take_time(f, &e->expires_ns);
}

static struct str entry_key(struct arena *arena, const struct entry *e)
{
    struct buf key;
    buf_init(&key, e->group_key.n + e->receiver.n + e->integration.n + 64);
    buf_str(&key, e->group_key);
    buf_format(&key, ":%.*s/%.*s/%llu", STR_ARG(e->receiver), STR_ARG(e->integration),
               (unsigned long long)e->index);
    struct str copy = str_copy(arena, buf_slice(&key));
    buf_release(&key);
    return copy;
}

static bool read_entry(struct arena *arena, struct str message, struct entry *e)
{
    struct entry counted = {0};
    if (!walk(message, take_mesh_entry_field, &counted) || !counted.has_receiver)
        return false;
    *e = (struct entry){.firing.items = ARENA_ARRAY(arena, uint64_t, counted.firing.count + 1),
                        .resolved.items = ARENA_ARRAY(arena, uint64_t, counted.resolved.count + 1),
                        .kept.items = ARENA_ARRAY(arena, struct label, counted.kept.count + 1)};
    return arena_exhausted(arena) || walk(message, take_mesh_entry_field, e);
}

static struct nflog_entry row_of_entry(struct arena *arena, const struct entry *e)
{
    return (struct nflog_entry){
        .key = entry_key(arena, e),
        .sent_ns = e->sent_ns,
        .expires_ns = e->expires_ns,
        .firing = e->firing.items,
        .firing_count = e->firing.count,
        .resolved = e->resolved.items,
        .resolved_count = e->resolved.count,
        .kept = e->kept.count > 0 ? labels_make(arena, e->kept.items, e->kept.count) : NULL,
    };
}

int am_snapshot_nflog(struct arena *arena, struct str bytes, struct nflog_entry **entries, size_t *count,
                      struct err *err)
{
    struct wire w = wire_of(bytes);
    struct str message = {bytes.p, 0};
    size_t messages;
    if (!count_messages(bytes, &messages))
        return cut_off(err);
    *entries = ARENA_ARRAY(arena, struct nflog_entry, messages + 1);
    *count = 0;
    while (!arena_exhausted(arena) && next_message(&w, &message)) {
        struct entry e;
        if (!read_entry(arena, message, &e))
            return corrupt(bytes, message, err);
        if (e.sent_ns > 0 && !arena_exhausted(arena))
            (*entries)[(*count)++] = row_of_entry(arena, &e);
    }
    return arena_exhausted(arena) ? too_large(err) : 0;
}

/* ---- silences ---- */

struct matchers {
    struct matcher *items;
    size_t count;
};

struct read_silence {
    struct silence_row row;
    struct matchers matchers, set; /* of the silence itself, and of its sets of them */
    size_t sets, receiver_sets;
    struct pairs annotations;
};

static bool take_matcher_field(void *to, const struct wire_field *f)
{
    static const enum match_op ops[] = {MATCH_EQUAL, MATCH_REGEX, MATCH_NOT_EQUAL, MATCH_NOT_REGEX};
    struct matcher *m = to;
    if (f->number == 2)
        return take_text(f, &m->name);
    if (f->number == 3)
        return take_text(f, &m->value);
    if (f->number != 1)
        return true;
    if (f->type != WIRE_VARINT || f->value >= sizeof ops / sizeof *ops)
        return false;
    m->op = ops[f->value];
    return true;
}

static bool take_matcher(struct matchers *to, const struct wire_field *f)
{
    struct matcher one = {.op = MATCH_EQUAL, .name = STR(""), .value = STR("")};
    struct matcher *m = to->items != NULL ? &to->items[to->count] : &one;
    to->count++;
    *m = one;
    return take_message(f, take_matcher_field, m);
}

static bool take_set_field(void *to, const struct wire_field *f)
{
    return f->number != 1 || take_matcher(to, f);
}

static bool take_note(void *to, const struct wire_field *f)
{
    struct label *l = to;
    if (f->number == 1)
        return take_text(f, &l->name);
    return f->number != 2 || take_text(f, &l->value);
}

/* Its author and its comment stood here before they had fields of their own. */
static bool take_comment_field(void *to, const struct wire_field *f)
{
    struct silence_row *row = to;
    if (f->number == 1)
        return take_text(f, &row->created_by);
    return f->number != 2 || take_text(f, &row->comment);
}

static bool take_silence_text(struct read_silence *s, const struct wire_field *f)
{
    if (f->number == 1)
        return take_text(f, &s->row.id);
    if (f->number == 8)
        return take_text(f, &s->row.created_by);
    if (f->number == 9)
        return take_text(f, &s->row.comment);
    return f->number != 7 || take_message(f, take_comment_field, &s->row);
}

static bool take_silence_field(void *to, const struct wire_field *f)
{
    struct read_silence *s = to;
    switch (f->number) {
    case 2:
        return take_matcher(&s->matchers, f);
    case 3:
        return take_time(f, &s->row.starts_ns);
    case 4:
        return take_time(f, &s->row.ends_ns);
    case 5:
        return take_time(f, &s->row.updated_ns);
    case 10:
        return take_pair(&s->annotations, f, take_note);
    case 11:
        s->sets++;
        return take_message(f, take_set_field, &s->set);
    case 12:
        s->receiver_sets++;
        return take_message(f, take_set_field, &(struct matchers){0});
    default:
        return take_silence_text(s, f);
    }
}

struct mesh_silence {
    struct read_silence silence;
    bool is_there;
};

static bool take_mesh_silence_field(void *to, const struct wire_field *f)
{
    struct mesh_silence *m = to;
    if (f->number != 1)
        return true;
    m->is_there = true;
    return take_message(f, take_silence_field, &m->silence);
}

static bool read_silence(struct arena *arena, struct str message, struct read_silence *s)
{
    struct mesh_silence m = {0};
    if (!walk(message, take_mesh_silence_field, &m) || !m.is_there)
        return false;
    struct read_silence counted = m.silence;
    m.silence = (struct read_silence){
        .row = {.id = STR(""), .created_by = STR(""), .comment = STR("")},
        .matchers.items = ARENA_ARRAY(arena, struct matcher, counted.matchers.count + 1),
        .set.items = ARENA_ARRAY(arena, struct matcher, counted.set.count + 1),
        .annotations.items = ARENA_ARRAY(arena, struct label, counted.annotations.count + 1),
    };
    if (arena_exhausted(arena))
        return true;
    bool sound = walk(message, take_mesh_silence_field, &m);
    *s = m.silence;
    return sound;
}

static const char *why_not(const struct read_silence *s, const struct matchers *ms)
{
    if (s->sets > 1)
        return "it has several sets of matchers";
    if (s->receiver_sets > 0)
        return "it is for some receivers only";
    return ms->count == 0 ? "it has no matcher" : NULL;
}

/* False: it cannot be held as it is. */
static bool row_of_silence(struct arena *arena, struct read_silence *s, struct silence_row *to)
{
    const struct matchers *ms = s->sets > 0 ? &s->set : &s->matchers;
    const char *why = why_not(s, ms);
    if (why != NULL) {
        log_warn("a silence of Alertmanager's is not taken over", LOG_STR("id", s->row.id),
                 LOG_TEXT("why", why));
        return false;
    }
    *to = s->row;
    to->matchers = ms->items;
    to->matcher_count = ms->count;
    to->annotations = labels_make_texts(arena, s->annotations.items, s->annotations.count);
    return true;
}

int am_snapshot_silences(struct arena *arena, struct str bytes, struct silence_row **rows, size_t *count,
                         size_t *refused, struct err *err)
{
    struct wire w = wire_of(bytes);
    struct str message = {bytes.p, 0};
    size_t messages;
    if (!count_messages(bytes, &messages))
        return cut_off(err);
    *rows = ARENA_ARRAY(arena, struct silence_row, messages + 1);
    *count = *refused = 0;
    while (!arena_exhausted(arena) && next_message(&w, &message)) {
        struct read_silence s = {0};
        if (!read_silence(arena, message, &s))
            return corrupt(bytes, message, err);
        if (arena_exhausted(arena))
            break;
        bool held = row_of_silence(arena, &s, &(*rows)[*count]);
        *count += held;
        *refused += !held;
    }
    return arena_exhausted(arena) ? too_large(err) : 0;
}
