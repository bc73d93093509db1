/* A server for very many queries, over HTTP/1.1 on loopback: one thread, one
   epoll.  It checks no signature.

   fast good           every answer is the task that was asked for
   fast processing     the same, of a task that is under way
   fast delay LOW HIGH the same as "good", each so many microseconds late
   fast faults         of the ids echo.N one in a hundred gets each of the faults
                       below; the second time it gets its task.  They come one by
                       one, but half of those of a limited rate at a stretch, as a
                       service does
   fast silent         nothing is ever answered

   Prints its port, and serves until its standard input ends.  Then it prints
   what it answered with: a name and a number a line. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum fault { NONE, RESET, UNAVAILABLE, DRIP, HALF_BODY, RATE_LIMITED, FAULTS };
static const char *const names[FAULTS] = {"good", "reset", "503", "drip", "half-body", "429"};

/* A drip is so many bytes, a thousand times a second. */
enum { DRIP_BYTES = 20, DRIP_NANOSECONDS = 1000000 };

/* Of so many numbers the first one in two hundred are limited. */
enum { STRETCH = 12500 };

enum { REQUEST_SIZE = 4096, ANSWER_SIZE = 2048, ID_SIZE = 64, EVENTS = 256 };

typedef struct connection {
  int descriptor;
  enum fault fault;

  size_t request_length, answer_length, sent;
  char request[REQUEST_SIZE], answer[ANSWER_SIZE];

  /* While some of the answer is still to be sent, and not before then. */
  long long due;
  struct connection *earlier, *later;
} connection;

static int poller;
static const char *code = "0";
static int is_silent, has_faults;
static long long low, high;
static unsigned long counts[FAULTS];

/* Those with something to send, the earliest first. */
static connection *first, *last;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Answers are due about in the order in which they are made: the search from the
   end is short. */
static void schedule(connection *it, long long due) {
  it->due = due;
  it->earlier = last;
  it->later = NULL;
  while (it->earlier && it->earlier->due > due) {
    it->later = it->earlier;
    it->earlier = it->earlier->earlier;
  }
  *(it->earlier ? &it->earlier->later : &first) = it;
  *(it->later ? &it->later->earlier : &last) = it;
}

static void unschedule(connection *it) {
  if (it->due == 0) return;
  *(it->earlier ? &it->earlier->later : &first) = it->later;
  *(it->later ? &it->later->earlier : &last) = it->earlier;
  it->due = 0;
}

static void end(connection *it) {
  unschedule(it);
  close(it->descriptor);
  free(it);
}

static void reset(connection *it) {
  struct linger at_once = {1, 0};
  setsockopt(it->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  end(it);
}

/* Whether the task with this number is asked for the first time. */
static int is_first_time(unsigned long number) {
  static unsigned char *seen;
  static size_t size;
  size_t place = number / CHAR_BIT;
  if (place >= size) {
    size_t grown = place * 2 + 1024;
    seen = realloc(seen, grown);
    if (!seen) fail("realloc");
    memset(seen + size, 0, grown - size);
    size = grown;
  }
  int mask = 1 << number % CHAR_BIT, is_new = !(seen[place] & mask);
  seen[place] |= (unsigned char)mask;
  return is_new;
}

static enum fault fault_of(unsigned long number) {
  static const enum fault of[99] = {[7] = RESET, [23] = UNAVAILABLE, [41] = DRIP, [59] = HALF_BODY};
  return number % STRETCH < STRETCH / 200 || number % 200 == 83 ? RATE_LIMITED : of[number % 99];
}

static enum fault choose(const char *id) {
  unsigned long number;
  if (!has_faults || sscanf(id, "echo.%lu", &number) != 1) return NONE;
  enum fault fault = fault_of(number);
  return fault && is_first_time(number) ? fault : NONE;
}

static void write_answer(connection *it, const char *status, const char *head, const char *body) {
  int length = snprintf(it->answer, ANSWER_SIZE,
      "HTTP/1.1 %s\r\nContent-Type: application/json\r\nX-Reqid: fast000000000001\r\nX-Log: FAST\r\n"
      "%sContent-Length: %zu\r\n\r\n%s",
      status, head, strlen(body), body);
  if (length < 0 || length >= ANSWER_SIZE) fail("answer");
  it->answer_length = (size_t)length;
  it->sent = 0;
}

static void write_task(connection *it, const char *id) {
  char body[1024];
  snprintf(body, sizeof body,
      "{\"id\":\"%s\",\"pipeline\":\"1380000000.default.sys\",\"code\":%s,\"desc\":\"as the code says\","
      "\"reqid\":\"fast000000000000\",\"inputBucket\":\"bucket\",\"inputKey\":\"sintel_trailer.mp4\","
      "\"creationDate\":\"2024-10-22T12:26:36.123+08:00\",\"items\":[{\"cmd\":\"avthumb/mp4/vcodec/libx264\","
      "\"code\":%s,\"desc\":\"as the code says\",\"hash\":\"lpM3ngDTZwZ-CNWj2HAEZzfdRWt5\",\"key\":\"a.mp4\","
      "\"returnOld\":0}]}",
      id, code, code);
  write_answer(it, "200 OK", "", body);
  if (it->fault == HALF_BODY) it->answer_length -= strlen(body) / 2;
}

/* The answer to the request that has come; 0: the connection is gone. */
static int begin_answer(connection *it) {
  char id[ID_SIZE] = "";
  sscanf(it->request, "GET /status/get/prefop?id=%63[^ &]", id);
  it->request_length = 0;
  it->fault = choose(id);
  counts[it->fault]++;
  if (it->fault == RESET) return reset(it), 0;
  if (it->fault == UNAVAILABLE) {
    write_answer(it, "503 Service Unavailable", "", "{\"error\":\"not now\"}");
  } else if (it->fault == RATE_LIMITED) {
    write_answer(it, "429 Too Many Requests", "Retry-After: 1\r\n", "{\"error\":\"too many\"}");
  } else {
    write_task(it, id);
  }
  return 1;
}

/* Sends what is to be sent now; 0: the connection is gone. */
static int go_on(connection *it) {
  size_t left = it->answer_length - it->sent;
  size_t length = it->fault == DRIP && left > DRIP_BYTES ? DRIP_BYTES : left;
  /* A socket's buffer holds an answer: but for an error all goes. */
  ssize_t sent = send(it->descriptor, it->answer + it->sent, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent != (ssize_t)length) return end(it), 0;
  it->sent += length;
  if (it->sent < it->answer_length) return schedule(it, now() + DRIP_NANOSECONDS), 1;
  if (it->fault == HALF_BODY) return end(it), 0;
  return 1;
}

static void receive(connection *it) {
  size_t room = REQUEST_SIZE - 1 - it->request_length;
  ssize_t length = recv(it->descriptor, it->request + it->request_length, room, MSG_DONTWAIT);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    end(it);
    return;
  }
  it->request_length += (size_t)length;
  it->request[it->request_length] = 0;
  if (!strstr(it->request, "\r\n\r\n")) return;
  if (is_silent) {
    it->request_length = 0;
  } else if (begin_answer(it)) {
    if (high == 0) {
      go_on(it);
    } else {
      schedule(it, now() + low + (high > low ? rand() % (high - low) : 0));
    }
  }
}

static void accept_all(int listener) {
  for (int descriptor; (descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection *made = calloc(1, sizeof *made);
    if (!made) fail("calloc");
    made->descriptor = descriptor;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = made};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll_ctl");
  }
}

static void send_due(void) {
  long long time = now();
  while (first && first->due <= time) {
    connection *it = first;
    unschedule(it);
    go_on(it);
  }
}

static int wait_for_events(struct epoll_event *events) {
  if (!first) return epoll_wait(poller, events, EVENTS, -1);
  long long left = first->due - now();
  if (left < 0) left = 0;
  struct timespec most = {left / 1000000000, left % 1000000000};
  return epoll_pwait2(poller, events, EVENTS, &most, NULL);
}

static int listen_on_loopback(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) fail("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &size)) fail("getsockname");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static void read_mode(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  if (strcmp(mode, "delay") == 0 && argc == 4) {
    low = atoll(argv[2]) * 1000;
    high = atoll(argv[3]) * 1000;
  } else if (strcmp(mode, "processing") == 0) {
    code = "2";
  } else if (strcmp(mode, "faults") == 0) {
    has_faults = 1;
  } else if (strcmp(mode, "silent") == 0) {
    is_silent = 1;
  } else if (strcmp(mode, "good") != 0) {
    fprintf(stderr, "usage: see the top of fast.c\n");
    exit(2);
  }
}

int main(int argc, char **argv) {
  /* What an event is of, when it is of no connection. */
  static char listening, ending;
  struct epoll_event events[EVENTS];
  read_mode(argc, argv);
  poller = epoll_create1(EPOLL_CLOEXEC);
  int listener = listen_on_loopback();
  struct epoll_event of_listener = {.events = EPOLLIN, .data.ptr = &listening};
  struct epoll_event of_input = {.events = EPOLLIN | EPOLLHUP, .data.ptr = &ending};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &of_listener)) fail("epoll_ctl");
  if (epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &of_input)) fail("epoll_ctl of the standard input");
  for (int is_over = 0; !is_over;) {
    int count = wait_for_events(events);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == &listening) {
        accept_all(listener);
      } else if (events[i].data.ptr == &ending) {
        is_over = 1;
      } else {
        receive(events[i].data.ptr);
      }
    }
    send_due();
  }
  for (int fault = 0; fault < FAULTS; fault++) printf("%s %lu\n", names[fault], counts[fault]);
  return 0;
}
