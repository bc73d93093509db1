#define _GNU_SOURCE
#include "trial.h"

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define LONGEST_TEXT 4096
#define TIMES 3 /* act in the window, act after it, fresh */

/* How long a trial may take before it counts as hanging: many times the
   deadline of its queries, so that a slow machine is no failure. */
#define WATCHDOG_SECONDS 30

typedef struct answer {
  int is_told;
  int status;
  int detail;
  char wrong[128];
  char text[LONGEST_TEXT];
} answer;

/* In memory shared with the process that tries, so that it survives it. */
typedef struct outcome {
  faults_report faults;
  int is_complete;
  int time; /* index into told of the call under way */
  answer told[TIMES];
  size_t live[FAULTS_OWNERS];
  int signal;
  char place[128];
} outcome;

const trial_step *trial_current;
char trial_id[128];
static outcome *current;

void trial_tell(int status, int detail, const char *wrong, const char *text) {
  answer *told = &current->told[current->time];
  told->is_told = 1;
  told->status = status;
  told->detail = detail;
  snprintf(told->wrong, sizeof told->wrong, "%s", wrong);
  snprintf(told->text, sizeof told->text, "%s", text);
}

/* Crashes and hangs
   ----------------- */

static int is_library(faults_owner owner) {
  return owner == FAULTS_PREFOP || owner == FAULTS_CURL || owner == FAULTS_CRYPTO;
}

/* Says where it crashed: in the innermost function that is not the C library's. */
static void crashed(int number, siginfo_t *info, void *context) {
  (void)info;
  faults_close();
  current->signal = number;
  const char *at = (const char *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
  void *frames[64];
  int count = backtrace(frames, 64);
  int first = 0;
  while (first < count && frames[first] != at) first++;
  if (first == count) first = 2;
  const char *place = at;
  for (int i = first; i < count && !is_library(faults_owner_of(place)); i++) place = frames[i];
  faults_place(is_library(faults_owner_of(place)) ? place : at, current->place, sizeof current->place);
  _exit(128);
}

static void catch_crashes(void) {
  static char stack[1 << 16];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternate, NULL);
  struct sigaction action = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
}

/* A trial
   ------- */

static void call(int time, void (*function)(void *), void *context) {
  if (function == NULL) return;
  current->time = time;
  function(context);
}

/* Names the task to ask for.  Not by the process id: that comes again, and is
   not always as long, so that texts would differ by their length. */
static void name_task(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long long unique = (long long)now.tv_sec * 1000000000 + now.tv_nsec;
  snprintf(trial_id, sizeof trial_id, trial_current->id == NULL ? "" : trial_current->id, unique);
}

static void run(uint32_t n, faults_mode mode, void *context) {
  catch_crashes();
  alarm(WATCHDOG_SECONDS);
  name_task();
  if (trial_current->prepare != NULL) trial_current->prepare(context);
  faults_open(n, mode, &current->faults);
  call(0, trial_current->act, context);
  faults_close();
  call(1, trial_current->act, context);
  call(2, trial_current->fresh, context);
  trial_current->clean(context);
  for (int owner = 0; owner < FAULTS_OWNERS; owner++) current->live[owner] = faults_live((faults_owner)owner);
  current->is_complete = 1;
}

/* Tries it in a process of its own.  Fills in current. */
static void try_in_child(uint32_t n, faults_mode mode, size_t context_size) {
  memset(current, 0, sizeof *current);
  pid_t child = fork();
  if (child == 0) {
    void *context = mmap(NULL, context_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    run(n, mode, context);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    current->signal = WTERMSIG(status);
    snprintf(current->place, sizeof current->place, "?");
  } else if (!current->is_complete && current->signal == 0) {
    /* The step itself gave up, having printed why. */
    exit(1);
  }
}

static const char *owner_name(int owner) {
  static const char *const names[] = {"other", "prefop", "curl", "crypto", "libc"};
  return names[owner];
}

/* What breaks the contract in the call `time`, given how it goes when nothing
   fails. */
static const char *wrong(const outcome *trial, const outcome *reference, int time) {
  const answer *told = &trial->told[time], *expected = &reference->told[time];
  if (told->wrong[0] != 0) return told->wrong;
  if (!told->is_told) return "";
  if (told->status == expected->status && strcmp(told->text, expected->text) != 0) return "wrong result";
  return "";
}

static const char *ended(const outcome *trial) {
  if (trial->is_complete) return "complete";
  return trial->signal == SIGALRM ? "hang" : "crash";
}

static void print(uint32_t n, const outcome *trial, const outcome *reference) {
  printf("%u\t%u\t%u\t%s\t%s\t%s", n, trial->faults.failed, trial->faults.failed_of_prefop,
      owner_name(trial->faults.first_owner), ended(trial), trial->place);
  for (int time = 0; time < TIMES; time++) {
    const answer *told = &trial->told[time];
    printf("\t%d\t%d\t%d\t%s", told->is_told, told->status, told->detail, wrong(trial, reference, time));
  }
  for (int owner = 0; owner < FAULTS_OWNERS; owner++) {
    printf("\t%ld", (long)trial->live[owner] - (long)reference->live[owner]);
  }
  putchar('\n');
}

int trial_main(int argc, char **argv, const trial_step *steps, size_t count, size_t context_size) {
  if (argc != 6 || faults_start == NULL) {
    fprintf(stderr, "LD_PRELOAD=faults.so %s STEP once|persistent WORKER WORKERS SAMPLE\n", argv[0]);
    return 2;
  }
  for (size_t i = 0; i < count; i++) {
    if (strcmp(steps[i].name, argv[1]) == 0) trial_current = &steps[i];
  }
  if (trial_current == NULL) {
    fprintf(stderr, "%s has no step %s\n", argv[0], argv[1]);
    return 2;
  }
  faults_mode mode = strcmp(argv[2], "once") == 0 ? FAULTS_ONCE : FAULTS_PERSISTENT;
  uint32_t worker = (uint32_t)atoi(argv[3]), workers = (uint32_t)atoi(argv[4]), sample = (uint32_t)atoi(argv[5]);

  /* Loads what the crash handler needs while memory is there. */
  void *frames[4];
  backtrace(frames, 4);
  faults_start();
  current = mmap(NULL, sizeof *current, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  outcome *reference = malloc(sizeof *reference);
  if (current == MAP_FAILED || reference == NULL) return 1;

  /* Twice: what is done once for a machine (caches of files) is done now. */
  for (int i = 0; i < 2; i++) try_in_child(0, mode, context_size);
  memcpy(reference, current, sizeof *reference);
  print(0, reference, reference);
  const faults_report *report = &reference->faults;
  printf("allocations\t%u\n", report->allocations);

  /* Past the number seen, until an allocation is asked for that never comes. */
  uint32_t not_hit = 0;
  for (uint32_t n = worker + 1; not_hit == 0; n += workers) {
    int is_known = n <= report->allocations && n <= FAULTS_RECORDED;
    if (is_known && report->owners[n - 1] == FAULTS_CRYPTO && (n / workers) % sample != 0) continue;
    try_in_child(n, mode, context_size);
    if (n > report->allocations && current->faults.failed == 0) not_hit = n;
    print(n, current, reference);
    fflush(stdout);
  }
  printf("end\t%u\n", not_hit);
  return 0;
}
