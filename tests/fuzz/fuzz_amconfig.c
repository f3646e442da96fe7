#include "tocsin/amconfig.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/log.h"

/* A configuration that was read prints as one that reads again, and then prints the same. */
static void read_again(struct world *world, const struct amconfig *first)
{
    struct amconfig *second;
    struct err err;
    must(amconfig_parse(world, first->original, STR("/none"), &second, &err) == 0);
    must(str_eq(first->original, second->original));
    amconfig_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world_sim sim;
    struct amconfig *config;
    struct err err = {0};
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, -1);
    limits.generation_arena_bytes = 16 << 20;
    world_sim_init(&sim, 0, 1);
    int rc = amconfig_parse(&sim.world, (struct str){(const char *)data, size}, STR("/none"), &config, &err);
    if (rc != 0) {
        must(config == NULL && err.text[0] != '\0');
        return 0;
    }
    must(config->root.receiver != NULL && config->original.n > 0);
    read_again(&sim.world, config);
    amconfig_free(config);
    return 0;
}
