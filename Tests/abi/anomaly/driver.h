/* What the steps of driver.c and finding.c share. */
#ifndef PREFOP_TEST_DRIVER_H
#define PREFOP_TEST_DRIVER_H

#include "trial.h"

#include "../check.h"

/* A trial's context. */
typedef struct program {
  prefop_client *client;
  prefop_queue *queue;
  prefop_task *task; /* the one to be written */
  int has_errors;    /* of its own, in libcrypto's queue */
  int has_changed_key;
} program;

#define ECHO "echo.anomaly"

prefop_error new_error(void);

/* What is wrong with how a call ended; "": nothing. */
const char *wrong_error(prefop_status status, const prefop_error *error);
const char *wrong_outcome(prefop_status status, const void *out, const prefop_error *error);

/* Tells of a task, NULL after a failure, and frees it. */
void tell_task(prefop_status status, prefop_task *task, const prefop_error *error, int detail);

/* What no call of a step may take longer than. */
void limit_times(prefop_client_options *options);

/* A client with a connection that stands. */
void prepare_warm(void *context);

/* libcurl and libcrypto are set up, but by another client. */
void prepare_libraries(void *context);

#endif
