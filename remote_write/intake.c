#include "tocsin/intake.h"

#include "push_priv.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

#include <stdarg.h>

enum { RETRY_AFTER_MS = 5000 };

struct intake {
    struct world *world;
    struct flight flight;
    bool names_types;
};

struct intake *intake_open(struct world *world)
{
    struct intake *in = MEM_NEW(struct intake);
    in->world = world;
    return in;
}

void intake_close(struct intake *in)
{
    mem_free(in);
}

void intake_name_types(struct intake *in)
{
    in->names_types = true;
}

void intake_answer_init(struct intake_answer *answer)
{
    *answer = (struct intake_answer){.retry_after_ms = -1};
    buf_init(&answer->text, INTAKE_TEXT_BYTES);
}

void intake_answer_release(struct intake_answer *answer)
{
    buf_release(&answer->text);
}

static int code_of(int status)
{
    switch (status) {
    case 204:
        return 0;
    case 413:
    case 429:
        return ERR_LIMIT;
    case 503:
        return ERR_FULL;
    default:
        return ERR_PARSE;
    }
}

static void set_status(struct intake_answer *answer, int status)
{
    answer->status = status;
    answer->retry_after_ms = status == 429 || status == 503 ? RETRY_AFTER_MS : -1;
}

int push_fail(struct push *p, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vformat(&p->answer->text, format, args);
    va_end(args);
    buf_char(&p->answer->text, '\n');
    set_status(p->answer, status);
    return code_of(status);
}

bool push_charge(struct push *p, int64_t bytes)
{
    int64_t before = atomic_fetch_add(&p->flight->bytes, bytes);
    if (bytes > 0 && before + bytes > limits.in_flight_bytes) {
        atomic_fetch_sub(&p->flight->bytes, bytes);
        p->flight_full = true;
        return false;
    }
    p->charged_bytes += bytes;
    return true;
}

bool push_settle(struct push *p)
{
    int64_t grown = (int64_t)p->arena.used_bytes - p->arena_bytes;
    if (grown == 0)
        return true;
    if (!push_charge(p, grown))
        return false;
    p->arena_bytes += grown;
    return true;
}

int push_out_of_memory(struct push *p)
{
    if (p->flight_full) {
        limit_hit(LIMIT_in_flight_bytes);
        return push_fail(p, 503, "too many pushes are under way");
    }
    limit_hit(LIMIT_push_arena_bytes);
    return push_fail(p, 413, "the push needs more than %lld bytes of memory",
                     (long long)limits.push_arena_bytes);
}

static void confirm_nothing(struct intake_answer *answer)
{
    answer->written_samples = answer->written_histograms = answer->written_exemplars = 0;
    answer->logged = 0;
}

static const char unlogged_text[] =
    "the write-ahead log cannot be written; samples are kept in memory only until it can";

/* A sender that is told 204 or 400 forgets its samples, so neither may be said of what a restart would lose. Asked after the samples
 * were stored: a push that only repeats what an earlier one has stored is as unsafe as that one. */
static int check_logged(struct push *p, int rc)
{
    if (!p->unlogged && store_log_works(p->store))
        return rc;
    confirm_nothing(p->answer);
    return push_fail(p, 503, "%s", unlogged_text);
}

void intake_refuse_unlogged(struct intake_answer *answer, bool late)
{
    if (answer->status == 204)
        stat_add(STAT_pushes_refused, 1);
    set_status(answer, 503);
    confirm_nothing(answer);
    buf_clear(&answer->text);
    buf_puts(&answer->text, late ? "the write-ahead log takes too long to write" : unlogged_text);
    buf_char(&answer->text, '\n');
}

static int push_run(struct push *p, struct str compressed)
{
    if (!push_charge(p, (int64_t)compressed.n))
        return push_out_of_memory(p);
    int rc = push_uncompress(p, compressed);
    if (rc == 0)
        rc = push_decode(p);
    return rc == 0 ? check_logged(p, push_translate(p)) : rc;
}

/* Reasons end in whole lines, and say if there were more. */
static void close_text(struct buf *text)
{
    static const char more[] = "and more\n";
    if (!buf_overflow(text))
        return;
    size_t used = text->used < text->max_bytes - sizeof more ? text->used : text->max_bytes - sizeof more;
    while (used > 0 && text->bytes[used - 1] != '\n')
        used--;
    buf_truncate(text, used);
    text->overflow = false;
    buf_puts(text, more);
}

static int take_push(struct intake *in, struct store *store, struct str identity, struct str compressed,
                     bool v2, struct intake_answer *answer)
{
    struct push p = {
        .store = store, .answer = answer, .flight = &in->flight, .v2 = v2, .names_types = in->names_types};
    p.identity = identity.n > 0 ? store_identity(store, identity) : 0;
    stat_add(STAT_pushes, 1);
    set_status(answer, 204);
    arena_init(&p.arena, (size_t)limits.push_arena_bytes);
    int rc = push_run(&p, compressed);
    if (rc != 0) {
        stat_add(STAT_pushes_refused, 1);
        close_text(&answer->text);
    }
    push_charge(&p, -p.charged_bytes);
    arena_release(&p.arena);
    mem_free(p.decoded);
    return rc;
}

int intake_push(struct intake *in, struct store *store, struct str identity, struct str compressed,
                struct intake_answer *answer)
{
    return take_push(in, store, identity, compressed, false, answer);
}

int intake_push_v2(struct intake *in, struct store *store, struct str identity, struct str compressed,
                   struct intake_answer *answer)
{
    return take_push(in, store, identity, compressed, true, answer);
}
