/* loading LIBRARY: a thousand times dlopen and dlclose, with queries between the
   first of them; memory and descriptors stay as they were. */
#include "descriptors.h"

#include <dlfcn.h>

#define TIMES 1000
#define QUERIES 3
#define SETTLED 100

/* Pages are counted, and a heap may still find its size. */
#define MOST_GROWTH (256 * 1024)

static const char *library;

static long resident_bytes(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1, "cannot read /proc/self/statm");
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

static void *symbol(void *handle, const char *name) {
  void *found = dlsym(handle, name);
  CHECK(found != NULL, "no symbol %s: %s", name, dlerror());
  return found;
}

static void query(void *handle) {
  prefop_status (*make)(const prefop_client_options *, prefop_client **, prefop_error *) = (prefop_status(*)(
      const prefop_client_options *, prefop_client **, prefop_error *))symbol(handle, "prefop_client_new");
  prefop_status (*ask)(prefop_client *, const char *, const prefop_query_options *, prefop_task **, prefop_error *) =
      (prefop_status(*)(prefop_client *, const char *, const prefop_query_options *, prefop_task **,
          prefop_error *))symbol(handle, "prefop_query");
  void (*free_task)(prefop_task *) = (void (*)(prefop_task *))symbol(handle, "prefop_task_free");
  void (*free_client)(prefop_client *) = (void (*)(prefop_client *))symbol(handle, "prefop_client_free");

  prefop_client_options options = test_options(1);
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_client *client = NULL;
  prefop_task *task = NULL;
  CHECK(make(&options, &client, &error) == PREFOP_OK, "prefop_client_new: %s", error.message);
  CHECK(ask(client, "echo.loaded", NULL, &task, &error) == PREFOP_OK, "prefop_query: %s", error.message);
  CHECK(strcmp(task->persistent_id, "echo.loaded") == 0, "sent echo.loaded, came %s", task->persistent_id);
  free_task(task);
  free_client(client);
}

int main(int argc, char **argv) {
  CHECK(argc == 2, "%s LIBRARY", argv[0]);
  library = argv[1];
  test_descriptors before = test_open_descriptors();
  long settled = 0;
  for (int i = 0; i < TIMES; i++) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    CHECK(handle != NULL, "dlopen number %d: %s", i, dlerror());
    if (i < QUERIES) query(handle);
    CHECK(dlclose(handle) == 0, "dlclose number %d: %s", i, dlerror());
    if (i == SETTLED) settled = resident_bytes();
  }
  long growth = resident_bytes() - settled;
  CHECK(growth <= MOST_GROWTH, "%d times dlopen and dlclose took %ld bytes", TIMES - SETTLED, growth);
  test_same_descriptors(&before, "after the last dlclose");
  return 0;
}
