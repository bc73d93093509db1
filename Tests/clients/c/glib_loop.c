/* The GLib example beside a ticker. */
#define main example_main
#include "../../../examples/c/queue_glib.c"
#undef main
#include "ticker.h"

static gboolean on_time(gpointer data) {
  (void)data;
  ticker_tick();
  return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv) {
  g_timeout_add(TICKER_PERIOD_MS, on_time, NULL);
  return ticker_print(example_main(argc, argv));
}
