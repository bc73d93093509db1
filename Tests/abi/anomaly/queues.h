/* The steps of driver.c that use a queue. */
#ifndef PREFOP_TEST_QUEUES_H
#define PREFOP_TEST_QUEUES_H

void prepare_queue(void *context);

/* One that has asked, and is watched. */
void prepare_warm_queue(void *context);

void act_queue_new(void *context);
void act_queue_free(void *context);

void act_queue(void *context);
void act_queue_with_key(void *context);

/* Calls a query off while it is under way, and takes it. */
void act_queue_cancel(void *context);

/* A wait that tells each change: at work, then finished. */
void act_queue_wait(void *context);

/* Calls a wait off while it rests between two polls, and takes it. */
void act_queue_wait_cancel(void *context);

#endif
