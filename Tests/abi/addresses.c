/* For LD_PRELOAD: every name that is no number has the addresses in ADDRESSES, in
   that order, separated by commas. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*function)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  function next = (function)dlsym(RTLD_NEXT, "getaddrinfo");
  struct addrinfo numeric = {0};
  if (hints != NULL) numeric = *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  if (next(node, service, &numeric, result) == 0) return 0;

  char addresses[512];
  snprintf(addresses, sizeof addresses, "%s", getenv("ADDRESSES"));
  struct addrinfo **end = result;
  char *rest = addresses;
  for (char *address; (address = strsep(&rest, ",")) != NULL;) {
    if (next(address, service, &numeric, end) != 0) abort();
    while (*end != NULL) end = &(*end)->ai_next;
  }
  return 0;
}
