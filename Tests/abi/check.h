/* What the C tests share: checks that tell all there is to know, the stub
   server's addresses, a client of it, a query with every property checked. */
#ifndef PREFOP_TEST_CHECK_H
#define PREFOP_TEST_CHECK_H

#include <prefop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The rest of the arguments, a format and its values, should say what was sent,
   what came and what was expected.  _exit, because a failing child of a fork
   must not run the parent's exit handlers. */
#define CHECK(condition, ...)                                                                                          \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: not true: %s: ", __FILE__, __LINE__, #condition);                                        \
      fprintf(stderr, __VA_ARGS__);                                                                                    \
      fputc('\n', stderr);                                                                                             \
      fflush(NULL);                                                                                                    \
      _exit(1);                                                                                                        \
    }                                                                                                                  \
  } while (0)

/* The stub server's first key pair, and its second. */
#define TEST_ACCESS_KEY "AK-of-the-stub-server"
#define TEST_SECRET_KEY "SK-of-the-stub-server"
#define TEST_SECOND_ACCESS_KEY "AK-2-of-the-stub-server"
#define TEST_SECOND_SECRET_KEY "SK-2-of-the-stub-server"

static inline const char *test_setting(const char *name) {
  const char *value = getenv(name);
  CHECK(value != NULL, "the environment has no %s: run with python3 Tests/server --tls -- COMMAND", name);
  return value;
}

/* Options for the stub server, over TLS or not. */
static inline prefop_client_options test_options(int tls) {
  prefop_client_options options = PREFOP_CLIENT_OPTIONS_INIT;
  options.access_key = TEST_ACCESS_KEY;
  options.secret_key = TEST_SECRET_KEY;
  options.api_hosts = test_setting(tls ? "PREFOP_TEST_HTTPS" : "PREFOP_TEST_HTTP");
  options.ca_file = tls ? test_setting("PREFOP_TEST_CA") : NULL;
  options.proxy = "";
  return options;
}

/* Options of a client that finds its hosts: the stub server is the bucket
   service, and tells of whom a test wants.  Names of the real service end at a
   proxy that is not there. */
static inline prefop_client_options test_finding_options(int tls) {
  prefop_client_options options = test_options(tls);
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("https_proxy", "http://127.0.0.1:1", 1);
  setenv("no_proxy", "127.0.0.1,localhost", 1);
  options.proxy = NULL;
  options.bucket_hosts = options.api_hosts;
  options.api_hosts = NULL;
  options.flags = tls ? 0 : PREFOP_CLIENT_USE_HTTP;
  return options;
}

static inline prefop_client *test_client_with(const prefop_client_options *options) {
  prefop_client *client = NULL;
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_status status = prefop_client_new(options, &client, &error);
  CHECK(status == PREFOP_OK && client != NULL, "prefop_client_new(%s): %s: %s",
      options->api_hosts == NULL ? "" : options->api_hosts, prefop_status_name(status), error.message);
  return client;
}

static inline prefop_client *test_client(int tls) {
  prefop_client_options options = test_options(tls);
  return test_client_with(&options);
}

/* A query that must succeed, with the task asked for and no other. */
static inline void test_query(prefop_client *client, const char *id) {
  prefop_task *task = NULL;
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_status status = prefop_query(client, id, NULL, &task, &error);
  CHECK(status == PREFOP_OK && task != NULL, "sent %s, came %s (curl %d, %d attempts): %s, expected the task", id,
      prefop_status_name(status), error.curl_code, error.attempts, error.message);
  CHECK(strcmp(task->persistent_id, id) == 0, "sent %s, came the task %s", id, task->persistent_id);
  CHECK(strstr(task->json, id) != NULL, "sent %s, came the JSON %s", id, task->json);
  prefop_task_free(task);
}

/* A query of which only the status is wanted; a task must come with OK alone. */
static inline prefop_status test_status(prefop_client *client, const char *id, const prefop_query_options *options) {
  prefop_task *task = (prefop_task *)&task;
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_status status = prefop_query(client, id, options, &task, &error);
  CHECK((status == PREFOP_OK) == (task != NULL), "sent %s, came %s with task %p: %s", id, prefop_status_name(status),
      (void *)task, error.message);
  CHECK(status == error.status, "sent %s, came %s, but error.status is %s", id, prefop_status_name(status),
      prefop_status_name(error.status));
  prefop_task_free(task);
  return status;
}

#define CHECK_STATUS(client, id, options, expected)                                                                    \
  do {                                                                                                                 \
    prefop_status came_ = test_status(client, id, options);                                                            \
    CHECK(came_ == (expected), "sent %s, came %s, expected %s", id, prefop_status_name(came_),                         \
        prefop_status_name(expected));                                                                                 \
  } while (0)

#endif
