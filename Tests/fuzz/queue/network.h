/* The world around the library: time that goes by only when somebody waits for
   it, names, and connections that end here instead of on another machine.

   The functions of the C library by which libprefop and libcurl would reach the
   real ones are defined here, and so come before those of the C library.  A
   connection is a pair of sockets, one of which takes the place of the one that
   libcurl wanted connected: nothing depends on ports, on the machine's load or
   on what an execution before left behind. */
#ifndef PREFOP_FUZZ_NETWORK_H
#define PREFOP_FUZZ_NETWORK_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* What becomes of a connection attempt. */
typedef struct network_reception {
  enum { NETWORK_ACCEPT, NETWORK_REFUSE, NETWORK_IGNORE } kind;
  int64_t delay_ms; /* before it is accepted or refused */
  int is_prompt;    /* the peer has its turn after each thing that is sent to it; else only when the library waits */
} network_reception;

/* What a peer does once its bytes are sent. */
typedef enum network_ending { NETWORK_KEEP, NETWORK_CLOSE, NETWORK_RESET, NETWORK_HANG } network_ending;

typedef struct network_reply {
  char *bytes; /* of malloc; given away */
  size_t length;
  int64_t delay_ms;  /* before the first byte */
  int64_t gap_ms;    /* between the pieces */
  size_t piece_size; /* 0: all at once */
  network_ending ending;
  void *context; /* for network_sent */
} network_reply;

typedef struct network_peer {
  char authority[256]; /* whom the library wanted: "name[:port]", without the port of http */
  int is_secure;       /* it begins to speak TLS */
  int is_proxy;
} network_peer;

/* To be defined by the peers. */
network_reception network_receive(network_peer *peer);
int network_resolves(const char *name);
network_reply network_answer(network_peer *peer, const char *request, size_t length);
void network_sent(void *context);

/* Begins an execution, and ends it: then nothing is open any more. */
void network_begin(void);
void network_end(void);

int64_t network_now_ms(void);

/* Lets time go by, and the peers with it. */
void network_pass(int64_t milliseconds);

/* Lets time go by until something happens; 0: nothing ever will. */
int network_pass_to_next(void);

/* Lets the peers do what is due. */
void network_step(void);

/* poll(2) without waiting, and whatever signals libFuzzer sends itself. */
int network_poll(struct pollfd *entries, size_t count);

/* A signal arrives when the library waits next. */
void network_interrupt(void);

/* Whether that signal arrived; it is told once. */
int network_was_interrupted(void);

/* Called when the library waits for ever and nothing will ever happen.  Returns
   whether that is right; then a signal ends it. */
int network_may_be_stuck(void);

/* Called when nothing is under way, and the library lets very much time go by.
   Returns whether that is right. */
int network_may_rest(void);

#endif
