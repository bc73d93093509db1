/*
 * Waits until a Qiniu task is finished, and tells how it went.
 *
 *     cc wait.c $(pkg-config --cflags --libs prefop) -o wait
 *     QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... ./wait z0.597f28b445a2650c994bb208 [SECONDS]
 *
 * Exit status: 0 all of it succeeded, 1 it failed, 2 it could not be asked for, 3 it is not finished yet: the time was
 * over, or Ctrl-C was pressed.
 */
#include <prefop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* That it ran is enough: it makes the wait return. */
static void heed(int number) { (void)number; }

int main(int argc, char **argv) {
  prefop_client *client;
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_client_options options = PREFOP_CLIENT_OPTIONS_INIT;
  options.api_hosts = getenv("PREFOP_API_HOSTS"); /* NULL: the service's own */
  options.ca_file = getenv("PREFOP_CA_FILE");     /* NULL: the system's */
  if (argc < 2 || prefop_client_new(&options, &client, &error)) {
    fprintf(stderr, "%s\n", argc < 2 ? "usage: wait PERSISTENT-ID [SECONDS]" : error.message);
    return 2;
  }

  signal(SIGINT, heed);
  prefop_query_options how = PREFOP_QUERY_OPTIONS_INIT;
  how.flags = PREFOP_QUERY_INTERRUPTIBLE;
  if (argc > 2) how.timeout_ms = strtol(argv[2], NULL, 10) * 1000; /* 0: 24 hours */

  prefop_task *task;
  prefop_status status = prefop_wait(client, argv[1], &how, &task, &error);
  if (status) fprintf(stderr, "%s: %s\n", argv[1], error.message);
  /* There can be one after a failure too: the last answer. */
  if (task) {
    printf("task %s: %s\n", task->persistent_id, prefop_code_name(task->code));
    for (size_t i = 0; i < task->item_count; i++) {
      const prefop_task_item *item = task->items[i];
      printf("  %s: %s %s%s\n", item->command, prefop_code_name(item->code), item->object_name, item->error);
    }
  }
  int outcome = prefop_task_is_succeeded(task) ? 0 : prefop_task_is_finished(task) ? 1 : 2;
  if (status == PREFOP_ERROR_TIMEOUT || status == PREFOP_ERROR_INTERRUPTED) outcome = 3;
  prefop_task_free(task);
  prefop_client_free(client);
  return fflush(stdout) ? 2 : outcome;
}
