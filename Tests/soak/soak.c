/* Very many queries through queues, one life of a client and a queue after
   another.  Counts what came, and says what the process held: a name and a
   number a line.  The figures are judged by soak.py.

   soak ORIGIN QUERIES LIFE IN_FLIGHT   LIFE: how many queries are in one */
#include "../bench/clocks.h"
#include "../bench/memory.h"
#include <inttypes.h>
#include <prefop.h>
#include <string.h>

/* So many submissions wait at least, while there are any. */
enum { QUEUED = 5000 };

/* Of each query whether it was seen.  Neither is 0: written to, the memory for
   it is there from the beginning. */
enum { UNSEEN = 1, SEEN };

static struct { unsigned long ok, retried, twice, wrong, unknown; } came;

/* How often each query of a status was seen; the place is minus the status. */
static unsigned long by_status[256];
static char first_failure[600];

static void fail(const char *what, const prefop_error *error) {
  fprintf(stderr, "%s: %s: %s\n", what, prefop_status_name(error->status), error->message);
  exit(1);
}

static void submit(prefop_queue *queue, uint64_t number) {
  prefop_error error = PREFOP_ERROR_INIT;
  char id[40];
  snprintf(id, sizeof id, "echo.%" PRIu64, number);
  if (prefop_queue_submit(queue, id, number, NULL, &error)) fail("prefop_queue_submit", &error);
}

static void count(const prefop_completion *done, const prefop_error *error, uint64_t total, unsigned char *seen) {
  if (done->tag >= total) {
    came.unknown++;
    return;
  }
  if (seen[done->tag] != UNSEEN) came.twice++;
  seen[done->tag] = SEEN;
  if (error->attempts > 1) came.retried++;
  if (done->status) {
    by_status[-done->status & 255]++;
    if (!*first_failure) snprintf(first_failure, sizeof first_failure, "%s", error->message);
    return;
  }
  came.ok++;
  char id[40];
  snprintf(id, sizeof id, "echo.%" PRIu64, done->tag);
  if (strcmp(done->task->persistent_id, id) != 0) came.wrong++;
}

/* Queries from `begin` to before `end`.  Returns the KiB in memory when all have
   ended, and the queue is still there. */
static long live(const char *origin, int in_flight, uint64_t begin, uint64_t end, unsigned char *seen) {
  prefop_client_options options = PREFOP_CLIENT_OPTIONS_INIT;
  options.flags = PREFOP_CLIENT_NO_ENVIRONMENT;
  options.access_key = "soak-access-key-of-forty-characters-----";
  options.secret_key = "soak-secret-key-of-forty-characters-----";
  options.api_hosts = origin;
  options.proxy = "";
  options.max_in_flight = in_flight;
  prefop_client *client;
  prefop_queue *queue;
  prefop_error error = PREFOP_ERROR_INIT;
  if (prefop_client_new(&options, &client, &error)) fail("prefop_client_new", &error);
  if (prefop_queue_new(client, &queue, &error)) fail("prefop_queue_new", &error);
  prefop_completion done = PREFOP_COMPLETION_INIT;
  uint64_t next = begin;
  do {
    while (next < end && prefop_queue_pending(queue) < QUEUED) submit(queue, next++);
    if (prefop_queue_next(queue, -1, &done, &error) != 1) fail("prefop_queue_next", &error);
    count(&done, &error, end, seen);
    prefop_task_free(done.task);
  } while (next < end || prefop_queue_pending(queue) > 0);
  long held = resident();
  prefop_queue_free(queue);
  prefop_client_free(client);
  return held;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: soak ORIGIN QUERIES LIFE IN_FLIGHT\n");
    return 2;
  }
  uint64_t queries = (uint64_t)atoll(argv[2]), life = (uint64_t)atoll(argv[3]);
  int in_flight = atoi(argv[4]);
  /* One life, of the numbers that follow, comes before all is measured: libcurl,
     libcrypto and the heap keep what they made once. */
  uint64_t first_life = (queries + life - 1) / life * life, total = first_life + life;
  unsigned char *seen = malloc(total);
  if (!seen) abort();
  memset(seen, UNSEEN, total);
  live(argv[1], in_flight, first_life, total, seen);

  memset(&came, 0, sizeof came);
  size_t heap_before = heap();
  int open_before = descriptors();
  long early = 0, late = 0;
  clocks start = clocks_now();
  for (uint64_t begin = 0; begin < queries; begin += life) {
    uint64_t end = begin + life < queries ? begin + life : queries;
    late = live(argv[1], in_flight, begin, end, seen);
    if (early == 0 && end >= queries / 10) early = late;
  }
  clocks end = clocks_now();
  size_t heap_after = heap();
  int open_after = descriptors();

  unsigned long missing = 0;
  for (uint64_t tag = 0; tag < queries; tag++) missing += seen[tag] == UNSEEN;
  printf("ok %lu\nretried %lu\ntwice %lu\nmissing %lu\nwrong %lu\nunknown %lu\n", came.ok, came.retried, came.twice,
      missing, came.wrong, came.unknown);
  for (int status = 1; status < 256; status++) {
    if (by_status[status]) printf("%s %lu\n", prefop_status_name(-status), by_status[status]);
  }
  printf("wall-ms %lld\ncpu-ms %lld\n", (end.wall - start.wall) / 1000000, (end.cpu - start.cpu) / 1000000);
  printf("heap-before %zu\nheap-after %zu\nopen-before %d\nopen-after %d\n", heap_before, heap_after, open_before,
      open_after);
  printf("resident-early %ld\nresident-late %ld\n", early, late);
  if (*first_failure) fprintf(stderr, "the first failure: %s\n", first_failure);
  free(seen);
  return 0;
}
