/* forks SCENARIO http|tls [finding]: a client from before a fork, in parent and
   child, which finds its hosts or has them given.

   pair         both ask a hundred times at once, each gets its own
   descriptors  the parent's sockets are closed in the child
   busy         fork again and again while 8 threads ask
   thread       fork in a thread that is not the first
   exit         the child just ends, with its exit handlers
   free         the child frees the client: the descriptors that have the
                numbers of the parent's sockets by then are not touched
   asking       fork while another thread asks for the regions, finding only
   grandchild   fork in a child that has asked nothing yet, and in one that has

   The parent asks last: the server's records tell over which connection. */
#include "check.h"
#include "descriptors.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define QUERIES 100
#define BUSY_THREADS 8

/* Enough to meet the moments in which a socket is being opened or closed. */
#define BUSY_FORKS 200

/* A child that hangs in a lock nobody holds is ended, and so reported. */
#define WATCHDOG_SECONDS 60

static prefop_client *client;
static int is_tls;
static int is_finding;

static void ask(const char *who, int count) {
  for (int i = 0; i < count; i++) {
    char id[64];
    /* Of no region, when hosts are to be found. */
    snprintf(id, sizeof id, "%s.%s.%d", is_finding ? "ECHO" : "echo", who, i);
    test_query(client, id);
  }
}

/* Runs `work` in a child, and waits for it unless `running`. */
static pid_t start_child(void (*work)(void)) {
  pid_t child = fork();
  CHECK(child >= 0, "fork failed");
  if (child == 0) {
    alarm(WATCHDOG_SECONDS);
    work();
    _exit(0);
  }
  return child;
}

static void wait_for(pid_t child) {
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child, "waitpid failed");
  CHECK(status == 0, "the child ended with wait status %#x, expected 0", status);
}

/* Both ask
   -------- */

static void ask_as_child(void) { ask("child", QUERIES); }

static void pair(void) {
  pid_t child = start_child(ask_as_child);
  ask("parent", QUERIES);
  wait_for(child);
}

/* Descriptors
   ----------- */

static test_descriptors before_client;

static void look_at_descriptors(void) {
  test_same_descriptors(&before_client, "in the child, right after the fork,");
  ask("child", 2);
  prefop_client_free(client);
  test_same_descriptors(&before_client, "in the child, after the client was freed,");
}

/* Many threads
   ------------ */

static atomic_int is_over;
static atomic_int asked;

static void *ask_until_over(void *number) {
  for (int i = 0; !is_over; i++) {
    char id[64];
    /* Often the connection ends, and the next query makes one. */
    snprintf(id, sizeof id, i % 2 ? "fault.close.%d.%d" : "echo.busy.%d.%d", (int)(intptr_t)number, i);
    test_query(client, id);
    asked++;
  }
  return NULL;
}

static int is_network(int descriptor) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX;
}

/* Other threads may have been opening a file, or making a pair of sockets that
   lead nowhere; but a connection kept open here would never end for its peer. */
static void check_busy_child(void) {
  test_descriptors now = test_open_descriptors();
  for (int i = 0; i < TEST_DESCRIPTORS; i++) {
    if (!now.open[i] || before_client.open[i]) continue;
    CHECK(!is_network(i), "in the child of a busy process descriptor %d (%s) is open", i, test_descriptor_name(i));
  }
  ask("busychild", 3);
  prefop_client_free(client);
}

static void busy(void) {
  pthread_t threads[BUSY_THREADS];
  for (intptr_t i = 0; i < BUSY_THREADS; i++) pthread_create(&threads[i], NULL, ask_until_over, (void *)i);
  for (int i = 0; i < BUSY_FORKS; i++) {
    int seen = asked;
    while (asked < seen + 2) sched_yield();
    wait_for(start_child(check_busy_child));
  }
  is_over = 1;
  for (int i = 0; i < BUSY_THREADS; i++) pthread_join(threads[i], NULL);
}

/* Another thread
   -------------- */

static void *fork_here(void *unused) {
  (void)unused;
  ask("thread", 2);
  pid_t child = start_child(ask_as_child);
  ask("thread", 2);
  wait_for(child);
  return NULL;
}

static void thread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, fork_here, NULL);
  pthread_join(thread, NULL);
}

/* Another thread asks for the regions
   ----------------------------------- */

static int count_connections(void) {
  test_descriptors now = test_open_descriptors();
  int count = 0;
  for (int i = 0; i < TEST_DESCRIPTORS; i++) count += now.open[i] && is_network(i);
  return count;
}

static void *ask_first(void *unused) {
  (void)unused;
  ask("warm", 1);
  return NULL;
}

/* The answer is slow, so it is not there yet when there is a connection. */
static void asking(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, ask_first, NULL);
  while (count_connections() == 0) sched_yield();
  pid_t child = start_child(ask_as_child);
  pthread_join(thread, NULL);
  wait_for(child);
}

/* Ends of a child
   --------------- */

static void leave(void) { exit(0); }

static void leave_after_asking(void) {
  ask("child", 2);
  exit(0);
}

/* Pipes take the numbers that the parent's sockets had. */
static void free_among_pipes(void) {
  int pipes[16][2];
  for (int i = 0; i < 16; i++) CHECK(pipe(pipes[i]) == 0, "pipe failed");
  test_descriptors before = test_open_descriptors();
  prefop_client_free(client);
  test_same_descriptors(&before, "in the child, after the client was freed,");
  for (int i = 0; i < 16; i++) {
    char byte = 0;
    close(pipes[i][1]);
    ssize_t length = read(pipes[i][0], &byte, 1);
    CHECK(length == 0, "pipe %d held %zd bytes, the first %#x, expected none", i, length, (unsigned char)byte);
  }
}

/* The same after a query of the child's own. */
static void ask_and_free_among_pipes(void) {
  int pipes[16][2];
  for (int i = 0; i < 16; i++) CHECK(pipe(pipes[i]) == 0, "pipe failed");
  test_descriptors before = test_open_descriptors();
  ask("child", 2);
  prefop_client_free(client);
  test_same_descriptors(&before, "in the child, after the client was freed,");
}

/* Grandchildren
   ------------- */

static void ask_as_grandchild(void) { ask("grandchild", 3); }

static void ask_around_fork(void) {
  wait_for(start_child(ask_as_grandchild));
  ask("child", 3);
  wait_for(start_child(ask_as_grandchild));
  ask("child", 3);
  prefop_client_free(client);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  is_tls = argc > 2 && strcmp(argv[2], "tls") == 0;
  is_finding = argc > 3 && strcmp(argv[3], "finding") == 0;
  before_client = test_open_descriptors();
  prefop_client_options options = is_finding ? test_finding_options(is_tls) : test_options(is_tls);
  client = test_client_with(&options);
  if (strcmp(what, "asking") != 0) ask("warm", 1);
  if (strcmp(what, "pair") == 0) {
    pair();
  } else if (strcmp(what, "descriptors") == 0) {
    wait_for(start_child(look_at_descriptors));
  } else if (strcmp(what, "busy") == 0) {
    busy();
  } else if (strcmp(what, "asking") == 0) {
    asking();
  } else if (strcmp(what, "thread") == 0) {
    thread();
  } else if (strcmp(what, "exit") == 0) {
    wait_for(start_child(leave));
    wait_for(start_child(leave_after_asking));
  } else if (strcmp(what, "free") == 0) {
    wait_for(start_child(free_among_pipes));
    wait_for(start_child(ask_and_free_among_pipes));
  } else if (strcmp(what, "grandchild") == 0) {
    wait_for(start_child(ask_around_fork));
  } else {
    fprintf(stderr, "%s: no scenario %s\n", argv[0], what);
    return 2;
  }
  ask("last", 1);
  prefop_client_free(client);
  test_same_descriptors(&before_client, "after the client was freed");
  return 0;
}
