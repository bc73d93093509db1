/* For LD_PRELOAD: getaddrinfo does not return until slow_names_let. */
#include <netdb.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int waiting, returned;
static sem_t may_return;

__attribute__((constructor)) static void start(void) { sem_init(&may_return, 0, 0); }

int slow_names_waiting(void) { return waiting; }
int slow_names_returned(void) { return returned; }
void slow_names_let(void) { sem_post(&may_return); }

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  (void)node;
  (void)service;
  (void)hints;
  waiting++;
  while (sem_wait(&may_return) != 0) {
  }
  sem_post(&may_return); /* one lets all */
  returned++;
  *result = NULL;
  return EAI_NONAME;
}
