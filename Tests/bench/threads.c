/* A thread a core, each asking query after query: blocks of bare programs and
   blocks of ours in turn, as in sequential.c.  Bare threads have a handle each,
   ours share a client.  Prints a line a block: side, wall and processor
   nanoseconds.

   threads ORIGIN CA_FILE|- BLOCKS QUERIES */
#include "clocks.h"
#include "side.h"
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { BARE, OURS, SIDES, MOST_THREADS = 64 };
static const char *const names[] = {"bare", "ours"};

static struct {
  pthread_barrier_t begin, end;
  prefop_client *client;
  const char *origin, *ca_file;

  /* What a thread does in the next block; -1: it ends. */
  int side, queries;
} shared;

static void *work(void *unused) {
  (void)unused;
  bare_client bare;
  bare_begin(&bare, 0, shared.origin, shared.ca_file);
  while (pthread_barrier_wait(&shared.begin), shared.side >= 0) {
    for (int i = 0; i < shared.queries; i++) {
      if (shared.side == BARE) {
        bare_query(&bare);
      } else {
        ours_query(shared.client);
      }
    }
    pthread_barrier_wait(&shared.end);
  }
  bare_end(&bare);
  return NULL;
}

static clocks block(int side, int queries) {
  shared.side = side;
  shared.queries = queries;
  clocks start = clocks_now();
  pthread_barrier_wait(&shared.begin);
  pthread_barrier_wait(&shared.end);
  clocks end = clocks_now();
  clocks took = {end.wall - start.wall, end.cpu - start.cpu};
  return took;
}

int main(int argc, char **argv) {
  if (argc != 5) fail("usage", "threads ORIGIN CA_FILE|- BLOCKS QUERIES");
  int blocks = atoi(argv[3]), queries = atoi(argv[4]);
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  int count = cores > MOST_THREADS ? MOST_THREADS : (int)cores;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  shared.origin = argv[1];
  shared.ca_file = strcmp(argv[2], "-") ? argv[2] : NULL;
  shared.client = ours_new(shared.origin, shared.ca_file);
  pthread_barrier_init(&shared.begin, NULL, (unsigned)count + 1);
  pthread_barrier_init(&shared.end, NULL, (unsigned)count + 1);
  pthread_t threads[MOST_THREADS];
  for (int i = 0; i < count; i++) {
    if (pthread_create(&threads[i], NULL, work, NULL)) fail("pthread_create", "failed");
  }
  for (int side = 0; side < SIDES; side++) block(side, 100);
  for (int i = 0; i < blocks; i++) {
    for (int turn = 0; turn < SIDES; turn++) {
      int side = i % 2 ? SIDES - 1 - turn : turn;
      clocks took = block(side, queries);
      printf("%s %lld %lld\n", names[side], took.wall / count, took.cpu / count);
    }
  }
  shared.side = -1;
  pthread_barrier_wait(&shared.begin);
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
  prefop_client_free(shared.client);
  return 0;
}
