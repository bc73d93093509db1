/* The operating system, as one-liners, and the state that every client shares. */
#ifndef PREFOP_PLATFORM_H
#define PREFOP_PLATFORM_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* One for the whole process, in static memory: it must be there before any
   allocation succeeded, and be locked while the process forks. */
typedef struct prefop_process {
  pthread_mutex_t fork_mutex; /* taken first */
  void *fork_guards;          /* what a fork waits for, under fork_mutex */
  pthread_mutex_t mutex;      /* taken last */
  void *state;                /* ProcessState, under mutex */
  uint64_t generation;        /* grows in each forked child; changes while there is one thread */
} prefop_process;

extern prefop_process prefop_process_storage;

static inline prefop_process *prefop_process_shared(void) { return &prefop_process_storage; }
static inline uint64_t prefop_process_generation(void) { return prefop_process_storage.generation; }

/* GNU, and so not declared unless asked for. */
char *secure_getenv(const char *name);
long syscall(long number, ...);

static inline int prefop_errno(void) { return errno; }

/* For signal handlers: errno stays as it was. */
static inline void prefop_event_raise(int event) {
  int before = errno;
  (void)eventfd_write(event, 1);
  errno = before;
}

static inline int prefop_set_close_on_exec(int descriptor) { return fcntl(descriptor, F_SETFD, FD_CLOEXEC); }
static inline int prefop_descriptor_flags(int descriptor) { return fcntl(descriptor, F_GETFD); }
static inline int prefop_bytes_to_read(int descriptor, int *count) { return ioctl(descriptor, FIONREAD, count); }
static inline int prefop_bytes_unread_by_peer(int descriptor, int *count) { return ioctl(descriptor, TIOCOUTQ, count); }

/* Opens a file without waiting for one that is no file, e.g. a FIFO. */
static inline int prefop_open_to_read(const uint8_t *name) {
  return open((const char *)name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

/* fstat is in the C library only since glibc 2.33. */
static inline int prefop_file_status(int descriptor, struct stat *status) {
  return (int)syscall(SYS_fstat, descriptor, status);
}

/* Readiness of many descriptors.  Events are a byte here: bits of POLLIN, POLLOUT, POLLERR and POLLHUP, which are the
   same in both interfaces. */
static inline int prefop_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline int prefop_epoll_change(int epoll, int operation, int descriptor, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.fd = descriptor}};
  return epoll_ctl(epoll, operation, descriptor, &event);
}
static inline int prefop_event_descriptor(const struct epoll_event *event) { return event->data.fd; }
static inline uint32_t prefop_event_bits(const struct epoll_event *event) { return event->events; }

/* A descriptor that is readable from a moment of the monotonic clock on; a moment of 0: never. */
static inline int prefop_timer_create(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK); }
static inline int prefop_timer_set(int timer, int64_t milliseconds) {
  struct itimerspec moment = {{0, 0}, {milliseconds / 1000, milliseconds % 1000 * 1000000}};
  return timerfd_settime(timer, TFD_TIMER_ABSTIME, &moment, NULL);
}

#endif
