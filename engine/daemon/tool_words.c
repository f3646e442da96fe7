#include "tool_priv.h"

#include "tocsin/amconfig.h"
#include "tocsin/gotext.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

enum { TEXT_BYTES_MAX = 1 << 20 };

const char *tool_user_name(void)
{
    const struct passwd *user = getpwuid(getuid());
    return user != NULL ? user->pw_name : "";
}

/* A word in which there is no operator is a name; one with a spoilt matcher is a mistake that wants to be told. */
static struct str first_word(struct tool *tool, const char *word)
{
    struct buf text;
    if (strchr(word, '=') != NULL || strstr(word, "!~") != NULL)
        return str_of(word);
    buf_init(&text, TEXT_BYTES_MAX);
    buf_puts(&text, "alertname=");
    go_quote(&text, str_of(word));
    struct str matcher = str_copy(&tool->arena, buf_slice(&text));
    buf_release(&text);
    return matcher;
}

void tool_release_matchers(struct matcher *ms, size_t count)
{
    for (size_t i = 0; i < count; i++)
        matcher_release(&ms[i]);
}

int tool_matchers(struct tool *tool, const struct flag_rest *rest, struct matcher **out, size_t *count,
                  struct err *err)
{
    *count = 0;
    *out = ARENA_ARRAY(&tool->arena, struct matcher, rest->count);
    if (*out == NULL)
        return err_set(err, ERR_LIMIT, "there are too many matchers");
    for (size_t i = 0; i < rest->count; i++) {
        struct str word = i == 0 ? first_word(tool, rest->items[i]) : str_of(rest->items[i]);
        int rc = am_matcher_parse(&tool->arena, word, &(*out)[i], err);
        if (rc != 0) {
            tool_release_matchers(*out, *count);
            *count = 0;
            return rc;
        }
        *count += 1;
    }
    return 0;
}

void tool_put_filters(struct buf *url, const struct matcher *ms, size_t count)
{
    struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&text);
        am_matcher_print(&text, &ms[i]);
        buf_puts(url, "&filter=");
        asker_escape(url, buf_slice(&text));
    }
    buf_release(&text);
}

static int read_pair(struct tool *tool, struct str word, struct label *out, struct err *err)
{
    struct matcher m;
    int rc = am_matcher_parse(&tool->arena, word, &m, err);
    if (rc != 0)
        return rc;
    *out = (struct label){m.name, m.value};
    bool equal = m.op == MATCH_EQUAL;
    matcher_release(&m);
    return equal ? 0 : err_set(err, ERR_ARG, "labels and annotations are given as name=value");
}

int tool_pairs(struct tool *tool, const char *const *words, size_t count, bool first_is_name,
               struct labels **out, struct err *err)
{
    struct label *items = ARENA_ARRAY(&tool->arena, struct label, count);
    if (items == NULL)
        return err_set(err, ERR_LIMIT, "there are too many labels");
    for (size_t i = 0; i < count; i++) {
        struct str word = i == 0 && first_is_name ? first_word(tool, words[i]) : str_of(words[i]);
        int rc = read_pair(tool, word, &items[i], err);
        if (rc != 0)
            return rc;
    }
    *out = labels_make_texts(&tool->arena, items, count);
    return *out != NULL ? 0 : err_set(err, ERR_LIMIT, "there are too many labels");
}
