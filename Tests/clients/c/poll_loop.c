/* The poll(2) example beside a ticker: its poll ends when a tick is due. */
#include "ticker.h"
#include <poll.h>

static int ticking_poll(struct pollfd *watched, nfds_t count, int timeout) {
  if (ticker.count == 0 || ticker_clock(CLOCK_MONOTONIC) >= ticker.last + TICKER_PERIOD_MS) ticker_tick();
  return poll(watched, count, timeout < 0 ? TICKER_PERIOD_MS : timeout);
}

#define main example_main
#define poll ticking_poll
#include "../../../examples/c/queue.c"
#undef poll
#undef main

int main(void) { return ticker_print(example_main()); }
