#include "tocsin/mem.h"
#include "world_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
    int fd;
    char *path; /* for errors */
};

static int refuse(const struct file *file, const char *verb, struct err *err)
{
    return disk_refuse(err, verb, file->path, errno);
}

/* Without O_NONBLOCK opening a pipe would wait for its other end. */
static int flags_of(enum file_mode mode)
{
    int flags = O_CLOEXEC | O_NONBLOCK;
    if (mode == FILE_READ)
        return flags | O_RDONLY;
    if (mode == FILE_WRITE)
        return flags | O_RDWR;
    return flags | O_RDWR | O_CREAT | O_NOFOLLOW | (mode == FILE_CREATE ? O_TRUNC : 0);
}

int disk_file_open(struct world *w, const char *path, enum file_mode mode, struct file **out, struct err *err)
{
    (void)w;
    int fd = open(path, flags_of(mode), 0600);
    if (fd < 0)
        return disk_refuse(err, "open", path, errno);
    int rc = disk_check_kind(fd, path, err);
    if (rc == 0 && mode == FILE_OWN && flock(fd, LOCK_EX | LOCK_NB) != 0)
        rc = err_set(err, ERR_FULL, "lock %s: in use by another process", path);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    *out = MEM_NEW(struct file);
    **out = (struct file){.fd = fd, .path = mem_copy_text(path, strlen(path))};
    return 0;
}

void disk_file_close(struct world *w, struct file *file)
{
    (void)w;
    close(file->fd); /* what had to be durable was synced: an error here says nothing more */
    mem_free(file->path);
    mem_free(file);
}

int disk_file_read(struct world *w, struct file *file, int64_t offset, void *to, size_t bytes, size_t *got,
                   struct err *err)
{
    (void)w;
    *got = 0;
    while (*got < bytes) {
        ssize_t n = pread(file->fd, (char *)to + *got, bytes - *got, offset + (int64_t)*got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return refuse(file, "read", err);
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return 0;
}

/* A disk that fills up takes a part first and refuses the rest at the next call. */
int disk_file_write(struct world *w, struct file *file, int64_t offset, struct str bytes, struct err *err)
{
    (void)w;
    for (size_t done = 0; done < bytes.n;) {
        ssize_t n = pwrite(file->fd, bytes.p + done, bytes.n - done, offset + (int64_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return refuse(file, "write", err);
        done += (size_t)n;
    }
    return 0;
}

/* fdatasync writes the length, too, where it is needed to read the content; times do not matter. */
int disk_file_sync(struct world *w, struct file *file, struct err *err)
{
    (void)w;
    int rc;
    do
        rc = fdatasync(file->fd);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? 0 : refuse(file, "fsync", err);
}

int disk_file_size(struct world *w, struct file *file, int64_t *bytes, struct err *err)
{
    (void)w;
    struct stat st;
    if (fstat(file->fd, &st) != 0)
        return refuse(file, "stat", err);
    *bytes = st.st_size;
    return 0;
}

int disk_rename_file(struct world *w, const char *from, const char *to, struct err *err)
{
    (void)w;
    return rename(from, to) == 0 ? 0 : disk_refuse(err, "rename", from, errno);
}

int disk_remove_file(struct world *w, const char *path, struct err *err)
{
    (void)w;
    return unlink(path) == 0 ? 0 : disk_refuse(err, "remove", path, errno);
}
