/* Days and terms as bytes. */
#include "ledger_priv.h"

#include "tocsin/hash.h"

/*
 * A day: a hash of what follows (8 bytes, lowest first), the version, then slice by slice a byte of flags. Known: bad and total, each a number
 * of 7 bits a byte, lowest first, or, where it is no whole number, its 8 bytes as a double. Flags 0: so many slices in a row of which there is
 * nothing. What comes after the last slice with anything is left out. There is one way to write a day.
 */
enum { VERSION = 1, HASH_BYTES = 8, RAW_BAD = 4, RAW_TOTAL = 8, FLAGS_ALL = 15 };

#define WHOLE_MAX 9007199254740992.0 /* 2^53 */

static void put_fixed(struct buf *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        buf_char(out, (char)(unsigned char)(value >> 8 * i));
}

static void put_whole(struct buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buf_char(out, (char)(unsigned char)(value | 0x80));
    buf_char(out, (char)(unsigned char)value);
}

static bool is_whole(double x)
{
    return x >= 0 && x <= WHOLE_MAX && x == floor(x) && !signbit(x);
}

static void put_number(struct buf *out, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (is_whole(x))
        put_whole(out, (uint64_t)x);
    else
        put_fixed(out, bits);
}

static void put_slice(struct buf *out, struct counted c, uint8_t flags)
{
    if ((flags & SLICE_KNOWN) == 0) {
        buf_char(out, (char)flags);
        return;
    }
    buf_char(out, (char)(flags | (is_whole(c.bad) ? 0 : RAW_BAD) | (is_whole(c.total) ? 0 : RAW_TOTAL)));
    put_number(out, c.bad);
    put_number(out, c.total);
}

static void put_slices(struct buf *out, const struct ledger_day *day, size_t count)
{
    size_t empty = 0;
    for (size_t i = 0; i < count; i++) {
        if (day->flags[i] == 0) {
            empty++;
            continue;
        }
        if (empty > 0) {
            buf_char(out, 0);
            put_whole(out, empty);
        }
        empty = 0;
        put_slice(out, day->counts[i], day->flags[i]);
    }
}

void ledger_day_encode(const struct ledger *ledger, uint32_t epoch, int64_t day, struct buf *out)
{
    const struct ledger_epoch *e = ledger_epoch_numbered(ledger, epoch);
    const struct ledger_day *d = e != NULL ? ledger_day_of(e, day) : NULL;
    struct buf body;
    buf_init(&body, (size_t)LEDGER_DAY_MS);
    buf_char(&body, VERSION);
    if (d != NULL)
        put_slices(&body, d, slices_a_day(&e->terms));
    put_fixed(out, hash_stable(buf_text(&body), body.used));
    buf_str(out, buf_slice(&body));
    buf_release(&body);
}

/* ---- back ---- */

static bool take_byte(struct str *rest, unsigned *value)
{
    if (rest->n == 0)
        return false;
    *value = (unsigned char)rest->p[0];
    *rest = (struct str){rest->p + 1, rest->n - 1};
    return true;
}

static bool take_fixed(struct str *rest, uint64_t *value)
{
    unsigned byte;
    *value = 0;
    for (int i = 0; i < 8; i++) {
        if (!take_byte(rest, &byte))
            return false;
        *value |= (uint64_t)byte << 8 * i;
    }
    return true;
}

/* The shortest way to write it only. */
static bool take_whole(struct str *rest, uint64_t *value)
{
    unsigned byte = 0x80;
    *value = 0;
    for (int shift = 0; (byte & 0x80) != 0; shift += 7) {
        if (shift > 49 || !take_byte(rest, &byte) || (byte == 0 && shift > 0))
            return false;
        *value |= (uint64_t)(byte & 0x7f) << shift;
    }
    return *value <= (uint64_t)WHOLE_MAX;
}

static bool take_number(struct str *rest, bool raw, double *x)
{
    uint64_t value;
    if (!(raw ? take_fixed(rest, &value) : take_whole(rest, &value)))
        return false;
    *x = (double)value;
    if (raw)
        memcpy(x, &value, sizeof *x);
    return !raw || (isfinite(*x) && *x >= 0 && !is_whole(*x));
}

static bool take_slice(struct str *rest, unsigned flags, struct ledger_day *day, size_t at)
{
    struct counted *c = &day->counts[at];
    day->flags[at] = (uint8_t)(flags & (SLICE_KNOWN | SLICE_ODD));
    if ((flags & SLICE_KNOWN) == 0)
        return flags == SLICE_ODD;
    return flags <= FLAGS_ALL && take_number(rest, (flags & RAW_BAD) != 0, &c->bad) &&
           take_number(rest, (flags & RAW_TOTAL) != 0, &c->total) && c->bad <= c->total;
}

static bool take_slices(struct str rest, struct ledger_day *day, size_t count)
{
    unsigned flags;
    size_t at = 0;
    bool after_gap = false;
    while (rest.n > 0) {
        uint64_t empty = 0;
        must(take_byte(&rest, &flags));
        if (flags != 0) {
            if (at >= count || !take_slice(&rest, flags, day, at))
                return false;
            at++;
        } else if (after_gap || !take_whole(&rest, &empty) || empty == 0 || empty >= count - at) {
            return false;
        }
        at += (size_t)empty;
        after_gap = flags == 0;
    }
    return !after_gap;
}

static void clear_day(struct ledger_day *day, size_t count)
{
    memset(day->flags, 0, count);
    memset(day->counts, 0, count * sizeof *day->counts);
    day->summed = false;
}

static void note_beginning(struct ledger *ledger, const struct ledger_epoch *epoch,
                           const struct ledger_day *day)
{
    int64_t until_ms = ledger_epoch_until_ms(ledger, epoch);
    for (size_t i = 0; i < slices_a_day(&epoch->terms); i++) {
        int64_t begin_ms = day->day * LEDGER_DAY_MS + (int64_t)i * epoch->terms.slice_ms;
        if ((day->flags[i] & SLICE_KNOWN) != 0 && begin_ms >= epoch->from_ms && begin_ms < until_ms &&
            begin_ms < ledger->began_ms)
            ledger->began_ms = begin_ms;
    }
}

int ledger_day_decode(struct ledger *ledger, uint32_t epoch, int64_t day, struct str bytes)
{
    struct ledger_epoch *e = ledger_epoch_numbered(ledger, epoch);
    uint64_t hash;
    unsigned version;
    if (e == NULL)
        return ERR_NOT_FOUND;
    if (!take_fixed(&bytes, &hash) || hash != hash_stable(bytes.p, bytes.n) || !take_byte(&bytes, &version) ||
        version != VERSION)
        return ERR_CORRUPT;
    size_t count = slices_a_day(&e->terms);
    struct ledger_day *d = ledger_day_need(e, day);
    clear_day(d, count);
    if (!take_slices(bytes, d, count)) {
        clear_day(d, count);
        return ERR_CORRUPT;
    }
    note_beginning(ledger, e, d);
    return 0;
}

/* ---- terms ---- */

void ledger_terms_encode(const struct ledger_terms *terms, struct buf *out)
{
    put_fixed(out, (uint64_t)terms->target.numerator);
    put_fixed(out, (uint64_t)terms->target.denominator);
    put_fixed(out, (uint64_t)terms->slice_target.numerator);
    put_fixed(out, (uint64_t)terms->slice_target.denominator);
    put_fixed(out, (uint64_t)terms->budgeting << 1 | terms->events);
    put_fixed(out, (uint64_t)terms->slice_ms);
    put_fixed(out, terms->meaning);
}

static bool terms_make_sense(const struct ledger_terms *t, uint64_t kind)
{
    bool target =
        t->target.denominator > 0 && t->target.numerator > 0 && t->target.numerator <= t->target.denominator;
    return target && kind <= (BUDGET_RATIOS << 1 | 1) && t->slice_ms >= 1000 &&
           t->slice_ms <= LEDGER_DAY_MS && LEDGER_DAY_MS % t->slice_ms == 0;
}

int ledger_terms_decode(struct str bytes, struct ledger_terms *out)
{
    uint64_t v[LEDGER_TERMS_BYTES / 8];
    for (size_t i = 0; i < LEDGER_TERMS_BYTES / 8; i++)
        if (!take_fixed(&bytes, &v[i]))
            return ERR_CORRUPT;
    *out = (struct ledger_terms){
        .target = {(int64_t)v[0], (int64_t)v[1]},
        .slice_target = {(int64_t)v[2], (int64_t)v[3]},
        .budgeting = (enum budgeting)(v[4] >> 1 & 3),
        .events = (v[4] & 1) != 0,
        .slice_ms = (int64_t)v[5],
        .meaning = v[6],
    };
    return bytes.n == 0 && terms_make_sense(out, v[4]) ? 0 : ERR_CORRUPT;
}
