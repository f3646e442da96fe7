#include "json_priv.h"

#include "tocsin/tree.h"

void json_key(struct buf *out, const char *key)
{
    char last = out->used > 0 ? out->bytes[out->used - 1] : '{';
    if (last != '{' && last != '[' && last != ':')
        buf_char(out, ',');
    if (key == NULL)
        return;
    json_string(out, str_of(key));
    buf_char(out, ':');
}

void json_open(struct buf *out, const char *key, char bracket)
{
    json_key(out, key);
    buf_char(out, bracket);
}

void json_close(struct buf *out, char bracket)
{
    buf_char(out, bracket);
}

void json_text(struct buf *out, const char *key, struct str value)
{
    json_key(out, key);
    json_string(out, value);
}

void json_text_some(struct buf *out, const char *key, struct str value)
{
    if (value.n > 0)
        json_text(out, key, value);
}

void json_bool(struct buf *out, const char *key, bool value)
{
    json_key(out, key);
    buf_puts(out, value ? "true" : "false");
}

void json_texts(struct buf *out, const char *key, const struct str *items, size_t count)
{
    json_open(out, key, '[');
    for (size_t i = 0; i < count; i++)
        json_text(out, NULL, items[i]);
    json_close(out, ']');
}
