#include "tocsin/mem.h"
#include "world_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Go's "open PATH: no such file or directory": C's text with a small first letter. */
int disk_refuse(struct err *err, const char *verb, const char *path, int number)
{
    char room[128], text[128];
    snprintf(text, sizeof text, "%s", strerror_r(number, room, sizeof room));
    if (text[0] >= 'A' && text[0] <= 'Z')
        text[0] = (char)(text[0] | 0x20);
    int code = number == ENOENT ? ERR_NOT_FOUND : number == ENOSPC || number == EDQUOT ? ERR_FULL : ERR_IO;
    return err_set(err, code, "%s %s: %s", verb, path, text);
}

/* ---- reading ---- */

/* A pipe or socket could keep its reader waiting for ever; /dev/null is a fine empty file. */
int disk_check_kind(int fd, const char *path, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return disk_refuse(err, "stat", path, errno);
    if (S_ISDIR(st.st_mode))
        return disk_refuse(err, "read", path, EISDIR);
    if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
        return err_set(err, ERR_IO, "read %s: not a regular file", path);
    return 0;
}

static int read_all(int fd, const char *path, struct buf *out, struct err *err)
{
    char chunk[16384];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return disk_refuse(err, "read", path, errno);
        if (n == 0)
            return 0;
        buf_add(out, chunk, (size_t)n);
        if (buf_overflow(out))
            return err_set(err, ERR_LIMIT, "read %s: file is larger than %zu bytes", path, out->max_bytes);
    }
}

int disk_read_file(struct world *w, const char *path, struct buf *out, struct err *err)
{
    (void)w;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return disk_refuse(err, "open", path, errno);
    int rc = disk_check_kind(fd, path, err);
    if (rc == 0)
        rc = read_all(fd, path, out, err);
    close(fd);
    return rc;
}

/* ---- writing ---- */

static int write_all(int fd, const char *path, struct str content, struct err *err)
{
    for (size_t done = 0; done < content.n;) {
        ssize_t n = write(fd, content.p + done, content.n - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return disk_refuse(err, "write", path, errno);
        done += (size_t)n;
    }
    return fsync(fd) == 0 ? 0 : disk_refuse(err, "fsync", path, errno);
}

/* Errors name the file that was asked for. */
static int write_new(const char *temporary, const char *path, struct str content, struct err *err)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return disk_refuse(err, "open", path, errno);
    int rc = write_all(fd, path, content, err);
    if (close(fd) != 0 && rc == 0)
        rc = disk_refuse(err, "close", path, errno);
    return rc;
}

int disk_sync_folder(struct world *w, const char *path, struct err *err)
{
    (void)w;
    int rc = 0, fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        rc = disk_refuse(err, "fsync", path, errno);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* A rename is only there after a crash once its folder is on the disk. */
static int sync_folder_of(struct world *w, const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *folder = n > 0 ? mem_copy_text(path, n) : mem_copy_text(".", 1);
    int rc = disk_sync_folder(w, folder, err);
    mem_free(folder);
    return rc;
}

int disk_write_file(struct world *w, const char *path, struct str content, struct err *err)
{
    struct buf name;
    buf_init(&name, strlen(path) + 8);
    buf_format(&name, "%s.tmp", path);
    int rc = write_new(buf_text(&name), path, content, err);
    if (rc == 0 && rename(buf_text(&name), path) != 0)
        rc = disk_refuse(err, "rename", path, errno);
    if (rc != 0)
        unlink(buf_text(&name));
    buf_release(&name);
    return rc == 0 ? sync_folder_of(w, path, err) : rc;
}

int disk_make_folder(struct world *w, const char *path, struct err *err)
{
    (void)w;
    struct stat st;
    if (mkdir(path, 0700) == 0)
        return 0;
    if (errno != EEXIST)
        return disk_refuse(err, "mkdir", path, errno);
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return disk_refuse(err, "mkdir", path, ENOTDIR);
    return 0;
}

/* ---- patterns ---- */

static bool is_dots(struct str s)
{
    return str_is(s, ".") || str_is(s, "..");
}

/* In Go `*` takes hidden files too, which GLOB_PERIOD gives; but it must not stand for "." or "..". */
static bool has_invented_dots(const char *path, const char *pattern)
{
    struct str in = str_of(path), asked = str_of(pattern);
    while (in.p != NULL && asked.p != NULL) {
        struct str part = str_cut(&in, '/'), wanted = str_cut(&asked, '/');
        if (is_dots(part) && !is_dots(wanted))
            return true;
    }
    return false;
}

int disk_glob(struct world *w, const char *pattern, void (*found)(void *context, const char *path),
              void *context, struct err *err)
{
    (void)w;
    glob_t hits;
    int rc = glob(pattern, GLOB_PERIOD, NULL, &hits); /* sorted by byte: the locale is C */
    if (rc == GLOB_NOMATCH)
        return 0;
    if (rc != 0)
        return err_set(err, ERR_IO, "glob %s: out of memory", pattern);
    for (size_t i = 0; i < hits.gl_pathc; i++)
        if (!has_invented_dots(hits.gl_pathv[i], pattern))
            found(context, hits.gl_pathv[i]);
    globfree(&hits);
    return 0;
}
