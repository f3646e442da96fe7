/* Any text as a file of the test language: it must neither crash nor hang, whatever passes or fails. */
#include "tocsin/limits.h"
#include "tocsin/promqltest.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world_sim sim;
    limits.query_samples = 100000;
    limits.query_points = 1000;
    if (size > 4096)
        return 0;
    world_sim_init(&sim, 0, 1);
    struct promqltest_report report = {0};
    struct err err = {0};
    (void)promqltest_run(&sim.world, "fuzz", (struct str){(const char *)data, size}, &promqltest_features,
                         &report, &err);
    return 0;
}
