#include "tocsin/regex.h"

#include "regex_priv.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

/* Most patterns in rules are a|b|c, a.* or .+; those never see RE2. Only fully anchored patterns take this
 * path. */
enum shortcut { SHORT_NONE, SHORT_WORDS, SHORT_PREFIX, SHORT_ANYTHING, SHORT_SOMETHING };

struct regex {
    struct str pattern;
    bool whole; /* must match from start to end */
    enum shortcut shortcut;
    struct str *words; /* SHORT_WORDS; of SHORT_PREFIX the one; they point into pattern */
    size_t word_count;
    size_t least_bytes;          /* SHORT_PREFIX: a text is at least that long */
    struct re2_program *program; /* NULL with a shortcut */
    int span_count;              /* 1 + groups */
};

/* ---- shortcuts ---------------------------------------------------------------------------------------- */

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\0' || strchr("\\.+*?()[]{}^$", s.p[i]) != NULL)
            return false;
    return true;
}

static void keep_words(struct regex *re)
{
    size_t count = 1;
    for (size_t i = 0; i < re->pattern.n; i++)
        count += re->pattern.p[i] == '|';
    re->shortcut = SHORT_WORDS;
    re->words = MEM_ARRAY(struct str, count);
    for (struct str rest = re->pattern; rest.p != NULL;)
        re->words[re->word_count++] = str_cut(&rest, '|');
}

static void keep_prefix(struct regex *re, struct str prefix, size_t more)
{
    re->shortcut = SHORT_PREFIX;
    re->words = MEM_ARRAY(struct str, 1);
    re->words[0] = prefix;
    re->word_count = 1;
    re->least_bytes = prefix.n + more;
}

static void find_shortcut(struct regex *re)
{
    struct str p = re->pattern;
    struct str head = {p.p, p.n >= 2 ? p.n - 2 : 0};
    bool any = str_ends(p, STR(".*")), some = str_ends(p, STR(".+"));
    if (is_plain(p))
        keep_words(re);
    else if ((any || some) && head.n == 0)
        re->shortcut = any ? SHORT_ANYTHING : SHORT_SOMETHING;
    else if ((any || some) && is_plain(head) && str_find_char(head, '|') == head.n)
        keep_prefix(re, head, some ? 1 : 0);
}

static bool is_word_of(const struct regex *re, struct str text)
{
    for (size_t i = 0; i < re->word_count; i++)
        if (str_eq(re->words[i], text))
            return true;
    return false;
}

static bool match_shortcut(const struct regex *re, struct str text)
{
    switch (re->shortcut) {
    case SHORT_WORDS:
        return is_word_of(re, text);
    case SHORT_PREFIX:
        return text.n >= re->least_bytes && str_starts(text, re->words[0]);
    case SHORT_ANYTHING:
        return true;
    case SHORT_SOMETHING:
        return text.n > 0;
    case SHORT_NONE:
        break;
    }
    return false;
}

/* ---- compiling ---------------------------------------------------------------------------------------- */

static const char *fault_text(enum re2_fault fault)
{
    static const char *const text[] = {
        [RE2_FINE] = "",
        [RE2_INTERNAL] = "regexp/syntax: internal error",
        [RE2_BAD_ESCAPE] = "invalid escape sequence",
        [RE2_BAD_CLASS] = "invalid character class",
        [RE2_BAD_RANGE] = "invalid character class range",
        [RE2_MISSING_BRACKET] = "missing closing ]",
        [RE2_MISSING_PAREN] = "missing closing )",
        [RE2_UNEXPECTED_PAREN] = "unexpected )",
        [RE2_TRAILING_BACKSLASH] = "trailing backslash at end of expression",
        [RE2_REPEAT_ARGUMENT] = "missing argument to repetition operator",
        [RE2_REPEAT_SIZE] = "invalid repeat count",
        [RE2_REPEAT_OP] = "invalid nested repetition operator",
        [RE2_BAD_PERL] = "invalid or unsupported Perl syntax",
        [RE2_BAD_UTF8] = "invalid UTF-8",
        [RE2_BAD_NAME] = "invalid named capture",
        [RE2_TOO_LARGE] = "expression too large",
        [RE2_NO_MEMORY] = "expression too large",
    };
    return text[fault];
}

static int report(enum re2_fault fault, struct str pattern, struct str part, struct err *err)
{
    if (fault == RE2_TOO_LARGE || fault == RE2_NO_MEMORY) {
        limit_hit(LIMIT_regex_program_bytes);
        regex_refuse(err, fault_text(fault), pattern);
        if (err != NULL)
            err->code = ERR_LIMIT;
        return ERR_LIMIT;
    }
    bool about_all = fault == RE2_MISSING_PAREN || fault == RE2_UNEXPECTED_PAREN;
    return regex_refuse(err, fault_text(fault), about_all ? pattern : part);
}

/* `shown` is the whole expression as an error may show it. */
static int compile(struct regex *re, struct str text, struct str shown, bool dot_newline, struct err *err)
{
    char part[256];
    enum re2_fault fault;
    re->program = re2_open(text, dot_newline, limits.regex_program_bytes, &fault, part, sizeof part);
    if (re->program == NULL)
        return report(fault, shown, str_of(part), err);
    re->span_count = 1 + re2_group_count(re->program);
    return 0;
}

/* Go compiles only the wrapped text here, so `a)|(b` has a meaning. */
static int compile_wrapped(struct regex *re, struct str text, bool dot_newline, struct err *err)
{
    struct buf wrapped;
    buf_init(&wrapped, text.n + 16);
    buf_puts(&wrapped, dot_newline ? "^(?s:" : "^(?:");
    buf_str(&wrapped, text);
    buf_puts(&wrapped, ")$");
    int rc = compile(re, buf_slice(&wrapped), buf_slice(&wrapped), false, err);
    buf_release(&wrapped);
    return rc;
}

static int compile_kind(struct regex *re, struct str text, enum regex_kind kind, struct err *err)
{
    if (kind == REGEX_ANCHORED || kind == REGEX_RELABEL)
        return compile_wrapped(re, text, kind == REGEX_RELABEL, err);
    return compile(re, text, re->pattern, kind == REGEX_PROMQL, err);
}

static int build(struct regex *re, enum regex_kind kind, struct err *err)
{
    struct buf text;
    buf_init(&text, re->pattern.n * REGEX_WIDER);
    int rc = regex_check(re->pattern, &text, err);
    re->span_count = 1;
    re->whole = kind == REGEX_PROMQL;
    if (kind == REGEX_PROMQL)
        find_shortcut(re);
    if (rc == 0 && re->shortcut == SHORT_NONE)
        rc = compile_kind(re, buf_slice(&text), kind, err);
    buf_release(&text);
    return rc;
}

struct regex *regex_open(struct str pattern, enum regex_kind kind, struct err *err)
{
    if (pattern.n > (size_t)limits.regex_text_bytes) {
        limit_hit(LIMIT_regex_text_bytes);
        err_set(err, ERR_LIMIT, "regular expression of %zu bytes is longer than %lld", pattern.n,
                (long long)limits.regex_text_bytes);
        return NULL;
    }
    struct regex *re = MEM_NEW(struct regex);
    re->pattern = (struct str){mem_copy_text(pattern.p, pattern.n), pattern.n};
    if (build(re, kind, err) != 0) {
        regex_free(re);
        return NULL;
    }
    return re;
}

void regex_free(struct regex *re)
{
    if (re == NULL)
        return;
    if (re->program != NULL)
        re2_free(re->program);
    mem_free(re->words);
    mem_free((char *)re->pattern.p);
    mem_free(re);
}

/* ---- matching ----------------------------------------------------------------------------------------- */

bool regex_match(const struct regex *re, struct str text)
{
    if (re->shortcut != SHORT_NONE)
        return match_shortcut(re, text);
    return re2_search(re->program, text, 0, re->whole, NULL, 0);
}

/* As regex_match from byte `from` on, with the groups. */
static bool search(const struct regex *re, struct str text, size_t from, struct str *spans)
{
    if (re->shortcut == SHORT_NONE)
        return re2_search(re->program, text, from, re->whole, spans, re->span_count);
    spans[0] = text;
    return from == 0 && match_shortcut(re, text);
}

/* ---- expansion ---------------------------------------------------------------------------------------- */

static bool is_word_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c & 0x80);
}

/* Reads "name" or "{name}" after a '$'; returns how many bytes it takes, 0 if it is neither. */
static size_t read_reference(struct str s, struct str *name)
{
    bool braces = s.n > 0 && s.p[0] == '{';
    size_t from = braces ? 1 : 0, to = from;
    while (to < s.n && is_word_byte(s.p[to]))
        to++;
    *name = (struct str){s.p + from, to - from};
    if (to == from || (braces && (to == s.n || s.p[to] != '}')))
        return 0;
    return to + braces;
}

static int group_number(const struct regex *re, struct str name)
{
    long long number;
    bool decimal = true;
    for (size_t i = 0; i < name.n; i++)
        decimal = decimal && name.p[i] >= '0' && name.p[i] <= '9';
    if (decimal && !(name.n > 1 && name.p[0] == '0'))
        return str_to_i64(name, &number) && number < re->span_count ? (int)number : -1;
    return re->program != NULL ? re2_group_number(re->program, name) : -1;
}

static void expand(const struct regex *re, struct str replacement, const struct str *spans, struct buf *out)
{
    for (struct str rest = replacement;;) {
        size_t dollar = str_find_char(rest, '$');
        buf_add(out, rest.p, dollar);
        if (dollar == rest.n)
            return;
        rest = (struct str){rest.p + dollar + 1, rest.n - dollar - 1};
        struct str name;
        size_t taken = read_reference(rest, &name);
        if (taken > 0) {
            int group = group_number(re, name);
            if (group >= 0)
                buf_str(out, spans[group]);
        } else {
            buf_char(out, '$');
            taken = rest.n > 0 && rest.p[0] == '$' ? 1 : 0;
        }
        rest.p += taken;
        rest.n -= taken;
    }
}

bool regex_expand(const struct regex *re, struct str text, struct str replacement, struct buf *out)
{
    struct str *spans = MEM_ARRAY(struct str, (size_t)re->span_count);
    bool hit = search(re, text, 0, spans);
    if (hit)
        expand(re, replacement, spans, out);
    mem_free(spans);
    return hit;
}

static size_t rune_bytes(struct str text, size_t at)
{
    int rune;
    return at < text.n ? str_rune(text.p + at, text.n - at, &rune) : 1;
}

void regex_replace_all(const struct regex *re, struct str text, struct str replacement, struct buf *out)
{
    if (text.p == NULL)
        text.p = ""; /* spans are told apart by address */
    struct str *spans = MEM_ARRAY(struct str, (size_t)re->span_count);
    size_t copied = 0, from = 0;
    while (from <= text.n && search(re, text, from, spans)) {
        size_t start = (size_t)(spans[0].p - text.p), end = start + spans[0].n;
        buf_add(out, text.p + copied, start - copied);
        if (end > copied || start == 0) /* no empty match right behind another one */
            expand(re, replacement, spans, out);
        copied = end;
        from = end > from ? end : from + rune_bytes(text, from);
    }
    if (copied < text.n)
        buf_add(out, text.p + copied, text.n - copied);
    mem_free(spans);
}
