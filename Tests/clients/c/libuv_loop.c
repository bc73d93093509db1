/* The libuv example beside a ticker. */
#define main example_main
#include "../../../examples/c/queue_libuv.c"
#undef main
#include "ticker.h"

static void on_time(uv_timer_t *timer) {
  (void)timer;
  ticker_tick();
}

int main(int argc, char **argv) {
  static uv_timer_t timer;
  uv_timer_init(uv_default_loop(), &timer);
  uv_timer_start(&timer, on_time, TICKER_PERIOD_MS, TICKER_PERIOD_MS);
  uv_unref((uv_handle_t *)&timer); /* The loop ends with the example. */
  return ticker_print(example_main(argc, argv));
}
