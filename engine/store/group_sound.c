/* Whether bytes from a disk are a group. */
#include "group_layout_priv.h"

/* The same walk over the layout, looking only whether everything stands where unpacking may go. */
struct look {
    struct bits_in in;
    size_t end;
    bool bad;
};

static uint64_t look_bits(struct look *l, unsigned width)
{
    l->bad = l->bad || width > l->end - l->in.at;
    return l->bad ? 0 : bits_take(&l->in, width);
}

static void look_number(struct look *l)
{
    if (look_bits(l, 1) != 0)
        look_bits(l, (unsigned)look_bits(l, NUMBER_BITS));
}

/* Places are written in order, each once. */
static void look_place(struct look *l, size_t count, size_t *from)
{
    size_t place = look_bits(l, COUNT_BITS);
    l->bad = l->bad || place < *from || place >= count;
    *from = place + 1;
}

static void look_list(struct look *l, size_t count)
{
    unsigned width = look_bits(l, 1) != 0 ? (unsigned)look_bits(l, NUMBER_BITS) + 1 : 0;
    bool patched = look_bits(l, 1) != 0;
    size_t patches = patched ? look_bits(l, COUNT_BITS) : 0;
    unsigned high_width = patched ? (unsigned)look_bits(l, NUMBER_BITS) + 1 : 0;
    l->bad = l->bad || width + high_width > 64 || count * width > l->end - l->in.at;
    l->in.at += l->bad ? 0 : count * width;
    for (size_t from = 0; patches > 0; patches--) {
        look_place(l, count, &from);
        look_bits(l, high_width);
    }
}

/* Returns whether start times must stand at the end. */
static bool look_times(struct look *l, size_t count)
{
    uint64_t kind = look_bits(l, KIND_BITS);
    bool started = kind == STARTED;
    if (started)
        kind = look_bits(l, KIND_BITS);
    l->bad = l->bad || kind > INTERVALS;
    if (kind == ON_PACE)
        return started;
    look_number(l);
    look_number(l);
    look_list(l, count - 1);
    return started;
}

static void look_starts(struct look *l, size_t count)
{
    look_number(l);
    if (look_bits(l, 1) != 0)
        return;
    look_number(l);
    look_list(l, count - 1);
}

static void look_values(struct look *l, size_t count)
{
    uint64_t kind = look_bits(l, KIND_BITS);
    l->bad = l->bad || kind > BITS;
    if (kind == DECIMAL)
        l->bad = look_bits(l, DIGITS_BITS) > DIGITS_MAX || l->bad;
    look_number(l);
    if (look_bits(l, 1) == 0) {
        look_number(l);
        if (look_bits(l, 1) != 0)
            look_bits(l, SHIFT_BITS);
        look_list(l, count - 1);
    }
    size_t odd = look_bits(l, 1) != 0 ? look_bits(l, COUNT_BITS) : 0;
    for (size_t from = 0; odd > 0; odd--) {
        look_place(l, count, &from);
        look_bits(l, 64);
    }
}

bool group_is_sound(const uint8_t *in, size_t bytes)
{
    struct look l = {{in, 0}, bytes * 8, false};
    size_t length = look_bits(&l, LENGTH_BITS);
    l.bad = l.bad || length > bytes || length * 8 < l.in.at;
    l.end = length * 8;
    size_t count = look_bits(&l, 1) != 0 ? look_bits(&l, COUNT_BITS) + 1 : GROUP_SAMPLES;
    bool started = look_times(&l, count);
    look_values(&l, count);
    if (started)
        look_starts(&l, count);
    return !l.bad && (l.in.at + 7) / 8 == length;
}
