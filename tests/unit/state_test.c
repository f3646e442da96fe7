#include "tocsin/state.h"

#include "tocsin/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

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

static void print_entry(void *context, const struct nflog_entry *e)
{
    struct buf *out = context;
    buf_format(out, "%.*s %lld %lld", STR_ARG(e->key), (long long)e->sent_ns, (long long)e->expires_ns);
    for (size_t i = 0; i < e->firing_count; i++)
        buf_format(out, " f%llx", (unsigned long long)e->firing[i]);
    for (size_t i = 0; i < e->resolved_count; i++)
        buf_format(out, " r%llx", (unsigned long long)e->resolved[i]);
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
                        "the state file was written by a newer version (its schema is 7, this one knows 2)");
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
        IN_FOLDER(the_last_word_on_a_key_wins),
        cmocka_unit_test(what_has_expired_goes),
        IN_FOLDER(incidents_and_their_notes_survive_a_close),
        cmocka_unit_test(an_unknown_incident_is_an_error),
        IN_FOLDER(a_file_that_is_no_database_is_corrupt),
        IN_FOLDER(a_file_of_a_newer_version_is_refused),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_io_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
