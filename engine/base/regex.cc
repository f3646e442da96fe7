#include "regex_priv.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <re2/re2.h>
#include <string>

/* The public part of regex.h is regex_match.c; this file only turns RE2 into C, and its exceptions into
 * answers. */
struct re2_program {
    re2::RE2 re;
    re2_program(const re2::StringPiece &pattern, const re2::RE2::Options &options) : re(pattern, options)
    {
    }
};

static re2::StringPiece piece(struct str s)
{
    return re2::StringPiece(s.p != nullptr ? s.p : "", s.n);
}

static enum re2_fault fault_of(re2::RE2::ErrorCode code)
{
    switch (code) {
    case re2::RE2::NoError:
        return RE2_FINE;
    case re2::RE2::ErrorInternal:
        return RE2_INTERNAL;
    case re2::RE2::ErrorBadEscape:
        return RE2_BAD_ESCAPE;
    case re2::RE2::ErrorBadCharClass:
        return RE2_BAD_CLASS;
    case re2::RE2::ErrorBadCharRange:
        return RE2_BAD_RANGE;
    case re2::RE2::ErrorMissingBracket:
        return RE2_MISSING_BRACKET;
    case re2::RE2::ErrorMissingParen:
        return RE2_MISSING_PAREN;
    case re2::RE2::ErrorUnexpectedParen:
        return RE2_UNEXPECTED_PAREN;
    case re2::RE2::ErrorTrailingBackslash:
        return RE2_TRAILING_BACKSLASH;
    case re2::RE2::ErrorRepeatArgument:
        return RE2_REPEAT_ARGUMENT;
    case re2::RE2::ErrorRepeatSize:
        return RE2_REPEAT_SIZE;
    case re2::RE2::ErrorRepeatOp:
        return RE2_REPEAT_OP;
    case re2::RE2::ErrorBadPerlOp:
        return RE2_BAD_PERL;
    case re2::RE2::ErrorBadUTF8:
        return RE2_BAD_UTF8;
    case re2::RE2::ErrorBadNamedCapture:
        return RE2_BAD_NAME;
    case re2::RE2::ErrorPatternTooLarge:
        return RE2_TOO_LARGE;
    }
    return RE2_INTERNAL;
}

struct re2_program *re2_open(struct str pattern, bool dot_newline, int64_t memory_bytes,
                             enum re2_fault *fault, char *part, size_t part_size)
try {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(dot_newline);
    options.set_max_mem(memory_bytes);
    struct re2_program *program = new re2_program(piece(pattern), options);
    *fault = fault_of(program->re.error_code());
    if (*fault == RE2_FINE)
        return program;
    const std::string &about = program->re.error_arg();
    size_t n = std::min(about.size(), part_size - 1);
    memcpy(part, about.data(), n);
    part[n] = '\0';
    delete program;
    return nullptr;
} catch (const std::bad_alloc &) {
    *fault = RE2_NO_MEMORY;
    part[0] = '\0';
    return nullptr;
} catch (...) {
    *fault = RE2_INTERNAL;
    part[0] = '\0';
    return nullptr;
}

void re2_free(struct re2_program *program)
{
    delete program;
}

bool re2_search(const struct re2_program *program, struct str text, size_t from, bool whole,
                struct str *spans, int span_count)
try {
    enum { FEW = 16 };
    re2::StringPiece few[FEW];
    re2::StringPiece *found = span_count <= FEW ? few : new re2::StringPiece[(size_t)span_count];
    bool hit = program->re.Match(piece(text), from, text.n,
                                 whole ? re2::RE2::ANCHOR_BOTH : re2::RE2::UNANCHORED, found, span_count);
    for (int i = 0; hit && i < span_count; i++)
        spans[i] = {found[i].data(), found[i].size()};
    if (found != few)
        delete[] found;
    return hit;
} catch (...) {
    fputs("tocsin: out of memory in a regular expression\n", stderr);
    abort();
}

int re2_group_count(const struct re2_program *program)
{
    return program->re.NumberOfCapturingGroups();
}

int re2_group_number(const struct re2_program *program, struct str name)
{
    const auto &groups = program->re.NamedCapturingGroups();
    auto at = groups.find(std::string(name.p, name.n));
    return at != groups.end() ? at->second : -1;
}
