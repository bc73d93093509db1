/* names: a name that is never resolved does not keep a query, the client's end
   or the process's end waiting.  Run with slow_names.so preloaded, whose
   getaddrinfo does not return until it is let. */
#include "check.h"

#include <dirent.h>
#include <sched.h>

__attribute__((weak)) int slow_names_waiting(void);
__attribute__((weak)) int slow_names_returned(void);
__attribute__((weak)) void slow_names_let(void);

static int thread_count(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/task");
  CHECK(folder != NULL, "cannot open /proc/self/task");
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count - 2;
}

int main(int argc, char **argv) {
  CHECK(slow_names_let != NULL, "slow_names.so is not preloaded");
  int ends_while_waiting = argc > 1 && strcmp(argv[1], "exit") == 0;
  prefop_client_options options = test_options(0);
  options.api_hosts = "http://somewhere.example:1";
  prefop_client *client = test_client_with(&options);
  prefop_query_options query = PREFOP_QUERY_OPTIONS_INIT;
  query.timeout_ms = 200;
  for (int i = 0; i < 3; i++) {
    CHECK_STATUS(client, "echo.1", &query, PREFOP_ERROR_TIMEOUT);
    CHECK(slow_names_waiting() == i + 1, "%d names are being resolved, expected %d", slow_names_waiting(), i + 1);
  }
  prefop_client_free(client);
  CHECK(slow_names_returned() == 0, "the library waited for getaddrinfo");
  if (ends_while_waiting) return 0;

  /* The helper threads outlive the client; they must find all that they need. */
  slow_names_let();
  while (slow_names_returned() < 3 || thread_count() > 1) sched_yield();
  client = test_client(0);
  test_query(client, "echo.after");
  prefop_client_free(client);
  return 0;
}
