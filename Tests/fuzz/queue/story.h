/* What must hold; and the story of the input, which is told when it does not. */
#ifndef PREFOP_FUZZ_STORY_H
#define PREFOP_FUZZ_STORY_H

#include <stdio.h>
#include <stdlib.h>

void story_begin(void);

/* Told too when all is well, if PREFOP_FUZZ_TRACE is set. */
void story_end(void);

/* One more line of it. */
__attribute__((format(printf, 1, 2))) void tell(const char *format, ...);

/* Prints it; the last of it, if it is long. */
void story_print(void);

#define REQUIRE(condition, ...)                                                                                        \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      story_print();                                                                                                   \
      fprintf(stderr, "%s:%d: not true: %s: ", __FILE__, __LINE__, #condition);                                        \
      fprintf(stderr, __VA_ARGS__);                                                                                    \
      fputc('\n', stderr);                                                                                             \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

#endif
