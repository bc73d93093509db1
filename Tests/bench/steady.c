/* N queries of one side, for tools that count: run with N and with 2 N, the
   difference is N queries in steady state.

   steady ours|bare ORIGIN CA_FILE|- N */
#include "side.h"
#include <string.h>

int main(int argc, char **argv) {
  if (argc != 5) fail("usage", "steady ours|bare ORIGIN CA_FILE|- N");
  const char *ca_file = strcmp(argv[3], "-") ? argv[3] : NULL;
  int queries = atoi(argv[4]);
  if (strcmp(argv[1], "ours") == 0) {
    prefop_client *client = ours_new(argv[2], ca_file);
    for (int i = 0; i < queries; i++) ours_query(client);
    prefop_client_free(client);
  } else {
    bare_client bare;
    bare_begin(&bare, 0, argv[2], ca_file);
    for (int i = 0; i < queries; i++) bare_query(&bare);
    bare_end(&bare);
  }
  return 0;
}
