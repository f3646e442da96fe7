#include "tocsin/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/tocsin-world-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void clocks_run_and_random_bits_differ(void **state)
{
    (void)state;
    struct world *w = world_real();
    int64_t mono = w->mono_ns(w);
    assert_true(w->wall_ns(w) > INT64_C(1700000000) * NS_PER_S);
    assert_true(w->mono_ns(w) >= mono);
    assert_true(w->random(w) != w->random(w));
    assert_true(world_now_ms(w) > INT64_C(1700000000000));
    assert_null(w->send);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct world *w = world_real();
    struct buf b;
    assert_non_null(mkdtemp(folder));
    buf_init(&b, 100);
    assert_int_equal(w->write_file(w, in_folder("a"), STR("one\0two"), NULL), 0);
    assert_int_equal(w->read_file(w, in_folder("a"), &b, NULL), 0);
    assert_true(str_eq(buf_slice(&b), STR("one\0two")));
    assert_int_equal(w->write_file(w, in_folder("a"), STR("new"), NULL), 0);
    buf_clear(&b);
    w->read_file(w, in_folder("a"), &b, NULL);
    assert_string_equal(buf_text(&b), "new");
    assert_int_not_equal(access(in_folder("a.tmp"), F_OK), 0);
    buf_release(&b);
}

static void assert_refused(struct world *w, const char *path, size_t max_bytes, int code, const char *why)
{
    struct buf b;
    struct err err = {0};
    buf_init(&b, max_bytes);
    assert_int_equal(w->read_file(w, path, &b, &err), code);
    assert_non_null(strstr(err.text, why));
    assert_non_null(strstr(err.text, path));
    buf_release(&b);
}

static void reading_fails_as_go_words_it(void **state)
{
    (void)state;
    struct world *w = world_real();
    assert_refused(w, in_folder("none"), 10, ERR_NOT_FOUND, ": no such file or directory");
    assert_refused(w, folder, 10, ERR_IO, ": is a directory");
    assert_refused(w, in_folder("a"), 2, ERR_LIMIT, "larger than 2 bytes");
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_refused(w, in_folder("pipe"), 10, ERR_IO, "not a regular file");
    unlink(in_folder("pipe"));
    struct buf b;
    buf_init(&b, 10);
    assert_int_equal(w->read_file(w, "/dev/null", &b, NULL), 0);
    assert_int_equal(b.used, 0);
    struct err err = {0};
    assert_int_equal(w->write_file(w, "/nowhere/x", STR("a"), &err), ERR_NOT_FOUND);
    assert_string_equal(err.text, "open /nowhere/x: no such file or directory");
    buf_release(&b);
}

static void assert_content(struct world *w, const char *name, const char *content)
{
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(w->read_file(w, in_folder(name), &b, NULL), 0);
    assert_string_equal(buf_text(&b), content);
    buf_release(&b);
}

static void an_open_file_is_written_and_read_in_place(void **state)
{
    (void)state;
    struct world *w = world_real();
    struct file *f;
    struct stat st;
    char got[8];
    size_t n;
    int64_t bytes;
    assert_int_equal(w->file_open(w, in_folder("f"), FILE_CREATE, &f, NULL), 0);
    assert_int_equal(w->file_write(w, f, 0, STR("0123456789"), NULL), 0);
    assert_int_equal(w->file_write(w, f, 3, STR("abc"), NULL), 0);
    assert_int_equal(w->file_sync(w, f, NULL), 0);
    assert_int_equal(w->file_size(w, f, &bytes, NULL), 0);
    assert_int_equal(bytes, 10);
    w->file_close(w, f);
    assert_content(w, "f", "012abc6789");
    assert_int_equal(stat(in_folder("f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    assert_int_equal(w->file_open(w, in_folder("f"), FILE_WRITE, &f, NULL), 0);
    assert_int_equal(w->file_write(w, f, 0, STR("X"), NULL), 0);
    w->file_close(w, f);
    assert_int_equal(w->file_open(w, in_folder("f"), FILE_READ, &f, NULL), 0);
    assert_int_equal(w->file_read(w, f, 7, got, sizeof got, &n, NULL), 0);
    assert_int_equal(n, 3);
    assert_memory_equal(got, "789", 3);
    assert_int_equal(w->file_read(w, f, 100, got, sizeof got, &n, NULL), 0);
    assert_int_equal(n, 0);
    assert_int_equal(w->file_write(w, f, 0, STR("Y"), NULL), ERR_IO);
    w->file_close(w, f);
    assert_content(w, "f", "X12abc6789");
    assert_int_equal(w->file_open(w, in_folder("f"), FILE_CREATE, &f, NULL), 0);
    w->file_close(w, f);
    assert_content(w, "f", "");
}

static void an_owned_file_is_nobody_elses_until_it_is_closed(void **state)
{
    (void)state;
    struct world *w = world_real();
    struct file *f, *other;
    struct err err;
    assert_int_equal(w->write_file(w, in_folder("own"), STR("content"), NULL), 0);
    assert_int_equal(w->file_open(w, in_folder("own"), FILE_OWN, &f, NULL), 0);
    assert_content(w, "own", "content");
    assert_int_equal(w->file_open(w, in_folder("own"), FILE_OWN, &other, &err), ERR_FULL);
    assert_non_null(strstr(err.text, "/own: in use by another process"));
    w->file_close(w, f);
    assert_int_equal(w->file_open(w, in_folder("own"), FILE_OWN, &f, NULL), 0);
    assert_int_equal(w->remove_file(w, in_folder("own"), NULL), 0);
    w->file_close(w, f);
    assert_int_equal(w->file_open(w, in_folder("own"), FILE_OWN, &f, NULL), 0);
    assert_int_equal(w->remove_file(w, in_folder("own"), NULL), 0);
    w->file_close(w, f);
}

static void files_are_renamed_and_removed(void **state)
{
    (void)state;
    struct world *w = world_real();
    char from[128];
    snprintf(from, sizeof from, "%s", in_folder("from"));
    w->write_file(w, from, STR("content"), NULL);
    w->write_file(w, in_folder("to"), STR("older"), NULL);
    assert_int_equal(w->rename_file(w, from, in_folder("to"), NULL), 0);
    assert_content(w, "to", "content");
    assert_int_equal(w->sync_folder(w, folder, NULL), 0);
    assert_int_equal(w->remove_file(w, in_folder("to"), NULL), 0);
    assert_int_equal(w->remove_file(w, in_folder("to"), NULL), ERR_NOT_FOUND);
    assert_int_equal(w->rename_file(w, from, in_folder("to"), NULL), ERR_NOT_FOUND);
    assert_int_equal(w->sync_folder(w, in_folder("to"), NULL), ERR_NOT_FOUND);
}

static void what_cannot_be_opened_says_why(void **state)
{
    (void)state;
    struct world *w = world_real();
    struct file *f;
    struct err err = {0};
    assert_int_equal(w->file_open(w, in_folder("none"), FILE_READ, &f, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, ": no such file or directory"));
    assert_int_equal(w->file_open(w, in_folder("none"), FILE_WRITE, &f, NULL), ERR_NOT_FOUND);
    assert_int_equal(w->file_open(w, folder, FILE_CREATE, &f, &err), ERR_IO);
    assert_non_null(strstr(err.text, ": is a directory"));
    assert_int_equal(symlink("/etc/passwd", in_folder("link")), 0);
    assert_int_equal(w->file_open(w, in_folder("link"), FILE_CREATE, &f, &err), ERR_IO);
    assert_non_null(strstr(err.text, "open "));
    unlink(in_folder("link"));
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_int_equal(w->file_open(w, in_folder("pipe"), FILE_CREATE, &f, &err), ERR_IO);
    unlink(in_folder("pipe"));
    /* a disk without room, for everyone and always */
    assert_int_equal(w->file_open(w, "/dev/full", FILE_WRITE, &f, NULL), 0);
    assert_int_equal(w->file_write(w, f, 0, STR("x"), &err), ERR_FULL);
    assert_string_equal(err.text, "write /dev/full: no space left on device");
    w->file_close(w, f);
}

static void note(void *context, const char *path)
{
    struct buf *b = context;
    buf_format(b, "%s ", strrchr(path, '/') + 1);
}

static void patterns_find_files_in_byte_order(void **state)
{
    (void)state;
    struct world *w = world_real();
    static const char *const names[] = {"b.yml", "B.yml", "c.txt", ".d.yml"};
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 4; i++)
        w->write_file(w, in_folder(names[i]), STR(""), NULL);
    assert_int_equal(w->glob(w, in_folder("*.yml"), note, &b, NULL), 0);
    assert_string_equal(buf_text(&b), ".d.yml B.yml b.yml ");
    buf_clear(&b);
    assert_int_equal(w->glob(w, in_folder("*"), note, &b, NULL), 0);
    assert_string_equal(buf_text(&b), ".d.yml B.yml a b.yml c.txt f ");
    buf_clear(&b);
    assert_int_equal(w->glob(w, in_folder("*.none"), note, &b, NULL), 0);
    assert_int_equal(w->glob(w, in_folder("c.txt"), note, &b, NULL), 0);
    assert_string_equal(buf_text(&b), "c.txt ");
    buf_release(&b);
}

static void a_simulated_world_stands_still_and_reads_only(void **state)
{
    (void)state;
    struct world_sim one, two;
    world_sim_init(&one, 5, 42);
    world_sim_init(&two, 5, 42);
    assert_int_equal(one.world.wall_ns(&one.world), 5);
    one.now_ns += NS_PER_S;
    assert_int_equal(one.world.mono_ns(&one.world), 5 + NS_PER_S);
    for (int i = 0; i < 5; i++)
        assert_true(one.world.random(&one.world) == two.world.random(&two.world));
    world_sim_init(&two, 5, 43);
    assert_true(one.world.random(&one.world) != two.world.random(&two.world));
    struct err err = {0};
    assert_int_equal(one.world.write_file(&one.world, in_folder("x"), STR(""), &err), ERR_IO);
    assert_non_null(strstr(err.text, "read-only file system"));
    struct file *f;
    assert_int_equal(one.world.file_open(&one.world, in_folder("a"), FILE_WRITE, &f, &err), ERR_IO);
    assert_int_equal(one.world.file_open(&one.world, in_folder("x"), FILE_CREATE, &f, &err), ERR_IO);
    assert_non_null(strstr(err.text, "read-only file system"));
    assert_int_equal(one.world.rename_file(&one.world, in_folder("a"), in_folder("x"), &err), ERR_IO);
    assert_int_equal(one.world.remove_file(&one.world, in_folder("a"), &err), ERR_IO);
    assert_int_equal(one.world.sync_folder(&one.world, folder, &err), ERR_IO);
    assert_int_equal(one.world.file_open(&one.world, in_folder("a"), FILE_READ, &f, &err), 0);
    one.world.file_close(&one.world, f);
    assert_content(&one.world, "a", "new");
    assert_null(one.world.send);
}

static void remove_found(void *context, const char *path)
{
    (void)context;
    unlink(path);
}

static void nothing_is_left_behind(void **state)
{
    (void)state;
    struct world *w = world_real();
    w->glob(w, in_folder("*"), remove_found, NULL, NULL);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_run_and_random_bits_differ),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(reading_fails_as_go_words_it),
        cmocka_unit_test(an_open_file_is_written_and_read_in_place),
        cmocka_unit_test(an_owned_file_is_nobody_elses_until_it_is_closed),
        cmocka_unit_test(files_are_renamed_and_removed),
        cmocka_unit_test(what_cannot_be_opened_says_why),
        cmocka_unit_test(patterns_find_files_in_byte_order),
        cmocka_unit_test(a_simulated_world_stands_still_and_reads_only),
        cmocka_unit_test(nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
