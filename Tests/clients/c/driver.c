/* Asks for the ids given and prints one line of JSON for each:

   driver [--<client option>=<number>]... ID [[--<option>=<number>]... ID]...

   Options count for the id after them.  The host is PREFOP_TEST_HTTPS, else
   PREFOP_TEST_HTTP; the authority to trust is PREFOP_TEST_CA. */
#include <inttypes.h>
#include <prefop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_text(const char *text) {
  if (text == NULL) {
    fputs("null", stdout);
    return;
  }
  putchar('"');
  for (; *text != 0; text++) {
    unsigned char byte = (unsigned char)*text;
    if (byte < 0x20 || byte == '"' || byte == '\\') {
      printf("\\u%04x", byte);
    } else {
      putchar(byte);
    }
  }
  putchar('"');
}

static void text_member(const char *name, const char *text) {
  printf("\"%s\":", name);
  print_text(text);
  putchar(',');
}

static void number_member(const char *name, int64_t number) { printf("\"%s\":%" PRId64 ",", name, number); }

static void print_item(const prefop_task_item *item) {
  putchar('{');
  text_member("command", item->command);
  number_member("code", item->code);
  text_member("description", item->description);
  text_member("error", item->error);
  number_member("error_index", item->error_index);
  text_member("hash", item->hash);
  text_member("object_name", item->object_name);
  text_member("result", item->result);
  number_member("return_old", item->return_old);
  fputs("\"object_names\":[", stdout);
  for (size_t i = 0; i < item->object_name_count; i++) {
    if (i > 0) putchar(',');
    print_text(item->object_names[i]);
  }
  fputs("]}", stdout);
}

static void print_task(const prefop_task *task) {
  if (task == NULL) {
    fputs("null", stdout);
    return;
  }
  putchar('{');
  text_member("persistent_id", task->persistent_id);
  number_member("code", task->code);
  text_member("description", task->description);
  text_member("object_name", task->object_name);
  text_member("bucket_name", task->bucket_name);
  text_member("pipeline", task->pipeline);
  text_member("task_from", task->task_from);
  text_member("request_id", task->request_id);
  number_member("type", task->type);
  text_member("created_at", task->created_at);
  text_member("json", task->json);
  fputs("\"items\":[", stdout);
  for (size_t i = 0; i < task->item_count; i++) {
    if (i > 0) putchar(',');
    print_item(task->items[i]);
  }
  fputs("]}", stdout);
}

static void print_error(const prefop_error *error) {
  putchar('{');
  number_member("status", error->status);
  number_member("http_status", error->http_status);
  number_member("curl_code", error->curl_code);
  number_member("attempts", error->attempts);
  number_member("retryable", error->retryable);
  number_member("retry_after_ms", error->retry_after_ms);
  text_member("request_id", error->request_id);
  text_member("host", error->host);
  fputs("\"message\":", stdout);
  print_text(error->message);
  putchar('}');
}

static void set_option(prefop_client_options *options, const char *text) {
  const char *equals = strchr(text, '=');
  size_t length = equals == NULL ? strlen(text) : (size_t)(equals - text);
  long long value = equals == NULL ? 0 : strtoll(equals + 1, NULL, 10);
#define IS(name) (length == strlen(name) && strncmp(text, name, length) == 0)
  if (IS("flags")) {
    options->flags = (uint32_t)value;
  } else if (IS("timeout_ms")) {
    options->timeout_ms = value;
  } else if (IS("attempt_timeout_ms")) {
    options->attempt_timeout_ms = value;
  } else if (IS("connect_timeout_ms")) {
    options->connect_timeout_ms = value;
  } else if (IS("max_response_bytes")) {
    options->max_response_bytes = value;
  } else if (IS("max_attempts")) {
    options->max_attempts = (int32_t)value;
  } else {
    fprintf(stderr, "unknown option %s\n", text);
    exit(2);
  }
#undef IS
}

int main(int count, char **arguments) {
  prefop_client_options options = PREFOP_CLIENT_OPTIONS_INIT;
  const char *hosts = getenv("PREFOP_TEST_HTTPS");
  if (hosts == NULL) hosts = getenv("PREFOP_TEST_HTTP");
  for (int i = 1; i < count; i++) {
    if (strncmp(arguments[i], "--", 2) == 0) {
      set_option(&options, arguments[i] + 2);
      continue;
    }
    prefop_client *client = NULL;
    prefop_task *task = NULL;
    prefop_error error = PREFOP_ERROR_INIT;
    options.api_hosts = hosts;
    options.ca_file = getenv("PREFOP_TEST_CA");
    if (prefop_client_new(&options, &client, &error) == PREFOP_OK) {
      prefop_query(client, arguments[i], NULL, &task, &error);
    }
    prefop_client_free(client); /* A task outlives its client. */
    putchar('{');
    text_member("id", arguments[i]);
    fputs("\"task\":", stdout);
    print_task(task);
    fputs(",\"error\":", stdout);
    print_error(&error);
    puts("}");
    prefop_task_free(task);
    options = (prefop_client_options)PREFOP_CLIENT_OPTIONS_INIT;
  }
  return 0;
}
