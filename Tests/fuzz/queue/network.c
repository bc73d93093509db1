#define _GNU_SOURCE
#include "network.h"
#include "story.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NEVER INT64_MAX
#define MS INT64_C(1000000)

/* For longer than this nothing of a query waits but for a limited rate. */
#define VERY_LONG (60000 * MS)

/* Longer than this nobody waits for a peer that says nothing. */
#define PATIENCE (20000 * MS)

#define MAX_CONNECTIONS 256
#define MAX_TIMERS 32
#define MAX_NAMES 64
#define MAX_REQUEST 16384

/* A wait that finds something to do so often without time going by turns in
   circles. */
#define MAX_ROUNDS 20000

typedef struct connection {
  int descriptor; /* the peer's end; negative: there is none */
  int library_descriptor;
  int is_prompt;
  network_peer peer;
  enum { AWAITED, LISTENING, ANSWERING, SILENT } state;
  int is_refused;
  size_t junk;
  size_t request_length;
  network_reply reply;
  size_t sent;
  short ready; /* as poll(2) has it */
  int is_full; /* it waits until the library has read */
  int64_t due;
} connection;

typedef struct timer {
  int descriptor;
  int64_t due;
} timer;

static int is_running;
static int64_t now = 1000 * 1000 * MS;
static connection connections[MAX_CONNECTIONS];
static int connection_count;
static timer timers[MAX_TIMERS];
static int timer_count;
static char names[MAX_NAMES][256];
static int name_count;
static int will_interrupt, has_interrupted;
static int64_t round_time;
static int rounds;

/* MARK: Connections */

static ssize_t transmit(int descriptor, const void *bytes, size_t count) {
  return sendto(descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}

static void drop(connection *c) {
  if (c->descriptor >= 0) close(c->descriptor);
  c->descriptor = -1;
  free(c->reply.bytes);
  memset(&c->reply, 0, sizeof c->reply);
  c->due = NEVER;
}

static void discard(connection *c, size_t count) {
  char buffer[4096];
  while (count) {
    ssize_t taken = recv(c->descriptor, buffer, count < sizeof buffer ? count : sizeof buffer, MSG_DONTWAIT);
    if (taken <= 0) return;
    count -= (size_t)taken;
  }
}

static void answer(connection *c, network_reply reply, size_t length) {
  c->reply = reply;
  c->request_length = length;
  c->sent = 0;
  c->due = now + reply.delay_ms * MS;
  c->state = ANSWERING;
}

/* The end of the head of a request, or of a record of TLS; 0: more is to come. */
static size_t request_end(const connection *c, const char *bytes, size_t length) {
  if (c->peer.is_secure) return length;
  const char *end = memmem(bytes, length, "\r\n\r\n", 4);
  return end ? (size_t)(end + 4 - bytes) : 0;
}

/* What came is left where it is until it is answered: a socket that is closed
   with something unread in it resets its peer. */
static int listen_to(connection *c) {
  char bytes[MAX_REQUEST];
  if (!c->ready) return 0;
  ssize_t length = recv(c->descriptor, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  /* As most peers have their turn only when the library waits, it may have sent a
     request and given it up in one go. */
  if (length <= 0 || c->ready & POLLRDHUP) {
    drop(c);
    return 1;
  }
  size_t end = request_end(c, bytes, (size_t)length);
  REQUIRE(end || (size_t)length < sizeof bytes, "%s got a request without end", c->peer.authority);
  if (!end) return 0;
  answer(c, network_answer(&c->peer, bytes, end), end);
  return 1;
}

static int be_silent(connection *c) {
  if (!(c->ready & POLLRDHUP) && now < c->due) return 0;
  drop(c);
  return 1;
}

static void end_answer(connection *c) {
  if (c->reply.context) network_sent(c->reply.context);
  network_ending ending = c->reply.ending;
  if (ending == NETWORK_RESET) {
    drop(c);
    return;
  }
  discard(c, c->request_length);
  free(c->reply.bytes);
  memset(&c->reply, 0, sizeof c->reply);
  c->due = NEVER;
  c->state = LISTENING;
  if (ending == NETWORK_CLOSE) drop(c);
  if (ending == NETWORK_HANG) {
    c->state = SILENT;
    c->due = now + PATIENCE;
  }
}

static int go_on_answering(connection *c) {
  if (now < c->due && !c->is_full) return 0;
  size_t left = c->reply.length - c->sent;
  if (c->reply.piece_size && left > c->reply.piece_size) left = c->reply.piece_size;
  ssize_t sent = left ? transmit(c->descriptor, c->reply.bytes + c->sent, left) : 0;
  if (sent < 0 && errno != EAGAIN) {
    drop(c);
    return 1;
  }
  c->is_full = sent < 0;
  if (sent > 0) c->sent += (size_t)sent;
  if (c->sent == c->reply.length) {
    end_answer(c);
  } else {
    c->due = c->is_full ? NEVER : now + c->reply.gap_ms * MS;
  }
  return sent > 0;
}

static int receive(connection *c) {
  if (now < c->due) return 0;
  if (c->is_refused) {
    drop(c);
  } else {
    discard(c, c->junk);
    c->state = LISTENING;
    c->due = NEVER;
  }
  return 1;
}

/* Whether something happened. */
static int step(connection *c) {
  if (c->descriptor < 0) return 0;
  switch (c->state) {
  case AWAITED:
    return receive(c);
  case LISTENING:
    return listen_to(c);
  case ANSWERING:
    return go_on_answering(c);
  case SILENT:
    return be_silent(c);
  }
  return 0;
}

int network_poll(struct pollfd *entries, size_t count) {
  while (1) {
    int ready = poll(entries, (nfds_t)count, 0);
    if (ready >= 0) return ready;
    REQUIRE(errno == EINTR, "poll: %d", errno);
  }
}

/* One call of the system instead of one for each. */
static void look(void) {
  static struct pollfd entries[MAX_CONNECTIONS];
  for (int i = 0; i < connection_count; i++) {
    entries[i] = (struct pollfd){connections[i].descriptor, POLLIN | POLLRDHUP, 0};
  }
  network_poll(entries, (size_t)connection_count);
  for (int i = 0; i < connection_count; i++) connections[i].ready = entries[i].revents;
}

void network_step(void) {
  for (int again = connection_count > 0; again;) {
    again = 0;
    look();
    for (int i = 0; i < connection_count; i++) again |= step(&connections[i]);
  }
  for (int i = 0; i < timer_count; i++) {
    if (timers[i].due > now) continue;
    timers[i].due = NEVER;
    eventfd_write(timers[i].descriptor, 1);
  }
}

/* What libcurl sends with. */
ssize_t send(int descriptor, const void *bytes, size_t count, int flags) {
  ssize_t sent = sendto(descriptor, bytes, count, flags, NULL, 0);
  for (int i = 0; i < connection_count; i++) {
    const connection *c = &connections[i];
    if (c->descriptor < 0 || c->library_descriptor != descriptor || !c->is_prompt) continue;
    int error = errno;
    network_step();
    errno = error;
    break;
  }
  return sent;
}

static int is_anything_under_way(void) {
  for (int i = 0; i < connection_count; i++) {
    if (connections[i].descriptor >= 0 && connections[i].state != LISTENING) return 1;
  }
  return 0;
}

/* MARK: Time */

static int64_t next_due(void) {
  int64_t due = NEVER;
  for (int i = 0; i < connection_count; i++) {
    if (connections[i].descriptor >= 0 && connections[i].due < due) due = connections[i].due;
  }
  for (int i = 0; i < timer_count; i++) {
    if (timers[i].due < due) due = timers[i].due;
  }
  return due;
}

int64_t network_now_ms(void) { return now / MS; }

int network_pass_to_next(void) {
  network_step();
  int64_t due = next_due();
  if (due == NEVER) return 0;
  if (due > now) now = due;
  network_step();
  return 1;
}

void network_pass(int64_t milliseconds) {
  int64_t end = now + milliseconds * MS;
  for (network_step(); next_due() <= end;) network_pass_to_next();
  now = end;
  network_step();
}

void network_interrupt(void) { will_interrupt = 1; }

int network_was_interrupted(void) {
  int did = has_interrupted;
  has_interrupted = 0;
  return did;
}

/* The time of a computer goes on a little whenever somebody looks at it. */
int clock_gettime(clockid_t clock, struct timespec *time) {
  if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE) {
    now += 1000;
    time->tv_sec = now / (1000 * MS);
    time->tv_nsec = now % (1000 * MS);
    return 0;
  }
  return (int)syscall(SYS_clock_gettime, clock, time);
}

int timerfd_create(clockid_t clock, int flags) {
  (void)clock, (void)flags;
  REQUIRE(timer_count < MAX_TIMERS, "too many timers");
  int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor >= 0) timers[timer_count++] = (timer){descriptor, NEVER};
  return descriptor;
}

int timerfd_settime(int descriptor, int flags, const struct itimerspec *moment, struct itimerspec *before) {
  (void)before;
  REQUIRE(flags == TFD_TIMER_ABSTIME, "a timer of another kind");
  for (int i = 0; i < timer_count; i++) {
    if (timers[i].descriptor != descriptor) continue;
    eventfd_t count;
    (void)eventfd_read(descriptor, &count);
    int64_t due = moment->it_value.tv_sec * 1000 * MS + moment->it_value.tv_nsec;
    timers[i].due = due ? due : NEVER;
    network_step();
    return 0;
  }
  errno = EBADF;
  return -1;
}

/* Its number may soon be another descriptor's. */
int close(int descriptor) {
  for (int i = 0; i < timer_count; i++) {
    if (timers[i].descriptor == descriptor) timers[i] = timers[--timer_count];
  }
  return (int)syscall(SYS_close, descriptor);
}

static int is_ready(int poller, struct epoll_event *events, int count) {
  int ready;
  do {
    ready = (int)syscall(SYS_epoll_wait, poller, events, count, 0);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) return 0;
  if (now > round_time + MS) {
    round_time = now;
    rounds = 0;
  }
  REQUIRE(rounds++ < MAX_ROUNDS, "the library turns in circles");
  return ready;
}

int epoll_wait(int poller, struct epoll_event *events, int count, int timeout) {
  int64_t end = timeout < 0 ? NEVER : now + timeout * MS;
  while (1) {
    network_step();
    int ready = is_ready(poller, events, count);
    if (ready != 0) return ready;
    if (will_interrupt && end > now) {
      will_interrupt = 0;
      has_interrupted = 1;
      errno = EINTR;
      return -1;
    }
    int64_t due = next_due();
    if (due == NEVER && end == NEVER) {
      REQUIRE(network_may_be_stuck(), "the library waits for what never comes");
      has_interrupted = 1;
      errno = EINTR;
      return -1;
    }
    int64_t until = due < end ? due : end;
    if (until > now && until - now > VERY_LONG && !is_anything_under_way()) {
      REQUIRE(network_may_rest(), "the library waits, and a query that could begin does not");
    }
    if (due > end) {
      if (end > now) now = end;
      network_step();
      return is_ready(poller, events, count);
    }
    if (due > now) now = due;
  }
}

/* MARK: Names */

/* An address of its own for each name, by which connect knows it again. */
static uint32_t address_of(const char *name) {
  int place = 0;
  while (place < name_count && strcmp(names[place], name) != 0) place++;
  if (place == name_count) {
    REQUIRE(name_count < MAX_NAMES, "too many names");
    snprintf(names[name_count++], sizeof names[0], "%s", name);
  }
  return INADDR_LOOPBACK + (1u << 16) + (uint32_t)place;
}

static const char *name_of(uint32_t address) {
  uint32_t place = address - INADDR_LOOPBACK - (1u << 16);
  return place < (uint32_t)name_count ? names[place] : NULL;
}

/* The sanitizer's own function if there is one, else the C library's. */
static void *real(void *sanitizer, const char *name) { return sanitizer ? sanitizer : dlsym(RTLD_NEXT, name); }

#define WEAK __attribute__((weak))
WEAK int __interceptor_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
WEAK int __interceptor_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
WEAK int __interceptor_pthread_join(pthread_t, void **);
WEAK int __interceptor_pthread_detach(pthread_t);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  __typeof__(&getaddrinfo) resolve = (__typeof__(&getaddrinfo))real(__interceptor_getaddrinfo, "getaddrinfo");
  struct in_addr number;
  struct addrinfo numeric = hints ? *hints : (struct addrinfo){0};
  numeric.ai_flags |= AI_NUMERICHOST;
  if (!is_running || inet_pton(AF_INET, name, &number) == 1) return resolve(name, service, hints, found);
  if (!network_resolves(name)) return EAI_NONAME;
  char text[INET_ADDRSTRLEN];
  number.s_addr = htonl(address_of(name));
  inet_ntop(AF_INET, &number, text, sizeof text);
  return resolve(text, service, &numeric, found);
}

/* libcurl resolves names on a thread of its own.  Here that does its work at
   once, so that the order of things is always the same. */
#define DONE_AT_ONCE ((pthread_t)0x0d0e)

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *context) {
  if (!is_running) {
    __typeof__(&pthread_create) create =
        (__typeof__(&pthread_create))real(__interceptor_pthread_create, "pthread_create");
    return create(thread, attributes, work, context);
  }
  *thread = DONE_AT_ONCE;
  work(context);
  return 0;
}

int pthread_join(pthread_t thread, void **result) {
  if (thread == DONE_AT_ONCE) return 0;
  return ((__typeof__(&pthread_join))real(__interceptor_pthread_join, "pthread_join"))(thread, result);
}

int pthread_detach(pthread_t thread) {
  if (thread == DONE_AT_ONCE) return 0;
  return ((__typeof__(&pthread_detach))real(__interceptor_pthread_detach, "pthread_detach"))(thread);
}

/* MARK: Connecting */

static network_peer peer_at(const struct sockaddr_in *address) {
  network_peer peer = {{0}, 0, 0};
  char number[INET_ADDRSTRLEN];
  unsigned port = ntohs(address->sin_port);
  const char *name = name_of(ntohl(address->sin_addr.s_addr));
  if (!name) name = inet_ntop(AF_INET, &address->sin_addr, number, sizeof number);
  peer.is_secure = port % 1000 == 443;
  if (port == 80 || port == 443) {
    snprintf(peer.authority, sizeof peer.authority, "%s", name);
  } else {
    snprintf(peer.authority, sizeof peer.authority, "%s:%u", name, port);
  }
  return peer;
}

/* So full that it cannot be written to before the peer has emptied it. */
static size_t fill(int descriptor) {
  static const char junk[8192];
  int size = 1;
  size_t filled = 0;
  setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  for (ssize_t sent; (sent = transmit(descriptor, junk, sizeof junk)) > 0;) filled += (size_t)sent;
  for (ssize_t sent; (sent = transmit(descriptor, junk, 1)) > 0;) filled += (size_t)sent;
  return filled;
}

static connection *free_connection(void) {
  for (int i = 0; i < connection_count; i++) {
    if (connections[i].descriptor < 0) return &connections[i];
  }
  REQUIRE(connection_count < MAX_CONNECTIONS, "too many connections");
  return &connections[connection_count++];
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
  if (!is_running || address->sa_family == AF_UNIX) return (int)syscall(SYS_connect, descriptor, address, length);
  REQUIRE(address->sa_family == AF_INET, "a connection of family %d", address->sa_family);
  network_peer peer = peer_at((const struct sockaddr_in *)address);
  network_reception reception = network_receive(&peer);
  if (reception.kind == NETWORK_REFUSE && reception.delay_ms == 0) {
    errno = ECONNREFUSED;
    return -1;
  }
  int pair[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0, "no pair of sockets");
  REQUIRE(dup3(pair[0], descriptor, O_CLOEXEC) == descriptor, "descriptor %d", descriptor);
  close(pair[0]);
  connection *c = free_connection();
  *c = (connection){.descriptor = pair[1],
      .library_descriptor = descriptor,
      .is_prompt = reception.is_prompt,
      .peer = peer,
      .state = LISTENING,
      .due = NEVER};
  if (reception.kind != NETWORK_ACCEPT || reception.delay_ms > 0) {
    c->state = AWAITED;
    c->junk = fill(descriptor);
    c->is_refused = reception.kind != NETWORK_ACCEPT;
    c->due = now + (reception.kind == NETWORK_IGNORE ? PATIENCE : reception.delay_ms * MS);
  }
  errno = EINPROGRESS;
  return -1;
}

/* MARK: An execution */

void network_begin(void) {
  is_running = 1;
  now = 1000 * 1000 * MS;
  round_time = rounds = 0;
  will_interrupt = has_interrupted = 0;
  connection_count = timer_count = name_count = 0;
}

void network_end(void) {
  for (int i = 0; i < connection_count; i++) drop(&connections[i]);
  is_running = 0;
}
