#include "../../engine/route/am_snapshot_priv.h"

#include "tocsin/mem.h"
#include "tocsin/world.h"

#include "am_snapshot.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static struct buf file, out;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 8 << 20);
    buf_init(&file, 1 << 20);
    buf_init(&out, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    buf_release(&file);
    buf_release(&out);
    return 0;
}

static void add_length(size_t n)
{
    for (; n >= 0x80; n >>= 7)
        buf_char(&file, (char)(0x80 | (n & 0x7f)));
    buf_char(&file, (char)n);
}

static void add_message(const ProtobufCMessage *message)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    add_length(n);
    char *at = buf_reserve(&file, n);
    assert_non_null(at);
    buf_commit(&file, protobuf_c_message_pack(message, (uint8_t *)at));
}

static void add_entry(AmSnapshot__Entry *entry, int64_t expires_s)
{
    AmSnapshot__Time expires = AM_SNAPSHOT__TIME__INIT;
    AmSnapshot__MeshEntry mesh = AM_SNAPSHOT__MESH_ENTRY__INIT;
    expires.seconds = expires_s;
    mesh.entry = entry;
    mesh.expires_at = &expires;
    add_message(&mesh.base);
}

static void print_hashes(const uint64_t *hashes, size_t count)
{
    buf_puts(&out, " [");
    for (size_t i = 0; i < count; i++)
        buf_format(&out, "%s%llx", i > 0 ? " " : "", (unsigned long long)hashes[i]);
    buf_puts(&out, "]");
}

static const char *read_nflog(void)
{
    struct nflog_entry *entries;
    size_t count;
    struct err err = {0};
    buf_clear(&out);
    int rc = am_snapshot_nflog(&arena, buf_slice(&file), &entries, &count, &err);
    if (rc != 0) {
        buf_format(&out, "%d %s", rc == ERR_CORRUPT, err.text);
        return buf_text(&out);
    }
    for (size_t i = 0; i < count; i++) {
        const struct nflog_entry *e = &entries[i];
        buf_format(&out, "%.*s %lld %lld", STR_ARG(e->key), (long long)e->sent_ns, (long long)e->expires_ns);
        print_hashes(e->firing, e->firing_count);
        print_hashes(e->resolved, e->resolved_count);
        if (e->kept != NULL) {
            buf_char(&out, ' ');
            labels_print(&out, e->kept);
        }
        buf_char(&out, '\n');
    }
    return buf_text(&out);
}

static AmSnapshot__Receiver receiver = AM_SNAPSHOT__RECEIVER__INIT;
static AmSnapshot__Time sent = AM_SNAPSHOT__TIME__INIT;

static AmSnapshot__Entry an_entry(void)
{
    static char key[] = "{}/{team=\"db\"}:{alertname=\"A\"}";
    AmSnapshot__Entry e = AM_SNAPSHOT__ENTRY__INIT;
    receiver.group_name = "two kinds";
    receiver.integration = "webhook";
    receiver.idx = 1;
    sent.seconds = 1700000000;
    sent.nanos = 5;
    e.group_key = (ProtobufCBinaryData){sizeof key - 1, (uint8_t *)key};
    e.receiver = &receiver;
    e.timestamp = &sent;
    return e;
}

static void an_entry_becomes_a_row(void **state)
{
    (void)state;
    AmSnapshot__Entry e = an_entry();
    uint64_t firing[] = {UINT64_MAX, 1, 0x300}, resolved[] = {7};
    e.firing_alerts = firing;
    e.n_firing_alerts = 3;
    e.resolved_alerts = resolved;
    e.n_resolved_alerts = 1;
    add_entry(&e, 1700000060);
    AmSnapshot__DataValue ts = AM_SNAPSHOT__DATA_VALUE__INIT, number = AM_SNAPSHOT__DATA_VALUE__INIT;
    AmSnapshot__Data one = AM_SNAPSHOT__DATA__INIT, two = AM_SNAPSHOT__DATA__INIT, *data[] = {&one, &two};
    ts.text = "17.5";
    one.key = "threadTs";
    one.value = &ts;
    two.key = "n";
    two.value = &number;
    AmSnapshot__Entry slack = an_entry();
    receiver.integration = "slack";
    receiver.idx = 0;
    slack.receiver_data = data;
    slack.n_receiver_data = 2;
    add_entry(&slack, 1700000060);
    assert_string_equal(
        read_nflog(),
        "{}/{team=\"db\"}:{alertname=\"A\"}:two kinds/webhook/1 1700000000000000005 1700000060000000000 "
        "[ffffffffffffffff 1 300] [7]\n"
        "{}/{team=\"db\"}:{alertname=\"A\"}:two kinds/slack/0 1700000000000000005 1700000060000000000 [] [] "
        "{threadTs=\"17.5\"}\n");
}

static void hashes_may_stand_one_by_one(void **state)
{
    (void)state;
    /* {1: {1: "k", 2: {1: "r"}, 5: {1: 1}, 6: 3, 6: [4, 5], 7: 6}} */
    static const char bytes[] = "\x1a\x0a\x18"
                                "\x0a\x01k"
                                "\x12\x03\x0a\x01r"
                                "\x2a\x02\x08\x01"
                                "\x30\x03"
                                "\x32\x02\x04\x05"
                                "\x38\x06"
                                "\x40\x00";
    buf_add(&file, bytes, sizeof bytes - 3); /* without the last pair */
    file.bytes[0] = (char)(file.used - 1);
    file.bytes[2] = (char)(file.used - 3);
    assert_string_equal(read_nflog(), "k:r//0 1000000000 0 [3 4 5] [6]\n");
}

static void an_empty_file_holds_nothing(void **state)
{
    (void)state;
    assert_string_equal(read_nflog(), "");
}

static void what_is_cut_off_or_no_entry_is_corrupt(void **state)
{
    (void)state;
    AmSnapshot__Entry e = an_entry();
    add_entry(&e, 1);
    add_entry(&e, 1);
    size_t whole = file.used;
    for (size_t n = 1; n < whole; n++) {
        file.used = n;
        assert_string_equal(n == whole / 2 ? "" : read_nflog(),
                            n == whole / 2 ? "" : "1 its last message is cut off");
    }
    file.used = whole;
    file.bytes[whole / 2 + 1] = 0x0d; /* the entry as a number */
    assert_memory_equal(read_nflog(), "1 no message of Alertmanager's at byte ", 39);
    e.receiver = NULL;
    buf_clear(&file);
    add_entry(&e, 1);
    assert_memory_equal(read_nflog(), "1 no message of Alertmanager's at byte ", 39);
}

static const char *read_silences(void)
{
    struct silence_row *rows;
    size_t count, refused;
    struct err err = {0};
    buf_clear(&out);
    int rc = am_snapshot_silences(&arena, buf_slice(&file), &rows, &count, &refused, &err);
    if (rc != 0) {
        buf_format(&out, "%d %s", rc == ERR_CORRUPT, err.text);
        return buf_text(&out);
    }
    for (size_t i = 0; i < count; i++) {
        const struct silence_row *s = &rows[i];
        buf_format(&out, "%.*s", STR_ARG(s->id));
        for (size_t k = 0; k < s->matcher_count; k++)
            buf_format(&out, " %.*s%s%.*s", STR_ARG(s->matchers[k].name), match_op_text(s->matchers[k].op),
                       STR_ARG(s->matchers[k].value));
        buf_format(&out, " %lld-%lld@%lld %.*s|%.*s ", (long long)(s->starts_ns / NS_PER_S),
                   (long long)(s->ends_ns / NS_PER_S), (long long)(s->updated_ns / NS_PER_S),
                   STR_ARG(s->created_by), STR_ARG(s->comment));
        labels_print(&out, s->annotations);
        buf_char(&out, '\n');
    }
    buf_format(&out, "%zu refused", refused);
    return buf_text(&out);
}

static AmSnapshot__Time times[3] = {AM_SNAPSHOT__TIME__INIT, AM_SNAPSHOT__TIME__INIT,
                                    AM_SNAPSHOT__TIME__INIT};
static AmSnapshot__Matcher matchers[4] = {AM_SNAPSHOT__MATCHER__INIT, AM_SNAPSHOT__MATCHER__INIT,
                                          AM_SNAPSHOT__MATCHER__INIT, AM_SNAPSHOT__MATCHER__INIT};
static AmSnapshot__Matcher *all[] = {&matchers[0], &matchers[1], &matchers[2], &matchers[3]};

static AmSnapshot__Silence a_silence(char *id)
{
    AmSnapshot__Silence s = AM_SNAPSHOT__SILENCE__INIT;
    for (int i = 0; i < 4; i++) {
        matchers[i].type = i;
        matchers[i].name = "a";
        matchers[i].pattern = "b|c";
    }
    for (int i = 0; i < 3; i++)
        times[i].seconds = 10 * (i + 1);
    s.id = id;
    s.starts_at = &times[0];
    s.ends_at = &times[1];
    s.updated_at = &times[2];
    s.created_by = "mé";
    s.comment = "work";
    return s;
}

static void add_silence(AmSnapshot__Silence *s)
{
    AmSnapshot__MeshSilence mesh = AM_SNAPSHOT__MESH_SILENCE__INIT;
    mesh.silence = s;
    add_message(&mesh.base);
}

static void silences_of_old_and_of_new_form_become_rows(void **state)
{
    (void)state;
    AmSnapshot__Silence old = a_silence("old"), new = a_silence("new"), oldest = a_silence("oldest");
    old.matchers = all;
    old.n_matchers = 4;
    add_silence(&old);
    AmSnapshot__MatcherSet set = AM_SNAPSHOT__MATCHER_SET__INIT, *sets[] = {&set};
    AmSnapshot__Note note = AM_SNAPSHOT__NOTE__INIT, *notes[] = {&note};
    set.matchers = all;
    set.n_matchers = 2;
    note.key = "ticket";
    note.value = "7";
    new.matchers = all; /* the same again, for older ones */
    new.n_matchers = 2;
    new.matcher_sets = sets;
    new.n_matcher_sets = 1;
    new.annotations = notes;
    new.n_annotations = 1;
    add_silence(&new);
    AmSnapshot__Comment comment = AM_SNAPSHOT__COMMENT__INIT, *comments[] = {&comment};
    comment.author = "her";
    comment.comment = "long ago";
    oldest.matchers = all;
    oldest.n_matchers = 1;
    oldest.created_by = oldest.comment = "";
    oldest.comments = comments;
    oldest.n_comments = 1;
    add_silence(&oldest);
    assert_string_equal(read_silences(), "old a=b|c a=~b|c a!=b|c a!~b|c 10-20@30 mé|work {}\n"
                                         "new a=b|c a=~b|c 10-20@30 mé|work {ticket=\"7\"}\n"
                                         "oldest a=b|c 10-20@30 her|long ago {}\n"
                                         "0 refused");
}

static void a_silence_that_would_mute_more_is_refused(void **state)
{
    (void)state;
    AmSnapshot__MatcherSet set = AM_SNAPSHOT__MATCHER_SET__INIT, *sets[] = {&set, &set};
    set.matchers = all;
    set.n_matchers = 1;
    AmSnapshot__Silence none = a_silence("none"), two = a_silence("two"), some = a_silence("some");
    add_silence(&none);
    two.matcher_sets = sets;
    two.n_matcher_sets = 2;
    add_silence(&two);
    some.matcher_sets = some.receiver_matcher_sets = sets;
    some.n_matcher_sets = some.n_receiver_matcher_sets = 1;
    add_silence(&some);
    assert_string_equal(read_silences(), "3 refused");
}

static void an_unknown_operator_or_a_text_that_is_none_is_corrupt(void **state)
{
    (void)state;
    AmSnapshot__Silence s = a_silence("x");
    s.matchers = all;
    s.n_matchers = 1;
    matchers[0].type = 4;
    add_silence(&s);
    assert_memory_equal(read_silences(), "1 no message of Alertmanager's at byte ", 39);
    buf_clear(&file);
    matchers[0].type = 0;
    s.comment = "\xff";
    add_silence(&s);
    assert_memory_equal(read_silences(), "1 no message of Alertmanager's at byte ", 39);
}

static void a_time_beyond_all_bounds_is_for_ever(void **state)
{
    (void)state;
    AmSnapshot__Silence s = a_silence("x");
    s.matchers = all;
    s.n_matchers = 1;
    times[1].seconds = INT64_MAX;
    times[0].seconds = -62135596800; /* year 1: a time that was never set */
    add_silence(&s);
    assert_string_equal(read_silences(), "x a=b|c -9223372035-9223372035@30 mé|work {}\n0 refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_entry_becomes_a_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hashes_may_stand_one_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_file_holds_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_cut_off_or_no_entry_is_corrupt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silences_of_old_and_of_new_form_become_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_silence_that_would_mute_more_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_operator_or_a_text_that_is_none_is_corrupt, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_time_beyond_all_bounds_is_for_ever, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
