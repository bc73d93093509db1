/* What the header promises of clients and queues, kept beside the library as
   plainly as can be, and compared with what it does. */
#ifndef PREFOP_FUZZ_MODEL_H
#define PREFOP_FUZZ_MODEL_H

#include <prefop.h>

#define MAX_CLIENTS 4
#define MAX_QUEUES 6
#define MAX_SUBMISSIONS 64
#define MAX_TAGS 4
#define MAX_TOLD 32
#define MAX_ANSWERS 4096
#define KEYS 3

typedef struct client_model {
  prefop_client *handle;
  int is_free; /* its queues may still be there */
  int number;
  uint32_t flags;
  int64_t timeout_ms; /* as the library takes it */
  int is_given;       /* it has hosts of its own for tasks */
  const char *api_hosts, *bucket_hosts;
  int key;        /* 1 to KEYS; 0: none */
  unsigned known; /* the keys that it ever had, a bit each */
  char told[MAX_TOLD][64];
  int told_count;
  int is_slowed;        /* a host said that it is asked too often */
  int is_told_anything; /* by an answer that nobody here has read */
} client_model;

/* An answer from which a task may be handed out. */
typedef struct body {
  struct body *next;
  size_t length;
  char text[];
} body;

typedef struct queue_model {
  prefop_queue *handle;
  client_model *client;
  int descriptor;     /* negative: nobody asked for it */
  size_t pending;     /* final completions that are still to come */
  int has_nothing;    /* the last call said that no completion waits */
  int may_be_awake;   /* it was called, and may not have told yet */
  int64_t driven_ms;  /* the time spent in prefop_queue_next */
  int64_t entered_ms; /* when the one under way began; negative: none is */
  /* By tag: what has not ended for certain; what was cancelled, and what had
     ended before, and was not taken yet. */
  size_t open[MAX_TAGS], cancelled[MAX_TAGS], ended[MAX_TAGS];
} queue_model;

typedef struct submission {
  queue_model *queue;
  int tag;
  char id[300];
  int has_own_key;
  int64_t timeout_ms; /* negative: none */
  int is_wait;
  int tells_changes;
  char told[256]; /* the codes that were told last; "": none were */
  int is_over;    /* no request may go out for it any more */
  int is_taken;   /* its final completion is known to have been taken */
  char key[40];   /* that its first request was signed with */
  int is_garbled; /* it was answered with bytes that nobody here has read */
  int request_count;
  int64_t started_ms; /* when its time began, on the clock of `driven_ms`; negative: not yet */
  body *bodies;       /* the last one first */
} submission;

extern client_model clients[MAX_CLIENTS];
extern queue_model queues[MAX_QUEUES];
extern submission submissions[MAX_SUBMISSIONS];
extern int client_count, queue_count, submission_count;

extern const uint64_t tags[MAX_TAGS];

void model_begin(void);
void model_end(void);

/* The key pair of a client, and one that a query brings. */
void model_access_key(char key[40], int client, int number);
void model_own_key(char key[40]);
void model_secret_key(char secret[64], const char *access_key);

int model_pends(const queue_model *queue);
void model_enter(queue_model *queue);
void model_leave(queue_model *queue);
void model_accept(queue_model *queue, submission *accepted);
void model_take(queue_model *queue, const prefop_completion *done, const prefop_error *error);
void model_cancel(queue_model *queue, int tag, size_t count);
void model_free_queue(queue_model *queue);
void model_check(queue_model *queue);

/* Whether nothing is left that could begin. */
int model_may_rest(const queue_model *queue);

/* A signed or unsigned request came. */
void model_request(submission *asked, const char *key);

/* What it is answered with. */
void model_answer(submission *asked, int answer, const char *text, size_t length);
#define MODEL_ANSWER_ID "answer-%d"

#endif
