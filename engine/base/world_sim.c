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

static int refuse_folder(struct world *w, const char *path, struct err *err)
{
    (void)w;
    return err_set(err, ERR_IO, "mkdir %s: read-only file system", path);
}

static int refuse_write(struct world *w, const char *path, struct str content, struct err *err)
{
    (void)w;
    (void)content;
    return err_set(err, ERR_IO, "open %s: read-only file system", path);
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
                .write_file = refuse_write,
                .make_folder = refuse_folder,
                .glob = disk_glob,
            },
        .now_ns = start_ns,
        .seed = seed,
    };
}
