#include "queues.h"

#include "driver.h"

enum { TAG = 77 };

static prefop_status make_queue(program *program) {
  prefop_error error = new_error();
  prefop_status status = prefop_queue_new(program->client, &program->queue, &error);
  const char *outcome = wrong_outcome(status, program->queue, &error);
  CHECK(outcome[0] == 0, "%s", outcome);
  return status;
}

void prepare_queue(void *context) {
  prepare_warm(context);
  CHECK(make_queue(context) == PREFOP_OK, "no queue");
}

void prepare_warm_queue(void *context) {
  program *program = context;
  prefop_error error = new_error();
  prefop_completion done = PREFOP_COMPLETION_INIT;
  prepare_queue(program);
  CHECK(prefop_queue_fd(program->queue) >= 0, "no descriptor");
  CHECK(prefop_queue_submit(program->queue, ECHO, 0, NULL, &error) == PREFOP_OK, "%s", error.message);
  CHECK(prefop_queue_next(program->queue, -1, &done, &error) == 1, "%s", error.message);
  prefop_task_free(done.task);
}

/* Whether the submission is there; tells, if it is not. */
static int submit(program *program, const prefop_query_options *options) {
  prefop_error error = new_error();
  prefop_status status = prefop_queue_submit(program->queue, trial_id, TAG, options, &error);
  const char *outcome = wrong_error(status, &error);
  if (status == PREFOP_OK && outcome[0] == 0) return 1;
  if (prefop_queue_pending(program->queue) != 0) outcome = "refused, but pending";
  trial_tell(status, 0, outcome, "");
  return 0;
}

/* Submits, if the call before left nothing, and takes completions until the last. */
static void submit_and_take(program *program, const prefop_query_options *options) {
  prefop_error error = new_error();
  prefop_completion done = PREFOP_COMPLETION_INIT;
  if (prefop_queue_pending(program->queue) == 0 && !submit(program, options)) return;
  int32_t result;
  while ((result = prefop_queue_next(program->queue, 20000, &done, &error)) == 1 && done.flags != 0) {
    int is_right = done.flags == PREFOP_COMPLETION_MORE && done.tag == TAG && done.status == PREFOP_OK &&
                   done.task != NULL && done.task->code == PREFOP_CODE_PROCESSING &&
                   wrong_error(PREFOP_OK, &error)[0] == 0;
    prefop_task_free(done.task);
    if (!is_right) {
      trial_tell(done.status, 0, "a change that is not right", "");
      return;
    }
  }
  if (result == 1 && done.tag == TAG) {
    tell_task(done.status, done.task, &error, error.curl_code);
  } else if (result < 0 && done.task == NULL && prefop_queue_pending(program->queue) == 1) {
    trial_tell(result, error.curl_code, wrong_error(result, &error), "");
  } else {
    trial_tell(result, 0, "no completion, or not the right one, or a query was lost", "");
  }
}

void act_queue(void *context) { submit_and_take(context, NULL); }

void act_queue_with_key(void *context) {
  prefop_query_options options = PREFOP_QUERY_OPTIONS_INIT;
  options.access_key = TEST_SECOND_ACCESS_KEY;
  options.secret_key = TEST_SECOND_SECRET_KEY;
  submit_and_take(context, &options);
}

void act_queue_new(void *context) {
  program *program = context;
  prefop_status status = make_queue(program);
  trial_tell(status, 0, "", "");
  prefop_queue_free(program->queue);
  program->queue = NULL;
}

/* Calls off what is submitted once `next` has had `timeout_ms` for it, and
   takes what there is to take. */
static void cancel_and_take(program *program, int64_t timeout_ms) {
  prefop_error error = new_error();
  prefop_completion done = PREFOP_COMPLETION_INIT;
  int32_t result = prefop_queue_next(program->queue, timeout_ms, &done, &error);
  prefop_task_free(done.task);
  prefop_status status = result < 0 ? result : done.status;
  if (result != 1 || done.flags == PREFOP_COMPLETION_MORE) {
    size_t cancelled = prefop_queue_cancel(program->queue, TAG);
    int32_t taken;
    /* While there is no memory it may be told that there is none. */
    for (int tries = 0; (taken = prefop_queue_next(program->queue, 0, &done, NULL)) != 1 && tries < 2; tries++) {
      if (taken < 0 && status == PREFOP_OK) status = taken;
    }
    prefop_task_free(done.task);
    if (cancelled != 1 || (taken == 1 && (done.flags != 0 || done.status != PREFOP_ERROR_CANCELLED))) {
      trial_tell(status, 0, "it was not called off", "");
      return;
    }
  }
  trial_tell(status, 0, prefop_queue_pending(program->queue) == 0 ? "" : "a query is left", "");
}

void act_queue_cancel(void *context) {
  if (submit(context, NULL)) cancel_and_take(context, 0);
}

static prefop_query_options options_of_wait(int64_t poll_ms) {
  prefop_query_options options = PREFOP_QUERY_OPTIONS_INIT;
  options.flags = PREFOP_QUERY_UNTIL_FINISHED | PREFOP_QUERY_EACH_CHANGE;
  options.timeout_ms = 4000;
  options.poll_min_ms = options.poll_max_ms = poll_ms;
  return options;
}

void act_queue_wait(void *context) {
  prefop_query_options options = options_of_wait(1);
  submit_and_take(context, &options);
}

void act_queue_wait_cancel(void *context) {
  prefop_query_options options = options_of_wait(3000);
  if (submit(context, &options)) cancel_and_take(context, 2000);
}

void act_queue_free(void *context) {
  program *program = context;
  prefop_queue_free(program->queue);
  program->queue = NULL;
  trial_tell(PREFOP_OK, 0, "", "");
}
