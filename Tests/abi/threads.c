/* threads first [ROUNDS]   16 threads make a process's first calls, in ROUNDS processes
   threads shared QUERIES   16 threads share one client, its key pair swapped meanwhile
   threads finding QUERIES  the same with a client that finds its hosts, while regions age and hosts fail
   threads exec [ROUNDS]    engines made at the same time are all close-on-exec */
#include "check.h"
#include "clock.h"
#include "descriptors.h"
#include "notification.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define THREADS 16

static pthread_barrier_t all_ready;
static prefop_client *shared_client;
static atomic_int next_query;
static int last_query;
static atomic_int is_over;

static void run_threads(void *(*work)(void *)) {
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) {
    int result = pthread_create(&threads[i], NULL, work, (void *)i);
    CHECK(result == 0, "pthread_create: %s", strerror(result));
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* The first calls of a process
   ---------------------------- */

static void verify(prefop_client *client) {
  prefop_notification notification = test_notification();
  prefop_task *task = NULL;
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_status status = prefop_notification_verify(client, &notification, &task, &error);
  CHECK(status == PREFOP_OK, "sent a signed notification, came %s: %s", prefop_status_name(status), error.message);
  CHECK(strcmp(task->persistent_id, TEST_NOTIFICATION_ID) == 0, "came the task %s", task->persistent_id);
  prefop_task_free(task);
}

static void *first_call(void *number) {
  intptr_t i = (intptr_t)number;
  prefop_error error = PREFOP_ERROR_INIT;
  pthread_barrier_wait(&all_ready);
  if (i % 4 == 0) {
    char id[32];
    snprintf(id, sizeof id, "echo.first.%d", (int)i);
    prefop_client *client = test_client(0);
    test_query(client, id);
    prefop_client_free(client);
  } else if (i % 4 == 1) {
    prefop_status status = prefop_client_set_credentials(NULL, TEST_ACCESS_KEY, TEST_SECRET_KEY, &error);
    CHECK(status == PREFOP_OK, "the default client's credentials: %s: %s", prefop_status_name(status), error.message);
  }
  verify(NULL);
  return NULL;
}

static int first(void) {
  pthread_barrier_init(&all_ready, NULL, THREADS);
  run_threads(first_call);
  return 0;
}

/* A process is new only after exec.  Two at a time, for two cores. */
static int first_in_processes(const char *program, int rounds) {
  int running = 0;
  for (int i = 0; i < rounds || running > 0;) {
    if (i < rounds && running < 2) {
      pid_t child = fork();
      if (child == 0) {
        execl(program, program, "first-once", (char *)NULL);
        _exit(127);
      }
      running++;
      i++;
      continue;
    }
    int status = 0;
    wait(&status);
    running--;
    CHECK(status == 0, "process %d of %d ended with wait status %#x", i, rounds, status);
  }
  return 0;
}

/* A shared client
   --------------- */

static void *ask(void *unused) {
  (void)unused;
  for (int i; (i = atomic_fetch_add(&next_query, 1)) < last_query;) {
    char id[32];
    snprintf(id, sizeof id, "echo.%d", i);
    test_query(shared_client, id);
  }
  return NULL;
}

static void *swap(void *unused) {
  (void)unused;
  for (int i = 0; !is_over; i++) {
    const char *access = i % 2 ? TEST_ACCESS_KEY : TEST_SECOND_ACCESS_KEY;
    const char *secret = i % 2 ? TEST_SECRET_KEY : TEST_SECOND_SECRET_KEY;
    prefop_error error = PREFOP_ERROR_INIT;
    prefop_status status = prefop_client_set_credentials(shared_client, access, secret, &error);
    CHECK(status == PREFOP_OK, "swapping credentials: %s: %s", prefop_status_name(status), error.message);
    /* Once for a few queries, or the swapping would be all there is. */
    int seen = next_query;
    while (!is_over && next_query < seen + 8) sched_yield();
  }
  return NULL;
}

static int shared(int queries) {
  test_descriptors before = test_open_descriptors();
  shared_client = test_client(0);
  last_query = queries;
  pthread_t swapper;
  pthread_create(&swapper, NULL, swap, NULL);
  run_threads(ask);
  is_over = 1;
  pthread_join(swapper, NULL);
  prefop_client_free(shared_client);
  test_same_descriptors(&before, "after the client was freed");
  return 0;
}

/* Finding hosts
   ------------- */

/* Of the time, in rounds.  In each the regions are older than half of the 600 s
   that they are good for, and a host that was set aside is tried in each second. */
#define ROUNDS 50
#define ROUND_SECONDS 310

static int queries_in_round;

static void *ask_in_rounds(void *number) {
  intptr_t thread = (intptr_t)number;
  for (int round = 0; round < ROUNDS; round++) {
    /* Nobody asks while the clock is put forward: each round needs the regions once. */
    pthread_barrier_wait(&all_ready);
    if (thread == 0) test_grow_older(ROUND_SECONDS);
    pthread_barrier_wait(&all_ready);
    for (int i = 0; i < queries_in_round; i++) {
      char id[64];
      snprintf(id, sizeof id, "ECHO.%d.%d.%d", (int)thread, round, i);
      test_query(shared_client, id);
    }
  }
  return NULL;
}

static int finding(int queries) {
  test_descriptors before = test_open_descriptors();
  prefop_client_options options = test_finding_options(0);
  /* Those of queries under way would pass with the clock. */
  options.timeout_ms = options.attempt_timeout_ms = options.connect_timeout_ms = -1;
  options.max_attempts = 1;
  pthread_barrier_init(&all_ready, NULL, THREADS);
  queries_in_round = queries / ROUNDS / THREADS;
  shared_client = test_client_with(&options);
  run_threads(ask_in_rounds);
  prefop_client_free(shared_client);
  test_same_descriptors(&before, "after the client was freed");
  return 0;
}

/* Close-on-exec
   ------------- */

static void *ask_once(void *number) {
  char id[32];
  snprintf(id, sizeof id, "echo.exec.%d", (int)(intptr_t)number);
  pthread_barrier_wait(&all_ready);
  test_query(shared_client, id);
  return NULL;
}

static int exec(int rounds) {
  pthread_barrier_init(&all_ready, NULL, THREADS);
  test_descriptors before = test_open_descriptors();
  for (int i = 0; i < rounds; i++) {
    shared_client = test_client(0);
    run_threads(ask_once);
    test_all_close_on_exec(&before, "after 16 first queries at once");
    prefop_client_free(shared_client);
    test_same_descriptors(&before, "after the client was freed");
  }
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  int count = argc > 2 ? atoi(argv[2]) : 1;
  if (strcmp(what, "first") == 0) return first_in_processes(argv[0], count);
  if (strcmp(what, "first-once") == 0) return first();
  if (strcmp(what, "shared") == 0) return shared(count);
  if (strcmp(what, "finding") == 0) return finding(count);
  if (strcmp(what, "exec") == 0) return exec(count);
  fprintf(stderr, "%s first|shared|finding|exec COUNT\n", argv[0]);
  return 2;
}
