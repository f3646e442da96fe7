#include "../../engine/store/frame_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <stdlib.h>

enum { RECORDS = 5 };
static const char *const RECORD[RECORDS] = {"first", "", "the third is longer than the others: 0123456789",
                                            "TcR1TcR1", "last"};
static const uint64_t SALT = 0x1122334455667788u;

static void put_head(struct buf *file, uint64_t salt)
{
    buf_init(file, 1 << 24);
    frame_put_file(file, &(struct frame_file){'w', 17, salt});
}

/* A file of five records; ends[i]: where the i-th ends. */
static void make_file(struct buf *file, size_t *ends)
{
    put_head(file, SALT);
    for (int i = 0; i < RECORDS; i++) {
        frame_put(file, SALT, file->used, str_of(RECORD[i]));
        ends[i] = file->used;
    }
}

struct walked {
    bool found[RECORDS];
    int records, damages;
    uint64_t skipped;
};

/* Walks; every record must be one that was put, in order. */
static struct walked walk(struct str bytes)
{
    struct walked all = {0};
    struct frame_walk w = {.bytes = bytes, .file = {'w', 17, SALT}};
    struct str record;
    uint64_t skipped, before = FRAME_FILE_HEAD_BYTES;
    enum frame_step step;
    int next = 0;
    while ((step = frame_next(&w, &record, &skipped)) != FRAME_END) {
        assert_true(w.at > before && w.at <= bytes.n);
        before = w.at;
        if (step == FRAME_DAMAGE) {
            all.damages++;
            all.skipped += skipped;
            continue;
        }
        while (next < RECORDS && !str_is(record, RECORD[next]))
            next++;
        assert_true(next < RECORDS);
        all.found[next++] = true;
        all.records++;
    }
    assert_int_equal(frame_next(&w, &record, &skipped), FRAME_END);
    return all;
}

static void what_is_framed_is_found(void **state)
{
    (void)state;
    struct buf file;
    struct frame_file head;
    size_t ends[RECORDS];
    make_file(&file, ends);
    assert_true(frame_take_file(buf_slice(&file), 'w', &head));
    assert_int_equal(head.number, 17);
    assert_true(head.salt == SALT);
    assert_false(frame_take_file(buf_slice(&file), 's', &head));
    struct walked all = walk(buf_slice(&file));
    assert_int_equal(all.records, RECORDS);
    assert_int_equal(all.damages, 0);
    buf_repeat(&file, '\0', 1000); /* the unused end of a file that was written in advance */
    all = walk(buf_slice(&file));
    assert_int_equal(all.records, RECORDS);
    assert_int_equal(all.damages, 0);
    buf_release(&file);
}

static void a_cut_file_gives_what_is_whole(void **state)
{
    (void)state;
    struct buf file;
    struct frame_file head;
    size_t ends[RECORDS];
    make_file(&file, ends);
    for (size_t n = 0; n <= file.used; n++) {
        char *cut = malloc(n); /* of its own, so that a step beyond it is seen */
        memcpy(cut, file.bytes, n);
        int whole = 0;
        while (whole < RECORDS && ends[whole] <= n)
            whole++;
        size_t rest = n - (whole > 0 ? ends[whole - 1] : FRAME_FILE_HEAD_BYTES);
        assert_int_equal(frame_take_file((struct str){cut, n}, 'w', &head), n >= FRAME_FILE_HEAD_BYTES);
        if (n >= FRAME_FILE_HEAD_BYTES) {
            struct walked all = walk((struct str){cut, n});
            assert_int_equal(all.records, whole);
            assert_int_equal(all.damages, rest > 0);
            assert_int_equal(all.skipped, rest);
        }
        free(cut);
    }
    buf_release(&file);
}

static void a_flipped_byte_costs_one_record(void **state)
{
    (void)state;
    struct buf file;
    struct frame_file head;
    size_t ends[RECORDS];
    make_file(&file, ends);
    buf_repeat(&file, '\0', 100);
    for (size_t at = 0; at < ends[RECORDS - 1]; at++)
        for (int bit = 0; bit < 8; bit++) {
            file.bytes[at] = (char)(file.bytes[at] ^ 1 << bit);
            int hit = 0;
            while (ends[hit] <= at)
                hit++;
            struct walked all = walk(buf_slice(&file));
            bool in_head = at < FRAME_FILE_HEAD_BYTES;
            assert_int_equal(frame_take_file(buf_slice(&file), 'w', &head), !in_head);
            assert_int_equal(all.records, in_head ? RECORDS : RECORDS - 1);
            assert_int_equal(all.damages, !in_head);
            assert_true(in_head || !all.found[hit]);
            file.bytes[at] = (char)(file.bytes[at] ^ 1 << bit);
        }
    buf_release(&file);
}

static void damage_to_any_stretch_spares_the_rest(void **state)
{
    (void)state;
    struct buf file;
    size_t ends[RECORDS];
    make_file(&file, ends);
    char *kept = malloc(file.used);
    memcpy(kept, file.bytes, file.used);
    for (size_t from = FRAME_FILE_HEAD_BYTES; from < file.used; from++)
        for (size_t to = from + 1; to <= file.used; to++) {
            memset(file.bytes + from, 'x', to - from);
            struct walked all = walk(buf_slice(&file));
            for (int i = 0; i < RECORDS; i++) {
                size_t begin = i > 0 ? ends[i - 1] : FRAME_FILE_HEAD_BYTES;
                bool whole = ends[i] <= from || begin >= to;
                if (memcmp(file.bytes + begin, kept + begin, ends[i] - begin) == 0)
                    whole = true; /* the record held an x there */
                assert_int_equal(all.found[i], whole);
            }
            memcpy(file.bytes, kept, file.used);
        }
    free(kept);
    buf_release(&file);
}

static void leftovers_of_an_earlier_life_are_not_content(void **state)
{
    (void)state;
    struct buf file, old;
    size_t ends[RECORDS];
    make_file(&file, ends);
    put_head(&old, 99);
    for (int i = 0; i < 40; i++)
        frame_put(&old, 99, old.used, STR("old content"));
    size_t used = file.used;
    buf_add(&file, old.bytes + used, old.used - used); /* in the middle of an old frame, most likely */
    struct walked all = walk(buf_slice(&file));
    assert_int_equal(all.records, RECORDS);
    assert_int_equal(all.damages, 0);

    /* an old frame that begins right where ours end, and frames of ours at another place */
    buf_truncate(&file, used);
    frame_put(&file, 99, file.used, STR("old content"));
    frame_put(&file, SALT, used, str_of(RECORD[0]));
    all = walk(buf_slice(&file));
    assert_int_equal(all.records, RECORDS);
    assert_int_equal(all.damages, 0);
    buf_release(&file);
    buf_release(&old);
}

static void frames_say_what_went_along(void **state)
{
    (void)state;
    struct buf file;
    struct str record;
    uint64_t skipped;
    put_head(&file, SALT);
    for (int i = 0; i < 3; i++) {
        size_t at = file.used;
        buf_repeat(&file, 'r', FRAME_HEAD_BYTES + 10);
        frame_seal(file.bytes + at, SALT, at, 10, i == 1);
    }
    struct frame_walk w = {.bytes = buf_slice(&file), .file = {'w', 17, SALT}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(frame_next(&w, &record, &skipped), FRAME_RECORD);
        assert_true(str_is(record, "rrrrrrrrrr"));
        assert_int_equal(w.along, i == 1);
    }
    buf_release(&file);
}

/* Heads that look right and claim the rest of the file: hashing each would take the square of its length. */
static void a_hostile_file_costs_little_more_than_its_length(void **state)
{
    (void)state;
    struct buf file;
    struct str record;
    uint64_t skipped;
    put_head(&file, SALT);
    enum { BYTES = 1 << 20 };
    while (file.used < BYTES) {
        char frame[FRAME_HEAD_BYTES + 1] = {0};
        size_t at = file.used;
        frame_seal(frame, SALT, at, 1, false);
        uint32_t length = (uint32_t)(BYTES - at - FRAME_HEAD_BYTES);
        memcpy(frame + 4, &length, sizeof length);
        buf_add(&file, frame, FRAME_HEAD_BYTES);
    }
    struct frame_walk w = {.bytes = buf_slice(&file), .file = {'w', 17, SALT}};
    assert_int_equal(frame_next(&w, &record, &skipped), FRAME_DAMAGE);
    assert_int_equal(skipped, file.used - FRAME_FILE_HEAD_BYTES);
    assert_int_equal(frame_next(&w, &record, &skipped), FRAME_END);
    assert_true(w.wasted < 67 * (uint64_t)file.used);
    buf_release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_framed_is_found),
        cmocka_unit_test(a_cut_file_gives_what_is_whole),
        cmocka_unit_test(a_flipped_byte_costs_one_record),
        cmocka_unit_test(damage_to_any_stretch_spares_the_rest),
        cmocka_unit_test(leftovers_of_an_earlier_life_are_not_content),
        cmocka_unit_test(frames_say_what_went_along),
        cmocka_unit_test(a_hostile_file_costs_little_more_than_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
