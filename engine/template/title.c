#include "template_priv.h"

/*
 * Title case as Go's x/text has it for English: a word's first letter that knows case is made large, what stands before it
 * in the word stays. Apostrophes, points and the like part two words only in pairs. Words are cut as Unicode's rules do, by
 * ranges of its blocks rather than by its table: right for alphabets; among symbols and rare scripts it may cut elsewhere.
 */

enum part {
    PART_BREAK, /* ends a word */
    PART_INNER, /* digits, underscores, accents, letters without case */
    PART_JOINT, /* ends a word if another one follows */
    PART_CASED
};

struct range {
    int first, last;
};

static bool in_ranges(int rune, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rune >= ranges[i].first && rune <= ranges[i].last)
            return true;
    return false;
}

#define IN(rune, ranges) in_ranges(rune, ranges, sizeof(ranges) / sizeof *(ranges))

static bool is_cased(int rune)
{
    /* Those that have case and no single partner. */
    static const struct range lone[] = {
        {0xAA, 0xAA},     {0xBA, 0xBA},     {0xDF, 0xDF},      {0x138, 0x138}, {0x149, 0x149},
        {0x1F0, 0x1F0},   {0x390, 0x390},   {0x3B0, 0x3B0},    {0x587, 0x587}, {0x1E96, 0x1E9A},
        {0xFB00, 0xFB06}, {0xFB13, 0xFB17}, {0x1D400, 0x1D7CB}};
    return rune_upper(rune) != rune || rune_lower(rune) != rune || IN(rune, lone);
}

static enum part part_of(int rune)
{
    static const struct range joints[] = {
        {'\'', '\''},     {'.', '.'},       {':', ':'},       {0xB7, 0xB7},
        {0x387, 0x387},   {0x55F, 0x55F},   {0x5F4, 0x5F4},   {0x2018, 0x2019},
        {0x2024, 0x2024}, {0x2027, 0x2027}, {0xFE13, 0xFE13}, {0xFE52, 0xFE52},
        {0xFE55, 0xFE55}, {0xFF07, 0xFF07}, {0xFF0E, 0xFF0E}, {0xFF1A, 0xFF1A}};
    static const struct range inner[] = {
        {'0', '9'},       {'_', '_'},         {0xAD, 0xAD},     {0x2B0, 0x36F},   {0x370, 0x37D},
        {0x37F, 0x384},   {0x386, 0x559},     {0x560, 0x588},   {0x591, 0x5BD},   {0x5C1, 0x5F3},
        {0x610, 0x61A},   {0x620, 0x669},     {0x66B, 0x66B},   {0x66E, 0x6D3},   {0x6E0, 0x6FC},
        {0x710, 0x963},   {0x966, 0x96F},     {0x971, 0xDF3},   {0x1000, 0x1049}, {0x10A0, 0x135F},
        {0x13A0, 0x166C}, {0x1780, 0x17D3},   {0x1800, 0x1FFC}, {0x200C, 0x200F}, {0x202A, 0x202F},
        {0x203F, 0x2040}, {0x2054, 0x2054},   {0x2071, 0x2071}, {0x207F, 0x207F}, {0x20D0, 0x20F0},
        {0x2C00, 0x2DFF}, {0xA000, 0xA48C},   {0xA4D0, 0xABFF}, {0xAC00, 0xD7A3}, {0xFB00, 0xFDCF},
        {0xFDF0, 0xFE0F}, {0xFE20, 0xFE34},   {0xFE70, 0xFEFF}, {0xFF10, 0xFF19}, {0xFF3F, 0xFF3F},
        {0xFFA0, 0xFFBE}, {0x10000, 0x1F0FF},
    };
    if (is_cased(rune))
        return PART_CASED;
    if (IN(rune, joints))
        return PART_JOINT;
    return IN(rune, inner) ? PART_INNER : PART_BREAK;
}

static int rune_at(struct str s, size_t i, size_t *length)
{
    int rune;
    *length = 0;
    if (i >= s.n)
        return 0;
    *length = str_rune(s.p + i, s.n - i, &rune);
    return rune < 0 ? 0xFFFD : rune;
}

/* What has no single large letter. */
static const char *large_as_text(int rune)
{
    static const struct {
        int rune;
        const char *text;
    } table[] = {{0xDF, "Ss"},    {0x149, "ʼN"},  {0x1F0, "J̌"},   {0x587, "Եւ"},
                 {0xFB00, "Ff"},  {0xFB01, "Fi"}, {0xFB02, "Fl"}, {0xFB03, "Ffi"},
                 {0xFB04, "Ffl"}, {0xFB05, "St"}, {0xFB06, "St"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].rune == rune)
            return table[i].text;
    return NULL;
}

/* The two letters in one that have a form of their own for this, and Georgian, which has none. */
static int rune_title(int rune)
{
    if (rune >= 0x1C4 && rune <= 0x1CC)
        return rune <= 0x1C6 ? 0x1C5 : rune <= 0x1C9 ? 0x1C8 : 0x1CB;
    if (rune >= 0x1F1 && rune <= 0x1F3)
        return 0x1F2;
    return rune >= 0x10D0 && rune <= 0x10FF ? rune : rune_upper(rune);
}

static void add_large(struct buf *out, int rune)
{
    const char *text = large_as_text(rune);
    if (text != NULL)
        buf_puts(out, text);
    else
        print_rune(out, rune_title(rune));
}

/* Greek's small sigma has another form where no letter follows in the word. */
static bool ends_word(struct str s, size_t i)
{
    size_t n;
    for (; i < s.n; i += n) {
        int rune = rune_at(s, i, &n);
        enum part part = part_of(rune);
        bool passed_over = part == PART_JOINT || (rune >= 0x2B0 && rune <= 0x36F) || rune == 0xAD;
        if (!passed_over)
            return part != PART_CASED;
    }
    return true;
}

static void add_small(struct buf *out, int rune, struct str s, size_t after)
{
    if (rune == 0x3A3 && ends_word(s, after))
        print_rune(out, 0x3C2);
    else if (rune == 0x130) /* a dot that small letters do not keep by themselves */
        buf_puts(out, "i̇");
    else
        print_rune(out, rune_lower(rune));
}

void text_title(struct buf *out, struct str s, bool lower_rest)
{
    bool inside = false, joint = false; /* a word whose first letter has gone by; behind a joint */
    size_t n;
    for (size_t i = 0; i < s.n; i += n) {
        int rune = rune_at(s, i, &n);
        enum part part = part_of(rune);
        if (part == PART_BREAK || (part == PART_JOINT && joint))
            inside = false;
        if (!inside && part == PART_CASED)
            add_large(out, rune);
        else if (lower_rest && inside)
            add_small(out, rune, s, i + n);
        else
            print_rune(out, rune);
        inside = inside || part == PART_CASED;
        joint = part == PART_JOINT;
    }
}
