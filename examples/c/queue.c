/*
 * What has become of these Qiniu tasks? Many at once, on one thread, in a loop of one's own around poll(2).
 *
 *     cc queue.c $(pkg-config --cflags --libs prefop) -o queue
 *     QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... ./queue < ids
 *
 * One id a line; answers come in the order in which they arrive, while further ids are read. A program that has
 * nothing else to do needs no poll(2): prefop_queue_next(queue, -1, ...) waits by itself.
 *
 * Exit status: 0 every task could be asked for, 1 some could not, 2 none was asked for.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <poll.h>
#include <prefop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int count, failures;

static void failed(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  failures++;
}

/* An id that waits costs itself and some hundred bytes; it comes back as the tag. */
static void submit(prefop_queue *queue, const char *line, size_t length) {
  prefop_error error = PREFOP_ERROR_INIT;
  char *id = strndup(line, length > 0 && line[length - 1] == '\r' ? length - 1 : length);
  count++;
  if (id == NULL || prefop_queue_submit(queue, id, (uint64_t)(uintptr_t)id, NULL, &error)) {
    failed(id ? id : "an id", id ? error.message : "no memory");
    free(id);
  }
}

/* Submits the lines that can be read without waiting; 0 at the end. */
static int read_ids(prefop_queue *queue) {
  static char text[4096];
  static size_t length;
  ssize_t got = read(STDIN_FILENO, text + length, sizeof text - length);
  if (got < 0 && errno == EINTR) return 1;
  if (got > 0) length += (size_t)got;
  char *start = text, *end;
  while ((end = memchr(start, '\n', length)) != NULL) {
    submit(queue, start, (size_t)(end - start));
    length -= (size_t)(end + 1 - start);
    start = end + 1;
  }
  if (length > 0 && (got <= 0 || length == sizeof text)) { /* The last one, or no id at all: too long. */
    submit(queue, start, length);
    length = 0;
  }
  memmove(text, start, length);
  return got > 0;
}

/* The library works in prefop_queue_next only. Until it does not return 1, since one event can stand for many
   completions; with a timeout of 0, since it is poll that waits. Returns 0, or why the queue cannot go on. */
static prefop_status take(prefop_queue *queue) {
  prefop_completion done = PREFOP_COMPLETION_INIT;
  prefop_error error = PREFOP_ERROR_INIT;
  int32_t result;
  while ((result = prefop_queue_next(queue, 0, &done, &error)) == 1) {
    char *id = (char *)(uintptr_t)done.tag;
    if (done.status) {
      failed(id, error.message);
    } else {
      printf("%s: %s\n", id, prefop_code_name(done.task->code));
    }
    prefop_task_free(done.task);
    free(id);
  }
  if (result < 0) failed("the queue", error.message);
  return result;
}

/* A queue belongs to one thread at a time: all that touches it runs here. */
static void run(prefop_queue *queue) {
  enum { QUEUE, INPUT, WATCHED };
  /* The queue's descriptor stays the same and is level-triggered, as poll(2) is. Submitting makes it readable, so that
     the first query goes out from the loop like all others. */
  struct pollfd watched[WATCHED] = {
      [QUEUE] = {.fd = prefop_queue_fd(queue), .events = POLLIN}, [INPUT] = {.fd = STDIN_FILENO, .events = POLLIN}};
  if (watched[QUEUE].fd < 0) failed("the queue", prefop_status_name(watched[QUEUE].fd));
  while (watched[QUEUE].fd >= 0 && (watched[INPUT].fd >= 0 || prefop_queue_pending(queue) > 0)) {
    if (poll(watched, WATCHED, -1) <= 0) continue;
    if (watched[INPUT].revents && !read_ids(queue)) watched[INPUT].fd = -1; /* poll(2) passes over it. */
    if (watched[QUEUE].revents && take(queue)) return;
  }
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
  run(queue);
  prefop_queue_free(queue);
  prefop_client_free(client);
  return fflush(stdout) || count == 0 ? 2 : failures > 0;
}
