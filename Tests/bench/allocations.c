/* Preloaded: counts allocations by whose code asked for them, libprefop's own
   or anyone else's, and says so at exit: "allocations OURS THEIRS". */
#define _GNU_SOURCE
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* glibc's own names, so that nothing has to be looked up, which allocates. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static uintptr_t first, last;
static atomic_ulong ours, theirs;

static int find(struct dl_phdr_info *object, size_t size, void *context) {
  (void)size, (void)context;
  if (!strstr(object->dlpi_name, "libprefop")) return 0;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
    first = object->dlpi_addr + part->p_vaddr;
    last = first + part->p_memsz;
  }
  return 1;
}

__attribute__((constructor)) static void begin(void) { dl_iterate_phdr(find, NULL); }

__attribute__((destructor)) static void end(void) {
  fprintf(stderr, "allocations %lu %lu\n", atomic_load(&ours), atomic_load(&theirs));
}

static void count(void *caller) {
  uintptr_t address = (uintptr_t)caller;
  atomic_fetch_add(address >= first && address < last ? &ours : &theirs, 1);
}

#define COUNT() count(__builtin_return_address(0))

void *malloc(size_t size) { return COUNT(), __libc_malloc(size); }
void *calloc(size_t count_, size_t size) { return COUNT(), __libc_calloc(count_, size); }
void *realloc(void *old, size_t size) { return COUNT(), __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { return COUNT(), __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return COUNT(), __libc_memalign(alignment, size); }
int posix_memalign(void **made, size_t alignment, size_t size) {
  COUNT();
  *made = __libc_memalign(alignment, size);
  return *made ? 0 : 12; /* ENOMEM */
}
