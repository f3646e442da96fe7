#include "promql_lex_priv.h"

#include "tocsin/gotext.h"

enum { DESCRIBED_RUNES = 10 };

static const struct keyword {
    const char *text;
    enum token_kind kind;
    int value;
} keywords[] = {
    {"and", TOKEN_OP, OP_AND},
    {"or", TOKEN_OP, OP_OR},
    {"unless", TOKEN_OP, OP_UNLESS},
    {"atan2", TOKEN_OP, OP_ATAN2},
    {"sum", TOKEN_AGGREGATE, AGG_SUM},
    {"avg", TOKEN_AGGREGATE, AGG_AVG},
    {"count", TOKEN_AGGREGATE, AGG_COUNT},
    {"min", TOKEN_AGGREGATE, AGG_MIN},
    {"max", TOKEN_AGGREGATE, AGG_MAX},
    {"group", TOKEN_AGGREGATE, AGG_GROUP},
    {"stddev", TOKEN_AGGREGATE, AGG_STDDEV},
    {"stdvar", TOKEN_AGGREGATE, AGG_STDVAR},
    {"topk", TOKEN_AGGREGATE, AGG_TOPK},
    {"bottomk", TOKEN_AGGREGATE, AGG_BOTTOMK},
    {"count_values", TOKEN_AGGREGATE, AGG_COUNT_VALUES},
    {"quantile", TOKEN_AGGREGATE, AGG_QUANTILE},
    {"limitk", TOKEN_AGGREGATE, AGG_LIMITK},
    {"limit_ratio", TOKEN_AGGREGATE, AGG_LIMIT_RATIO},
    {"offset", TOKEN_OFFSET, 0},
    {"anchored", TOKEN_ANCHORED, 0},
    {"smoothed", TOKEN_SMOOTHED, 0},
    {"by", TOKEN_BY, 0},
    {"without", TOKEN_WITHOUT, 0},
    {"on", TOKEN_ON, 0},
    {"ignoring", TOKEN_IGNORING, 0},
    {"group_left", TOKEN_GROUP_LEFT, 0},
    {"group_right", TOKEN_GROUP_RIGHT, 0},
    {"bool", TOKEN_BOOL, 0},
    {"fill", TOKEN_FILL, 0},
    {"fill_left", TOKEN_FILL_LEFT, 0},
    {"fill_right", TOKEN_FILL_RIGHT, 0},
    {"start", TOKEN_START, 0},
    {"end", TOKEN_FINISH, 0},
    {"step", TOKEN_STEP, 0},
    {"range", TOKEN_RANGE, 0},
    {"min_of", TOKEN_MIN_OF, 0},
    {"max_of", TOKEN_MAX_OF, 0},
    {"inf", TOKEN_NUMBER, 0},
    {"nan", TOKEN_NUMBER, 0},
};

static const struct keyword *find_keyword(struct str word)
{
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (str_eq_nocase(word, str_of(keywords[i].text)))
            return &keywords[i];
    return NULL;
}

static bool is_fill(enum token_kind kind)
{
    return kind == TOKEN_FILL || kind == TOKEN_FILL_LEFT || kind == TOKEN_FILL_RIGHT;
}

/* fill is a keyword only in front of a parenthesis, comments not skipped. */
static bool paren_follows(struct lexer l)
{
    lex_skip_space(&l);
    return lex_peek(&l, 0) == '(';
}

struct token lex_word(struct lexer *l)
{
    size_t start = l->pos;
    bool colon = false;
    for (int c = lex_peek(l, 0); lex_is_letter(c) || lex_is_digit(c) || c == ':'; c = lex_peek(l, 0)) {
        colon = colon || c == ':';
        l->pos++;
    }
    struct token t = lex_emit(l, start, colon ? TOKEN_METRIC : TOKEN_IDENTIFIER);
    const struct keyword *keyword = find_keyword(t.text);
    if (keyword == NULL || (is_fill(keyword->kind) && !paren_follows(*l)))
        return t;
    t.kind = keyword->kind;
    t.value = keyword->value;
    return t;
}

struct token lex_duration_word(struct lexer *l)
{
    size_t start = l->pos;
    while (lex_is_letter(lex_peek(l, 0)))
        l->pos++;
    struct token t = lex_emit(l, start, TOKEN_BAD);
    const struct keyword *keyword = find_keyword(t.text);
    if (keyword != NULL && keyword->kind >= TOKEN_STEP && keyword->kind <= TOKEN_MAX_OF)
        t.kind = keyword->kind;
    else
        l->pos = start;
    return t;
}

static void quote_short(struct buf *out, struct str text)
{
    size_t n = 0;
    for (int runes = 0, rune; runes < DESCRIBED_RUNES && n < text.n; runes++)
        n += str_rune(text.p + n, text.n - n, &rune);
    go_quote(out, (struct str){text.p, text.n > DESCRIBED_RUNES ? n : text.n});
    if (text.n > DESCRIBED_RUNES)
        buf_puts(out, "...");
}

static void describe_tagged(struct buf *out, const char *tag, struct str text)
{
    buf_puts(out, tag);
    buf_str(out, text);
    buf_char(out, '>');
}

void lex_describe(struct buf *out, struct token t)
{
    switch (t.kind) {
    case TOKEN_END:
        buf_puts(out, "end of input");
        return;
    case TOKEN_IDENTIFIER:
    case TOKEN_METRIC:
        buf_puts(out, t.kind == TOKEN_METRIC ? "metric identifier " : "identifier ");
        go_quote(out, t.text);
        return;
    case TOKEN_NUMBER:
        buf_puts(out, "number ");
        break;
    case TOKEN_DURATION:
        buf_puts(out, "duration ");
        break;
    case TOKEN_STRING:
        buf_puts(out, "string ");
        break;
    case TOKEN_OP:
    case TOKEN_AT:
    case TOKEN_REGEX:
    case TOKEN_NOT_REGEX:
        describe_tagged(out, "<op:", t.text);
        return;
    case TOKEN_AGGREGATE:
        describe_tagged(out, "<aggr:", t.text);
        return;
    default:
        if (t.kind >= TOKEN_OFFSET && t.kind <= TOKEN_FILL_RIGHT) {
            describe_tagged(out, "<", t.text);
            return;
        }
        break;
    }
    quote_short(out, t.text);
}
