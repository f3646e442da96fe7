#include "tocsin/err.h"

#include <stdio.h>
#include <string.h>

int err_vset(struct err *e, int code, const char *format, va_list args)
{
    if (e == NULL)
        return code;
    e->code = code;
    e->line = 0;
    e->column = 0;
    int n = vsnprintf(e->text, sizeof e->text, format, args);
    if (n >= (int)sizeof e->text)
        memcpy(e->text + sizeof e->text - 4, "...", 4);
    return code;
}

int err_set(struct err *e, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_vset(e, code, format, args);
    va_end(args);
    return code;
}

int err_at(struct err *e, int code, int line, int column, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_vset(e, code, format, args);
    va_end(args);
    if (e != NULL) {
        e->line = line;
        e->column = column;
    }
    return code;
}

void err_prefix(struct err *e, const char *format, ...)
{
    if (e == NULL)
        return;
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n;
    if (used >= sizeof text)
        used = sizeof text - 1;
    size_t left = sizeof text - used;
    size_t old = strnlen(e->text, sizeof e->text);
    size_t keep = old < left ? old : left - 1;
    memcpy(text + used, e->text, keep);
    text[used + keep] = '\0';
    memcpy(e->text, text, used + keep + 1);
}
