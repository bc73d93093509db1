/*
 * Does this notification come from Qiniu?
 *
 *     cc notification.c $(pkg-config --cflags --libs prefop) -o notification
 *     QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... \
 *       ./notification https://example.com/notify 'Authorization: Qiniu ...' 'Content-Type: application/json' < body
 *
 * Arguments: the URL as Qiniu called it, then the headers; the body comes on
 * standard input. Exit status: 0 it does, 1 it is not to be trusted, 2 the
 * question could not be answered.
 */
#include <prefop.h>
#include <stdio.h>

int main(int argc, char **argv) {
  static char body[1 << 20]; /* a task's JSON is much smaller */
  size_t length = fread(body, 1, sizeof body, stdin);
  if (argc < 2 || ferror(stdin) || !feof(stdin)) {
    fprintf(stderr, "usage: %s URL 'NAME: VALUE'... < BODY (less than %zu bytes)\n", argv[0], sizeof body);
    return 2;
  }

  prefop_notification notification = PREFOP_NOTIFICATION_INIT; /* method: POST; keys: the client's */
  notification.url = argv[1];
  notification.headers = (const char *const *)(argv + 2);
  notification.header_count = (size_t)(argc - 2);
  notification.body = body;
  notification.body_length = length;

  prefop_task *task;
  prefop_error error = PREFOP_ERROR_INIT;
  switch (prefop_notification_verify(NULL, &notification, &task, &error)) {
  case PREFOP_OK:
    printf("authentic: task %s, code %lld, %s\n", task->persistent_id, (long long)task->code,
        prefop_code_name(task->code));
    prefop_task_free(task);
    return fflush(stdout) ? 2 : 0;
  case PREFOP_ERROR_UNSIGNED:
  case PREFOP_ERROR_UNKNOWN_KEY:
  case PREFOP_ERROR_SIGNATURE:
  case PREFOP_ERROR_UNSIGNED_BODY: /* whatever it says, ask with prefop_query */
    fprintf(stderr, "not to be trusted: %s\n", error.message);
    return 1;
  default:
    fprintf(stderr, "%s: %s\n", prefop_status_name(error.status), error.message);
    return 2;
  }
}
