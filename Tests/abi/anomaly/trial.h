/* One step, tried with the first allocation failing, the second, and so on. */
#ifndef PREFOP_TEST_TRIAL_H
#define PREFOP_TEST_TRIAL_H

#include "faults.h"

/* A step in the life of a program.  Each function runs in a process of its own,
   forked from one that has used no library yet, in this order; all are given
   the same `context`, cleared memory of trial_context bytes. */
typedef struct trial_step {
  const char *name;
  const char *id; /* the task to ask for, "%019lld": a number of its own; or NULL */
  int tls;
  void (*prepare)(void *context); /* before the window; or NULL */
  void (*act)(void *context);     /* in the window, and again after it */
  void (*fresh)(void *context);   /* like act, but with a client of its own, after it; or NULL */
  void (*clean)(void *context);   /* gives everything back */
} trial_step;

/* Set while a step runs. */
extern const trial_step *trial_current;
extern char trial_id[128];

/* To be told by act and fresh, once each: the status, whether what came with
   it breaks the contract ("" if not), and what came, as text to be compared
   with what comes when nothing fails. */
void trial_tell(int status, int detail, const char *wrong, const char *text);

/* driver STEP once|persistent WORKER WORKERS SAMPLE

   Tries STEP with allocation number WORKER + 1, then WORKERS further, and so on.
   Of the allocations of libcrypto only each SAMPLE-th is tried.  Prints a line
   for each trial, members separated by tabs; see run.py. */
int trial_main(int argc, char **argv, const trial_step *steps, size_t count, size_t trial_context);

#endif
