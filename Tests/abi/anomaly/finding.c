#define _GNU_SOURCE
#include "finding.h"

#include "../clock.h"
#include "driver.h"

/* Where nobody listens. */
#define NOT_THERE "http://127.0.0.1:1"
#define NOT_THERE_TLS "https://localhost:1"

/* Seconds after which an answer with the stub's lifetime of 10 s is to be
   asked for again, and after which it is too old; the latter is also more than
   the time for which the service is left alone after a failure. */
#define HALF_AGED 6
#define EXPIRED 40

/* Asking
   ------ */

static int over_tls(void) { return trial_current->tls; }

static prefop_client *new_finding_client(prefop_error *error, prefop_status *status, int is_first_bucket_host_there) {
  prefop_client_options options = test_finding_options(over_tls());
  char hosts[256];
  snprintf(hosts, sizeof hosts, "%s,%s", over_tls() ? NOT_THERE_TLS : NOT_THERE, options.bucket_hosts);
  if (!is_first_bucket_host_there) options.bucket_hosts = hosts;
  limit_times(&options);
  options.max_attempts = 1;
  prefop_client *client = NULL;
  *status = prefop_client_new(&options, &client, error);
  return client;
}

/* The bucket of this name for this step: in its regions are hosts for HTTP, or
   for TLS. */
static const char *bucket_of_step(const char *name) {
  static char bucket[256];
  snprintf(bucket, sizeof bucket, "%s.%s", over_tls() ? "tls" : "http", name);
  return bucket;
}

/* bucket: NULL for the account. */
static prefop_query_options options_for(const char *bucket) {
  prefop_query_options options = PREFOP_QUERY_OPTIONS_INIT;
  if (bucket != NULL) options.bucket_name = bucket_of_step(bucket);
  options.poll_min_ms = options.poll_max_ms = 1;
  return options;
}

static void ask(prefop_client *client, const char *bucket) {
  prefop_query_options options = options_for(bucket);
  prefop_error error = new_error();
  prefop_task *task = NULL;
  prefop_status status = prefop_query(client, trial_id, &options, &task, &error);
  tell_task(status, task, &error, error.attempts);
}

/* Preparing
   --------- */

void prepare_finding(void *context) {
  program *program = context;
  prefop_error error = new_error();
  prefop_status status;
  prepare_libraries(context);
  program->client = new_finding_client(&error, &status, 1);
  CHECK(status == PREFOP_OK, "%s", error.message);
}

void prepare_finding_queue(void *context) {
  program *program = context;
  prefop_error error = new_error();
  prepare_finding(context);
  prefop_status status = prefop_queue_new(program->client, &program->queue, &error);
  CHECK(status == PREFOP_OK, "%s", error.message);
}

static void prepare_known(void *context, const char *bucket) {
  program *program = context;
  prefop_query_options options = options_for(bucket);
  prefop_error error = new_error();
  prefop_task *task = NULL;
  prepare_finding(context);
  prefop_status status = prefop_query(program->client, trial_id, &options, &task, &error);
  CHECK(status == PREFOP_OK, "%s", error.message);
  prefop_task_free(task);
}

void prepare_found(void *context) { prepare_known(context, "bucket"); }
void prepare_found_once(void *context) { prepare_known(context, trial_id); }

/* Acting
   ------ */

/* The first time with the client that was prepared, and its empty cache. */
void act_find_bucket(void *context) { ask(((program *)context)->client, "bucket"); }
void act_find_next_host(void *context) { ask(((program *)context)->client, "next"); }

/* Each time after the pause in which a service that failed is left alone. */
void act_find_regions(void *context) {
  test_grow_older(EXPIRED);
  ask(((program *)context)->client, NULL);
}

void act_find_next_bucket_host(void *context) {
  (void)context;
  prefop_error error = new_error();
  prefop_status status;
  prefop_client *client = new_finding_client(&error, &status, 0);
  if (client == NULL) {
    tell_task(status, NULL, &error, 0);
  } else {
    ask(client, "bucket");
  }
  prefop_client_free(client);
}

void act_find_half_aged(void *context) {
  test_grow_older(HALF_AGED);
  ask(((program *)context)->client, "bucket");
}

void act_find_expired(void *context) {
  test_grow_older(EXPIRED);
  ask(((program *)context)->client, trial_id);
}

void act_find_queue(void *context) {
  program *program = context;
  prefop_query_options options = options_for("bucket");
  prefop_error error = new_error();
  prefop_completion done = PREFOP_COMPLETION_INIT;
  if (prefop_queue_pending(program->queue) == 0) {
    prefop_status status = prefop_queue_submit(program->queue, trial_id, 77, &options, &error);
    if (status != PREFOP_OK) {
      tell_task(status, NULL, &error, 0);
      return;
    }
  }
  int32_t result = prefop_queue_next(program->queue, 20000, &done, &error);
  if (result == 1) {
    tell_task(done.status, done.task, &error, error.attempts);
  } else {
    trial_tell(result, 0, result < 0 && prefop_queue_pending(program->queue) == 1 ? "" : "the query was lost", "");
  }
}

void act_find_wait(void *context) {
  prefop_query_options options = options_for("bucket");
  prefop_error error = new_error();
  prefop_task *task = NULL;
  options.timeout_ms = 4000;
  prefop_status status = prefop_wait(((program *)context)->client, trial_id, &options, &task, &error);
  /* A wait that is out of time may hand its last answer out. */
  if (status == PREFOP_ERROR_TIMEOUT) {
    prefop_task_free(task);
    task = NULL;
  }
  tell_task(status, task, &error, error.attempts);
}
