/* What many submissions cost in memory and time.  Prints a name and a number a
   line.

   volume ORIGIN QUERIES */
#include "clocks.h"
#include "many.h"
#include "memory.h"
#include <inttypes.h>

/* So many wait while a steady stream passes. */
enum { STREAM = 10000 };

static void submit(prefop_queue *queue, int count) {
  prefop_error error = PREFOP_ERROR_INIT;
  for (int i = 0; i < count; i++) {
    if (prefop_queue_submit(queue, BENCH_ID, (uint64_t)i, NULL, &error)) fail("prefop_queue_submit", error.message);
  }
}

static void take(prefop_queue *queue) {
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_completion done = PREFOP_COMPLETION_INIT;
  if (prefop_queue_next(queue, -1, &done, &error) != 1 || done.status) fail("prefop_queue_next", error.message);
  prefop_task_free(done.task);
}

/* Nanoseconds a submission of so many. */
static double cost(prefop_client *client, int count) {
  prefop_queue *queue = ours_queue_new(client);
  clocks start = clocks_now();
  submit(queue, count);
  clocks end = clocks_now();
  prefop_queue_free(queue);
  return (double)(end.cpu - start.cpu) / count;
}

static void compare_costs(prefop_client *client) {
  /* The first time grows the heap of the process. */
  cost(client, 1000000);
  double best[2] = {1e9, 1e9};
  for (int i = 0; i < 5; i++) {
    for (int size = 0; size < 2; size++) {
      double now = cost(client, size ? 1000000 : 10000);
      if (now < best[size]) best[size] = now;
    }
  }
  printf("submit10000 %.1f\nsubmit1000000 %.1f\n", best[0], best[1]);
}

/* A producer that keeps some waiting. */
static void stream(prefop_client *client, int queries) {
  prefop_queue *queue = ours_queue_new(client);
  submit(queue, STREAM);
  for (int done = 0; done < queries; done++) {
    if (done == queries / 10) printf("stream-early %ld\n", resident());
    if (done < queries - STREAM) submit(queue, 1);
    take(queue);
  }
  printf("stream-late %ld\n", resident());
  prefop_queue_free(queue);
}

/* All at once.  What waits takes memory, the less the fewer wait: the heap is
   looked at without it, `each` bytes of a submission. */
static void flood(prefop_client *client, int queries, double each) {
  prefop_queue *queue = ours_queue_new(client);
  size_t before = heap();
  submit(queue, queries);
  printf("flood-full %ld\n", resident());
  for (int done = 0; done < queries; done++) {
    if (done == queries / 10) {
      printf("flood-early %ld\n", resident());
      printf("flood-early-heap %.0f\n", (double)(heap() - before) - each * (double)prefop_queue_pending(queue));
    }
    take(queue);
  }
  printf("flood-late %ld\nflood-late-heap %.0f\n", resident(), (double)(heap() - before));
  malloc_trim(0);
  printf("flood-trimmed %ld\n", resident());
  prefop_queue_free(queue);
}

int main(int argc, char **argv) {
  if (argc != 3) fail("usage", "volume ORIGIN QUERIES");
  int queries = atoi(argv[2]);
  prefop_client *client = ours_new(argv[1], NULL);
  ours_query(client);

  prefop_queue *queue = ours_queue_new(client);
  size_t before = heap();
  submit(queue, 100000);
  double each = (double)(heap() - before) / 100000;
  printf("queued %.1f\n", each);
  prefop_queue_free(queue);

  compare_costs(client);
  malloc_trim(0);
  stream(client, queries);
  malloc_trim(0);
  flood(client, queries, each);
  prefop_client_free(client);
  return 0;
}
