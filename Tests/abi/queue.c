/* queue wakeup http|tls   a queue is drained while another thread wakes it up
   queue signal http|tls   a signal handler wakes it up, and errno stays
   queue shared http|tls   a queue for each of some threads, of one client
   queue random http|tls   submitting, taking, cancelling and freeing as it comes
   queue waits http|tls    queues of some threads wait for tasks, tell changes, are
                           woken, and call some of them off
   queue memory            what a wide queue took is given back, to the byte; without
                           glibc's caches of threads
   queue prompt            waits rest, and the place of one goes to the next, though
                           answers come at once; with prompt_answers.c
   queue names             names that do not resolve hold nothing up; with slow_names.c */
#include "../bench/memory.h"
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4

static prefop_client *client;
static prefop_queue *queue_of_handler;
static atomic_int is_over;

static long long now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static prefop_queue *new_queue(void) {
  prefop_queue *queue = NULL;
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_status status = prefop_queue_new(client, &queue, &error);
  CHECK(status == PREFOP_OK && queue != NULL, "%s: %s", prefop_status_name(status), error.message);
  return queue;
}

static void submit(prefop_queue *queue, const char *id, uint64_t tag) {
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_status status = prefop_queue_submit(queue, id, tag, NULL, &error);
  CHECK(status == PREFOP_OK, "sent %s, came %s: %s", id, prefop_status_name(status), error.message);
}

static void submit_echo(prefop_queue *queue, uint64_t tag) {
  char id[40];
  snprintf(id, sizeof id, "echo.%llu", (unsigned long long)tag);
  submit(queue, id, tag);
}

/* Takes `count` completions, each of which must be a task, and each tag once. */
static void drain(prefop_queue *queue, size_t count) {
  char *seen = calloc(count, 1);
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_completion done = PREFOP_COMPLETION_INIT;
  for (size_t taken = 0; taken < count;) {
    int32_t result = prefop_queue_next(queue, -1, &done, &error);
    CHECK(result >= 0, "next: %s: %s", prefop_status_name(result), error.message);
    if (result == 0) continue;
    CHECK(done.status == PREFOP_OK, "%llu: %s", (unsigned long long)done.tag, error.message);
    CHECK(done.tag < count && !seen[done.tag], "the tag %llu, not for the first time", (unsigned long long)done.tag);
    CHECK((uint64_t)atoll(done.task->persistent_id + 5) == done.tag, "%s", done.task->persistent_id);
    seen[done.tag] = 1;
    prefop_task_free(done.task);
    taken++;
  }
  CHECK(prefop_queue_pending(queue) == 0, "%zu are pending", prefop_queue_pending(queue));
  free(seen);
}

static void *wake(void *queue) {
  while (!is_over) prefop_queue_wakeup(queue);
  return NULL;
}

static void wakeup(void) {
  prefop_queue *queue = new_queue();
  pthread_t thread;
  pthread_create(&thread, NULL, wake, queue);
  for (uint64_t tag = 0; tag < 1000; tag++) submit_echo(queue, tag);
  drain(queue, 1000);
  is_over = 1;
  pthread_join(thread, NULL);
  prefop_queue_free(queue);
}

static void handle(int number) {
  (void)number;
  int interrupted = errno;
  errno = EDOM;
  prefop_queue_wakeup(queue_of_handler);
  if (errno != EDOM) _exit(3);
  errno = interrupted;
}

static void wait_for_signal(void) {
  prefop_queue *queue = queue_of_handler = new_queue();
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
  struct itimerval soon = {{0, 0}, {0, 20000}};
  prefop_completion done = PREFOP_COMPLETION_INIT;
  submit(queue, "fault.hang", 0);
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &soon, NULL);
  int32_t result = prefop_queue_next(queue, -1, &done, NULL);
  CHECK(result == 0, "next returned %d, not 0", result);
  /* The wakeup was this call's, though it came as a signal too. */
  long long start = now_ms();
  result = prefop_queue_next(queue, 100, &done, NULL);
  CHECK(result == 0 && now_ms() - start >= 100, "next returned %d after %lld ms", result, now_ms() - start);
  prefop_queue_free(queue);
}

static void *work(void *number) {
  (void)number;
  prefop_queue *queue = new_queue();
  for (uint64_t tag = 0; tag < 500; tag++) submit_echo(queue, tag);
  drain(queue, 500);
  prefop_queue_free(queue);
  return NULL;
}

static void shared(void) {
  pthread_t threads[THREADS];
  prefop_error error = PREFOP_ERROR_INIT;
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, NULL);
  for (int i = 0; i < 200; i++) {
    const char *access = i % 2 ? TEST_ACCESS_KEY : TEST_SECOND_ACCESS_KEY;
    const char *secret = i % 2 ? TEST_SECRET_KEY : TEST_SECOND_SECRET_KEY;
    prefop_status status = prefop_client_set_credentials(client, access, secret, &error);
    CHECK(status == PREFOP_OK, "%s", error.message);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

static void at_random(void) {
  static const char *const ids[] = {"echo.1", "status.612", "fault.reset", "fault.slow.5", "fault.hang", "status.503",
      "flaky.1.fault.reset.r", "fault.close-idle"};
  unsigned seed = 7;
  for (int round = 0; round < 20; round++) {
    prefop_queue *queue = new_queue();
    size_t pending = 0;
    for (int i = 0; i < 200; i++) {
      prefop_completion done = PREFOP_COMPLETION_INIT;
      prefop_error error = PREFOP_ERROR_INIT;
      int choice = rand_r(&seed) % 8;
      uint64_t tag = (uint64_t)(rand_r(&seed) % 16);
      if (choice < 4) {
        submit(queue, ids[rand_r(&seed) % 8], tag);
        pending++;
      } else if (choice < 7) {
        int32_t result = prefop_queue_next(queue, choice - 4, &done, &error);
        CHECK(result >= 0, "%s", error.message);
        CHECK((done.status == PREFOP_OK && result == 1) == (done.task != NULL), "%d, %d", result, done.status);
        prefop_task_free(done.task);
        pending -= (size_t)result;
      } else {
        prefop_queue_cancel(queue, tag);
      }
      if (round % 2 && i == 50) CHECK(prefop_queue_fd(queue) >= 0, "no descriptor");
      CHECK(prefop_queue_pending(queue) == pending, "%zu, not %zu", prefop_queue_pending(queue), pending);
    }
    prefop_queue_free(queue);
  }
}

enum { WAITS = 60 };

static atomic_uint round_of_waits;
static prefop_queue *waiting_queues[THREADS];
static pthread_barrier_t all_are_there;

/* A third changes twice and ends, a third is called off, a third runs out of time. */
static void *wait_for_tasks(void *number) {
  size_t place = (size_t)number;
  prefop_queue *queue = waiting_queues[place] = new_queue();
  pthread_barrier_wait(&all_are_there);
  prefop_query_options options = PREFOP_QUERY_OPTIONS_INIT;
  options.flags = PREFOP_QUERY_UNTIL_FINISHED | PREFOP_QUERY_EACH_CHANGE;
  options.poll_min_ms = 2;
  options.poll_max_ms = 10;
  unsigned round = atomic_fetch_add(&round_of_waits, 1);
  for (uint64_t tag = 0; tag < WAITS; tag++) {
    prefop_error error = PREFOP_ERROR_INIT;
    char id[64];
    snprintf(id, sizeof id, "%s.%u.%llu", tag % 3 ? "z0.running" : "grows.2", round, (unsigned long long)tag);
    options.timeout_ms = tag % 3 == 2 ? 100 : 0;
    prefop_status status = prefop_queue_submit(queue, id, tag, &options, &error);
    CHECK(status == PREFOP_OK, "%s", error.message);
  }
  unsigned changes[WAITS] = {0};
  for (size_t ended = 0; ended < WAITS;) {
    prefop_completion done = PREFOP_COMPLETION_INIT;
    int32_t result = prefop_queue_next(queue, 5, &done, NULL);
    CHECK(result >= 0, "next: %s", prefop_status_name(result));
    if (result == 0) continue;
    if (done.flags & PREFOP_COMPLETION_MORE) {
      changes[done.tag]++;
      CHECK(done.status == PREFOP_OK && done.task && done.task->code != 0, "%d", done.status);
      if (done.tag % 3 == 1) CHECK(prefop_queue_cancel(queue, done.tag) == 1, "it is not there");
    } else {
      static const prefop_status ends[] = {PREFOP_OK, PREFOP_ERROR_CANCELLED, PREFOP_ERROR_TIMEOUT};
      CHECK(
          done.status == ends[done.tag % 3], "%llu: %s", (unsigned long long)done.tag, prefop_status_name(done.status));
      CHECK(done.tag % 3 || changes[done.tag] == 2, "%u changes", changes[done.tag]);
      ended++;
    }
    prefop_task_free(done.task);
  }
  CHECK(prefop_queue_pending(queue) == 0, "%zu are pending", prefop_queue_pending(queue));
  pthread_barrier_wait(&all_are_there);
  /* Some are under way or rest when it is freed. */
  options.timeout_ms = 0;
  for (uint64_t tag = 0; tag < 10; tag++) prefop_queue_submit(queue, "z0.running", tag, &options, NULL);
  prefop_completion done = PREFOP_COMPLETION_INIT;
  prefop_queue_next(queue, 5, &done, NULL);
  prefop_task_free(done.task);
  prefop_queue_free(queue);
  return NULL;
}

static void *wake_all(void *unused) {
  pthread_barrier_wait(&all_are_there);
  while (!is_over) {
    for (int i = 0; i < THREADS; i++) prefop_queue_wakeup(waiting_queues[i]);
    usleep(500);
  }
  pthread_barrier_wait(&all_are_there);
  return unused;
}

static void waits(void) {
  pthread_t threads[THREADS], waker;
  pthread_barrier_init(&all_are_there, NULL, THREADS + 1);
  for (size_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, wait_for_tasks, (void *)i);
  pthread_create(&waker, NULL, wake_all, NULL);
  /* Long enough for the tasks to end. */
  usleep(300000);
  is_over = 1;
  pthread_join(waker, NULL);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&all_are_there);
}

static void ask_many(int32_t in_flight) {
  prefop_client_options options = test_options(0);
  options.max_in_flight = in_flight;
  client = test_client_with(&options);
  prefop_queue *queue = new_queue();
  prefop_completion done = PREFOP_COMPLETION_INIT;
  for (uint64_t tag = 0; tag < 300; tag++) submit(queue, "fault.slow.300", tag);
  while (prefop_queue_pending(queue) > 0) {
    CHECK(prefop_queue_next(queue, -1, &done, NULL) == 1 && done.status == PREFOP_OK, "%d", done.status);
    prefop_task_free(done.task);
  }
  prefop_queue_free(queue);
  prefop_client_free(client);
}

static void memory(void) {
  ask_many(30);
  size_t before = heap();
  ask_many(300);
  size_t after = heap();
  CHECK(after == before, "%zu bytes, %zu before", after, before);
}

static void names(void) {
  prefop_client_options options = test_options(0);
  options.api_hosts = "http://a.invalid,http://b.invalid";
  options.max_in_flight = 1000;
  client = test_client_with(&options);
  prefop_queue *queue = new_queue();
  prefop_completion done = PREFOP_COMPLETION_INIT;
  for (uint64_t tag = 0; tag < 1000; tag++) submit(queue, "echo.1", tag);
  /* Long enough for all to look the name up. */
  for (long long end = now_ms() + 1300; now_ms() < end;) {
    CHECK(prefop_queue_next(queue, 50, &done, NULL) == 0, "something came");
  }
  long long start = now_ms();
  for (uint64_t tag = 0; tag < 500; tag++) CHECK(prefop_queue_cancel(queue, tag) == 1, "not pending");
  prefop_queue_free(queue);
  long long took = now_ms() - start;
  CHECK(took < 2000, "it took %lld ms", took);
  prefop_client_free(client);
  /* The lookups are still going on. */
  _exit(0);
}

static void prompt(void) {
  enum { WAITS = 3 };
  prefop_client_options options = test_options(0);
  options.max_in_flight = 1;
  client = test_client_with(&options);
  prefop_queue *queue = new_queue();
  prefop_query_options wait = PREFOP_QUERY_OPTIONS_INIT;
  prefop_completion done = PREFOP_COMPLETION_INIT;
  wait.flags = PREFOP_QUERY_UNTIL_FINISHED;
  wait.poll_min_ms = 600000;
  for (uint64_t tag = 0; tag < WAITS; tag++) {
    CHECK(prefop_queue_submit(queue, "z0.running", tag, &wait, NULL) == PREFOP_OK, "not submitted");
  }
  submit(queue, "echo.1", WAITS);
  CHECK(prefop_queue_next(queue, 20000, &done, NULL) == 1, "the query never began");
  CHECK(done.tag == WAITS && done.status == PREFOP_OK, "%llu: %d", (unsigned long long)done.tag, done.status);
  prefop_task_free(done.task);
  prefop_queue_free(queue);
  prefop_client_free(client);
}

int main(int argc, char **argv) {
  CHECK(argc >= 2, "usage: see the top of this file");
  if (strcmp(argv[1], "names") == 0) names();
  if (strcmp(argv[1], "memory") == 0) return memory(), 0;
  if (strcmp(argv[1], "prompt") == 0) return prompt(), 0;
  CHECK(argc == 3, "usage: see the top of this file");
  client = test_client(strcmp(argv[2], "tls") == 0);
  if (strcmp(argv[1], "wakeup") == 0) wakeup();
  if (strcmp(argv[1], "signal") == 0) wait_for_signal();
  if (strcmp(argv[1], "shared") == 0) shared();
  if (strcmp(argv[1], "random") == 0) at_random();
  if (strcmp(argv[1], "waits") == 0) waits();
  prefop_client_free(client);
  return 0;
}
