/* What many submissions cost in memory and time.  Prints a name and a number a
   line.

   volume ORIGIN QUERIES */
#include "clocks.h"
#include "many.h"
#include <inttypes.h>
#include <malloc.h>
#include <unistd.h>

static size_t heap(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static long resident(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*s %ld", &pages) != 1) fail("statm", "cannot be read");
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void submit(prefop_queue *queue, int count) {
  prefop_error error = PREFOP_ERROR_INIT;
  for (int i = 0; i < count; i++) {
    if (prefop_queue_submit(queue, BENCH_ID, (uint64_t)i, NULL, &error)) fail("prefop_queue_submit", error.message);
  }
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

int main(int argc, char **argv) {
  if (argc != 3) fail("usage", "volume ORIGIN QUERIES");
  int queries = atoi(argv[2]);
  prefop_client *client = ours_new(argv[1], NULL);
  ours_query(client);

  prefop_queue *queue = ours_queue_new(client);
  size_t before = heap();
  submit(queue, 100000);
  printf("queued %.1f\n", (double)(heap() - before) / 100000);
  prefop_queue_free(queue);

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
  malloc_trim(0);

  /* What is there when all have been in flight stays: handles, connections, buffers. */
  before = heap();
  queue = ours_queue_new(client);
  ours_many_query(queue, 10000);
  printf("flight %.0f\n", (double)(heap() - before) / WIDTH);

  long early = 0;
  for (int done = 0; done < queries; done += 1000) {
    ours_many_query(queue, 1000);
    if (early == 0 && done >= queries / 10) early = resident();
  }
  printf("early %ld\nlate %ld\n", early, resident());
  prefop_queue_free(queue);
  prefop_client_free(client);
  return 0;
}
