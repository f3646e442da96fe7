#include "tocsin/state.h"

#include "tocsin/buf.h"
#include "tocsin/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static char folder[64];
static char path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tocsin-state-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/state.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    return rmdir(folder);
}

static struct state *open_state(const char *where)
{
    struct state *state;
    struct err err = {0};
    if (state_open(where, &state, &err) != 0)
        fail_msg("%s", err.text);
    return state;
}

static void print_silence(void *context, const struct silence_row *row)
{
    struct buf *out = context;
    buf_format(out, "%.*s", STR_ARG(row->id));
    for (size_t i = 0; i < row->matcher_count; i++) {
        assert_null(row->matchers[i].regex);
        buf_format(out, " %.*s%s%.*s", STR_ARG(row->matchers[i].name), match_op_text(row->matchers[i].op),
                   STR_ARG(row->matchers[i].value));
    }
    buf_format(out, " %lld %lld %lld %.*s|%.*s ", (long long)row->starts_ns, (long long)row->ends_ns,
               (long long)row->updated_ns, STR_ARG(row->created_by), STR_ARG(row->comment));
    labels_print_json(out, row->annotations);
    buf_char(out, '\n');
}

static void expect_silences(struct state *state, const char *lines)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(state_silences_each(state, print_silence, &out, NULL), 0);
    assert_string_equal(buf_text(&out), lines);
    buf_release(&out);
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static struct silence_row silence_row(struct arena *arena, const char *id, int64_t ends_ns)
{
    static const struct matcher ms[] = {{MATCH_EQUAL, {"a", 1}, {"", 0}, NULL},
                                        {MATCH_NOT_REGEX, {"odd name", 8}, {"x|\0y", 4}, NULL}};
    struct label note = {STR("why"), STR("")};
    return (struct silence_row){.id = str_of(id),
                                .matchers = ms,
                                .matcher_count = 2,
                                .starts_ns = -1,
                                .ends_ns = ends_ns,
                                .updated_ns = 3,
                                .created_by = STR("me"),
                                .comment = STR(""),
                                .annotations = labels_make_texts(arena, &note, 1)};
}

static void silences_survive_a_close_and_go_when_they_are_old(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct state *state = open_state(path);
    struct silence_row rows[2] = {silence_row(&arena, "one", 10), silence_row(&arena, "two", 20)};
    assert_int_equal(state_silences_put(state, rows, 2, NULL), 0);
    rows[1].comment = STR("later");
    assert_int_equal(state_silences_put(state, rows + 1, 1, NULL), 0);
    state_close(state);
    state = open_state(path);
    expect_silences(state, "one a= odd name!~x| -1 10 3 me| {\"why\":\"\"}\n"
                           "two a= odd name!~x| -1 20 3 me|later {\"why\":\"\"}\n");
    assert_int_equal(state_silences_expire(state, 20, NULL), 0);
    expect_silences(state, "two a= odd name!~x| -1 20 3 me|later {\"why\":\"\"}\n");
    run_sql("UPDATE silence SET matchers=x'0901'");
    expect_silences(state, "");
    state_close(state);
    arena_release(&arena);
}

static void print_entry(void *context, const struct nflog_entry *e)
{
    struct buf *out = context;
    buf_format(out, "%.*s %lld %lld", STR_ARG(e->key), (long long)e->sent_ns, (long long)e->expires_ns);
    for (size_t i = 0; i < e->firing_count; i++)
        buf_format(out, " f%llx", (unsigned long long)e->firing[i]);
    for (size_t i = 0; i < e->resolved_count; i++)
        buf_format(out, " r%llx", (unsigned long long)e->resolved[i]);
    for (size_t i = 0; i < e->owed_count; i++)
        buf_format(out, " o%llx", (unsigned long long)e->owed[i]);
    for (size_t i = 0; i < e->missed_count; i++)
        buf_format(out, " m%llx", (unsigned long long)e->missed[i]);
    if (e->kept != NULL)
        labels_print_json(out, e->kept);
    buf_char(out, '\n');
}

static void expect_log(struct state *state, const char *lines)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(state_nflog_each(state, print_entry, &out, NULL), 0);
    assert_string_equal(buf_text(&out), lines);
    buf_release(&out);
}

static void put(struct state *state, struct str key, int64_t sent, size_t firing, size_t resolved)
{
    static const uint64_t hashes[] = {0xffffffffffffffff, 1, 2};
    struct nflog_entry entry = {.key = key,
                                .sent_ns = sent,
                                .expires_ns = sent + 10,
                                .firing = hashes,
                                .firing_count = firing,
                                .resolved = hashes,
                                .resolved_count = resolved};
    assert_int_equal(state_nflog_put(state, &entry, NULL), 0);
}

static void the_notification_log_survives_a_close(void **unused)
{
    (void)unused;
    struct state *state = open_state(path);
    put(state, STR("{}:{a=\"b\"}:x/webhook/0"), 100, 2, 0);
    put(state, STR("odd \xff key"), 5, 0, 1);
    state_close(state);
    state = open_state(path);
    expect_log(state, "odd \xff key 5 15 rffffffffffffffff\n"
                      "{}:{a=\"b\"}:x/webhook/0 100 110 fffffffffffffffff f1\n");
    state_close(state);
}

static void what_is_kept_owed_and_missed_survives_too(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 4096);
    struct label left = {STR("threadTs"), STR("17.1")};
    static const uint64_t hashes[] = {7, 8, 9};
    const struct nflog_entry entry = {.key = STR("k"),
                                      .expires_ns = 1,
                                      .kept = labels_make_texts(&arena, &left, 1),
                                      .owed = hashes,
                                      .owed_count = 1,
                                      .missed = hashes,
                                      .missed_count = 3};
    struct state *state = open_state(path);
    assert_int_equal(state_nflog_put(state, &entry, NULL), 0);
    state_close(state);
    state = open_state(path);
    expect_log(state, "k 0 1 o7 m7 m8 m9{\"threadTs\":\"17.1\"}\n");
    state_close(state);
    arena_release(&arena);
}

static void the_last_word_on_a_key_wins(void **unused)
{
    (void)unused;
    struct state *state = open_state(path);
    put(state, STR("k"), 100, 2, 0);
    put(state, STR("k"), 200, 1, 2);
    put(state, STR("a"), 7, 0, 0);
    state_close(state);
    state = open_state(path);
    expect_log(state, "a 7 17\nk 200 210 fffffffffffffffff rffffffffffffffff r1\n");
    state_close(state);
}

static void what_has_expired_goes(void **unused)
{
    (void)unused;
    struct state *state = open_state(":memory:");
    put(state, STR("a"), 1, 0, 0);
    put(state, STR("b"), 2, 0, 0);
    assert_int_equal(state_nflog_expire(state, 11, NULL), 0);
    expect_log(state, "b 2 12\n");
    state_close(state);
}

static void print_incident(void *context, const struct incident_row *row)
{
    buf_format(context, "%lld %.*s %lld %lld %.*s\n", (long long)row->id, STR_ARG(row->key),
               (long long)row->opened_ns, (long long)row->closed_ns, STR_ARG(row->body));
}

static void print_note(void *context, int64_t at_ns, struct str body)
{
    buf_format(context, "%lld %.*s\n", (long long)at_ns, STR_ARG(body));
}

static void expect_incidents(struct state *state, int64_t since, size_t limit, const char *lines)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(state_incident_each(state, since, limit, print_incident, &out, NULL), 0);
    assert_string_equal(buf_text(&out), lines);
    buf_release(&out);
}

static void incidents_and_their_notes_survive_a_close(void **unused)
{
    (void)unused;
    struct state *state = open_state(path);
    struct incident_row one = {.key = STR("k1"), .opened_ns = 10, .body = STR("{}")};
    struct incident_row two = {.key = STR("k2"), .opened_ns = 20, .body = STR("{}")};
    assert_int_equal(state_incident_put(state, &one, NULL), 0);
    assert_int_equal(state_incident_put(state, &two, NULL), 0);
    assert_int_equal(one.id, 1);
    assert_int_equal(two.id, 2);
    assert_int_equal(state_incident_note(state, one.id, 11, STR("{\"n\":1}"), NULL), 0);
    assert_int_equal(state_incident_note(state, one.id, 12, STR("{\"n\":2}"), NULL), 0);
    two.closed_ns = 25;
    assert_int_equal(state_incident_put(state, &two, NULL), 0);
    state_close(state);

    state = open_state(path);
    expect_incidents(state, 0, 10, "2 k2 20 25 {}\n1 k1 10 0 {}\n");
    expect_incidents(state, 0, 1, "2 k2 20 25 {}\n");
    expect_incidents(state, 1000, 10, "1 k1 10 0 {}\n");
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(state_incident_notes(state, 1, print_note, &out, NULL), 0);
    assert_string_equal(buf_text(&out), "11 {\"n\":1}\n12 {\"n\":2}\n");
    buf_release(&out);
    state_close(state);
}

static void an_unknown_incident_is_an_error(void **unused)
{
    (void)unused;
    struct state *state = open_state(":memory:");
    struct incident_row row = {.id = 9, .key = STR("k")};
    struct err err;
    assert_int_equal(state_incident_put(state, &row, &err), ERR_NOT_FOUND);
    assert_string_equal(err.text, "no incident 9");
    assert_int_equal(state_incident_note(state, 9, 1, STR("{}"), &err), ERR_IO);
    state_close(state);
}

static void write_file(const char *text, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
}

/* ---- alert states ---- */

static struct arena arena;

#define LABELS(...) labels_of(&arena, __VA_ARGS__, NULL)

static void print_rule(void *context, const struct alert_rule_key *key)
{
    buf_format(context, "%.*s;%.*s;%llu\n", STR_ARG(key->file), STR_ARG(key->group),
               (unsigned long long)key->rule);
}

static void print_alert(void *context, const struct alert_rule_key *key, const struct alert_row *row)
{
    uint64_t bits;
    memcpy(&bits, &row->value, sizeof bits);
    buf_format(context, "%.*s;%.*s;%llu ", STR_ARG(key->file), STR_ARG(key->group),
               (unsigned long long)key->rule);
    labels_print(context, row->labels);
    labels_print(context, row->annotations);
    buf_format(context, " %lld %llx %lld %lld %lld %lld %lld\n", (long long)row->state,
               (unsigned long long)bits, (long long)row->active_ns, (long long)row->fired_ns,
               (long long)row->resolved_ns, (long long)row->last_sent_ns,
               (long long)row->keep_firing_since_ns);
}

static void expect_alerts(struct state *state, const char *rules, const char *alerts)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    assert_int_equal(state_alert_rules_each(state, print_rule, &out, NULL), 0);
    assert_string_equal(buf_text(&out), rules);
    buf_clear(&out);
    assert_int_equal(state_alerts_each(state, print_alert, &out, NULL), 0);
    assert_string_equal(buf_text(&out), alerts);
    buf_release(&out);
}

static struct alert_row row(const struct labels *ls, int64_t is)
{
    return (struct alert_row){.labels = ls,
                              .annotations = LABELS("a", "b"),
                              .state = is,
                              .value = 1,
                              .active_ns = 5,
                              .fired_ns = INT64_MIN,
                              .resolved_ns = 7,
                              .last_sent_ns = INT64_MAX,
                              .keep_firing_since_ns = 9};
}

static void put_alerts(struct state *state, const char *group, uint64_t rule, const struct alert_row *rows,
                       size_t count)
{
    struct alert_rule_news news = {
        .key = {STR("f.yml"), str_of(group), rule}, .rows = rows, .row_count = count};
    assert_int_equal(state_alerts_put(state, &news, 1, NULL), 0);
}

static void alerts_and_rules_without_survive_a_close_to_the_bit(void **unused)
{
    (void)unused;
    struct state *state = open_state(path);
    struct alert_row rows[2] = {row(LABELS("alertname", "A", "odd", "\xff\n"), 2),
                                row(labels_empty(&arena), 1)};
    uint64_t nan_bits = 0x7ff8000000000123;
    memcpy(&rows[1].value, &nan_bits, sizeof nan_bits);
    rows[1].annotations = labels_empty(&arena);
    put_alerts(state, "g", UINT64_MAX, rows, 2);
    put_alerts(state, "h", 3, NULL, 0);
    state_close(state);
    state = open_state(path);
    expect_alerts(state, "f.yml;g;18446744073709551615\nf.yml;h;3\n",
                  "f.yml;g;18446744073709551615 {}{} 1 7ff8000000000123 5 -9223372036854775808 7 "
                  "9223372036854775807 9\n"
                  "f.yml;g;18446744073709551615 {alertname=\"A\", odd=\"\\xff\\n\"}{a=\"b\"} 2 "
                  "3ff0000000000000 5 -9223372036854775808 7 9223372036854775807 9\n");
    state_close(state);
}

static void an_alert_is_replaced_removed_and_outlives_its_rule(void **unused)
{
    (void)unused;
    struct state *state = open_state(path);
    const struct labels *a = LABELS("i", "1"), *b = LABELS("i", "2");
    struct alert_row rows[2] = {row(a, 1), row(b, 1)};
    put_alerts(state, "g", 1, rows, 2);
    rows[0].state = 2;
    struct alert_rule_news news = {.key = {STR("f.yml"), STR("g"), 1},
                                   .rows = rows,
                                   .row_count = 1,
                                   .gone = &b,
                                   .gone_count = 1,
                                   .forget = true};
    assert_int_equal(state_alerts_put(state, &news, 1, NULL), 0);
    expect_alerts(state, "",
                  "f.yml;g;1 {i=\"1\"}{a=\"b\"} 2 3ff0000000000000 5 -9223372036854775808 7 "
                  "9223372036854775807 9\n");
    state_close(state);
}

static void only_alerts_that_ended_expire(void **unused)
{
    (void)unused;
    struct state *state = open_state(":memory:");
    struct alert_row rows[3] = {row(LABELS("i", "1"), 0), row(LABELS("i", "2"), 0), row(LABELS("i", "3"), 2)};
    rows[1].resolved_ns = 8;
    put_alerts(state, "g", 1, rows, 3);
    assert_int_equal(state_alerts_expire(state, 8, NULL), 0);
    expect_alerts(state, "f.yml;g;1\n",
                  "f.yml;g;1 {i=\"2\"}{a=\"b\"} 0 3ff0000000000000 5 -9223372036854775808 8 "
                  "9223372036854775807 9\n"
                  "f.yml;g;1 {i=\"3\"}{a=\"b\"} 2 3ff0000000000000 5 -9223372036854775808 7 "
                  "9223372036854775807 9\n");
    state_close(state);
}

static void all_of_a_put_is_there_or_nothing(void **unused)
{
    (void)unused;
    struct state *state = open_state(path);
    struct alert_row good = row(LABELS("i", "1"), 1), bad = row(LABELS("i", "2"), 2);
    struct alert_rule_news news[2] = {{.key = {STR("f"), STR("g"), 1}, .rows = &good, .row_count = 1},
                                      {.key = {STR("f"), STR("g"), 2}, .rows = &bad, .row_count = 1}};
    struct err err = {0};
    run_sql("CREATE TRIGGER t BEFORE INSERT ON alert WHEN NEW.state=2 BEGIN SELECT RAISE(ABORT,'no'); END");
    assert_int_equal(state_alerts_put(state, news, 2, &err), ERR_IO);
    assert_string_equal(err.text, "cannot write the state file: no");
    expect_alerts(state, "", "");
    run_sql("DROP TRIGGER t");
    assert_int_equal(state_alerts_put(state, news, 2, &err), 0);
    state_close(state);
}

static void an_alert_that_cannot_be_read_is_stepped_over(void **unused)
{
    (void)unused;
    struct state *state = open_state(path);
    struct alert_row rows[2] = {row(LABELS("i", "1"), 1), row(LABELS("j", "2"), 1)};
    put_alerts(state, "g", 1, rows, 2);
    run_sql("UPDATE alert SET annotations=x'ff' WHERE labels=x'01000000690100000031'");
    expect_alerts(state, "f.yml;g;1\n",
                  "f.yml;g;1 {j=\"2\"}{a=\"b\"} 1 3ff0000000000000 5 -9223372036854775808 7 "
                  "9223372036854775807 9\n");
    state_close(state);
}

static void a_file_of_the_first_version_gets_what_is_new(void **unused)
{
    (void)unused;
    struct state *state = open_state(path);
    put(state, STR("k"), 100, 2, 0);
    state_close(state);
    run_sql(
        "DROP TABLE budget; DROP TABLE budget_epoch; DROP TABLE budget_day; DROP TABLE budget_correction;"
        "DROP TABLE posted; DROP TABLE tick; DROP TABLE imported;"
        "DROP TABLE alert; DROP TABLE alert_rule; DROP TABLE silence; ALTER TABLE nflog DROP COLUMN kept;"
        "ALTER TABLE nflog DROP COLUMN owed; ALTER TABLE nflog DROP COLUMN missed; PRAGMA user_version=1;");
    state = open_state(path);
    expect_log(state, "k 100 110 fffffffffffffffff f1\n");
    struct alert_row one = row(LABELS("i", "1"), 1);
    put_alerts(state, "g", 1, &one, 1);
    expect_alerts(state, "f.yml;g;1\n",
                  "f.yml;g;1 {i=\"1\"}{a=\"b\"} 1 3ff0000000000000 5 -9223372036854775808 7 "
                  "9223372036854775807 9\n");
    state_close(state);
}

static void a_file_of_the_second_or_third_version_gets_silences(void **unused)
{
    (void)unused;
    struct state *state = open_state(path);
    put(state, STR("k"), 100, 2, 0);
    state_close(state);
    for (int version = 2; version <= 3; version++) {
        run_sql(
            "DROP TABLE budget; DROP TABLE budget_epoch; DROP TABLE budget_day; DROP TABLE budget_correction;"
            "DROP TABLE posted; DROP TABLE tick; DROP TABLE imported;");
        run_sql(
            "DROP TABLE silence; ALTER TABLE nflog DROP COLUMN owed; ALTER TABLE nflog DROP COLUMN missed;");
        run_sql(version == 2 ? "ALTER TABLE nflog DROP COLUMN kept; PRAGMA user_version=2;"
                             : "PRAGMA user_version=3;");
        state = open_state(path);
        expect_log(state, "k 100 110 fffffffffffffffff f1\n");
        struct silence_row one = silence_row(&arena, "one", 9);
        assert_int_equal(state_silences_put(state, &one, 1, NULL), 0);
        expect_silences(state, "one a= odd name!~x| -1 9 3 me| {\"why\":\"\"}\n");
        state_close(state);
    }
}

static void a_file_that_is_no_database_is_corrupt(void **unused)
{
    (void)unused;
    write_file("this is not a database, but it is long enough to be looked at as if it were one......", 85);
    struct state *state;
    struct err err = {0};
    assert_int_equal(state_open(path, &state, &err), ERR_CORRUPT);
    assert_null(state);
    assert_true(strlen(err.text) > 0);
}

static void a_file_of_a_newer_version_is_refused(void **unused)
{
    (void)unused;
    state_close(open_state(path));
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 60, SEEK_SET), 0); /* user_version in SQLite's file header */
    assert_int_equal(fwrite("\0\0\0\7", 1, 4, f), 4);
    fclose(f);
    struct state *state;
    struct err err = {0};
    assert_int_equal(state_open(path, &state, &err), ERR_UNSUPPORTED);
    assert_string_equal(err.text,
                        "the state file was written by a newer version (its schema is 7, this one knows 6)");
}

static void a_folder_that_is_not_there_is_an_io_error(void **unused)
{
    (void)unused;
    struct state *state;
    struct err err = {0};
    assert_int_equal(state_open("/tmp/tocsin-no-such-folder/state.db", &state, &err), ERR_IO);
    assert_null(state);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_notification_log_survives_a_close),
        IN_FOLDER(what_is_kept_owed_and_missed_survives_too),
        IN_FOLDER(silences_survive_a_close_and_go_when_they_are_old),
        IN_FOLDER(the_last_word_on_a_key_wins),
        cmocka_unit_test(what_has_expired_goes),
        IN_FOLDER(incidents_and_their_notes_survive_a_close),
        cmocka_unit_test(an_unknown_incident_is_an_error),
        IN_FOLDER(alerts_and_rules_without_survive_a_close_to_the_bit),
        IN_FOLDER(an_alert_is_replaced_removed_and_outlives_its_rule),
        cmocka_unit_test(only_alerts_that_ended_expire),
        IN_FOLDER(all_of_a_put_is_there_or_nothing),
        IN_FOLDER(an_alert_that_cannot_be_read_is_stepped_over),
        IN_FOLDER(a_file_of_the_first_version_gets_what_is_new),
        IN_FOLDER(a_file_of_the_second_or_third_version_gets_silences),
        IN_FOLDER(a_file_that_is_no_database_is_corrupt),
        IN_FOLDER(a_file_of_a_newer_version_is_refused),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_io_error),
    };
    arena_init(&arena, 1 << 20);
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, -1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_release(&arena);
    return failed;
}
