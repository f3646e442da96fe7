#include "tocsin/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(struct str bytes, const char *wanted)
{
    char text[SHA256_HEX_BYTES];
    sha256_hex(bytes, text);
    assert_string_equal(text, wanted);
}

/* The examples of the standard. */
static void the_digest_is_that_of_the_standard(void **state)
{
    (void)state;
    static char million[1000000];
    memset(million, 'a', sizeof million);
    expect((struct str){0}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(STR("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect((struct str){million, sizeof million},
           "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Lengths at which what ends the text just fits its block, or no longer does. */
static void the_end_may_need_a_block_of_its_own(void **state)
{
    (void)state;
    char text[120];
    memset(text, 'a', sizeof text);
    static const struct {
        size_t n;
        const char *wanted;
    } cases[] = {
        {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
        {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
        {119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
        {120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect((struct str){text, cases[i].n}, cases[i].wanted);
}

static void expect_hmac(struct str key, struct str message, const char *wanted)
{
    char text[SHA256_HEX_BYTES];
    unsigned char mac[SHA256_BYTES];
    sha256_hmac_hex(key, message, text);
    sha256_hmac(key, message, mac);
    assert_string_equal(text, wanted);
    for (size_t i = 0; i < SHA256_BYTES; i++)
        assert_int_equal(mac[i], strtoul((const char[]){wanted[2 * i], wanted[2 * i + 1], 0}, NULL, 16));
}

/* RFC 4231, cases 2 and 6: a key that is longer than a block is hashed first. */
static void macs_are_those_of_the_standard(void **state)
{
    (void)state;
    char key[131];
    memset(key, 0xaa, sizeof key);
    expect_hmac(STR("Jefe"), STR("what do ya want for nothing?"),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    expect_hmac((struct str){key, sizeof key}, STR("Test Using Larger Than Block-Size Key - Hash Key First"),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_that_of_the_standard),
        cmocka_unit_test(the_end_may_need_a_block_of_its_own),
        cmocka_unit_test(macs_are_those_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
