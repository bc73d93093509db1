/* Wall time, and processor time of this process, in nanoseconds. */
#ifndef PREFOP_BENCH_CLOCKS_H
#define PREFOP_BENCH_CLOCKS_H

#include <time.h>

typedef struct {
  long long wall, cpu;
} clocks;

static inline long long clock_read(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline clocks clocks_now(void) {
  clocks now = {clock_read(CLOCK_MONOTONIC), clock_read(CLOCK_PROCESS_CPUTIME_ID)};
  return now;
}

#endif
