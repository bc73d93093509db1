/* A libFuzzer target: no document may trap, read out of bounds or leak; what
   parses must survive being written and read again. */
#include <prefop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

static void same(const char *a, const char *b, const char *what) {
  require((a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0), what);
}

static void compare_items(const prefop_task_item *a, const prefop_task_item *b) {
  same(a->command, b->command, "cmd changed");
  same(a->description, b->description, "desc changed");
  same(a->error, b->error, "error changed");
  same(a->hash, b->hash, "hash changed");
  same(a->object_name, b->object_name, "key changed");
  same(a->result, b->result, "result changed");
  require(a->code == b->code, "code changed");
  require(a->return_old == b->return_old, "returnOld changed");
  require(a->error_index == b->error_index, "errorIndex changed");
  require(a->object_name_count == b->object_name_count, "keys changed");
  for (size_t i = 0; i < a->object_name_count; i++) same(a->object_names[i], b->object_names[i], "keys changed");
}

static void compare(const prefop_task *a, const prefop_task *b) {
  same(a->persistent_id, b->persistent_id, "id changed");
  same(a->description, b->description, "desc changed");
  same(a->object_name, b->object_name, "inputKey changed");
  same(a->bucket_name, b->bucket_name, "inputBucket changed");
  same(a->pipeline, b->pipeline, "pipeline changed");
  same(a->task_from, b->task_from, "taskFrom changed");
  same(a->request_id, b->request_id, "reqid changed");
  same(a->created_at, b->created_at, "creationDate changed");
  require(a->code == b->code && a->type == b->type, "code or type changed");
  require(a->item_count == b->item_count && a->items[a->item_count] == NULL, "items changed");
  for (size_t i = 0; i < a->item_count; i++) compare_items(a->items[i], b->items[i]);
}

static void check_task(const char *json, size_t size) {
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_task *task, *again;
  char *text;
  size_t length;
  prefop_status status = prefop_task_parse(json, size, &task, &error);
  require((status == PREFOP_OK) == (task != NULL), "status and task disagree");
  if (status != PREFOP_OK) {
    require(status == PREFOP_ERROR_JSON && error.message[0] != 0, "a refusal says nothing");
    return;
  }
  require(task->json_length == size && memcmp(task->json, json, size) == 0 && task->json[size] == 0, "json changed");
  (void)prefop_task_is_succeeded(task);
  (void)prefop_task_failed_item(task, 0);
  require(prefop_task_to_json(task, &text, &length, &error) == PREFOP_OK, error.message);
  require(strlen(text) == length, "the text's length is wrong");
  require(prefop_task_parse(text, length, &again, &error) == PREFOP_OK, error.message);
  compare(task, again);
  prefop_task_free(again);
  prefop_string_free(text);
  prefop_task_free(task);
}

static void check_item(const char *json, size_t size) {
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_task_item *item, *again;
  char *text;
  size_t length;
  if (prefop_task_item_parse(json, size, &item, &error) != PREFOP_OK) return;
  require(prefop_task_item_to_json(item, &text, &length, &error) == PREFOP_OK, error.message);
  require(prefop_task_item_parse(text, length, &again, &error) == PREFOP_OK, error.message);
  compare_items(item, again);
  prefop_task_item_free(again);
  prefop_string_free(text);
  prefop_task_item_free(item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* An exact copy, so that the sanitizer sees a byte read too far. */
  char *json = malloc(size ? size : 1);
  if (!json) return 0;
  if (size) memcpy(json, data, size);
  check_task(json, size);
  check_item(json, size);
  free(json);
  return 0;
}
