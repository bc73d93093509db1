/* Reads and writes JSON that nests deeply, on a thread with 128 KB of stack. */
#include <prefop.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK (128 * 1024)
#define BRACKETS 100000

static int failures = 0;

static void check(const char *what, prefop_status came, prefop_status expected, const prefop_error *error) {
  if (came == expected) return;
  failures++;
  printf("%s: %s, expected %s: %s\n", what, prefop_status_name(came), prefop_status_name(expected), error->message);
}

static void read_nested(const char *start, char bracket) {
  size_t length = strlen(start) + BRACKETS;
  char *json = malloc(length);
  prefop_task *task = NULL;
  prefop_error error = PREFOP_ERROR_INIT;
  if (json == NULL) abort();
  memcpy(json, start, strlen(start));
  memset(json + strlen(start), bracket, BRACKETS);
  check(start, prefop_task_parse(json, length, &task, &error), PREFOP_ERROR_JSON, &error);
  prefop_task_free(task);
  free(json);
}

static void read_objects(void) {
  const char *start = "{\"code\":0,\"x\":";
  const char *member = "{\"a\":";
  size_t length = strlen(start) + BRACKETS * strlen(member);
  char *json = malloc(length + 1);
  prefop_task *task = NULL;
  prefop_error error = PREFOP_ERROR_INIT;
  char *end;
  if (json == NULL) abort();
  end = json + strlen(start);
  memcpy(json, start, strlen(start));
  for (size_t i = 0; i < BRACKETS; i++, end += strlen(member)) memcpy(end, member, strlen(member));
  check("objects", prefop_task_parse(json, length, &task, &error), PREFOP_ERROR_JSON, &error);
  free(json);
}

static void write_nested(void) {
  prefop_task_item item = PREFOP_TASK_ITEM_INIT;
  prefop_error error = PREFOP_ERROR_INIT;
  char *result = malloc(BRACKETS * 2 + 1);
  char *json = NULL;
  if (result == NULL) abort();
  memset(result, '[', BRACKETS);
  memset(result + BRACKETS, ']', BRACKETS);
  result[BRACKETS * 2] = 0;
  item.result = result;
  check("result", prefop_task_item_to_json(&item, &json, NULL, &error), PREFOP_ERROR_ARGUMENT, &error);
  prefop_string_free(json);
  free(result);
}

static void *run(void *unused) {
  (void)unused;
  read_nested("", '[');
  read_nested("", '{');
  read_nested("{\"code\":0,\"x\":", '[');
  read_nested("{\"code\":0,\"items\":", '[');
  read_nested("{\"code\":0,\"items\":[{\"code\":0,\"result\":", '[');
  read_objects();
  write_nested();
  return NULL;
}

int main(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  if (pthread_attr_setstacksize(&attributes, STACK) != 0) return 2;
  if (pthread_create(&thread, &attributes, run, NULL) != 0) return 2;
  pthread_join(thread, NULL);
  return failures > 0;
}
