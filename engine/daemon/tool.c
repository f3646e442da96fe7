#include "command_priv.h"
#include "tool_priv.h"

#include "tocsin/http_config.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/strict.h"

#include <stdio.h>
#include <stdlib.h>

/* A tree takes more than its text. */
enum {
    TOOL_BYTES_MAX = 1 << 30,
    URL_BYTES_MAX = 1 << 16,
    FLAGS_MAX = 32,
    WORDS_MAX = 1 << 16,
    JSON_BYTES_MAX = 256 << 20
};

int tool_fail(const struct tool *tool, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "tocsin %s: error: ", tool->command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return 1;
}

/* ---- verbs ---- */

static const char *const common_names[] = {"alertmanager.url", "output",           "timeout",
                                           "date.format",      "http.config.file", NULL};

static bool is_common(const char *word)
{
    if (strcmp(word, "-o") == 0)
        return true;
    for (size_t i = 0; common_names[i] != NULL; i++)
        if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, common_names[i]) == 0)
            return true;
    return false;
}

/* Where the verb would stand: behind flags that all commands have. */
static int find_word(int argc, char **argv)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0')
        at += is_common(argv[at]) ? 2 : 1;
    return at < argc ? at : 0;
}

static const struct tool_verb *take_verb(const struct tool_verb *verbs, int *argc, char **argv)
{
    int at = find_word(*argc, argv);
    for (const struct tool_verb *verb = verbs; at > 0 && verb->name != NULL; verb++) {
        if (strcmp(argv[at], verb->name) != 0)
            continue;
        *argc -= 1;
        memmove(argv + at, argv + at + 1, sizeof *argv * (size_t)(*argc - at));
        return verb;
    }
    return verbs;
}

int tool_main(const char *usage, const struct tool_verb *verbs, int argc, char **argv)
{
    struct tool tool = {
        .command = argv[0],
        .usage = usage,
        .world = world_real(),
        .url = "http://127.0.0.1:9595",
        .output_name = "simple",
        .date_format = "2006-01-02 15:04:05 MST",
        .http_config_file = "",
        .timeout_ms = 30000,
        .version_check = true,
    };
    arena_init(&tool.arena, TOOL_BYTES_MAX);
    limits.json_bytes = JSON_BYTES_MAX; /* whole lists of an API, not what a stranger posts */
    const struct tool_verb *verb = take_verb(verbs, &argc, argv);
    int status = verb->run(&tool, argc, argv);
    asker_close(&tool.asker);
    arena_release(&tool.arena);
    return status;
}

/* ---- flags ---- */

/* All flags of one verb, with the letters that stand for them. */
struct flag_set {
    struct flag flags[FLAGS_MAX];
    char letters[FLAGS_MAX];
    bool set[FLAGS_MAX]; /* by a file of defaults */
    size_t count;
};

static void add_flag(struct flag_set *set, struct flag flag, char letter)
{
    if (set->count + 1 == FLAGS_MAX)
        return;
    set->flags[set->count] = flag;
    set->letters[set->count++] = letter;
}

static void list_flags(struct tool *tool, const struct tool_flag *own, struct flag_set *set)
{
    for (; own->flag.name != NULL; own++)
        add_flag(set, own->flag, own->letter);
    add_flag(set,
             (struct flag){"alertmanager.url", FLAG_TEXT, &tool->url, "the Alertmanager or Tocsin to ask"},
             0);
    add_flag(set, (struct flag){"output", FLAG_TEXT, &tool->output_name, "simple, extended or json; also -o"},
             'o');
    add_flag(set, (struct flag){"timeout", FLAG_GO_DURATION_MS, &tool->timeout_ms, "of each request"}, 0);
    add_flag(
        set,
        (struct flag){"date.format", FLAG_TEXT, &tool->date_format, "how times are printed, as Go says it"},
        0);
    add_flag(set,
             (struct flag){"http.config.file", FLAG_TEXT, &tool->http_config_file,
                           "a file with Alertmanager's http_config: who one is, whom one trusts"},
             0);
    add_flag(set,
             (struct flag){"version-check", FLAG_SWITCH, &tool->version_check,
                           "amtool's; changes nothing here: no version is asked for"},
             0);
}

static const struct flag *flag_of_letter(const struct flag_set *set, char letter)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->letters[i] == letter && letter != '\0')
            return &set->flags[i];
    return NULL;
}

static bool takes_next(const struct flag_set *set, const char *word)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(word + 2, set->flags[i].name) == 0)
            return set->flags[i].kind != FLAG_SWITCH;
    return false;
}

/* -ai as --active --inhibited, -ojson as --output=json. False: a letter that no flag has. */
static bool spell_letters(struct tool *tool, const struct flag_set *set, const char *word, char **words,
                          int *count, bool *next)
{
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        const struct flag *flag = flag_of_letter(set, *letter);
        if (flag == NULL || *count + 1 == WORDS_MAX)
            return false;
        bool alone = flag->kind == FLAG_SWITCH || letter[1] == '\0';
        words[(*count)++] =
            arena_format(&tool->arena, "--%s%s%s", flag->name, alone ? "" : "=", alone ? "" : letter + 1);
        *next = flag->kind != FLAG_SWITCH && alone;
        if (flag->kind != FLAG_SWITCH)
            break;
    }
    return true;
}

/* The command line with long names only. */
static char **spell_out(struct tool *tool, const struct flag_set *set, int argc, char **argv, int *count)
{
    char **words = ARENA_ARRAY(&tool->arena, char *, WORDS_MAX);
    bool ended = false, next = false;
    *count = 0;
    for (int i = 0; i < argc && *count < WORDS_MAX - 1; i++) {
        const char *word = argv[i];
        bool letters = i > 0 && !ended && !next && word[0] == '-' && word[1] != '\0' && word[1] != '-';
        bool was_value = next;
        int before = *count;
        next = false;
        if (letters && spell_letters(tool, set, word, words, count, &next))
            continue;
        *count = before;
        words[(*count)++] = argv[i];
        ended = ended || strcmp(word, "--") == 0;
        next = !ended && !was_value && strncmp(word, "--", 2) == 0 && takes_next(set, word);
    }
    return words;
}

/* Keys are names of flags; what stands in an earlier file wins. */
static int take_defaults(struct tool *tool, const struct tree *map, struct flag_set *set, struct err *err)
{
    for (const struct tree *child = map->first; child != NULL; child = child->next) {
        struct str name = child->key != NULL ? child->key->text : STR("");
        if (str_is(name, "comment_required"))
            name = STR("require-comment");
        for (size_t i = 0; i < set->count; i++) {
            const struct flag *flag = &set->flags[i];
            if (!str_is(name, flag->name) || set->set[i] || child->kind != TREE_SCALAR)
                continue;
            set->set[i] = true;
            int rc = flag_read(flag, arena_copy_text(&tool->arena, child->text.p, child->text.n), err);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

static int read_defaults(struct tool *tool, const char *path, struct flag_set *set, struct err *err)
{
    struct buf text;
    struct tree *root = NULL;
    buf_init(&text, (size_t)limits.yaml_bytes);
    int rc = tool->world->read_file(tool->world, path, &text, err);
    if (rc == 0)
        rc = yaml_parse(&tool->arena, str_copy(&tool->arena, buf_slice(&text)), &root, err);
    if (rc == 0 && root != NULL && root->kind == TREE_MAP)
        rc = take_defaults(tool, root, set, err);
    buf_release(&text);
    if (rc != 0 && rc != ERR_NOT_FOUND)
        err_prefix(err, "%s: ", path);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* amtool's own places, then those of Debian's. */
static int read_all_defaults(struct tool *tool, struct flag_set *set, struct err *err)
{
    const char *home = getenv("HOME");
    const char *paths[] = {
        arena_format(&tool->arena, "%s/.config/amtool/config.yml", home != NULL ? home : ""),
        "/etc/amtool/config.yml",
        arena_format(&tool->arena, "%s/.config/prometheus/amtool.yml", home != NULL ? home : ""),
        "/etc/prometheus/amtool.yml",
    };
    int rc = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths && rc == 0; i++)
        rc = read_defaults(tool, paths[i], set, err);
    return rc;
}

static int read_http_config(struct tool *tool, struct err *err)
{
    struct buf text;
    struct strict s;
    struct tree *root = NULL;
    if (tool->http_config_file[0] == '\0')
        return 0;
    tool->http = ARENA_NEW(&tool->arena, struct http_config);
    http_config_init(tool->http);
    buf_init(&text, (size_t)limits.yaml_bytes);
    int rc = tool->world->read_file(tool->world, tool->http_config_file, &text, err);
    if (rc == 0)
        rc = yaml_parse(&tool->arena, str_copy(&tool->arena, buf_slice(&text)), &root, err);
    buf_release(&text);
    strict_init(&s, &tool->arena);
    if (rc == 0 && root != NULL) {
        http_config_read(&s, root, tool->http);
        rc = strict_result(&s, err);
    }
    strict_release(&s);
    const char *slash = strrchr(tool->http_config_file, '/');
    size_t folder = slash != NULL ? (size_t)(slash - tool->http_config_file) : 0;
    http_config_join(&tool->arena, tool->http, (struct str){tool->http_config_file, folder});
    if (rc != 0)
        err_prefix(err, "%s: ", tool->http_config_file);
    return rc;
}

static int check_common(struct tool *tool, struct err *err)
{
    static const char *const names[] = {"simple", "extended", "json"};
    size_t at = 0;
    while (at < 3 && strcmp(tool->output_name, names[at]) != 0)
        at++;
    if (at == 3)
        return err_set(err, ERR_ARG, "--output is simple, extended or json, not \"%s\"", tool->output_name);
    if (strncmp(tool->url, "http://", 7) != 0 && strncmp(tool->url, "https://", 8) != 0)
        return err_set(err, ERR_ARG, "--alertmanager.url takes a URL like http://127.0.0.1:9093");
    tool->output = (enum tool_output)at;
    return read_http_config(tool, err);
}

bool tool_flags(struct tool *tool, const struct tool_flag *own, int argc, char **argv, struct flag_rest *rest,
                int *status)
{
    struct flag_set set = {.count = 0};
    struct err err = {0};
    int count;
    list_flags(tool, own, &set);
    char **words = spell_out(tool, &set, argc, argv, &count);
    int rc = words == NULL ? err_set(&err, ERR_LIMIT, "the command line is too long")
                           : read_all_defaults(tool, &set, &err);
    if (rc == 0)
        rc = command_flags(tool->usage, set.flags, count, words, rest, status);
    else
        tool_fail(tool, "%s", err.text);
    if (rc == ERR_CANCEL)
        return false;
    *status = 1;
    if (rc == 0 && check_common(tool, &err) != 0)
        rc = tool_fail(tool, "%s", err.text);
    return rc == 0;
}

/* ---- the API ---- */

static int judge(const struct net_answer *answer, struct err *err)
{
    if (answer->status >= 200 && answer->status < 300)
        return 0;
    struct str why = str_trim(answer->body);
    return err_set(err, answer->status == 404 ? ERR_NOT_FOUND : ERR_IO, "HTTP status %d%s%.*s",
                   answer->status, why.n > 0 ? ": " : "", STR_ARG(why));
}

static int read_answer(struct tool *tool, struct str body, const struct tree **root, struct err *err)
{
    struct tree *tree = NULL;
    struct str kept = str_copy(&tool->arena, str_trim(body));
    int rc = kept.n > 0 ? json_parse(&tool->arena, kept, &tree, err) : 0;
    if (rc != 0)
        err_prefix(err, "the answer is not an Alertmanager's: ");
    *root = tree;
    return rc;
}

static int send_call(struct tool *tool, const char *method, const char *url, struct str body,
                     const struct tree **root, struct err *err)
{
    static const struct net_header json = {"Content-Type", "application/json"};
    struct net_answer answer;
    struct buf text;
    const struct net_request request = {
        .method = method,
        .url = url,
        .headers = &json,
        .header_count = body.n > 0,
        .body = body,
        .timeout_ms = tool->timeout_ms,
        .http = tool->http,
    };
    int rc = asker_ask(&tool->asker, &request, &answer, &text, err);
    if (rc == 0)
        rc = judge(&answer, err);
    if (rc == 0)
        rc = read_answer(tool, answer.body, root, err);
    buf_release(&text);
    return rc;
}

int tool_call(struct tool *tool, const char *method, const char *path, struct str body,
              const struct tree **root, struct err *err)
{
    const struct tree *nothing;
    struct buf url;
    size_t length = strlen(tool->url);
    int rc = tool->asker.courier == NULL ? asker_open(&tool->asker, tool->world, err) : 0;
    if (rc != 0)
        return rc;
    while (length > 0 && tool->url[length - 1] == '/')
        length--;
    buf_init(&url, URL_BYTES_MAX);
    buf_format(&url, "%.*s/api/v2%s", (int)length, tool->url, path);
    rc = buf_overflow(&url)
             ? err_set(err, ERR_LIMIT, "the URL is too long")
             : send_call(tool, method, buf_text(&url), body, root != NULL ? root : &nothing, err);
    buf_release(&url);
    return rc;
}

int tool_want_tocsin(struct tool *tool, struct err *err)
{
    const struct tree *status = NULL;
    int rc = tool_call(tool, "GET", "/status", STR(""), &status, err);
    if (rc != 0)
        return rc;
    struct str revision = tree_get_text(tree_get(status, "versionInfo"), "revision");
    return str_starts(revision, STR("tocsin "))
               ? 0
               : err_set(err, ERR_UNSUPPORTED,
                         "the server is no Tocsin: the silence would not end with the alert");
}
