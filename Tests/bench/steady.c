/* N queries of one side, for tools that count: run with N and with 2 N, the
   difference is N queries in steady state.

   steady ours|bare|ours-many|bare-many ORIGIN CA_FILE|- N */
#include "many.h"
#include <string.h>

int main(int argc, char **argv) {
  if (argc != 5) fail("usage", "steady ours|bare|ours-many|bare-many ORIGIN CA_FILE|- N");
  const char *ca_file = strcmp(argv[3], "-") ? argv[3] : NULL;
  int queries = atoi(argv[4]);
  if (strcmp(argv[1], "ours") == 0) {
    prefop_client *client = ours_new(argv[2], ca_file);
    for (int i = 0; i < queries; i++) ours_query(client);
    prefop_client_free(client);
  } else if (strcmp(argv[1], "ours-many") == 0) {
    prefop_client *client = ours_new(argv[2], ca_file);
    prefop_queue *queue = ours_queue_new(client);
    ours_many_query(queue, queries);
    prefop_queue_free(queue);
    prefop_client_free(client);
  } else if (strcmp(argv[1], "bare-many") == 0) {
    static bare_many bare;
    bare_many_begin(&bare, argv[2], ca_file);
    bare_many_query(&bare, queries);
    bare_many_end(&bare);
  } else {
    bare_client bare;
    bare_begin(&bare, 0, argv[2], ca_file);
    for (int i = 0; i < queries; i++) bare_query(&bare);
    bare_end(&bare);
  }
  return 0;
}
