/* How long it takes to call 1,000 queries off, each by its tag, and to free
   their queue: nanoseconds of either, and processor nanoseconds of both.

   cancel requests ORIGIN   all have been sent, and none is answered
   cancel names             all wait for a name that is not resolved; with slow_names.so preloaded */
#define _GNU_SOURCE
#include "clocks.h"
#include "many.h"
#include "memory.h"
#include <dlfcn.h>
#include <string.h>
#include <sys/resource.h>

enum { QUERIES = 1000 };

static prefop_client *client_of(const char *origin) {
  prefop_client_options options = ours_options(origin, NULL);
  options.max_in_flight = QUERIES;
  options.connect_timeout_ms = options.attempt_timeout_ms = options.timeout_ms = -1;
  return ours_new_with(&options);
}

/* How many of the queries hold what they are to hold. */
static int under_way(int (*names_waiting)(void), int descriptors_before) {
  return names_waiting ? names_waiting() : descriptors() - descriptors_before;
}

int main(int argc, char **argv) {
  int (*names_waiting)(void) = NULL;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (argc == 2 && strcmp(argv[1], "names") == 0) {
    *(void **)&names_waiting = dlsym(RTLD_DEFAULT, "slow_names_waiting");
    if (!names_waiting) fail("cancel names", "slow_names.so is not preloaded");
  } else if (argc != 3 || strcmp(argv[1], "requests") != 0) {
    fail("usage", "cancel requests ORIGIN, or cancel names");
  }
  prefop_client *client = client_of(names_waiting ? "http://slow.invalid" : argv[2]);
  prefop_queue *queue = ours_queue_new(client);
  prefop_completion done = PREFOP_COMPLETION_INIT;
  prefop_error error = PREFOP_ERROR_INIT;
  int before = descriptors();
  for (int i = 0; i < QUERIES; i++) {
    if (prefop_queue_submit(queue, BENCH_ID, (uint64_t)i, NULL, &error)) fail("prefop_queue_submit", error.message);
  }
  while (under_way(names_waiting, before) < QUERIES) {
    if (prefop_queue_next(queue, 10, &done, &error) != 0) fail("prefop_queue_next", "a query ended");
  }
  /* What they have begun they finish. */
  for (int i = 0; i < 10; i++) {
    if (prefop_queue_next(queue, 10, &done, &error) != 0) fail("prefop_queue_next", "a query ended");
  }

  clocks start = clocks_now();
  for (int i = 0; i < QUERIES; i++) {
    if (prefop_queue_cancel(queue, (uint64_t)i) != 1) fail("prefop_queue_cancel", "was not pending");
  }
  clocks cancelled = clocks_now();
  prefop_queue_free(queue);
  clocks end = clocks_now();
  printf("%lld %lld %lld\n", cancelled.wall - start.wall, end.wall - cancelled.wall, end.cpu - start.cpu);
  fflush(stdout);
  /* Names are still being resolved. */
  _exit(0);
}
