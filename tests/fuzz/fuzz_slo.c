/* A file of SLOs is read, or refused; what is read becomes rules, which are read again. */
#include "tocsin/slo.h"

#include <stdint.h>

static void generate(const struct slo_document *document)
{
    static const int64_t month_ms = INT64_C(30) * 24 * 60 * 60 * 1000;
    const struct slo_generate options = {.catalogue = slo_catalogue_of(month_ms), .version = STR("dev")};
    struct buf out;
    struct err err;
    buf_init(&out, 1 << 24);
    slo_generate_sloth(document, &options, &out, &err);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct slo_catalogue catalogue;
    struct slo_file *file;
    struct err err;
    slo_catalogue_parse(text, &catalogue, &err);
    if (slo_file_parse(text, &file, &err) != 0)
        return 0;
    for (size_t i = 0; i < file->count; i++)
        generate(&file->documents[i]);
    slo_file_free(file);
    return 0;
}
