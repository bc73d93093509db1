/* The steps in which a client finds its hosts.  The bucket service and the
   hosts that it tells of are the stub server; run.py says what it answers.  Each
   tells as detail how many requests it took. */
#ifndef PREFOP_TEST_FINDING_H
#define PREFOP_TEST_FINDING_H

/* A client that knows no region, and a queue of it; one that knows those of a
   bucket, also of one for which the service answers only once. */
void prepare_finding(void *context);
void prepare_finding_queue(void *context);
void prepare_found(void *context);
void prepare_found_once(void *context);

/* The regions of a bucket, those of the account; where the first host of the
   bucket service, or of the region, is not there. */
void act_find_bucket(void *context);
void act_find_regions(void *context);
void act_find_next_bucket_host(void *context);
void act_find_next_host(void *context);

/* With an answer that is to be asked for again, and with one that is too old,
   while the service refuses another. */
void act_find_half_aged(void *context);
void act_find_expired(void *context);

/* The regions of a bucket, in a queue and for a wait. */
void act_find_queue(void *context);
void act_find_wait(void *context);

#endif
