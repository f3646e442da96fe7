/* A name server's answer: its first byte says which type was asked for. */
#include "tocsin/check.h"
#include "tocsin/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_SRV, DNS_MX, DNS_NS};
    struct arena arena;
    struct dns_record *records;
    size_t count;
    struct err err = {0};
    if (size == 0)
        return 0;
    enum dns_type type = types[data[0] % (sizeof types / sizeof *types)];
    arena_init(&arena, 4 << 20);
    int rc = dns_parse(&arena, (struct str){(const char *)data + 1, size - 1}, type, &records, &count, &err);
    must(rc == err.code && count <= DNS_RECORDS_MAX);
    for (size_t i = 0; rc == 0 && i < count; i++)
        for (size_t k = 0; k < records[i].name.n; k++)
            must(records[i].name.p[k] > ' ' && records[i].name.p[k] < 0x7f);
    arena_release(&arena);
    return 0;
}
