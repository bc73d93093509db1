/* What a query under way takes of the heap, and what of that stays for the next
   one: a name and a number a line.  To be run without the allocator's cache for
   each thread, which would count as used: GLIBC_TUNABLES=glibc.malloc.tcache_count=0

   flight SILENT_ORIGIN ORIGIN   the first answers nothing */
#include "many.h"
#include "memory.h"

static size_t before;

static prefop_queue *begin(const char *origin, prefop_client **client) {
  *client = ours_new(origin, NULL);
  prefop_queue *queue = ours_queue_new(*client);
  before = heap();
  return queue;
}

static void end(const char *name, prefop_client *client, prefop_queue *queue) {
  printf("%s %.0f\n", name, (double)(heap() - before) / WIDTH);
  prefop_queue_free(queue);
  prefop_client_free(client);
}

int main(int argc, char **argv) {
  if (argc != 3) fail("usage", "flight SILENT_ORIGIN ORIGIN");
  prefop_client *client;
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_completion done = PREFOP_COMPLETION_INIT;

  /* Whatever a process makes once. */
  client = ours_new(argv[2], NULL);
  ours_query(client);
  prefop_client_free(client);

  prefop_queue *queue = begin(argv[1], &client);
  int open = descriptors();
  for (int i = 0; i < WIDTH; i++) {
    if (prefop_queue_submit(queue, BENCH_ID, (uint64_t)i, NULL, &error)) fail("prefop_queue_submit", error.message);
  }
  /* Until all have been sent, each on a connection of its own. */
  for (int turn = 0; turn < 10 || descriptors() < open + WIDTH; turn++) {
    if (prefop_queue_next(queue, 10, &done, &error) != 0) fail("prefop_queue_next", "a query ended");
  }
  end("flight", client, queue);

  queue = begin(argv[2], &client);
  ours_many_query(queue, 10000);
  end("kept", client, queue);
  return 0;
}
