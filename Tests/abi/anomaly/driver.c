/* The steps of a program that uses libprefop, each tried with every allocation
   failing.  See trial.h. */
#define _GNU_SOURCE
#include "driver.h"

#include "../notification.h"
#include "finding.h"
#include "queues.h"

#include <openssl/err.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char task_json[] =
    "{\"id\":\"z0.anomaly\",\"code\":3,\"desc\":\"d\\u00e9crit "
    "\\ud83d\\ude00\",\"inputKey\":\"a/b.mp4\",\"inputBucket\":\"b\","
    "\"pipeline\":\"p\",\"reqid\":\"r\",\"type\":1,\"creationDate\":\"2024-01-02T03:04:05Z\",\"taskFrom\":\"trigger: "
    "1\","
    "\"unknown\":[[[{}]]],\"items\":[{\"cmd\":\"avthumb/mp4\",\"code\":0,\"desc\":\"ok\",\"hash\":\"h\",\"key\":\"k\","
    "\"keys\":[\"k1\",\"k2\",\"k3\"],\"returnOld\":1},{\"cmd\":\"x\",\"code\":3,\"error\":\"e\",\"errorIndex\":2,"
    "\"result\":{\"deep\":[1,2.5e3,null]}}]}";
static const char item_json[] = "{\"cmd\":\"x\",\"code\":3,\"desc\":\"d\",\"error\":\"e\\n\",\"errorIndex\":2,\"keys\":"
                                "[\"a\",\"b\"],\"result\":{\"deep\":[1]}}";

static const char profile_text[] =
    "title = 'x'\n[[list]]\na.b.c = [1, [2, {d = 3}], []]\n[default]\naccess_key = \"" TEST_ACCESS_KEY "\"\n"
    "secret_key = '''" TEST_SECRET_KEY "'''\nbucket_url = ['a.example', \"b.\\u0065xample:80\"]\n"
    "disable_secure_protocol = true\n[other.'table'.\"of \\\"many\\\"\".parts]\nx = 1\n";

/* Telling
   ------- */

prefop_error new_error(void) {
  prefop_error error = PREFOP_ERROR_INIT;
  return error;
}

const char *wrong_error(prefop_status status, const prefop_error *error) {
  if (error->status != status) return "error.status is not what was returned";
  if ((status == PREFOP_OK) != (error->message[0] == 0)) return "no message, or one after a success";
  return "";
}

const char *wrong_outcome(prefop_status status, const void *out, const prefop_error *error) {
  if (status != PREFOP_OK && out != NULL) return "failed, but handed something out";
  if (status == PREFOP_OK && out == NULL) return "succeeded, but handed nothing out";
  return wrong_error(status, error);
}

void tell_task(prefop_status status, prefop_task *task, const prefop_error *error, int detail) {
  const char *outcome = wrong_outcome(status, task, error);
  char text[4096] = "";
  if (task != NULL) {
    int length = snprintf(
        text, sizeof text, "%s %d %s %s ", task->persistent_id, (int)task->code, task->object_name, task->description);
    for (size_t i = 0; i < task->item_count && length < (int)sizeof text; i++) {
      length += snprintf(text + length, sizeof text - (size_t)length, "%s %s %zu ", task->items[i]->command,
          task->items[i]->object_name, task->items[i]->object_name_count);
    }
    if (length < (int)sizeof text) snprintf(text + length, sizeof text - (size_t)length, "%s", task->json);
    if (trial_id[0] != 0 && strcmp(task->persistent_id, trial_id) != 0) outcome = "another task";
    /* An id of its own for each trial is no difference. */
    for (char *at; trial_id[0] != 0 && (at = strstr(text, trial_id)) != NULL;) memset(at, '*', strlen(trial_id));
  }
  prefop_task_free(task);
  trial_tell(status, detail, outcome, text);
}

static void tell_string(prefop_status status, char *string, const prefop_error *error) {
  trial_tell(status, 0, wrong_outcome(status, string, error), string == NULL ? "" : string);
  prefop_string_free(string);
}

/* Clients
   ------- */

void limit_times(prefop_client_options *options) {
  options->timeout_ms = 4000;
  options->attempt_timeout_ms = 2000;
  options->connect_timeout_ms = 2000;
}

static prefop_client_options options_of_step(void) {
  prefop_client_options options = test_options(trial_current->tls);
  options.user_agent = "anomaly/1";
  options.max_attempts = 2;
  limit_times(&options);
  return options;
}

static void make_client(program *program) {
  prefop_client_options options = options_of_step();
  program->client = test_client_with(&options);
}

static void ask(prefop_client *client, const char *id, const prefop_query_options *options) {
  prefop_error error = new_error();
  prefop_task *task = NULL;
  prefop_status status = prefop_query(client, id, options, &task, &error);
  tell_task(status, task, &error, error.curl_code);
}

static void prepare_client(void *context) { make_client(context); }

void prepare_warm(void *context) {
  program *program = context;
  make_client(program);
  test_query(program->client, ECHO);
}

void prepare_libraries(void *context) {
  program program;
  (void)context;
  make_client(&program);
  test_query(program.client, ECHO);
  prefop_client_free(program.client);
}

/* The peer ends the connection behind our back. */
static void prepare_closed(void *context) {
  program *program = context;
  make_client(program);
  test_query(program->client, "fault.close-idle.a");
}

/* The program has errors of its own in libcrypto's queue. */
static void prepare_errors(void *context) {
  prepare_warm(context);
  ((program *)context)->has_errors = 1;
  for (int i = 0; i < 3; i++) ERR_raise_data(ERR_LIB_USER, 100 + i, "of the program, number %d", i);
}

static void clean(void *context) {
  program *program = context;
  prefop_queue_free(program->queue);
  prefop_client_free(program->client);
  prefop_task_free(program->task);
}

static void act_query(void *context) { ask(((program *)context)->client, trial_id, NULL); }

/* Two polls: the first finds the task at work. */
static void act_wait(void *context) {
  prefop_query_options options = PREFOP_QUERY_OPTIONS_INIT;
  prefop_error error = new_error();
  prefop_task *task = NULL;
  options.timeout_ms = 4000;
  options.poll_min_ms = options.poll_max_ms = 1;
  prefop_status status = prefop_wait(((program *)context)->client, trial_id, &options, &task, &error);
  /* A wait that is out of time may hand its last answer out. */
  if (status == PREFOP_ERROR_TIMEOUT) {
    prefop_task_free(task);
    task = NULL;
  }
  tell_task(status, task, &error, error.curl_code);
}

static void act_query_with_key(void *context) {
  prefop_query_options options = PREFOP_QUERY_OPTIONS_INIT;
  options.access_key = TEST_SECOND_ACCESS_KEY;
  options.secret_key = TEST_SECOND_SECRET_KEY;
  ask(((program *)context)->client, trial_id, &options);
}

static void ask_with_first_key(program *program) {
  prefop_query_options options = PREFOP_QUERY_OPTIONS_INIT;
  options.access_key = TEST_ACCESS_KEY;
  options.secret_key = TEST_SECRET_KEY;
  ask(program->client, trial_id, &options);
}

static void prepare_key(void *context) {
  program *program = context;
  prefop_query_options options = PREFOP_QUERY_OPTIONS_INIT;
  prefop_task *task = NULL;
  prefop_error error = new_error();
  options.access_key = TEST_ACCESS_KEY;
  options.secret_key = TEST_SECRET_KEY;
  prepare_warm(program);
  prefop_status status = prefop_query(program->client, ECHO, &options, &task, &error);
  CHECK(status == PREFOP_OK, "a query with its own pair: %s", error.message);
  prefop_task_free(task);
  program->has_changed_key = 0;
}

/* In the window with another pair, after it with the one before. */
static void act_query_key_and_back(void *context) {
  program *program = context;
  if (program->has_changed_key) {
    ask_with_first_key(program);
  } else {
    program->has_changed_key = 1;
    act_query_with_key(program);
  }
}

static void act_query_with_errors(void *context) {
  program *program = context;
  act_query(program);
  /* Whatever became of the query, the program's errors are as they were. */
  for (int i = 0; program->has_errors && i < 3; i++) {
    if (ERR_GET_REASON(ERR_get_error()) != 100 + i)
      trial_tell(PREFOP_OK, 0, "the program's OpenSSL errors changed", "");
  }
  program->has_errors = 0;
  if (ERR_get_error() != 0) trial_tell(PREFOP_OK, 0, "an OpenSSL error was left to the program", "");
}

/* All that is done once, and a query. */
static void act_new_client_and_query(void *context) {
  (void)context;
  prefop_client_options options = options_of_step();
  prefop_error error = new_error();
  prefop_client *client = NULL;
  prefop_status status = prefop_client_new(&options, &client, &error);
  if (status == PREFOP_OK && client != NULL) {
    ask(client, trial_id, NULL);
  } else {
    trial_tell(status, 0, wrong_outcome(status, client, &error), "");
  }
  prefop_client_free(client);
}

/* usual: what comes of it while there is memory. */
static void tell_client_new(prefop_client_options options, prefop_status usual) {
  prefop_error error = new_error();
  prefop_client *client = NULL;
  prefop_status status = prefop_client_new(&options, &client, &error);
  const char *wrong = wrong_outcome(status, client, &error);
  if (usual == PREFOP_ERROR_CONFIGURATION && status == PREFOP_OK) wrong = "took what is wrong";
  if (usual == PREFOP_OK && status == PREFOP_ERROR_CONFIGURATION) wrong = "refused what is right";
  trial_tell(status, 0, wrong, "");
  prefop_client_free(client);
}

static void act_client_new(void *context) {
  (void)context;
  tell_client_new(options_of_step(), PREFOP_OK);
}

/* Libraries that are set up, and a profile file without a name. */
static void prepare_profile(void *context, const char *text) {
  prepare_libraries(context);
  int file = memfd_create("profile", MFD_CLOEXEC);
  CHECK(file >= 0 && fchmod(file, 0600) == 0, "no file in memory");
  CHECK(write(file, text, strlen(text)) == (ssize_t)strlen(text), "writing the profile");
  char name[64];
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  setenv("QINIU_CONFIG_FILE", name, 1);
}

static void prepare_right_profile(void *context) { prepare_profile(context, profile_text); }
static void prepare_wrong_profile(void *context) { prepare_profile(context, "[default]\nx = [[{a.b = 1}],\n"); }

static void act_client_new_with_profile(void *context) {
  (void)context;
  prefop_client_options options = options_of_step();
  options.access_key = NULL;
  options.secret_key = NULL;
  tell_client_new(options, PREFOP_OK);
}

static void act_client_new_with_wrong_profile(void *context) {
  (void)context;
  tell_client_new(options_of_step(), PREFOP_ERROR_CONFIGURATION);
}

static void act_client_free(void *context) {
  program *program = context;
  prefop_client_free(program->client);
  program->client = NULL;
  trial_tell(PREFOP_OK, 0, "", "");
}

/* Credentials and notifications
   ----------------------------- */

static void set_credentials(prefop_client *client) {
  prefop_error error = new_error();
  prefop_status status = prefop_client_set_credentials(client, TEST_SECOND_ACCESS_KEY, TEST_SECOND_SECRET_KEY, &error);
  trial_tell(status, 0, wrong_error(status, &error), "");
}

static void act_set_credentials(void *context) { set_credentials(((program *)context)->client); }

static void act_set_default_credentials(void *context) {
  (void)context;
  set_credentials(NULL);
}

static void verify(prefop_client *client) {
  prefop_notification notification = test_notification();
  prefop_error error = new_error();
  prefop_task *task = NULL;
  prefop_status status = prefop_notification_verify(client, &notification, &task, &error);
  tell_task(status, task, &error, error.curl_code);
}

static void act_verify(void *context) { verify(((program *)context)->client); }

static void act_verify_default(void *context) {
  (void)context;
  verify(NULL);
}

static void prepare_verified(void *context) {
  make_client(context);
  act_verify(context);
}

/* JSON
   ---- */

static void parse(const char *json) {
  prefop_error error = new_error();
  prefop_task *task = NULL;
  prefop_status status = prefop_task_parse(json, strlen(json), &task, &error);
  tell_task(status, task, &error, error.curl_code);
}

static void act_parse(void *context) {
  (void)context;
  parse(task_json);
}

static void act_parse_wrong(void *context) {
  (void)context;
  parse("{\"id\":\"z0.anomaly\",\"code\":0,\"items\":[{\"cmd\":\"a\",\"keys\":[\"a\",\"b\",7]}]}");
}

static void act_parse_item(void *context) {
  (void)context;
  prefop_error error = new_error();
  prefop_task_item *item = NULL;
  prefop_status status = prefop_task_item_parse(item_json, strlen(item_json), &item, &error);
  char text[512] = "";
  if (item != NULL) {
    snprintf(text, sizeof text, "%s %s %d %zu %s %s", item->command, item->error, (int)item->error_index,
        item->object_name_count, item->object_names[item->object_name_count - 1], item->result);
  }
  trial_tell(status, 0, wrong_outcome(status, item, &error), text);
  prefop_task_item_free(item);
}

static void prepare_task(void *context) {
  program *program = context;
  prefop_error error = new_error();
  prefop_status status = prefop_task_parse(task_json, strlen(task_json), &program->task, &error);
  CHECK(status == PREFOP_OK, "parsing %s: %s", task_json, error.message);
}

static void act_write(void *context) {
  prefop_error error = new_error();
  char *json = NULL;
  prefop_status status = prefop_task_to_json(((program *)context)->task, &json, NULL, &error);
  tell_string(status, json, &error);
}

static void act_write_item(void *context) {
  prefop_error error = new_error();
  char *json = NULL;
  prefop_status status = prefop_task_item_to_json(((program *)context)->task->items[0], &json, NULL, &error);
  tell_string(status, json, &error);
}

static const trial_step steps[] = {
    {"parse", NULL, 0, NULL, act_parse, NULL, clean},
    {"parse_wrong", NULL, 0, NULL, act_parse_wrong, NULL, clean},
    {"parse_item", NULL, 0, NULL, act_parse_item, NULL, clean},
    {"write", NULL, 0, prepare_task, act_write, NULL, clean},
    {"write_item", NULL, 0, prepare_task, act_write_item, NULL, clean},
    {"client_new", NULL, 0, NULL, act_client_new, NULL, clean},
    {"client_new_tls", NULL, 1, NULL, act_client_new, NULL, clean},
    {"client_new_profile", NULL, 0, prepare_right_profile, act_client_new_with_profile, NULL, clean},
    {"client_new_wrong_profile", NULL, 0, prepare_wrong_profile, act_client_new_with_wrong_profile, NULL, clean},
    {"client_free", NULL, 0, prepare_warm, act_client_free, NULL, clean},
    {"client_free_with_errors", NULL, 0, prepare_errors, act_client_free, NULL, clean},
    {"set_credentials", NULL, 0, prepare_client, act_set_credentials, NULL, clean},
    {"set_default_credentials", NULL, 0, NULL, act_set_default_credentials, NULL, clean},
    {"verify_cold", NULL, 0, prepare_client, act_verify, NULL, clean},
    {"verify_default", NULL, 0, NULL, act_verify_default, NULL, clean},
    {"verify_warm", NULL, 0, prepare_verified, act_verify, NULL, clean},
    {"query_cold", ECHO, 0, NULL, act_new_client_and_query, NULL, clean},
    {"query_new_client", ECHO, 0, prepare_libraries, act_new_client_and_query, NULL, clean},
    {"query_warm", ECHO, 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_with_key", ECHO, 0, prepare_warm, act_query_with_key, act_new_client_and_query, clean},
    {"query_key_and_back", ECHO, 0, prepare_key, act_query_key_and_back, act_new_client_and_query, clean},
    {"query_with_errors", ECHO, 0, prepare_errors, act_query_with_errors, act_new_client_and_query, clean},
    {"query_closed", ECHO, 0, prepare_closed, act_query, act_new_client_and_query, clean},
    {"query_refused", "status.612", 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_retried", "flaky.1.fault.reset.%019lld", 0, prepare_warm, act_query, NULL, clean},
    {"wait", "flaky.1.z0.running.%019lld", 0, prepare_warm, act_wait, NULL, clean},
    {"query_big", "fault.big.300000", 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_gzip", "fault.gzip", 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_not_task", "fault.malformed", 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"queue_new", NULL, 0, prepare_warm, act_queue_new, NULL, clean},
    {"queue_cold", ECHO, 0, prepare_queue, act_queue, act_new_client_and_query, clean},
    {"queue_warm", ECHO, 0, prepare_warm_queue, act_queue, act_new_client_and_query, clean},
    {"queue_with_key", ECHO, 0, prepare_warm_queue, act_queue_with_key, act_new_client_and_query, clean},
    {"queue_refused", "status.612", 0, prepare_warm_queue, act_queue, act_new_client_and_query, clean},
    {"queue_retried", "flaky.1.fault.reset.%019lld", 0, prepare_warm_queue, act_queue, NULL, clean},
    {"queue_cancel", "fault.hang", 0, prepare_warm_queue, act_queue_cancel, NULL, clean},
    {"queue_wait", "flaky.1.z0.running.%019lld", 0, prepare_warm_queue, act_queue_wait, NULL, clean},
    {"queue_wait_cancel", "z0.running.anomaly", 0, prepare_warm_queue, act_queue_wait_cancel, NULL, clean},
    {"queue_free", NULL, 0, prepare_warm_queue, act_queue_free, NULL, clean},
    {"find_bucket", "ECHO.anomaly", 0, prepare_finding, act_find_bucket, act_new_client_and_query, clean},
    {"find_regions", "ECHO.anomaly", 0, prepare_finding, act_find_regions, act_new_client_and_query, clean},
    {"find_region_of_id", ECHO, 0, prepare_finding, act_find_regions, act_new_client_and_query, clean},
    {"find_next_bucket_host", "ECHO.anomaly", 0, prepare_finding, act_find_next_bucket_host, NULL, clean},
    {"find_next_host", "ECHO.anomaly", 0, prepare_finding, act_find_next_host, NULL, clean},
    {"find_half_aged", "ECHO.anomaly", 0, prepare_found, act_find_half_aged, NULL, clean},
    {"find_expired", "ECHO.once.%019lld", 0, prepare_found_once, act_find_expired, NULL, clean},
    {"find_queue", "ECHO.anomaly", 0, prepare_finding_queue, act_find_queue, NULL, clean},
    {"find_wait", "flaky.1.z0.running.%019lld", 0, prepare_finding, act_find_wait, NULL, clean},
    {"tls_find_bucket", "ECHO.anomaly", 1, prepare_finding, act_find_bucket, NULL, clean},
    {"tls_find_region_of_id", "z0.finished.anomaly", 1, prepare_finding, act_find_regions, NULL, clean},
    {"tls_find_next_bucket_host", "ECHO.anomaly", 1, prepare_finding, act_find_next_bucket_host, NULL, clean},
    {"tls_find_next_host", "ECHO.anomaly", 1, prepare_finding, act_find_next_host, NULL, clean},
    {"tls_find_half_aged", "ECHO.anomaly", 1, prepare_found, act_find_half_aged, NULL, clean},
    {"tls_find_expired", "ECHO.once.%019lld", 1, prepare_found_once, act_find_expired, NULL, clean},
    {"tls_find_queue", "ECHO.anomaly", 1, prepare_finding_queue, act_find_queue, NULL, clean},
    {"tls_find_wait", "flaky.1.z0.running.%019lld", 1, prepare_finding, act_find_wait, NULL, clean},
    {"tls_cold", ECHO, 1, NULL, act_new_client_and_query, NULL, clean},
    {"tls_new_client", ECHO, 1, prepare_libraries, act_new_client_and_query, NULL, clean},
    {"tls_warm", ECHO, 1, prepare_warm, act_query, act_new_client_and_query, clean},
};

int main(int argc, char **argv) { return trial_main(argc, argv, steps, sizeof steps / sizeof *steps, sizeof(program)); }
