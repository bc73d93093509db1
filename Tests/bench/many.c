/* 64 queries in flight: blocks of the bare program and blocks of ours in turn,
   as in sequential.c.

   many ORIGIN CA_FILE|- BLOCKS QUERIES */
#include "many.h"
#include "clocks.h"
#include <string.h>

enum { BARE, OURS, SIDES };
static const char *const names[] = {"bare", "ours"};

static void ask(bare_many *bare, prefop_queue *ours, int side, int queries) {
  if (side == BARE) {
    bare_many_query(bare, queries);
  } else {
    ours_many_query(ours, queries);
  }
}

int main(int argc, char **argv) {
  if (argc != 5) fail("usage", "many ORIGIN CA_FILE|- BLOCKS QUERIES");
  const char *ca_file = strcmp(argv[2], "-") ? argv[2] : NULL;
  int blocks = atoi(argv[3]), queries = atoi(argv[4]);
  static bare_many bare;
  bare_many_begin(&bare, argv[1], ca_file);
  prefop_client *client = ours_new(argv[1], ca_file);
  prefop_queue *queue = ours_queue_new(client);
  for (int side = 0; side < SIDES; side++) ask(&bare, queue, side, 1000);
  for (int i = 0; i < blocks; i++) {
    for (int turn = 0; turn < SIDES; turn++) {
      int side = i % 2 ? SIDES - 1 - turn : turn;
      clocks start = clocks_now();
      ask(&bare, queue, side, queries);
      clocks end = clocks_now();
      printf("%s %lld %lld\n", names[side], end.wall - start.wall, end.cpu - start.cpu);
    }
  }
  bare_many_end(&bare);
  prefop_queue_free(queue);
  prefop_client_free(client);
  return 0;
}
