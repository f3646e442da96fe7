#include "flags_priv.h"

#include "tocsin/duration.h"
#include "tocsin/str.h"
#include "tocsin/world.h"

#include <stdio.h>
#include <string.h>

static const struct flag *find(const struct flag *flags, struct str name, bool *negated)
{
    *negated = false;
    for (const struct flag *f = flags; f->name != NULL; f++)
        if (str_is(name, f->name))
            return f;
    if (!str_starts(name, STR("no-")))
        return NULL;
    struct str positive = {name.p + 3, name.n - 3};
    for (const struct flag *f = flags; f->name != NULL; f++)
        if (f->kind == FLAG_SWITCH && str_is(positive, f->name)) {
            *negated = true;
            return f;
        }
    return NULL;
}

static int read_number(const struct flag *f, const char *value, struct err *err)
{
    long long n;
    if (!str_to_i64(str_of(value), &n))
        return err_set(err, ERR_ARG, "--%s takes a whole number, not \"%s\"", f->name, value);
    *(int64_t *)f->value = n;
    return 0;
}

static int read_duration(const struct flag *f, const char *value, struct err *err)
{
    int64_t ms;
    if (duration_parse(str_of(value), &ms, NULL) != 0)
        return err_set(err, ERR_ARG, "--%s takes a duration like 30s or 1h, not \"%s\"", f->name, value);
    *(int64_t *)f->value = ms;
    return 0;
}

static int read_go_duration(const struct flag *f, const char *value, struct err *err)
{
    int64_t ns;
    if (go_duration_parse(str_of(value), &ns, NULL) != 0 || ns < 0)
        return err_set(err, ERR_ARG, "--%s takes a duration like 30s or 120h, not \"%s\"", f->name, value);
    *(int64_t *)f->value = ns / NS_PER_MS;
    return 0;
}

static int read_list(const struct flag *f, const char *value, struct err *err)
{
    struct flag_list *list = f->value;
    if (list->count == FLAG_LIST_MAX)
        return err_set(err, ERR_ARG, "--%s is given more than %d times", f->name, FLAG_LIST_MAX);
    list->items[list->count++] = value;
    return 0;
}

static int read_switch(const struct flag *f, const char *value, struct err *err)
{
    bool yes = strcmp(value, "true") == 0;
    if (!yes && strcmp(value, "false") != 0)
        return err_set(err, ERR_ARG, "--%s is true or false, not \"%s\"", f->name, value);
    *(bool *)f->value = yes;
    return 0;
}

int flag_read(const struct flag *f, const char *value, struct err *err)
{
    switch (f->kind) {
    case FLAG_TEXT:
        *(const char **)f->value = value;
        return 0;
    case FLAG_NUMBER:
        return read_number(f, value, err);
    case FLAG_DURATION_MS:
        return read_duration(f, value, err);
    case FLAG_GO_DURATION_MS:
        return read_go_duration(f, value, err);
    case FLAG_LIST:
        return read_list(f, value, err);
    case FLAG_SWITCH:
        break;
    }
    return read_switch(f, value, err);
}

/* One flag at argv[*at]; moves *at over a value that stands in a word of its own. */
static int read_flag(const struct flag *flags, int argc, char **argv, int *at, struct err *err)
{
    struct str word = str_of(argv[*at] + 2);
    size_t equals = str_find_char(word, '=');
    struct str name = {word.p, equals};
    bool negated;
    const struct flag *f = find(flags, name, &negated);
    if (f == NULL)
        return err_set(err, ERR_ARG, "unknown flag --%.*s", STR_ARG(name));
    if (f->kind == FLAG_SWITCH && equals == word.n) {
        *(bool *)f->value = !negated;
        return 0;
    }
    if (f->kind == FLAG_SWITCH)
        return err_set(err, ERR_ARG, "--%s is a switch and takes no value", f->name);
    if (equals < word.n)
        return flag_read(f, word.p + equals + 1, err);
    if (*at + 1 == argc)
        return err_set(err, ERR_ARG, "--%s needs a value", f->name);
    *at += 1;
    return flag_read(f, argv[*at], err);
}

int flags_parse(const struct flag *flags, int argc, char **argv, struct flag_rest *rest, struct err *err)
{
    *rest = (struct flag_rest){argv + 1, 0};
    bool ended = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (ended || word[0] != '-' || word[1] == '\0') {
            rest->items[rest->count++] = argv[i];
        } else if (strcmp(word, "--") == 0) {
            ended = true;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            return ERR_CANCEL;
        } else if (word[1] != '-') {
            return err_set(err, ERR_ARG, "unknown flag %s", word);
        } else {
            int rc = read_flag(flags, argc, argv, &i, err);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

static void print_default(const struct flag *f)
{
    if (f->kind == FLAG_TEXT && *(const char **)f->value != NULL && **(const char **)f->value != '\0')
        printf(" (default %s)", *(const char **)f->value);
    if (f->kind == FLAG_NUMBER)
        printf(" (default %lld)", (long long)*(int64_t *)f->value);
    if (f->kind == FLAG_DURATION_MS || f->kind == FLAG_GO_DURATION_MS) {
        struct buf text;
        buf_init(&text, 64);
        if (f->kind == FLAG_DURATION_MS)
            duration_print(&text, *(int64_t *)f->value);
        else
            go_duration_print(&text, *(int64_t *)f->value * NS_PER_MS);
        printf(" (default %s)", buf_text(&text));
        buf_release(&text);
    }
}

void flags_print(const struct flag *flags)
{
    static const char *const shape[] = {"=TEXT", "", "=N", "=DURATION", "=DURATION", "=TEXT ..."};
    for (const struct flag *f = flags; f->name != NULL; f++) {
        printf("  --%s%s\n        %s", f->name, shape[f->kind], f->help);
        print_default(f);
        printf("\n");
    }
}
