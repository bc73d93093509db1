/* See faults.h.  Built as a shared library for LD_PRELOAD. */
#define _GNU_SOURCE
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The allocator behind us
   -----------------------
   dlsym may allocate itself; what is asked for until it has answered comes from
   a buffer, and is never given back. */

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_memalign)(size_t, size_t);
static void (*real_free)(void *);

static _Alignas(16) char bootstrap[1 << 16];
static size_t bootstrap_used;
static int is_finding;

static int is_bootstrap(const void *block) {
  return (const char *)block >= bootstrap && (const char *)block < bootstrap + sizeof bootstrap;
}

static void *bootstrap_allocate(size_t size) {
  size_t start = (bootstrap_used + 15) & ~(size_t)15;
  if (size > sizeof bootstrap - start) return NULL;
  bootstrap_used = start + size;
  return bootstrap + start;
}

__attribute__((constructor)) static void find_allocator(void) {
  if (real_free != NULL || is_finding) return;
  is_finding = 1;
  void *(*found_malloc)(size_t) = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
  real_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
  real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
  real_memalign = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "memalign");
  real_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
  real_malloc = found_malloc;
  is_finding = 0;
}

static int has_allocator(void) {
  if (real_malloc == NULL) find_allocator();
  return real_malloc != NULL;
}

/* Whose code is it?
   ----------------- */

typedef struct range {
  uintptr_t begin, end;
  faults_owner owner;
} range;

static range ranges[64];
static int range_count;

static faults_owner owner_named(const char *path) {
  const char *name = strrchr(path, '/');
  name = name == NULL ? path : name + 1;
  if (strncmp(name, "libprefop.", 10) == 0) return FAULTS_PREFOP;
  if (strncmp(name, "libcurl", 7) == 0) return FAULTS_CURL;
  if (strncmp(name, "libcrypto.", 10) == 0 || strncmp(name, "libssl.", 7) == 0) return FAULTS_CRYPTO;
  if (strncmp(name, "libc.", 5) == 0) return FAULTS_LIBC;
  return FAULTS_OTHER;
}

static int note_module(struct dl_phdr_info *module, size_t size, void *context) {
  (void)size;
  (void)context;
  faults_owner owner = owner_named(module->dlpi_name);
  if (owner == FAULTS_OTHER) return 0;
  for (int i = 0; i < module->dlpi_phnum && range_count < (int)(sizeof ranges / sizeof *ranges); i++) {
    const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) continue;
    uintptr_t begin = module->dlpi_addr + segment->p_vaddr;
    ranges[range_count++] = (range){begin, begin + segment->p_memsz, owner};
  }
  return 0;
}

faults_owner faults_owner_of(const void *address) {
  for (int i = 0; i < range_count; i++) {
    if ((uintptr_t)address >= ranges[i].begin && (uintptr_t)address < ranges[i].end) return ranges[i].owner;
  }
  return FAULTS_OTHER;
}

void faults_place(const void *address, char *text, size_t size) {
  Dl_info info;
  if (dladdr(address, &info) == 0 || info.dli_fname == NULL) {
    snprintf(text, size, "?");
    return;
  }
  const char *name = strrchr(info.dli_fname, '/');
  name = name == NULL ? info.dli_fname : name + 1;
  snprintf(text, size, "%s+0x%zx", name, (size_t)((const char *)address - (const char *)info.dli_fbase));
}

/* Live blocks: a hash table of addresses, in static memory
   -------------------------------------------------------- */

#define SLOTS (1u << 18)
static uintptr_t live_block[SLOTS]; /* 0: never used; 1: was freed */
static uint8_t live_owner[SLOTS];
static size_t live_count[FAULTS_OWNERS];
static atomic_flag live_lock = ATOMIC_FLAG_INIT;
static atomic_int is_tracking;

static void lock_live(void) {
  while (atomic_flag_test_and_set_explicit(&live_lock, memory_order_acquire)) {
  }
}

static void unlock_live(void) { atomic_flag_clear_explicit(&live_lock, memory_order_release); }

static uint32_t first_slot(uintptr_t block) { return (uint32_t)((block >> 4) * 2654435761u) % SLOTS; }

static void note_allocation(void *block, faults_owner owner) {
  if (block == NULL || !is_tracking) return;
  lock_live();
  uint32_t slot = first_slot((uintptr_t)block);
  while (live_block[slot] > 1) slot = (slot + 1) % SLOTS;
  live_block[slot] = (uintptr_t)block;
  live_owner[slot] = (uint8_t)owner;
  live_count[owner]++;
  unlock_live();
}

static void note_free(void *block) {
  if (block == NULL || !is_tracking) return;
  lock_live();
  for (uint32_t slot = first_slot((uintptr_t)block); live_block[slot] != 0; slot = (slot + 1) % SLOTS) {
    if (live_block[slot] != (uintptr_t)block) continue;
    live_block[slot] = live_block[(slot + 1) % SLOTS] == 0 ? 0 : 1;
    live_count[live_owner[slot]]--;
    break;
  }
  unlock_live();
}

size_t faults_live(faults_owner owner) { return live_count[owner]; }

void faults_start(void) {
  range_count = 0;
  dl_iterate_phdr(note_module, NULL);
  is_tracking = 1;
}

/* The window
   ---------- */

static atomic_int is_open;
static atomic_uint allocations;
static uint32_t target;
static faults_mode window_mode;
static faults_report *window_report;

void faults_open(uint32_t n, faults_mode mode, faults_report *report) {
  memset(report, 0, offsetof(faults_report, owners));
  target = n;
  window_mode = mode;
  window_report = report;
  allocations = 0;
  is_open = 1;
}

void faults_close(void) { is_open = 0; }

/* Counts one allocation; tells whether it is to fail. */
static int must_fail(faults_owner owner) {
  if (!is_open) return 0;
  uint32_t number = atomic_fetch_add(&allocations, 1) + 1;
  faults_report *report = window_report;
  report->allocations = number;
  if (number <= FAULTS_RECORDED) report->owners[number - 1] = (uint8_t)owner;
  if (target == 0 || (window_mode == FAULTS_ONCE ? number != target : number < target)) return 0;
  if (report->failed++ == 0) report->first_owner = (uint8_t)owner;
  if (owner == FAULTS_PREFOP) report->failed_of_prefop++;
  errno = ENOMEM;
  return 1;
}

/* The names that everybody calls
   ------------------------------ */

#define CALLER faults_owner_of(__builtin_return_address(0))

void *malloc(size_t size) {
  if (!has_allocator()) return bootstrap_allocate(size);
  faults_owner owner = CALLER;
  if (must_fail(owner)) return NULL;
  void *block = real_malloc(size);
  note_allocation(block, owner);
  return block;
}

void *calloc(size_t count, size_t size) {
  if (!has_allocator()) return bootstrap_allocate(count * size);
  faults_owner owner = CALLER;
  if (must_fail(owner)) return NULL;
  void *block = real_calloc(count, size);
  note_allocation(block, owner);
  return block;
}

void *realloc(void *old, size_t size) {
  if (is_bootstrap(old) || !has_allocator()) {
    void *block = has_allocator() ? real_malloc(size) : bootstrap_allocate(size);
    size_t known = (size_t)(bootstrap + sizeof bootstrap - (char *)old);
    if (block != NULL && old != NULL) memcpy(block, old, size < known ? size : known);
    return block;
  }
  faults_owner owner = CALLER;
  if (must_fail(owner)) return NULL;
  /* Forgotten first: freed here, the address may be another thread's at once. */
  note_free(old);
  void *block = real_realloc(old, size);
  note_allocation(block != NULL || size == 0 ? block : old, owner);
  return block;
}

static void *allocate_aligned(size_t alignment, size_t size, faults_owner owner) {
  if (!has_allocator() || must_fail(owner)) return NULL;
  void *block = real_memalign(alignment, size);
  note_allocation(block, owner);
  return block;
}

void *memalign(size_t alignment, size_t size) { return allocate_aligned(alignment, size, CALLER); }

void *aligned_alloc(size_t alignment, size_t size) { return allocate_aligned(alignment, size, CALLER); }

int posix_memalign(void **block, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
  void *made = allocate_aligned(alignment, size, CALLER);
  if (made == NULL) return ENOMEM;
  *block = made;
  return 0;
}

void free(void *block) {
  if (block == NULL || is_bootstrap(block) || real_free == NULL) return;
  note_free(block);
  int saved = errno;
  real_free(block);
  errno = saved;
}
