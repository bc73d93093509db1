/*
 * What has become of these Qiniu tasks? Many at once, in GLib's main loop, which GTK's is too.
 *
 *     cc queue_glib.c $(pkg-config --cflags --libs prefop glib-2.0) -o queue_glib
 *     QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... ./queue_glib ID...
 *
 * Answers come in the order in which they arrive, while the loop's other sources go on.
 * Exit status: 0 every task could be asked for, 1 some could not, 2 none was asked for.
 */
#include <glib-unix.h>
#include <prefop.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  prefop_queue *queue;
  char **ids;
  GMainLoop *loop;
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

/* A queue belongs to one thread at a time: all that touches it runs in the thread of the source's main context. */
static gboolean on_readable(gint descriptor, GIOCondition condition, gpointer data) {
  inquiry *inquiry = data;
  prefop_completion done = PREFOP_COMPLETION_INIT;
  prefop_error error = PREFOP_ERROR_INIT;
  int result;
  (void)descriptor, (void)condition; /* Whatever it is, the queue knows what to do. */

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
  if (result == 0 && prefop_queue_pending(inquiry->queue) > 0) return G_SOURCE_CONTINUE;
  g_main_loop_quit(inquiry->loop);
  return G_SOURCE_REMOVE;
}

int main(int argc, char **argv) {
  prefop_client *client = NULL;
  inquiry inquiry = {.ids = argv};
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_client_options options = PREFOP_CLIENT_OPTIONS_INIT;
  options.api_hosts = getenv("PREFOP_API_HOSTS"); /* NULL: the service's own */
  options.ca_file = getenv("PREFOP_CA_FILE");     /* NULL: the system's */
  if (argc < 2 || prefop_client_new(&options, &client, &error) || prefop_queue_new(client, &inquiry.queue, &error)) {
    fprintf(stderr, "%s\n", argc < 2 ? "usage: queue_glib PERSISTENT-ID..." : error.message);
    prefop_client_free(client);
    return 2;
  }
  for (int i = 1; i < argc; i++) {
    if (prefop_queue_submit(inquiry.queue, argv[i], (uint64_t)i, NULL, &error)) {
      fprintf(stderr, "%s: %s\n", argv[i], error.message);
      inquiry.failures++;
    }
  }

  /* The descriptor stays the same and is level-triggered, as a main loop expects it. Submitting makes it readable, so
     that the first query goes out from the loop like all others. */
  int descriptor = prefop_queue_fd(inquiry.queue);
  if (descriptor >= 0 && prefop_queue_pending(inquiry.queue) > 0) {
    inquiry.loop = g_main_loop_new(NULL, FALSE);
    g_unix_fd_add(descriptor, G_IO_IN, on_readable, &inquiry);
    g_main_loop_run(inquiry.loop);
    g_main_loop_unref(inquiry.loop);
  } else if (descriptor < 0) {
    fprintf(stderr, "%s\n", prefop_status_name(descriptor));
    inquiry.failures++;
  }

  /* Only now that nobody watches the descriptor any more: this closes it. */
  prefop_queue_free(inquiry.queue);
  prefop_client_free(client);
  return fflush(stdout) ? 2 : inquiry.failures > 0;
}
