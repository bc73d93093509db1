/* The process's open descriptors, as /proc/self/fd lists them. */
#ifndef PREFOP_TEST_DESCRIPTORS_H
#define PREFOP_TEST_DESCRIPTORS_H

#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define TEST_DESCRIPTORS 1024

typedef struct test_descriptors {
  char open[TEST_DESCRIPTORS];
} test_descriptors;

static inline test_descriptors test_open_descriptors(void) {
  test_descriptors found = {{0}};
  DIR *folder = opendir("/proc/self/fd");
  CHECK(folder != NULL, "cannot open /proc/self/fd");
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    int descriptor = atoi(entry->d_name);
    if (entry->d_name[0] == '.' || descriptor == dirfd(folder)) continue;
    CHECK(descriptor < TEST_DESCRIPTORS, "descriptor %d is more than a test has", descriptor);
    found.open[descriptor] = 1;
  }
  closedir(folder);
  return found;
}

/* What a descriptor is: "socket:[123]". */
static inline const char *test_descriptor_name(int descriptor) {
  static _Thread_local char target[256];
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, target, sizeof target - 1);
  target[length < 0 ? 0 : length] = 0;
  return target;
}

static inline void test_same_descriptors(const test_descriptors *before, const char *when) {
  test_descriptors now = test_open_descriptors();
  for (int i = 0; i < TEST_DESCRIPTORS; i++) {
    CHECK(now.open[i] == before->open[i], "%s descriptor %d (%s) is %s, which it was not before", when, i,
        test_descriptor_name(i), now.open[i] ? "open" : "closed");
  }
}

static inline void test_all_close_on_exec(const test_descriptors *before, const char *when) {
  test_descriptors now = test_open_descriptors();
  for (int i = 0; i < TEST_DESCRIPTORS; i++) {
    if (!now.open[i] || before->open[i]) continue;
    CHECK(fcntl(i, F_GETFD) & FD_CLOEXEC, "%s descriptor %d (%s) would survive exec", when, i, test_descriptor_name(i));
  }
}

#endif
