/* A libFuzzer target: an input is a program of calls to queues, and what the
   network does meanwhile.  Whatever both do, each promise of the header holds.

   The calls stand before the first '|', the network's doings behind it; both are
   letters, each followed by digits for its choices, see `calls` below and
   queue/server.c.  PREFOP_FUZZ_TRACE=1 tells the story of an input. */
#define _GNU_SOURCE
#include "queue/model.h"
#include "queue/network.h"
#include "queue/story.h"
#include "queue/server.h"

#include <sys/mman.h>
#include <sys/personality.h>
#include <unistd.h>

#define MAX_CALLS 300
#define MAX_DESCRIPTORS 512

/* Looks at the descriptor without time going by, after which it is said to be
   ready for nothing. */
#define MAX_LOOKS 50

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static script program;

/* The queue whose completions are being waited for. */
static queue_model *running;

static int64_t pick(const int64_t *values, unsigned count) { return values[script_choice(&program, count)]; }
#define PICK(...)                                                                                                      \
  pick((const int64_t[]){__VA_ARGS__}, (unsigned)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))
#define PICK_TEXT(...)                                                                                                 \
  ((const char *const[]){                                                                                              \
      __VA_ARGS__})[script_choice(&program, (unsigned)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))]

static void require_refusal(prefop_status status, const prefop_error *error) {
  REQUIRE(status == error->status, "%s, and in the details %s", prefop_status_name(status),
      prefop_status_name(error->status));
  REQUIRE((status == PREFOP_OK) == (error->message[0] == 0), "%s: \"%s\"", prefop_status_name(status), error->message);
  REQUIRE(!strstr(error->message, "hidden-"), "a secret in %s", error->message);
}

/* MARK: Clients */

/* Nobody here speaks TLS.  One authority to trust instead of the system's, which
   take longer to read than all else. */
static const char *ca_file(void) {
  static const char certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                    "MIIBeTCCAR+gAwIBAgIUG3A+5S8NKQFoaj7Mr14widliPMIwCgYIKoZIzj0EAwIw\n"
                                    "ETEPMA0GA1UEAwwGbm9ib2R5MCAXDTI2MTEyNTExMDAxNVoYDzIxMjYxMTAxMTEw\n"
                                    "MDE1WjARMQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
                                    "AAS9HO2mOw+qt7Ve5KcoS58Rg/rlY6VTmJVhwaeGYRPRhlghXolFolhnFW3hCJWF\n"
                                    "lDrW/CTnIgVdQ8RTfopLWNmvo1MwUTAdBgNVHQ4EFgQURWQv5hYOJJM9VJ/z02QA\n"
                                    "Iy0eo5IwHwYDVR0jBBgwFoAURWQv5hYOJJM9VJ/z02QAIy0eo5IwDwYDVR0TAQH/\n"
                                    "BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAymvo6hdAauSFu47vPJZKl7njlJpQE\n"
                                    "O5wLkgMDhO/YSgIhAJot5wiiXIyXQqG2XwbI2UT5OOMkKp31aiHMhixHgZGC\n"
                                    "-----END CERTIFICATE-----\n";
  static char name[64];
  if (!name[0]) {
    int descriptor = memfd_create("authority", MFD_CLOEXEC);
    REQUIRE(write(descriptor, certificate, strlen(certificate)) > 0, "no file in memory");
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
  }
  return name;
}

static client_model *some_client(void) {
  client_model *c = client_count ? &clients[script_choice(&program, (unsigned)client_count)] : NULL;
  return c && !c->is_free ? c : NULL;
}

static void new_client(void) {
  if (client_count == MAX_CLIENTS) return;
  client_model *c = &clients[client_count];
  *c = (client_model){.number = client_count};
  char agent[32], key[40], secret[64];
  snprintf(agent, sizeof agent, "client/%d", c->number);
  prefop_client_options options = PREFOP_CLIENT_OPTIONS_INIT;
  prefop_error error = PREFOP_ERROR_INIT;
  c->api_hosts = PICK_TEXT("127.0.0.1:8001", "http://127.0.0.1:8001,127.0.0.2:8002", NULL, NULL,
      "a.test,b.invalid,a.test:8080", "https://127.0.0.1:8443,127.0.0.1:8001", NULL);
  c->bucket_hosts = c->api_hosts ? NULL : PICK_TEXT("127.0.0.3:8003", "127.0.0.3:8003,127.0.0.4", NULL);
  c->is_given = c->api_hosts != NULL;
  c->flags = PREFOP_CLIENT_USE_HTTP | PREFOP_CLIENT_NO_ENVIRONMENT |
             (uint32_t)PICK(0, PREFOP_CLIENT_ALLOW_ANONYMOUS, PREFOP_CLIENT_NO_DISCOVERY, PREFOP_CLIENT_NO_DATE);
  c->key = PICK(1, 1, 0, 2);
  options.flags = c->flags;
  options.api_hosts = c->api_hosts;
  options.bucket_hosts = c->bucket_hosts;
  options.user_agent = agent;
  options.ca_file = ca_file();
  options.proxy = PICK_TEXT("", "", "http://" PROXY);
  if (c->key) {
    model_access_key(key, c->number, c->key);
    model_secret_key(secret, key);
    options.access_key = key;
    options.secret_key = secret;
    c->known = 1u << c->key;
  }
  options.timeout_ms = PICK(0, 5000, 300, 1, -1);
  options.attempt_timeout_ms = PICK(0, 200, 20, -1);
  options.connect_timeout_ms = PICK(0, 30, -1);
  options.max_attempts = (int32_t)PICK(0, 1, 2, 5);
  options.max_in_flight = (int32_t)PICK(0, 1, 2, 3);
  options.max_response_bytes = PICK(0, 700);
  c->timeout_ms = options.timeout_ms ? options.timeout_ms : 30000;
  prefop_status status = prefop_client_new(&options, &c->handle, &error);
  REQUIRE(status == PREFOP_OK && c->handle, "prefop_client_new: %s", error.message);
  tell("client %d: %s, %s, proxy %s", client_count, c->api_hosts ? c->api_hosts : "hosts to be found",
      c->bucket_hosts ? c->bucket_hosts : "", options.proxy);
  client_count++;
}

static void free_client(client_model *c) {
  if (!c || c->is_free) return;
  tell("client %d: free", c->number);
  prefop_client_free(c->handle);
  c->is_free = 1;
}

static void free_some_client(void) { free_client(some_client()); }

static void set_credentials(void) {
  client_model *c = some_client();
  char key[40], secret[64];
  prefop_error error = PREFOP_ERROR_INIT;
  if (!c) return;
  int number = (int)script_choice(&program, KEYS + 2);
  if (number > KEYS) {
    prefop_status status = prefop_client_set_credentials(c->handle, "AK", NULL, &error);
    REQUIRE(status == PREFOP_ERROR_ARGUMENT, "half a pair: %d", status);
    require_refusal(status, &error);
    return;
  }
  model_access_key(key, c->number, number);
  model_secret_key(secret, key);
  prefop_status status = prefop_client_set_credentials(c->handle, number ? key : NULL, number ? secret : NULL, &error);
  REQUIRE(status == PREFOP_OK, "prefop_client_set_credentials: %s", error.message);
  tell("client %d: key %d", c->number, number);
  c->key = number;
  c->known |= 1u << number;
}

/* MARK: Queues */

static queue_model *some_queue(void) {
  queue_model *q = queue_count ? &queues[script_choice(&program, (unsigned)queue_count)] : NULL;
  return q && q->handle ? q : NULL;
}

static void new_queue(void) {
  client_model *c = some_client();
  prefop_error error = PREFOP_ERROR_INIT;
  if (!c || queue_count == MAX_QUEUES) return;
  queue_model *q = &queues[queue_count];
  *q = (queue_model){.client = c, .descriptor = -1, .has_nothing = 1, .entered_ms = -1};
  prefop_status status = prefop_queue_new(c->handle, &q->handle, &error);
  REQUIRE(status == PREFOP_OK && q->handle, "prefop_queue_new: %s", error.message);
  tell("queue %d of client %d", queue_count, c->number);
  queue_count++;
}

static void free_queue(queue_model *q) {
  if (!q || !q->handle) return;
  tell("queue %d: free", (int)(q - queues));
  prefop_queue_free(q->handle);
  model_free_queue(q);
}

static void free_some_queue(void) { free_queue(some_queue()); }

/* An id that no other submission has; whether it may be one. */
static int write_id(submission *s) {
  int number = submission_count;
  unsigned kind = script_choice(&program, 10);
  static const char *const forms[] = {
      "z0.%d", "%dx", "na0.%d-\xc3\xa9", "Z0.%d", "a b/%d?&=+%%", "elsewhere.%d\"\\", "-.%d", "%0250d", "", "%d\n"};
  snprintf(s->id, sizeof s->id, forms[kind], number);
  return kind < 8;
}

/* Why a submission is to be refused; the header does not say which is told first. */
typedef struct reasons {
  int is_wrong, is_unsupported;
} reasons;

static void choose_wait(submission *s, prefop_query_options *options, reasons *why) {
  static const struct {
    int64_t min, max;
    int is_wrong;
  } pauses[] = {{0, 0, 0}, {1, 50, 0}, {50, 0, 0}, {0, 100, 0}, {200, 100, 1}, {-1, 0, 1}, {3600000, 0, 0}};
  const int until = PREFOP_QUERY_UNTIL_FINISHED, each = PREFOP_QUERY_EACH_CHANGE;
  uint32_t flags = options->flags = (uint32_t)PICK(PREFOP_QUERY_INTERRUPTIBLE, until, until | each, 128, each);
  unsigned pause = script_choice(&program, sizeof pauses / sizeof *pauses);
  options->poll_min_ms = pauses[pause].min;
  options->poll_max_ms = pauses[pause].max;
  s->is_wait = (flags & (uint32_t)until) != 0;
  s->tells_changes = (flags & (uint32_t)each) != 0;
  why->is_wrong |= pauses[pause].is_wrong || (s->tells_changes && !s->is_wait);
  why->is_unsupported |= flags & 128;
}

static void submit(void) {
  queue_model *q = some_queue();
  if (!q || submission_count == MAX_SUBMISSIONS) return;
  submission *s = &submissions[submission_count];
  *s = (submission){0};
  prefop_query_options options = PREFOP_QUERY_OPTIONS_INIT;
  prefop_error error = PREFOP_ERROR_INIT;
  char key[40], secret[64];
  reasons why = {.is_wrong = !write_id(s)};
  s->tag = (int)script_choice(&program, MAX_TAGS);
  unsigned differs = script_choice(&program, 8);
  if (differs & 1) options.timeout_ms = PICK(4000, 500, 30, 1, -1, 0);
  if (differs & 2) {
    options.bucket_name = PICK_TEXT("bucket", "a b&\xc3\xa9");
    s->has_own_key = PICK(1, 0);
  }
  if (differs & 4) choose_wait(s, &options, &why);
  if (s->has_own_key) {
    model_own_key(key);
    model_secret_key(secret, key);
    options.access_key = key;
    options.secret_key = secret;
  }
  s->timeout_ms = options.timeout_ms ? options.timeout_ms : s->is_wait ? 24 * 3600 * 1000 : q->client->timeout_ms;
  prefop_status status = prefop_queue_submit(q->handle, s->id, tags[s->tag], differs ? &options : NULL, &error);
  tell("queue %d: submit %s, tag %d: %s", (int)(q - queues), s->id, s->tag, prefop_status_name(status));
  int is_expected = status == PREFOP_ERROR_ARGUMENT      ? why.is_wrong
                    : status == PREFOP_ERROR_UNSUPPORTED ? why.is_unsupported
                                                         : status == PREFOP_OK && !why.is_wrong && !why.is_unsupported;
  REQUIRE(is_expected, "%s came, wrong %d, unsupported %d: %s", prefop_status_name(status), why.is_wrong,
      why.is_unsupported, error.message);
  require_refusal(status, &error);
  if (status != PREFOP_OK) return;
  model_accept(q, s);
  submission_count++;
}

/* Another queue of the client asks the bucket service for both, and nobody lets
   it. */
int network_may_be_stuck(void) {
  for (int i = 0; i < queue_count; i++) {
    if (&queues[i] != running && queues[i].client == running->client && model_pends(&queues[i])) return 1;
  }
  return 0;
}

/* Nor does one of another queue begin while that one is not driven. */
int network_may_rest(void) { return !running || network_may_be_stuck() || model_may_rest(running); }

static void require_none(
    queue_model *q, const prefop_completion *done, const prefop_error *error, int64_t timeout, int64_t took) {
  REQUIRE(done->tag == 0 && !done->task && done->status == PREFOP_OK && done->flags == 0, "something of no completion");
  require_refusal(PREFOP_OK, error);
  int is_called_off = network_was_interrupted() || q->may_be_awake;
  int is_over = timeout < 0 ? q->pending == 0 : took >= timeout - 1;
  REQUIRE(!q->may_be_awake || took <= 20, "a wakeup was heeded after %lld ms", (long long)took);
  REQUIRE(is_called_off || is_over, "nothing came within %lld of %lld ms", (long long)took, (long long)timeout);
  q->has_nothing = 1;
  q->may_be_awake = 0;
}

/* Whether a completion came. */
static int next(queue_model *q, int64_t timeout) {
  prefop_completion done = {.struct_size = sizeof done, .tag = 99, .task = NULL, .status = 99};
  prefop_error error = PREFOP_ERROR_INIT;
  int64_t start = network_now_ms();
  running = q;
  model_enter(q);
  int32_t result = prefop_queue_next(q->handle, timeout, &done, &error);
  model_leave(q);
  int64_t took = network_now_ms() - start;
  tell("queue %d: next(%lld): %d, tag %llu, %s, %d attempts, %s: %s", (int)(q - queues), (long long)timeout, result,
      (unsigned long long)done.tag, prefop_status_name(done.status), error.attempts, error.request_id, error.message);
  REQUIRE(result == 0 || result == 1, "next: %s: %s", prefop_status_name(result), error.message);
  REQUIRE(timeout < 0 || took <= timeout + 20, "%lld ms, not %lld", (long long)took, (long long)timeout);
  if (result == 0) {
    require_none(q, &done, &error, timeout, took);
  } else {
    q->has_nothing = 0;
    model_take(q, &done, &error);
    prefop_task_free(done.task);
  }
  network_was_interrupted();
  model_check(q);
  return result;
}

static void take_next(void) {
  queue_model *q = some_queue();
  if (q) next(q, PICK(0, 1, 5, 100, 3000, -1));
}

/* What a call that cannot be right may not do: lose anything. */
static void take_wrongly(void) {
  queue_model *q = some_queue();
  prefop_completion done = {.struct_size = 4};
  prefop_error error = PREFOP_ERROR_INIT;
  if (!q) return;
  int32_t result = prefop_queue_next(q->handle, 0, script_choice(&program, 2) ? &done : NULL, &error);
  REQUIRE(result == PREFOP_ERROR_ARGUMENT && error.status == result, "%d", result);
}

static void cancel(void) {
  queue_model *q = some_queue();
  if (!q) return;
  int tag = (int)script_choice(&program, MAX_TAGS);
  size_t count = prefop_queue_cancel(q->handle, tags[tag]);
  tell("queue %d: cancel tag %d: %zu", (int)(q - queues), tag, count);
  model_cancel(q, tag, count);
}

static void wake(void) {
  queue_model *q = some_queue();
  if (!q) return;
  tell("queue %d: wakeup", (int)(q - queues));
  prefop_queue_wakeup(q->handle);
  q->may_be_awake = 1;
}

static void share(queue_model *q) {
  int32_t descriptor = prefop_queue_fd(q->handle);
  REQUIRE(descriptor >= 0 && (q->descriptor < 0 || q->descriptor == descriptor), "the descriptor %d, then %d",
      q->descriptor, descriptor);
  q->descriptor = descriptor;
}

static void share_some(void) {
  queue_model *q = some_queue();
  if (q) share(q);
}

/* As an event loop has it: takes completions when the descriptor is readable. */
static void watch(queue_model *q, int times) {
  int looks = 0;
  int64_t looked_ms = 0;
  share(q);
  while (q->pending > 0 && times-- > 0) {
    struct pollfd entry = {q->descriptor, POLLIN, 0};
    network_step();
    if (network_poll(&entry, 1) == 0) {
      running = q;
      if (!network_pass_to_next()) {
        REQUIRE(network_may_be_stuck(), "%zu are pending, and the descriptor will never be readable", q->pending);
        return;
      }
      continue;
    }
    if (network_now_ms() > looked_ms) {
      looked_ms = network_now_ms();
      looks = 0;
    }
    REQUIRE(looks++ < MAX_LOOKS, "the descriptor is readable for nothing");
    while (next(q, 0) == 1) looks = 0;
  }
}

static void watch_some(void) {
  queue_model *q = some_queue();
  if (q) watch(q, (int)PICK(3, 1, 20, 100));
}

static void pass(void) {
  network_pass(PICK(1, 9, 11, 60, 800, 10000, 700000));
  tell("time has gone by");
}

static void interrupt(void) {
  tell("a signal will come");
  network_interrupt();
}

/* MARK: Programs */

/* Takes all that is still to come, the one way or the other. */
static void drain(void) {
  tell("drain");
  int is_watched = script_choice(&program, 2) == 1;
  for (int round = 0;; round++) {
    int is_done = 1;
    for (int i = 0; i < queue_count; i++) {
      queue_model *q = &queues[i];
      if (!model_pends(q)) continue;
      is_done = 0;
      if (is_watched) {
        watch(q, 100);
      } else {
        next(q, round % 2 ? -1 : 1000);
      }
    }
    if (is_done) return;
    REQUIRE(round < 5000, "the queries do not end");
  }
}

static const struct {
  char letter;
  void (*make)(void);
} calls[] = {{'S', submit}, {'N', take_next}, {'X', cancel}, {'E', watch_some}, {'T', pass}, {'Q', new_queue},
    {'C', new_client}, {'K', set_credentials}, {'F', share_some}, {'W', wake}, {'I', interrupt}, {'q', free_some_queue},
    {'c', free_some_client}, {'A', take_wrongly}, {'D', drain}};

static void call(void) {
  char letters[sizeof calls / sizeof *calls + 1] = {0};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) letters[i] = calls[i].letter;
  char letter = script_letter(&program, letters);
  /* What was sent before the call came before it. */
  network_step();
  calls[strchr(letters, letter) - letters].make();
  for (int i = 0; i < queue_count; i++) model_check(&queues[i]);
}

/* In the order of their making or in the other, clients or queues first. */
static void free_all(void) {
  unsigned order = script_choice(&program, 4);
  if (order & 1) {
    for (int i = 0; i < client_count; i++) free_client(&clients[i]);
  }
  for (int i = 0; i < queue_count; i++) free_queue(&queues[order & 2 ? queue_count - 1 - i : i]);
  for (int i = 0; i < client_count; i++) free_client(&clients[i]);
}

/* One call of the system tells which are open. */
static void find_open(struct pollfd found[MAX_DESCRIPTORS]) {
  for (int i = 0; i < MAX_DESCRIPTORS; i++) found[i] = (struct pollfd){i, 0, 0};
  network_poll(found, MAX_DESCRIPTORS);
}

static void require_same_open(const struct pollfd before[MAX_DESCRIPTORS]) {
  static struct pollfd now[MAX_DESCRIPTORS];
  find_open(now);
  for (int i = 0; i < MAX_DESCRIPTORS; i++) {
    REQUIRE((now[i].revents & POLLNVAL) == (before[i].revents & POLLNVAL), "descriptor %d was left open, or closed", i);
  }
}

/* The jitter of pauses comes from addresses.  So that an input does the same each
   time, the program starts anew with addresses that are not random, if it may. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  int persona = personality(0xffffffff);
  if (persona >= 0 && !(persona & ADDR_NO_RANDOMIZE) && personality((unsigned)persona | ADDR_NO_RANDOMIZE) >= 0) {
    execv("/proc/self/exe", *argv);
  }
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct pollfd before[MAX_DESCRIPTORS];
  const uint8_t *bar = size ? memchr(data, '|', size) : NULL;
  const uint8_t *end = data + size;
  program = (script){data, bar ? bar : end};
  ca_file();
  find_open(before);
  network_begin();
  story_begin();
  model_begin();
  server_begin((script){bar ? bar + 1 : end, end});
  for (int count = 0; count < MAX_CALLS && script_has_more(&program); count++) call();
  network_step();
  drain();
  free_all();
  model_end();
  network_end();
  require_same_open(before);
  story_end();
  return 0;
}
