/* Waits for very many tasks that are under way: takes the first answer of each,
   and then waits on while nothing is due.

   waiting ORIGIN TASKS MILLISECONDS

   Prints "heap", and the bytes a task that waits; lets a tracer come, until its
   standard input ends; waits; prints "processor" and the nanoseconds that this
   took.  To be run without the allocator's cache, as flight.c. */
#define _GNU_SOURCE
#include "clocks.h"
#include "many.h"
#include "memory.h"
#include <sys/prctl.h>
#include <unistd.h>

static void submit(prefop_queue *queue, int tasks) {
  prefop_query_options options = PREFOP_QUERY_OPTIONS_INIT;
  options.flags = PREFOP_QUERY_UNTIL_FINISHED | PREFOP_QUERY_EACH_CHANGE;
  options.poll_min_ms = options.poll_max_ms = 3600 * 1000;
  prefop_error error = PREFOP_ERROR_INIT;
  for (int i = 0; i < tasks; i++) {
    if (prefop_queue_submit(queue, BENCH_ID, (uint64_t)i, &options, &error)) {
      fail("prefop_queue_submit", error.message);
    }
  }
}

static void take_first_answers(prefop_queue *queue, int tasks) {
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_completion done = PREFOP_COMPLETION_INIT;
  for (int i = 0; i < tasks; i++) {
    if (prefop_queue_next(queue, -1, &done, &error) != 1) fail("prefop_queue_next", error.message);
    if (done.status || done.flags != PREFOP_COMPLETION_MORE) fail("a first answer", error.message);
    prefop_task_free(done.task);
  }
}

int main(int argc, char **argv) {
  if (argc != 4) fail("usage", "waiting ORIGIN TASKS MILLISECONDS");
  int tasks = atoi(argv[2]), milliseconds = atoi(argv[3]);
  prefop_client *client = ours_new(argv[1], NULL);
  prefop_queue *queue = ours_queue_new(client);
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_completion done = PREFOP_COMPLETION_INIT;

  /* Handles, connections and buffers are there before. */
  submit(queue, 1000);
  take_first_answers(queue, 1000);
  size_t before = heap();
  submit(queue, tasks);
  take_first_answers(queue, tasks);
  printf("heap %.1f\n", (double)(heap() - before) / tasks);
  fflush(stdout);

  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
  clocks start = clocks_now();
  if (prefop_queue_next(queue, milliseconds, &done, &error) != 0) fail("prefop_queue_next", "something came");
  clocks end = clocks_now();
  printf("processor %lld\n", end.cpu - start.cpu);
  fflush(stdout);
  prefop_queue_free(queue);
  prefop_client_free(client);
  return 0;
}
