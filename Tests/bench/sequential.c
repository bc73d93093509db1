/* Query after query over one connection: blocks of the bare program and blocks
   of ours in turn, in one process, so that both meet the same server and the
   same noise.  Prints a line a block: side, wall and processor nanoseconds.

   sequential ORIGIN CA_FILE|- BLOCKS QUERIES */
#include "clocks.h"
#include "side.h"
#include <string.h>

typedef struct {
  CURL *easy;
  prefop_client *client;
} sides;

static void block(const sides *sides, int is_ours, int queries) {
  clocks start = clocks_now();
  if (is_ours) {
    for (int i = 0; i < queries; i++) ours_query(sides->client);
  } else {
    for (int i = 0; i < queries; i++) bare_query(sides->easy);
  }
  clocks end = clocks_now();
  printf("%s %lld %lld\n", is_ours ? "ours" : "bare", end.wall - start.wall, end.cpu - start.cpu);
}

int main(int argc, char **argv) {
  if (argc != 5) fail("usage", "sequential ORIGIN CA_FILE|- BLOCKS QUERIES");
  const char *ca_file = strcmp(argv[2], "-") ? argv[2] : NULL;
  int blocks = atoi(argv[3]), queries = atoi(argv[4]);
  size_t bytes = 0;
  sides sides = {bare_new(argv[1], ca_file, &bytes), ours_new(argv[1], ca_file)};

  /* Connections, and whatever is made at the first use. */
  for (int i = 0; i < 100; i++) {
    bare_query(sides.easy);
    ours_query(sides.client);
  }
  /* Swapping the order keeps a drift of the machine from favouring a side. */
  for (int i = 0; i < blocks; i++) {
    block(&sides, i % 2, queries);
    block(&sides, 1 - i % 2, queries);
  }
  if (bytes == 0) fail("bare", "no body came");
  curl_easy_cleanup(sides.easy);
  prefop_client_free(sides.client);
  return 0;
}
