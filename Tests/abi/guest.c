/* guest SCENARIO http|tls: the library is a guest in the program's process, and
   leaves everything there as it was.

   sigpipe      peers that hang up, with SIGPIPE as the system has it
   handlers     no signal handler is installed, no signal blocked
   descriptors  every descriptor is close-on-exec
   errors       libcrypto's error queue is left as it was
   eintr        signals do not end a query, unless it asked for that
   environment  the environment is not read by a query
   cold-environment  not even by the first query of the process
   setenv       the environment changes while queries run */
#include "check.h"
#include "descriptors.h"

#include <errno.h>
#include <execinfo.h>
#include <openssl/err.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/time.h>

static int is_tls;

/* Every way for a peer to hang up, and what must come of it. */
static const struct hangup {
  const char *id;
  prefop_status expected;
} hangups[] = {
    {"fault.reset", PREFOP_ERROR_TRANSFER},
    {"fault.close-before", PREFOP_ERROR_TRANSFER},
    {"fault.reset-body", PREFOP_ERROR_TRANSFER},
    {"fault.half-head", PREFOP_ERROR_TRANSFER},
    {"fault.half-body", PREFOP_ERROR_TRANSFER},
    {"fault.close", PREFOP_OK},
    {"fault.close-idle", PREFOP_OK},
};

#define HANGUPS (sizeof hangups / sizeof *hangups)

/* One attempt, so that nothing waits between two. */
static prefop_client *client_of_one_attempt(void) {
  prefop_client_options options = test_options(is_tls);
  options.max_attempts = 1;
  return test_client_with(&options);
}

/* SIGPIPE
   ------- */

static void sigpipe(void) {
  struct sigaction action;
  sigaction(SIGPIPE, NULL, &action);
  CHECK(action.sa_handler == SIG_DFL, "SIGPIPE is not as the system has it: the test would prove nothing");
  for (int round = 0; round < 5; round++) {
    for (size_t i = 0; i < HANGUPS; i++) {
      prefop_client *client = client_of_one_attempt();
      test_query(client, "echo.warm");
      CHECK_STATUS(client, hangups[i].id, NULL, hangups[i].expected);
      /* Now the connection is dead, which its owner may not know. */
      if (round % 2 == 0) test_status(client, "echo.after", NULL);
      prefop_client_free(client);
    }
  }
}

/* Signal handlers and masks
   ------------------------- */

static void look_at_signals(struct sigaction *actions, sigset_t *mask) {
  for (int number = 1; number < NSIG; number++) sigaction(number, NULL, &actions[number]);
  pthread_sigmask(SIG_BLOCK, NULL, mask);
}

static void handlers(void) {
  static struct sigaction before[NSIG], after[NSIG];
  sigset_t mask_before, mask_after;
  look_at_signals(before, &mask_before);
  for (int number = 1; number < NSIG; number++) {
    CHECK(before[number].sa_handler == SIG_DFL || before[number].sa_handler == SIG_IGN,
        "loading the library installed a handler of signal %d", number);
  }
  prefop_client *client = client_of_one_attempt();
  test_query(client, "echo.1");
  for (size_t i = 0; i < HANGUPS; i++) test_status(client, hangups[i].id, NULL);
  look_at_signals(after, &mask_after);
  prefop_client_free(client);
  for (int number = 1; number < NSIG; number++) {
    CHECK(after[number].sa_handler == before[number].sa_handler, "signal %d has another handler", number);
    CHECK(after[number].sa_flags == before[number].sa_flags, "signal %d has other flags", number);
    CHECK(sigismember(&mask_after, number) == sigismember(&mask_before, number), "signal %d is blocked", number);
  }
}

/* Descriptors
   ----------- */

static void descriptors(void) {
  test_descriptors before = test_open_descriptors();
  prefop_client *client = test_client(is_tls);
  test_all_close_on_exec(&before, "after prefop_client_new");
  test_query(client, "echo.1");
  test_all_close_on_exec(&before, "after a query");
  test_query(client, "fault.close");
  test_query(client, "echo.2");
  test_all_close_on_exec(&before, "after a second connection");
  prefop_client_free(client);
  test_same_descriptors(&before, "after the client was freed");
}

/* The error queue of libcrypto
   ---------------------------- */

typedef struct queued {
  unsigned long code;
  char file[64], function[64], data[64];
  int line, flags;
} queued;

static int take_errors(queued *errors, int most) {
  int count = 0;
  const char *file, *function, *data;
  for (queued error; count < most; errors[count++] = error) {
    error.code = ERR_get_error_all(&file, &error.line, &function, &data, &error.flags);
    if (error.code == 0) break;
    snprintf(error.file, sizeof error.file, "%s", file);
    snprintf(error.function, sizeof error.function, "%s", function);
    snprintf(error.data, sizeof error.data, "%s", data);
    error.flags &= ERR_TXT_STRING;
  }
  return count;
}

/* As many as the queue holds, with and without data. */
static void raise_errors(int count) {
  for (int i = 0; i < count; i++) {
    if (i % 2) {
      ERR_raise(ERR_LIB_USER, 100 + i);
    } else {
      ERR_raise_data(ERR_LIB_USER, 100 + i, "the program's own, number %d", i);
    }
  }
}

static void check_errors(int count, const char *after) {
  queued before[16], now[16];
  int found = take_errors(now, 16);
  CHECK(found == count, "after %s there were %d errors, the first %s %s, expected %d", after, found,
      found ? now[0].function : "", found ? ERR_reason_error_string(now[0].code) : "", count);
  raise_errors(count);
  take_errors(before, 16);
  for (int i = 0; i < count; i++) {
    CHECK(now[i].code == before[i].code && now[i].line == before[i].line && now[i].flags == before[i].flags &&
              strcmp(now[i].file, before[i].file) == 0 && strcmp(now[i].function, before[i].function) == 0 &&
              strcmp(now[i].data, before[i].data) == 0,
        "after %s error %d was %#lx %s:%d %s \"%s\" %d, expected %#lx %s:%d %s \"%s\" %d", after, i, now[i].code,
        now[i].file, now[i].line, now[i].function, now[i].data, now[i].flags, before[i].code, before[i].file,
        before[i].line, before[i].function, before[i].data, before[i].flags);
  }
}

static void errors(void) {
  const int counts[] = {0, 1, 3, 15};
  for (int i = 0; i < 4; i++) {
    int count = counts[i];
    prefop_client_options options = test_options(is_tls);
    options.max_attempts = 1;
    raise_errors(count);
    prefop_client *client = test_client_with(&options);
    check_errors(count, "prefop_client_new");
    raise_errors(count);
    test_query(client, "echo.1");
    check_errors(count, "the first query");
    raise_errors(count);
    test_query(client, "echo.2");
    check_errors(count, "a query on a warm connection");
    for (size_t j = 0; j < HANGUPS; j++) {
      raise_errors(count);
      test_status(client, hangups[j].id, NULL);
      check_errors(count, hangups[j].id);
    }
    raise_errors(count);
    prefop_client_free(client);
    check_errors(count, "prefop_client_free");

    /* Nobody vouches for the stub's certificate. */
    options.ca_file = NULL;
    client = test_client_with(&options);
    raise_errors(count);
    CHECK_STATUS(client, "echo.3", NULL, is_tls ? PREFOP_ERROR_TLS : PREFOP_OK);
    check_errors(count, "a query to a host that is not trusted");
    raise_errors(count);
    prefop_client_free(client);
    check_errors(count, "prefop_client_free");
  }
}

/* Interruption
   ------------ */

static atomic_int alarms;

static void count_alarm(int number) {
  (void)number;
  alarms++;
}

static void eintr(void) {
  struct sigaction action = {.sa_handler = count_alarm}; /* no SA_RESTART */
  sigaction(SIGALRM, &action, NULL);
  struct itimerval often = {{0, 500}, {0, 500}};
  setitimer(ITIMER_REAL, &often, NULL);
  prefop_client *client = test_client(is_tls);
  for (int i = 0; i < 20; i++) {
    int before = alarms;
    test_query(client, "fault.slow.20");
    CHECK(alarms > before, "no signal came during the query: the test would prove nothing");
    test_query(client, "fault.close");
  }
  prefop_query_options options = PREFOP_QUERY_OPTIONS_INIT;
  options.flags = PREFOP_QUERY_INTERRUPTIBLE;
  for (int i = 0; i < 20; i++) {
    CHECK_STATUS(client, "fault.hang", &options, PREFOP_ERROR_INTERRUPTED);
    test_query(client, "echo.after");
  }
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
  /* With no signal an interruptible query is one like any other. */
  CHECK_STATUS(client, "echo.quiet", &options, PREFOP_OK);
  prefop_client_free(client);
}

/* The environment
   --------------- */

extern char **environ;

/* Says who read it: the caller of libc's getenv, as a rule. */
static void environment_was_read(int number) {
  void *frames[16];
  static const char text[] = "the environment was read by:\n";
  (void)number;
  int count = backtrace(frames, 16);
  if (write(STDERR_FILENO, text, sizeof text - 1) > 0) backtrace_symbols_fd(frames, count, STDERR_FILENO);
  _exit(1);
}

/* While environ points into a page that cannot be read, whoever reads it, in
   whatever library, gets SIGSEGV. */
static void query_with_unreadable_environment(prefop_client *client) {
  void *frames[1];
  backtrace(frames, 1); /* loads what the handler needs */
  signal(SIGSEGV, environment_was_read);
  char **readable = environ;
  environ = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  test_query(client, "echo.1");
  test_query(client, "fault.close");
  test_query(client, "echo.connection");
  test_status(client, "status.612", NULL);
  test_status(client, "fault.reset", NULL);
  prefop_client_free(client);
  environ = readable;
}

static void environment(void) {
  prefop_client *client = test_client(is_tls);
  test_query(client, "echo.warm");
  query_with_unreadable_environment(client);
}

/* From the first query of the process on. */
static void cold_environment(void) { query_with_unreadable_environment(test_client(is_tls)); }

static atomic_int is_over;

/* glibc moves the array of the environment whenever it grows. */
static void *change_environment(void *unused) {
  (void)unused;
  for (unsigned i = 0; !is_over; i++) {
    char name[32];
    snprintf(name, sizeof name, "PREFOP_GUEST_%u", i % 2000);
    if (i / 2000 % 2) {
      unsetenv(name);
    } else {
      setenv(name, "some value", 1);
    }
  }
  return NULL;
}

static void change_meanwhile(void) {
  pthread_t thread;
  prefop_client *clients[20];
  for (int i = 0; i < 20; i++) clients[i] = test_client(is_tls);
  pthread_create(&thread, NULL, change_environment, NULL);
  for (int i = 0; i < 20; i++) {
    for (int j = 0; j < 10; j++) test_query(clients[i], j % 3 ? "echo.env" : "fault.close");
    prefop_client_free(clients[i]);
  }
  is_over = 1;
  pthread_join(thread, NULL);
}

int main(int argc, char **argv) {
  static const struct scenario {
    const char *name;
    void (*run)(void);
  } scenarios[] = {
      {"sigpipe", sigpipe},
      {"handlers", handlers},
      {"descriptors", descriptors},
      {"errors", errors},
      {"eintr", eintr},
      {"environment", environment},
      {"cold-environment", cold_environment},
      {"setenv", change_meanwhile},
  };
  is_tls = argc > 2 && strcmp(argv[2], "tls") == 0;
  for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; i++) {
    if (strcmp(argv[1], scenarios[i].name) != 0) continue;
    scenarios[i].run();
    return 0;
  }
  fprintf(stderr, "%s SCENARIO http|tls\n", argv[0]);
  return 2;
}
