#include "../sim/sim_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct sim_disk *disk;
static struct world_sim sim;
static struct world *w;

static int begin(void **state)
{
    (void)state;
    disk = sim_disk_open();
    world_sim_init(&sim, 0, 1);
    w = &sim.world;
    sim_disk_install(disk, w);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sim_disk_close(disk);
    return 0;
}

static struct file *create(const char *path, const char *content)
{
    struct file *f;
    assert_int_equal(w->file_open(w, path, FILE_CREATE, &f, NULL), 0);
    assert_int_equal(w->file_write(w, f, 0, str_of(content), NULL), 0);
    return f;
}

/* The content; NULL if there is no such file. Kept until the next call. */
static const char *content_of(const char *path)
{
    static char text[8192];
    struct buf b;
    buf_init(&b, sizeof text - 1);
    int rc = w->read_file(w, path, &b, NULL);
    assert_true(rc == 0 || rc == ERR_NOT_FOUND);
    memcpy(text, buf_text(&b), b.used + 1);
    buf_release(&b);
    return rc == 0 ? text : NULL;
}

/* ---- as long as nothing fails ---- */

static void it_behaves_as_a_disk(void **state)
{
    (void)state;
    struct file *f = create("a", "0123456789");
    struct err err = {0};
    char got[4];
    size_t n;
    int64_t bytes;
    assert_int_equal(w->file_write(w, f, 3, STR("abc"), NULL), 0);
    assert_int_equal(w->file_write(w, f, 12, STR("far"), NULL), 0);
    assert_int_equal(w->file_read(w, f, 3, got, sizeof got, &n, NULL), 0);
    assert_int_equal(n, 4);
    assert_memory_equal(got, "abc6", 4);
    assert_int_equal(w->file_read(w, f, 14, got, sizeof got, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(w->file_size(w, f, &bytes, NULL), 0);
    assert_int_equal(bytes, 15);
    w->file_close(w, f);
    assert_int_equal(w->file_open(w, "none", FILE_READ, &f, &err), ERR_NOT_FOUND);
    assert_string_equal(err.text, "open none: no such file or directory");
    assert_int_equal(w->file_open(w, "none", FILE_WRITE, &f, NULL), ERR_NOT_FOUND);
    assert_int_equal(w->file_open(w, "no/folder", FILE_CREATE, &f, NULL), ERR_NOT_FOUND);
    assert_int_equal(w->file_open(w, "a", FILE_READ, &f, NULL), 0);
    assert_int_equal(w->file_write(w, f, 0, STR("x"), NULL), ERR_IO);
    w->file_close(w, f);
    assert_int_equal(w->rename_file(w, "a", "b", NULL), 0);
    assert_null(content_of("a"));
    assert_string_equal(content_of("b"), "012abc6789");
    assert_int_equal(w->remove_file(w, "b", NULL), 0);
    assert_int_equal(w->remove_file(w, "b", NULL), ERR_NOT_FOUND);
    assert_int_equal(w->rename_file(w, "b", "c", NULL), ERR_NOT_FOUND);
}

static void note(void *context, const char *path)
{
    buf_format(context, "%s ", path);
}

static void it_has_folders_and_patterns(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(w->make_folder(w, "data", NULL), 0);
    assert_int_equal(w->make_folder(w, "data", NULL), 0);
    assert_int_equal(w->make_folder(w, "data/wal", NULL), 0);
    assert_int_equal(w->make_folder(w, "no/wal", NULL), ERR_NOT_FOUND);
    assert_int_equal(w->write_file(w, "data/wal/2", STR("two"), NULL), 0);
    assert_int_equal(w->write_file(w, "data/wal/1", STR("one"), NULL), 0);
    assert_int_equal(w->make_folder(w, "data/wal/1", NULL), ERR_IO);
    assert_int_equal(w->glob(w, "data/wal/*", note, &b, NULL), 0);
    assert_string_equal(buf_text(&b), "data/wal/1 data/wal/2 ");
    buf_clear(&b);
    assert_int_equal(w->glob(w, "data/*", note, &b, NULL), 0);
    assert_string_equal(buf_text(&b), "data/wal ");
    assert_string_equal(content_of("data/wal/2"), "two");
    buf_release(&b);
}

static void a_full_disk_takes_a_part(void **state)
{
    (void)state;
    struct err err = {0};
    sim_disk_limit(disk, 10);
    struct file *f = create("a", "0123456"), *g = create("b", "");
    assert_int_equal(w->file_write(w, g, 0, STR("01234"), &err), ERR_FULL);
    assert_string_equal(err.text, "write b: no space left on device");
    assert_int_equal(w->file_write(w, f, 2, STR("xy"), NULL), 0); /* what is there can be written over */
    assert_string_equal(content_of("b"), "012");
    w->file_close(w, f);
    w->file_close(w, g);
    assert_int_equal(w->remove_file(w, "a", NULL), 0);
    assert_int_equal(w->write_file(w, "b", STR("01234"), NULL), 0);
}

/* ---- power cuts ---- */

enum { SEEDS = 400 };

static void what_was_synced_survives(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct file *f = create("a", "synced");
        assert_int_equal(w->file_sync(w, f, NULL), 0);
        assert_int_equal(w->sync_folder(w, ".", NULL), 0);
        sim_disk_crash(disk, seed);
        assert_int_equal(w->file_write(w, f, 0, STR("x"), NULL), ERR_IO); /* it was open before */
        w->file_close(w, f);
        assert_string_equal(content_of("a"), "synced");
        assert_int_equal(w->write_file(w, "b", STR("whole"), NULL), 0);
        sim_disk_crash(disk, seed);
        assert_string_equal(content_of("b"), "whole");
    }
}

/* Four sectors in three writes; each sector is seen with each of its versions, all combinations that matter. */
static void sectors_survive_each_on_its_own(void **state)
{
    (void)state;
    bool seen[3][3] = {{false}}, short_file = false;
    char block[1536];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct file *f = create("a", "");
        for (char c = 'a'; c <= 'c'; c++) {
            memset(block, c, sizeof block);
            w->file_write(w, f, 0, (struct str){block, sizeof block}, NULL);
            if (c == 'a') {
                w->file_sync(w, f, NULL);
                w->sync_folder(w, ".", NULL);
            }
        }
        w->file_write(w, f, 1536, STR("longer"), NULL);
        w->file_close(w, f);
        sim_disk_crash(disk, seed);
        const char *now = content_of("a");
        short_file |= strlen(now) == 1536;
        for (int i = 0; i < 1536; i++)
            assert_true(now[i] >= 'a' && now[i] <= 'c' && now[i] == now[i / 512 * 512]);
        seen[now[0] - 'a'][now[512] - 'a'] = true;
    }
    assert_true(short_file);
    for (int i = 0; i < 9; i++)
        assert_true(seen[i / 3][i % 3]);
}

static void names_survive_each_on_their_own(void **state)
{
    (void)state;
    int kept[2][2] = {{0}}, old = 0, both = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        w->file_close(w, create("a", ""));
        w->file_close(w, create("b", ""));
        w->write_file(w, "new", STR("1"), NULL);
        w->write_file(w, "to", STR("2"), NULL);
        w->remove_file(w, "a", NULL);
        w->remove_file(w, "b", NULL);
        w->rename_file(w, "new", "to", NULL);
        sim_disk_crash(disk, seed);
        kept[content_of("a") != NULL][content_of("b") != NULL]++;
        bool is_old = strcmp(content_of("to"), "2") == 0;
        old += is_old;
        both += (content_of("new") != NULL) != is_old; /* a rename is whole or not at all */
        w->remove_file(w, "a", NULL);
        w->remove_file(w, "b", NULL);
        w->sync_folder(w, ".", NULL);
    }
    for (int i = 0; i < 4; i++)
        assert_true(kept[i / 2][i % 2] > 0);
    assert_true(old > 0 && old < SEEDS);
    assert_int_equal(both, 0);
}

static void a_folder_that_is_lost_takes_its_files_along(void **state)
{
    (void)state;
    int lost = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        char path[32];
        snprintf(path, sizeof path, "f%d", (int)seed);
        assert_int_equal(w->make_folder(w, path, NULL), 0);
        snprintf(path, sizeof path, "f%d/a", (int)seed);
        assert_int_equal(w->write_file(w, path, STR("x"), NULL), 0);
        sim_disk_crash(disk, seed);
        lost += content_of(path) == NULL;
    }
    assert_true(lost > 0 && lost < 50);
}

/* ---- faults ---- */

static void calls_fail_once_or_from_then_on(void **state)
{
    (void)state;
    struct err err = {0};
    struct file *f = create("a", "0"), *g;
    sim_disk_fail(disk, SIM_DISK_WRITE, 2, ERR_FULL, false);
    assert_int_equal(w->file_write(w, f, 0, STR("12"), NULL), 0);
    assert_int_equal(w->file_write(w, f, 0, STR("34"), &err), ERR_FULL);
    assert_string_equal(content_of("a"), "32"); /* a part of it */
    assert_int_equal(w->file_write(w, f, 0, STR("56"), NULL), 0);
    sim_disk_fail(disk, SIM_DISK_OPEN, 1, ERR_IO, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(w->file_open(w, "a", FILE_READ, &g, &err), ERR_IO);
    assert_string_equal(err.text, "open a: input/output error");
    sim_disk_fail(disk, SIM_DISK_NAME, 1, ERR_IO, false);
    assert_int_equal(w->rename_file(w, "a", "b", NULL), ERR_IO);
    sim_disk_heal(disk);
    assert_string_equal(content_of("a"), "56");
    assert_int_equal(sim_disk_calls(disk, SIM_DISK_WRITE), 4);
    w->file_close(w, f);
}

static void a_failed_sync_is_not_made_good_by_the_next(void **state)
{
    (void)state;
    int lost = 0, kept = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        w->write_file(w, "a", STR("old"), NULL);
        struct file *f;
        w->file_open(w, "a", FILE_WRITE, &f, NULL);
        w->file_write(w, f, 0, STR("new"), NULL);
        sim_disk_fail(disk, SIM_DISK_SYNC, 1, ERR_IO, false);
        assert_int_equal(w->file_sync(w, f, NULL), ERR_IO);
        if (seed % 2 == 0)
            assert_int_equal(w->file_sync(w, f, NULL), 0);
        w->file_close(w, f);
        sim_disk_crash(disk, seed);
        bool is_old = strcmp(content_of("a"), "old") == 0;
        assert_true(is_old || seed % 2 != 0);
        lost += is_old;
        kept += !is_old;
    }
    assert_true(lost > 25 && kept > 0);
}

/* Whatever the moment of the cut: a file that is replaced is the old or the new one. */
static void after_a_cut_nothing_goes_until_it_is_lifted(void **state)
{
    (void)state;
    int old = 0, new = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        assert_int_equal(w->write_file(w, "a", STR("old"), NULL), 0);
        sim_disk_cut(disk, seed % 6);
        int rc = w->write_file(w, "a", STR("new"), NULL);
        assert_int_equal(rc, seed % 6 == 5 ? 0 : ERR_IO);
        sim_disk_cut(disk, 0);
        w->remove_file(w, "a", NULL); /* as the power goes */
        assert_int_equal(w->make_folder(w, "late", NULL), ERR_IO);
        sim_disk_heal(disk);
        w->file_close(w, create("b", ""));
        sim_disk_crash(disk, seed);
        const char *now = content_of("a");
        assert_int_equal(w->glob(w, "late", NULL, NULL, NULL), 0);
        if (now == NULL)
            continue;
        old += strcmp(now, "old") == 0;
        new += strcmp(now, "new") == 0;
        assert_true(strcmp(now, "old") == 0 || strcmp(now, "new") == 0);
        assert_true(rc != 0 || strcmp(now, "new") == 0);
    }
    assert_true(old > 0 && new > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_behaves_as_a_disk, begin, end),
        cmocka_unit_test_setup_teardown(it_has_folders_and_patterns, begin, end),
        cmocka_unit_test_setup_teardown(a_full_disk_takes_a_part, begin, end),
        cmocka_unit_test_setup_teardown(what_was_synced_survives, begin, end),
        cmocka_unit_test_setup_teardown(sectors_survive_each_on_its_own, begin, end),
        cmocka_unit_test_setup_teardown(names_survive_each_on_their_own, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_that_is_lost_takes_its_files_along, begin, end),
        cmocka_unit_test_setup_teardown(calls_fail_once_or_from_then_on, begin, end),
        cmocka_unit_test_setup_teardown(a_failed_sync_is_not_made_good_by_the_next, begin, end),
        cmocka_unit_test_setup_teardown(after_a_cut_nothing_goes_until_it_is_lifted, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
