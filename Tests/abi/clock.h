/* A clock that a test puts forward, so that nothing need be waited for to grow
   old.  It stands before the C library's, for libprefop and libcurl too; include
   it in one file of a program. */
#ifndef PREFOP_TEST_CLOCK_H
#define PREFOP_TEST_CLOCK_H

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_int test_seconds_ahead;

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (clock == CLOCK_MONOTONIC) time->tv_sec += test_seconds_ahead;
  return result;
}

static inline void test_grow_older(int seconds) { test_seconds_ahead += seconds; }

#endif
