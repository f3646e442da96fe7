/* Any bytes as what a receiver answers: whatever it is, it stays within its bytes and the room for its body, and what is whole does not
 * change when more comes behind it. */
#include "../../engine/route/reply_priv.h"
#include "tocsin/check.h"

#include <string.h>

enum { BODY_MAX = 64 };

static void check_head(struct str bytes, struct str head)
{
    struct str name, value;
    must(head.n == 0 || (head.p >= bytes.p && head.p + head.n <= bytes.p + bytes.n));
    while (reply_next_header(&head, &name, &value))
        must(name.n + value.n <= bytes.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size};
    struct buf part, whole;
    struct reply first, last;
    buf_init(&part, BODY_MAX);
    buf_init(&whole, BODY_MAX);
    enum reply_state all = reply_read(bytes, false, &whole, &last);
    must(whole.used <= BODY_MAX && (all != REPLY_WHOLE || (last.status >= 200 && last.status <= 999)));
    if (all == REPLY_WHOLE)
        check_head(bytes, last.head);
    enum reply_state some = reply_read((struct str){bytes.p, size / 2}, false, &part, &first);
    if (some == REPLY_WHOLE) {
        must(all == REPLY_WHOLE && first.status == last.status && part.used == whole.used);
        must(part.used == 0 || memcmp(part.bytes, whole.bytes, part.used) == 0);
    }
    (void)reply_read(bytes, true, &part, &first);
    buf_release(&part);
    buf_release(&whole);
    return 0;
}
