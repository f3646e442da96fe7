#include "tocsin/tree.h"

#include "tocsin/gotext.h"

#include <math.h>

static const struct tree *find(const struct tree *map, struct str key)
{
    const struct tree *found = NULL;
    for (const struct tree *child = map->first; child != NULL; child = child->next)
        if (str_eq(child->key->text, key))
            found = child; /* of equal keys in JSON the last one counts */
    return found;
}

const struct tree *tree_get(const struct tree *map, const char *key)
{
    if (map == NULL || map->kind != TREE_MAP)
        return NULL;
    return find(map, str_of(key));
}

struct str tree_get_text(const struct tree *map, const char *key)
{
    const struct tree *child = tree_get(map, key);
    return child != NULL && child->kind == TREE_SCALAR ? child->text : STR("");
}

static bool is_one_of(struct str s, const char *const *words)
{
    for (; *words != NULL; words++)
        if (str_is(s, *words))
            return true;
    return false;
}

static bool is_plain(const struct tree *node)
{
    return node != NULL && node->kind == TREE_SCALAR && !node->quoted;
}

bool tree_is_null(const struct tree *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    return node == NULL || (is_plain(node) && is_one_of(node->text, nulls));
}

int tree_bool(const struct tree *node, bool *value)
{
    static const char *const yes[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                      "True", "TRUE", "on",  "On",  "ON",  NULL};
    static const char *const no[] = {"n",     "N",     "no",  "No",  "NO",  "false",
                                     "False", "FALSE", "off", "Off", "OFF", NULL};
    if (!is_plain(node))
        return ERR_PARSE;
    bool on = is_one_of(node->text, yes);
    if (!on && !is_one_of(node->text, no))
        return ERR_PARSE;
    *value = on;
    return 0;
}

/* YAML's numbers may hold '_' anywhere; Go takes them out before it looks. Numbers too long to be numbers
 * fail. */
struct number {
    char text[128];
    struct str s;
};

static bool strip(struct str s, struct number *to)
{
    size_t n = 0;
    if (s.n == 0 || s.n > sizeof to->text)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '_')
            to->text[n++] = s.p[i];
    to->s = (struct str){to->text, n};
    return n > 0;
}

static bool parse_special(struct str s, double *value)
{
    static const char *const infinite[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", NULL};
    static const char *const negative[] = {"-.inf", "-.Inf", "-.INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    bool found = true;
    if (is_one_of(s, infinite))
        *value = INFINITY;
    else if (is_one_of(s, negative))
        *value = -INFINITY;
    else if (is_one_of(s, nans))
        *value = NAN;
    else
        found = false;
    return found;
}

/* Decimal floats only: what Go's ParseFloat takes beyond that (inf, hex) is a string in YAML. */
static bool parse_float(struct str s, double *value)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\0' || strchr("0123456789+-.eE", s.p[i]) == NULL)
            return false;
    return go_parse_float(s, value);
}

int tree_i64(const struct tree *node, int64_t *value)
{
    struct number number;
    double real;
    if (!is_plain(node) || !strip(node->text, &number))
        return ERR_PARSE;
    if (go_parse_int(number.s, value))
        return 0;
    if (!parse_float(number.s, &real) || real != floor(real) || fabs(real) >= 9223372036854775807.0)
        return ERR_PARSE;
    *value = (int64_t)real;
    return 0;
}

int tree_f64(const struct tree *node, double *value)
{
    struct number number;
    int64_t whole;
    if (!is_plain(node))
        return ERR_PARSE;
    if (parse_special(node->text, value))
        return 0;
    if (!strip(node->text, &number))
        return ERR_PARSE;
    if (parse_float(number.s, value) && !go_parse_int(number.s, &whole))
        return 0;
    if (!go_parse_int(number.s, &whole))
        return ERR_PARSE;
    *value = (double)whole;
    return 0;
}
