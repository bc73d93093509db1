/*
 * What has become of these Qiniu tasks?
 *
 *     cc status.c $(pkg-config --cflags --libs prefop) -o status
 *     QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... ./status z0.597f28b445a2650c994bb208
 *
 * Exit status: 0 all of every task succeeded, 1 a task failed or is not finished, 2 one could not be asked for.
 */
#include <inttypes.h>
#include <prefop.h>
#include <stdio.h>
#include <stdlib.h>

/* A text that is absent is "" in a task; only `result` may be NULL. */
static void show(const char *name, const char *text) {
  if (text && *text) printf("  %-13s %s\n", name, text);
}
static void show_number(const char *name, int64_t number) { printf("  %-13s %" PRId64 "\n", name, number); }

static void show_item(size_t index, const prefop_task_item *item) {
  printf(" item %zu: code %" PRId64 ", %s\n", index, item->code, prefop_code_name(item->code));
  show("command", item->command);
  show("description", item->description);
  show("error", item->error);
  if (item->error_index >= 0) show_number("error index", item->error_index);
  show("object", item->object_name);
  for (size_t i = 0; i < item->object_name_count; i++) show("object", item->object_names[i]);
  show("hash", item->hash);
  show("result", item->result);
  show_number("return old", item->return_old);
}

static void show_task(const prefop_task *task) {
  printf("task %s: code %" PRId64 ", %s\n", task->persistent_id, task->code, prefop_code_name(task->code));
  int64_t failed = prefop_task_failed_item(task, 0);
  /* Three questions, since a task with code 0 can hold an item that failed. */
  show("finished", prefop_task_is_finished(task) ? "yes" : "no");
  show("succeeded", prefop_task_is_succeeded(task) ? "yes, every item" : "no");
  if (failed >= 0) show_number("failed item", failed);
  show("description", task->description);
  show("bucket", task->bucket_name);
  show("object", task->object_name);
  show("pipeline", task->pipeline);
  show("task from", task->task_from);
  show("request id", task->request_id);
  show("type", task->type == PREFOP_TYPE_IDLE_TIME ? "idle time" : "normal");
  show("created at", task->created_at);
  for (size_t i = 0; i < task->item_count; i++) show_item(i, task->items[i]);
}

static int ask(prefop_client *client, const char *id) {
  prefop_task *task;
  prefop_error error = PREFOP_ERROR_INIT;
  if (prefop_query(client, id, NULL, &task, &error)) {
    const char *later = error.retryable ? "; try again later" : "", *reqid = *error.request_id ? error.request_id : "-";
    fprintf(stderr, "%s: %s (X-Reqid: %s)%s\n", id, error.message, reqid, later);
    return 2;
  }
  show_task(task);
  int outcome = prefop_task_is_succeeded(task) ? 0 : 1;
  prefop_task_free(task);
  return outcome;
}

int main(int argc, char **argv) {
  prefop_client *client;
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_client_options options = PREFOP_CLIENT_OPTIONS_INIT;
  options.api_hosts = getenv("PREFOP_API_HOSTS"); /* NULL: the service's own */
  options.ca_file = getenv("PREFOP_CA_FILE");     /* NULL: the system's */
  if (argc < 2 || prefop_client_new(&options, &client, &error)) {
    fprintf(stderr, "%s\n", argc < 2 ? "usage: status PERSISTENT-ID..." : error.message);
    return 2;
  }
  int worst = 0;
  for (int i = 1, outcome; i < argc; i++)
    if ((outcome = ask(client, argv[i])) > worst) worst = outcome;
  prefop_client_free(client);
  return fflush(stdout) ? 2 : worst;
}
