/* Any bytes as the body of a push: answered, within the memory allowed, and nothing stays behind. */
#include "tocsin/check.h"
#include "tocsin/intake.h"
#include "tocsin/limits.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world_sim sim;
    world_sim_init(&sim, 1000 * NS_PER_S, 1);
    limits.push_arena_bytes = 1 << 20;
    limits.series = 1000;
    struct store *store = store_open(&(struct store_options){0}, &sim.world);
    struct intake *intake = intake_open(&sim.world);
    struct intake_answer answer;
    intake_answer_init(&answer);
    int rc = intake_push(intake, store, STR(""), (struct str){(const char *)data, size}, &answer);
    must((rc == 0) == (answer.status == 204));
    must((answer.text.used == 0) == (rc == 0));
    must(!buf_overflow(&answer.text));
    intake_answer_release(&answer);
    intake_close(intake);
    store_close(store);
    return 0;
}
