#include "model.h"
#include "network.h"
#include "story.h"

#include <string.h>

/* Both clocks are cut to milliseconds, and go on while they are looked at. */
#define SLACK_MS 20

client_model clients[MAX_CLIENTS];
queue_model queues[MAX_QUEUES];
submission submissions[MAX_SUBMISSIONS];
int client_count, queue_count, submission_count;
const uint64_t tags[MAX_TAGS] = {0, 1, UINT64_MAX, UINT64_C(1) << 63};

/* Whom each answer was for; NULL: for nobody's task. */
static submission *asker[MAX_ANSWERS];

void model_begin(void) { client_count = queue_count = submission_count = 0; }

static void forget_bodies(submission *s) {
  for (body *next; s->bodies; s->bodies = next) {
    next = s->bodies->next;
    free(s->bodies);
  }
}

void model_end(void) {
  for (int i = 0; i < submission_count; i++) forget_bodies(&submissions[i]);
}

void model_access_key(char key[40], int client, int number) { snprintf(key, 40, "AK-%d-of-%d", number, client); }
void model_own_key(char key[40]) { snprintf(key, 40, "AK-of-a-query"); }
void model_secret_key(char secret[64], const char *access_key) { snprintf(secret, 64, "hidden-%s", access_key); }

int model_pends(const queue_model *queue) { return queue->handle && queue->pending > 0; }

/* MARK: Time */

void model_enter(queue_model *queue) { queue->entered_ms = network_now_ms(); }

void model_leave(queue_model *queue) {
  queue->driven_ms += network_now_ms() - queue->entered_ms;
  queue->entered_ms = -1;
}

static int64_t driven(const queue_model *queue) {
  return queue->driven_ms + (queue->entered_ms < 0 ? 0 : network_now_ms() - queue->entered_ms);
}

static void require_in_time(const submission *s, const char *what) {
  if (s->timeout_ms < 0 || s->started_ms < 0) return;
  int64_t took = driven(s->queue) - s->started_ms;
  REQUIRE(took <= s->timeout_ms + SLACK_MS, "%s: %s after %lld ms, with %lld ms allowed", s->id, what, (long long)took,
      (long long)s->timeout_ms);
}

/* MARK: Requests */

static void require_key(submission *s, const char *key) {
  char own[40], clients[40];
  int may = 0;
  if (!key) {
    int is_allowed = !s->has_own_key && s->queue->client->flags & PREFOP_CLIENT_ALLOW_ANONYMOUS;
    REQUIRE(is_allowed, "%s was asked for unsigned", s->id);
    key = "";
  } else if (s->has_own_key) {
    model_own_key(own);
    may = strcmp(key, own) == 0;
    REQUIRE(may, "%s was asked for with %s, not with its own key", s->id, key);
  } else {
    for (int number = 1; number <= KEYS; number++) {
      model_access_key(clients, s->queue->client->number, number);
      may |= s->queue->client->known & 1u << number && strcmp(key, clients) == 0;
    }
    REQUIRE(may, "%s was asked for with %s, which the client never had", s->id, key);
  }
  REQUIRE(s->is_wait || s->request_count == 0 || strcmp(s->key, key) == 0,
      "%s was signed with \"%s\", then with \"%s\"", s->id, s->key, key);
  snprintf(s->key, sizeof s->key, "%s", key);
}

void model_request(submission *s, const char *key) {
  REQUIRE(s->queue->handle, "%s was asked for after its queue was freed", s->id);
  REQUIRE(!s->is_over, "%s was asked for after its end", s->id);
  require_key(s, key);
  if (s->request_count++ == 0 && !s->is_wait) s->started_ms = driven(s->queue);
  require_in_time(s, "a request");
}

void model_answer(submission *s, int answer, const char *text, size_t length) {
  REQUIRE(answer < MAX_ANSWERS, "too many answers");
  asker[answer] = s;
  if (!s || !text) return;
  body *added = malloc(sizeof *added + length + 1);
  added->next = s->bodies;
  added->length = length;
  memcpy(added->text, text, length);
  s->bodies = added;
}

/* MARK: Completions */

void model_accept(queue_model *queue, submission *accepted) {
  accepted->queue = queue;
  accepted->started_ms = accepted->is_wait ? driven(queue) : -1;
  queue->pending++;
  queue->open[accepted->tag]++;
}

static int tag_place(uint64_t tag) {
  for (int place = 0; place < MAX_TAGS; place++) {
    if (tags[place] == tag) return place;
  }
  REQUIRE(0, "a completion with the tag %llu, which nobody gave", (unsigned long long)tag);
  return 0;
}

/* A wait that ends early hands out some answer, all others the last one. */
static int was_answered(const submission *s, const prefop_completion *done) {
  for (const body *b = s->bodies; b; b = b->next) {
    if (b->length == done->task->json_length && memcmp(b->text, done->task->json, b->length) == 0) return 1;
    if (done->status == PREFOP_OK || !s->is_wait) return 0;
  }
  return 0;
}

static int was_anybody_answered(const queue_model *queue, int tag, const prefop_completion *done) {
  for (int i = 0; i < submission_count; i++) {
    submission *s = &submissions[i];
    if (s->queue == queue && s->tag == tag && !s->is_taken && was_answered(s, done)) return 1;
  }
  return 0;
}

/* Something of this tag may have ended in any way. */
static int is_garbled(const queue_model *queue, int tag) {
  for (int i = 0; i < submission_count; i++) {
    if (submissions[i].queue == queue && submissions[i].tag == tag && submissions[i].is_garbled) return 1;
  }
  return 0;
}

/* The answer that the details name is one to a submission of this tag. */
static submission *named(const queue_model *queue, int tag, const char *request_id) {
  int answer;
  if (!request_id[0] || is_garbled(queue, tag)) return NULL;
  REQUIRE(sscanf(request_id, MODEL_ANSWER_ID, &answer) == 1 && answer >= 0 && answer < MAX_ANSWERS,
      "the request id \"%s\", which nobody gave", request_id);
  submission *s = asker[answer];
  REQUIRE(s && s->queue == queue && s->tag == tag && !s->is_taken,
      "the request id %s is not of a query with the tag %llu", request_id, (unsigned long long)tags[tag]);
  return s;
}

static int may_end_with(prefop_status status) {
  return status == PREFOP_OK || status == PREFOP_ERROR_CREDENTIALS || status == PREFOP_ERROR_TIMEOUT ||
         status == PREFOP_ERROR_CANCELLED || (status <= PREFOP_ERROR_RESOLVE && status >= PREFOP_ERROR_TRANSFER) ||
         (status <= PREFOP_ERROR_NOT_FOUND && status >= PREFOP_ERROR_HTTP) ||
         (status <= PREFOP_ERROR_HIJACKED && status >= PREFOP_ERROR_TOO_LARGE);
}

static void require_details(const prefop_completion *done, const prefop_error *error) {
  REQUIRE(may_end_with(done->status), "ended with %s: %s", prefop_status_name(done->status), error->message);
  REQUIRE(error->status == done->status, "the status %d, and in the details %d", done->status, error->status);
  REQUIRE((done->status == PREFOP_OK) == (error->message[0] == 0), "%s: \"%s\"", prefop_status_name(done->status),
      error->message);
  REQUIRE(!strstr(error->message, "hidden-"), "a secret in %s", error->message);
  REQUIRE(error->retryable == 0 || error->retryable == 1, "retryable %d", error->retryable);
  REQUIRE(error->attempts >= 0 && error->retry_after_ms >= 0, "%d attempts, retry after %lld ms", error->attempts,
      (long long)error->retry_after_ms);
}

/* What is known to have ended comes before what had not. */
static void count_end(queue_model *queue, int tag, prefop_status status) {
  size_t *kind = status == PREFOP_ERROR_CANCELLED ? &queue->cancelled[tag]
                 : queue->ended[tag]              ? &queue->ended[tag]
                                                  : &queue->open[tag];
  REQUIRE(*kind > 0 && queue->pending > 0, "one completion too many with the tag %llu: %s",
      (unsigned long long)tags[tag], prefop_status_name(status));
  --*kind;
  queue->pending--;
}

/* Which submission it is of; NULL: nothing tells. */
static submission *identify(
    const queue_model *queue, int tag, const prefop_completion *done, const prefop_error *error) {
  submission *s = named(queue, tag, error->request_id);
  if (!done->task || is_garbled(queue, tag)) return s;
  REQUIRE(s || done->status != PREFOP_OK, "the details of an answer name none: %s", done->task->json);
  REQUIRE(s ? was_answered(s, done) : was_anybody_answered(queue, tag, done),
      "%s with the tag %llu was not answered so: %s", s ? s->id : "a query", (unsigned long long)done->tag,
      done->task->json);
  return s;
}

static void write_codes(const prefop_task *task, char *codes, size_t size) {
  int length = snprintf(codes, size, "%lld", (long long)task->code);
  for (size_t i = 0; i < task->item_count && (size_t)length < size; i++) {
    length += snprintf(codes + length, size - (size_t)length, ",%lld", (long long)task->items[i]->code);
  }
}

/* An answer on the way to the end. */
static void take_change(submission *s, const prefop_completion *done) {
  char codes[sizeof s->told];
  REQUIRE(done->status == PREFOP_OK && !prefop_task_is_finished(done->task), "a change that is the end");
  if (!s) return;
  write_codes(done->task, codes, sizeof codes);
  REQUIRE(s->tells_changes && strcmp(codes, s->told) != 0, "%s: \"%s\" after \"%s\"", s->id, codes, s->told);
  strcpy(s->told, codes);
}

static void take_end(submission *s, const prefop_completion *done) {
  int is_early = done->status == PREFOP_ERROR_TIMEOUT || done->status == PREFOP_ERROR_CANCELLED;
  require_in_time(s, "a completion");
  REQUIRE(!done->task || done->status == PREFOP_OK || (s->is_wait && is_early), "%s: %s with a task", s->id,
      prefop_status_name(done->status));
  REQUIRE(!s->is_wait || done->status != PREFOP_OK || prefop_task_is_finished(done->task), "%s: the end with code %lld",
      s->id, (long long)done->task->code);
  s->is_taken = s->is_over = 1;
}

void model_take(queue_model *queue, const prefop_completion *done, const prefop_error *error) {
  int tag = tag_place(done->tag);
  require_details(done, error);
  REQUIRE((done->flags & ~(uint32_t)PREFOP_COMPLETION_MORE) == 0 && done->reserved == 0, "flags %u", done->flags);
  REQUIRE(done->status != PREFOP_OK || done->task, "success without a task");
  submission *s = identify(queue, tag, done, error);
  if (done->flags & PREFOP_COMPLETION_MORE) {
    REQUIRE(queue->open[tag] > 0, "a change after the end");
    take_change(s, done);
    return;
  }
  if (s) take_end(s, done);
  count_end(queue, tag, done->status);
}

void model_cancel(queue_model *queue, int tag, size_t count) {
  size_t open = queue->open[tag];
  REQUIRE(count <= open, "%zu were cancelled, and %zu were there", count, open);
  REQUIRE(count == open || !queue->has_nothing, "%zu were cancelled, and %zu had not ended", count, open);
  queue->cancelled[tag] += count;
  queue->ended[tag] += open - count;
  queue->open[tag] = 0;
  if (count) queue->has_nothing = 0;
  for (int i = 0; i < submission_count; i++) {
    if (submissions[i].queue == queue && submissions[i].tag == tag) submissions[i].is_over = 1;
  }
}

void model_free_queue(queue_model *queue) {
  queue->handle = NULL;
  queue->pending = 0;
}

/* MARK: At any time */

static size_t sum(const size_t counts[MAX_TAGS]) {
  size_t all = 0;
  for (int tag = 0; tag < MAX_TAGS; tag++) all += counts[tag];
  return all;
}

void model_check(queue_model *queue) {
  if (!queue->handle) return;
  size_t pending = prefop_queue_pending(queue->handle);
  REQUIRE(pending == queue->pending, "%zu are pending, not %zu", pending, queue->pending);
  size_t waiting = sum(queue->cancelled) + sum(queue->ended);
  REQUIRE(pending == waiting + sum(queue->open), "the model is wrong");
  if (queue->descriptor < 0 || waiting == 0) return;
  struct pollfd entry = {queue->descriptor, POLLIN, 0};
  network_step();
  REQUIRE(network_poll(&entry, 1) == 1 && entry.revents == POLLIN,
      "%zu completions wait, and the descriptor is not readable", waiting);
}

/* Failures do not always tell whose they are: whether none with this tag has had one. */
static int are_all_open(const queue_model *queue, int tag) {
  size_t count = 0;
  for (int i = 0; i < submission_count; i++) {
    count += submissions[i].queue == queue && submissions[i].tag == tag && !submissions[i].is_over;
  }
  return count == queue->open[tag];
}

int model_may_rest(const queue_model *queue) {
  if (queue->entered_ms < 0 || queue->client->is_slowed) return 1;
  for (int i = 0; i < submission_count; i++) {
    const submission *s = &submissions[i];
    int has_begun = s->is_wait || s->request_count > 0 || s->is_over;
    if (s->queue == queue && !has_begun && are_all_open(queue, s->tag)) return 0;
  }
  return 1;
}
