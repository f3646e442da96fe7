#include "world_priv.h"

static int64_t now_ns(struct world *w)
{
    return ((struct world_sim *)w)->now_ns;
}

/* splitmix64: each seed gives its own fixed sequence. */
static uint64_t random_bits(struct world *w)
{
    struct world_sim *sim = (struct world_sim *)w;
    uint64_t z = sim->seed += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void turn_clock(struct world *w, int64_t ms)
{
    ((struct world_sim *)w)->now_ns += ms * NS_PER_MS;
}

/* ---- the disk is read-only ---- */

static int refuse(const char *verb, const char *path, struct err *err)
{
    return err_set(err, ERR_IO, "%s %s: read-only file system", verb, path);
}

static int refuse_folder(struct world *w, const char *path, struct err *err)
{
    (void)w;
    return refuse("mkdir", path, err);
}

static int refuse_content(struct world *w, const char *path, struct str content, struct err *err)
{
    (void)w;
    (void)content;
    return refuse("open", path, err);
}

/* So there is no file that could be written. */
static int open_to_read(struct world *w, const char *path, enum file_mode mode, struct file **out,
                        struct err *err)
{
    return mode == FILE_READ ? disk_file_open(w, path, mode, out, err) : refuse("open", path, err);
}

static int refuse_rename(struct world *w, const char *from, const char *to, struct err *err)
{
    (void)w;
    (void)to;
    return refuse("rename", from, err);
}

static int refuse_remove(struct world *w, const char *path, struct err *err)
{
    (void)w;
    return refuse("remove", path, err);
}

static int refuse_folder_sync(struct world *w, const char *path, struct err *err)
{
    (void)w;
    return refuse("fsync", path, err);
}

void world_sim_init(struct world_sim *sim, int64_t start_ns, uint64_t seed)
{
    *sim = (struct world_sim){
        .world =
            {
                .wall_ns = now_ns,
                .mono_ns = now_ns,
                .random = random_bits,
                .pause = turn_clock,
                .read_file = disk_read_file,
                .write_file = refuse_content,
                .make_folder = refuse_folder,
                .glob = disk_glob,
                .file_open = open_to_read,
                .file_read = disk_file_read,
                .file_write = disk_file_write,
                .file_sync = disk_file_sync,
                .file_size = disk_file_size,
                .file_close = disk_file_close,
                .rename_file = refuse_rename,
                .remove_file = refuse_remove,
                .sync_folder = refuse_folder_sync,
            },
        .now_ns = start_ns,
        .seed = seed,
    };
}
