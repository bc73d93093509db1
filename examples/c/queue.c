/*
 * What has become of these Qiniu tasks? Many at once, on one thread, with poll(2).
 *
 *     cc queue.c $(pkg-config --cflags --libs prefop) -o queue
 *     QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... ./queue < ids
 *
 * One id a line; answers come in the order in which they arrive. A program that has nothing else to do needs
 * no poll(2): prefop_queue_next(queue, -1, ...) waits by itself.
 *
 * Exit status: 0 every task could be asked for, 1 some could not, 2 none was asked for.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <poll.h>
#include <prefop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An id that waits costs itself and some hundred bytes; it comes back as the tag. */
static int submit(prefop_queue *queue, const char *line, prefop_error *error) {
  char *id = strdup(line);
  if (id == NULL) return -1;
  id[strcspn(id, "\r\n")] = 0;
  if (prefop_queue_submit(queue, id, (uint64_t)(uintptr_t)id, NULL, error)) {
    fprintf(stderr, "%s: %s\n", id, error->message);
    free(id);
    return -1;
  }
  return 0;
}

/* Whatever has ended by now; returns how many there were without a task. */
static int take(prefop_queue *queue, prefop_error *error) {
  prefop_completion done = PREFOP_COMPLETION_INIT;
  int failures = 0, result;
  while ((result = prefop_queue_next(queue, 0, &done, error)) == 1) {
    char *id = (char *)(uintptr_t)done.tag;
    if (done.status) {
      fprintf(stderr, "%s: %s\n", id, error->message);
      failures++;
    } else {
      printf("%s: %s\n", id, prefop_code_name(done.task->code));
    }
    prefop_task_free(done.task);
    free(id);
  }
  if (result < 0) fprintf(stderr, "%s\n", error->message);
  return failures + (result < 0);
}

int main(void) {
  prefop_client *client = NULL;
  prefop_queue *queue = NULL;
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_client_options options = PREFOP_CLIENT_OPTIONS_INIT;
  options.api_hosts = getenv("PREFOP_API_HOSTS"); /* NULL: the service's own */
  options.ca_file = getenv("PREFOP_CA_FILE");     /* NULL: the system's */
  if (prefop_client_new(&options, &client, &error) || prefop_queue_new(client, &queue, &error)) {
    fprintf(stderr, "%s\n", error.message);
    prefop_client_free(client);
    return 2;
  }
  struct pollfd watched = {.fd = prefop_queue_fd(queue), .events = POLLIN};
  char line[512];
  int failures = 0, count = 0;
  while (watched.fd >= 0 && fgets(line, sizeof line, stdin)) {
    count++;
    if (submit(queue, line, &error)) failures++;
  }
  /* Any event loop will do: call prefop_queue_next when the descriptor is readable. */
  while (prefop_queue_pending(queue) > 0) {
    if (poll(&watched, 1, -1) > 0) failures += take(queue, &error);
  }
  prefop_queue_free(queue);
  prefop_client_free(client);
  return fflush(stdout) || count == 0 ? 2 : failures > 0;
}
