/*
 * What has become of these Qiniu tasks? Many at once, in a libuv loop.
 *
 *     cc queue_libuv.c $(pkg-config --cflags --libs prefop libuv) -o queue_libuv
 *     QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... ./queue_libuv ID...
 *
 * Answers come in the order in which they arrive, while the loop's other handles go on.
 * Exit status: 0 every task could be asked for, 1 some could not, 2 none was asked for.
 */
#define _POSIX_C_SOURCE 200809L
#include <prefop.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

typedef struct {
  prefop_queue *queue;
  char **ids;
  int failures;
} inquiry;

static void show(inquiry *inquiry, const prefop_completion *done, const prefop_error *error) {
  const char *id = inquiry->ids[done->tag];
  if (done->status) {
    fprintf(stderr, "%s: %s\n", id, error->message);
    inquiry->failures++;
  } else {
    printf("%s: %s\n", id, prefop_code_name(done->task->code));
  }
}

/* A queue belongs to one thread at a time: all that touches it runs in the loop's. */
static void on_readable(uv_poll_t *watcher, int status, int events) {
  inquiry *inquiry = watcher->data;
  prefop_completion done = PREFOP_COMPLETION_INIT;
  prefop_error error = PREFOP_ERROR_INIT;
  int result;
  (void)status, (void)events; /* Whatever it is, the queue knows what to do. */

  /* The library works in prefop_queue_next only. Until it does not return 1, since one event can stand for many
     completions; with a timeout of 0, since it is the loop that waits. */
  while ((result = prefop_queue_next(inquiry->queue, 0, &done, &error)) == 1) {
    show(inquiry, &done, &error);
    prefop_task_free(done.task);
  }
  if (result < 0) {
    fprintf(stderr, "%s\n", error.message);
    inquiry->failures++;
  }
  /* A program that submits more later goes on watching: an idle queue's descriptor is not readable. */
  if (result < 0 || prefop_queue_pending(inquiry->queue) == 0) uv_close((uv_handle_t *)watcher, NULL);
}

int main(int argc, char **argv) {
  prefop_client *client = NULL;
  inquiry inquiry = {.ids = argv};
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_client_options options = PREFOP_CLIENT_OPTIONS_INIT;
  options.api_hosts = getenv("PREFOP_API_HOSTS"); /* NULL: the service's own */
  options.ca_file = getenv("PREFOP_CA_FILE");     /* NULL: the system's */
  if (argc < 2 || prefop_client_new(&options, &client, &error) || prefop_queue_new(client, &inquiry.queue, &error)) {
    fprintf(stderr, "%s\n", argc < 2 ? "usage: queue_libuv PERSISTENT-ID..." : error.message);
    prefop_client_free(client);
    return 2;
  }
  for (int i = 1; i < argc; i++) {
    if (prefop_queue_submit(inquiry.queue, argv[i], (uint64_t)i, NULL, &error)) {
      fprintf(stderr, "%s: %s\n", argv[i], error.message);
      inquiry.failures++;
    }
  }

  /* The descriptor stays the same and is level-triggered, as uv_poll_t expects it. Submitting makes it readable, so
     that the first query goes out from the loop like all others. */
  uv_poll_t watcher = {.data = &inquiry};
  int descriptor = prefop_queue_fd(inquiry.queue);
  if (descriptor < 0 || uv_poll_init(uv_default_loop(), &watcher, descriptor)) {
    fprintf(stderr, "the queue cannot be watched\n");
    inquiry.failures++;
  } else if (prefop_queue_pending(inquiry.queue) > 0) {
    uv_poll_start(&watcher, UV_READABLE, on_readable);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  }

  /* Only now that nobody watches the descriptor any more: this closes it. */
  prefop_queue_free(inquiry.queue);
  prefop_client_free(client);
  uv_loop_close(uv_default_loop());
  return fflush(stdout) ? 2 : inquiry.failures > 0;
}
