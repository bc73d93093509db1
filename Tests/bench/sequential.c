/* Query after query over one connection: blocks of the bare programs and blocks
   of ours in turn, in one process, so that all meet the same server and the
   same noise.  Prints a line a block: side, wall and processor nanoseconds.

   sequential ORIGIN CA_FILE|- BLOCKS QUERIES */
#include "clocks.h"
#include "side.h"
#include <string.h>

enum { BARE, OURS, TUNED, SIDES };
static const char *const names[] = {"bare", "ours", "tuned"};

typedef struct {
  bare_client bare, tuned;
  prefop_client *ours;
} clients;

static void ask(clients *clients, int side, int queries) {
  switch (side) {
  case BARE:
    for (int i = 0; i < queries; i++) bare_query(&clients->bare);
    break;
  case OURS:
    for (int i = 0; i < queries; i++) ours_query(clients->ours);
    break;
  case TUNED:
    for (int i = 0; i < queries; i++) bare_query(&clients->tuned);
    break;
  }
}

static void block(clients *clients, int side, int queries) {
  clocks start = clocks_now();
  ask(clients, side, queries);
  clocks end = clocks_now();
  printf("%s %lld %lld\n", names[side], end.wall - start.wall, end.cpu - start.cpu);
}

int main(int argc, char **argv) {
  if (argc != 5) fail("usage", "sequential ORIGIN CA_FILE|- BLOCKS QUERIES");
  const char *ca_file = strcmp(argv[2], "-") ? argv[2] : NULL;
  int blocks = atoi(argv[3]), queries = atoi(argv[4]);
  clients clients;
  bare_begin(&clients.bare, 0, argv[1], ca_file);
  bare_begin(&clients.tuned, 1, argv[1], ca_file);
  clients.ours = ours_new(argv[1], ca_file);

  /* Connections, and whatever is made at the first use. */
  for (int side = 0; side < SIDES; side++) ask(&clients, side, 100);
  /* Turning the order round keeps a drift of the machine from favouring a side. */
  for (int i = 0; i < blocks; i++) {
    for (int side = 0; side < SIDES; side++) block(&clients, i % 2 ? SIDES - 1 - side : side, queries);
  }
  bare_end(&clients.bare);
  bare_end(&clients.tuned);
  prefop_client_free(clients.ours);
  return 0;
}
