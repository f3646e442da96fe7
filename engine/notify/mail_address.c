#include "mail_priv.h"

/* One list while it is read. */
struct reader {
    struct arena *arena;
    const char *at, *end;
    bool sound;
};

static bool is_atom(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && strchr("()<>[]:;@\\,\"", c) == NULL;
}

/* Comments may stand wherever blanks may, and within each other. */
static void skip_blanks(struct reader *r)
{
    size_t depth = 0;
    for (; r->at < r->end; r->at++) {
        char c = *r->at;
        if (depth > 0 && c == '\\' && r->at + 1 < r->end)
            r->at++;
        else if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        else if (depth == 0 && (c == '\0' || strchr(" \t\r\n", c) == NULL))
            break;
    }
    r->sound = r->sound && depth == 0;
}

static bool take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* A quoted text, with its quotes, or an atom with dots. */
static struct str take_word(struct reader *r)
{
    const char *from = r->at;
    if (!take(r, '"')) {
        while (r->at < r->end && *r->at != '\0' && is_atom(*r->at))
            r->at++;
        return (struct str){from, (size_t)(r->at - from)};
    }
    while (r->at < r->end && *r->at != '"')
        r->at += *r->at == '\\' && r->at + 1 < r->end ? 2 : 1;
    r->sound = r->sound && take(r, '"');
    return (struct str){from, (size_t)(r->at - from)};
}

static struct str unquoted(struct arena *arena, struct str word)
{
    if (word.n < 2 || word.p[0] != '"')
        return word;
    char *text = arena_alloc(arena, word.n);
    size_t n = 0;
    if (text == NULL)
        return (struct str){0};
    for (size_t i = 1; i + 1 < word.n; i++) {
        if (word.p[i] == '\\' && i + 2 < word.n)
            i++;
        text[n++] = word.p[i];
    }
    return (struct str){text, n};
}

static bool dots_are_sound(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' && (i == 0 || i + 1 == s.n || s.p[i + 1] == '.'))
            return false;
    }
    return s.n > 0;
}

/* It goes into a command of SMTP between < and >. */
static bool local_is_sound(struct str local)
{
    bool quoted = local.n > 0 && local.p[0] == '"';
    for (size_t i = 0; quoted && i < local.n; i++) {
        if ((unsigned char)local.p[i] < ' ' || local.p[i] == 0x7f || local.p[i] == '<' || local.p[i] == '>')
            return false;
    }
    return quoted || dots_are_sound(local);
}

static struct str take_domain(struct reader *r)
{
    const char *from = r->at;
    if (!take(r, '[')) {
        struct str domain = r->at < r->end && *r->at != '"' ? take_word(r) : (struct str){0};
        r->sound = r->sound && dots_are_sound(domain);
        return domain;
    }
    while (r->at < r->end && *r->at != '\0' && strchr("0123456789abcdefABCDEFIPv:.", *r->at) != NULL)
        r->at++;
    r->sound = r->sound && take(r, ']');
    return (struct str){from, (size_t)(r->at - from)};
}

/* What follows the local part, up to the end of the domain. */
static struct str take_spec(struct reader *r, struct str local)
{
    r->sound = r->sound && take(r, '@');
    struct str domain = r->sound ? take_domain(r) : (struct str){0};
    struct str spec = {local.p, local.n + 1 + domain.n};
    r->sound = r->sound && local_is_sound(local) && str_is_utf8(spec);
    return r->sound ? spec : (struct str){0};
}

static struct str take_angle(struct reader *r)
{
    skip_blanks(r);
    struct str spec = take_spec(r, take_word(r));
    skip_blanks(r);
    r->sound = r->sound && take(r, '>');
    return spec;
}

static struct str joined(struct arena *arena, struct str a, struct str b)
{
    if (a.n == 0)
        return b;
    return str_of(arena_format(arena, "%.*s %.*s", STR_ARG(a), STR_ARG(b)));
}

static struct mail_address take_address(struct reader *r)
{
    struct mail_address a = {0};
    for (bool first = true; r->sound; first = false) {
        if (take(r, '<')) {
            a.spec = take_angle(r);
            break;
        }
        struct str word = take_word(r);
        if (word.n == 0) {
            r->sound = false;
        } else if (first && r->at < r->end && *r->at == '@') {
            a.spec = take_spec(r, word);
            break;
        }
        a.name = joined(r->arena, a.name, unquoted(r->arena, word));
        skip_blanks(r);
    }
    skip_blanks(r);
    r->sound = r->sound && (r->at == r->end || *r->at == ',');
    return a;
}

int mail_addresses_parse(struct arena *arena, struct str text, struct mail_addresses *out, struct err *err)
{
    struct reader r = {arena, text.p, text.p + text.n, true};
    size_t max = 1;
    for (size_t i = 0; i < text.n; i++)
        max += text.p[i] == ',';
    *out = (struct mail_addresses){.items = ARENA_ARRAY(arena, struct mail_address, max)};
    if (out->items == NULL)
        return err_set(err, ERR_LIMIT, "there are too many addresses");
    if (text.n == 0)
        return err_set(err, ERR_PARSE, "there is no address");
    for (skip_blanks(&r); r.sound && r.at < r.end; skip_blanks(&r)) {
        if (!take(&r, ','))
            out->items[out->count++] = take_address(&r);
    }
    if (arena_exhausted(arena))
        return err_set(err, ERR_LIMIT, "there are too many addresses");
    if (!r.sound)
        return err_set(err, ERR_PARSE, "an address is not sound");
    return out->count > 0 ? 0 : err_set(err, ERR_PARSE, "there is no address");
}
