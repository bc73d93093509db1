/* What this process holds: bytes of its heap, KiB in memory, descriptors. */
#ifndef PREFOP_BENCH_MEMORY_H
#define PREFOP_BENCH_MEMORY_H

#include <dirent.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline size_t heap(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static inline long resident(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*s %ld", &pages) != 1) abort();
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Open ones, that of the folder itself among them. */
static inline int descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  if (!folder) abort();
  int count = 0;
  while (readdir(folder)) count++;
  closedir(folder);
  return count - 2;
}

#endif
