/*
 * check: words for "this cannot happen".
 *
 *   must(c)    a bug if false: prints the place and aborts, in every build
 *   costly(c)  the same, but only in test builds (-DTOCSIN_COSTLY), for checks that walk data
 *
 * Never used on anything a user, a peer or a disk can cause: those are errors (err.h).
 */
#ifndef TOCSIN_CHECK_H
#define TOCSIN_CHECK_H

_Noreturn void check_failed(const char *condition, const char *file, int line);

#define must(c) ((c) ? (void)0 : check_failed(#c, __FILE__, __LINE__))

#ifdef TOCSIN_COSTLY
#define costly(c) must(c)
#else
#define costly(c) ((void)0)
#endif

#endif
