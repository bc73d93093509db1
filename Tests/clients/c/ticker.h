/* A ticker beside an example, in the same loop: is the loop responsive while the example works?

   A program includes this, and the example under another name for its main; it sees to it that the loop calls
   `ticker_tick` every millisecond. The first tick is where the count begins. */
#ifndef PREFOP_TICKER_H
#define PREFOP_TICKER_H

#include <stdio.h>
#include <time.h>

enum { TICKER_PERIOD_MS = 1, TICKER_BAR_MS = 20 };

/* In milliseconds. How late a tick comes depends on what else the machine does; the processor time that the thread
   spends between two ticks, hardly. */
static struct {
  double last, last_cpu, first_cpu, latest, longest_held;
  int count, beyond;
} ticker;

static double ticker_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void ticker_tick(void) {
  double now = ticker_clock(CLOCK_MONOTONIC), cpu = ticker_clock(CLOCK_THREAD_CPUTIME_ID);
  if (ticker.count++ > 0) {
    double late = now - ticker.last - TICKER_PERIOD_MS, held = cpu - ticker.last_cpu;
    if (late > ticker.latest) ticker.latest = late;
    if (late > TICKER_BAR_MS) ticker.beyond++;
    if (held > ticker.longest_held) ticker.longest_held = held;
  } else {
    ticker.first_cpu = cpu;
  }
  ticker.last = now;
  ticker.last_cpu = cpu;
}

/* The last line of standard error: ticks, the latest, how many came later than the bar, the longest time between two
   that the processor worked, and that of all. A loop that was held until its end counts, too. */
static int ticker_print(int outcome) {
  ticker_tick();
  fprintf(stderr, "%d %.3f %d %.3f %.3f\n", ticker.count - 1, ticker.latest, ticker.beyond, ticker.longest_held,
      ticker.last_cpu - ticker.first_cpu);
  return outcome;
}

#endif
