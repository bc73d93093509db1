/* What must hold; and, for whoever reads a finding, what goes on. */
#ifndef PREFOP_FUZZ_REQUIRE_H
#define PREFOP_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition, ...)                                                                                        \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: not true: %s: ", __FILE__, __LINE__, #condition);                                        \
      fprintf(stderr, __VA_ARGS__);                                                                                    \
      fputc('\n', stderr);                                                                                             \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

/* Tells the story of an input while PREFOP_FUZZ_TRACE is set. */
#define TRACE(...)                                                                                                     \
  do {                                                                                                                 \
    if (getenv("PREFOP_FUZZ_TRACE")) fprintf(stderr, __VA_ARGS__);                                                     \
  } while (0)

#endif
