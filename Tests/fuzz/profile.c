/* A libFuzzer target: no profile file may trap or be read out of bounds, and none
   but a wrong one may be refused. */
#define _GNU_SOURCE
#include <prefop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static int file;

static void require(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  char name[64];
  file = memfd_create("profile", MFD_CLOEXEC);
  require(file >= 0 && fchmod(file, 0600) == 0, "no file in memory");
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  require(setenv("QINIU_CONFIG_FILE", name, 1) == 0, "no variable");
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_client *client;
  require(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size, "cannot write the file");
  prefop_status status = prefop_client_new(NULL, &client, &error);
  require(status == PREFOP_OK || status == PREFOP_ERROR_CONFIGURATION, error.message);
  require((status == PREFOP_OK) == (client != NULL), "status and client disagree");
  require((status == PREFOP_OK) == (error.message[0] == 0), "a refusal says nothing, or a success something");
  prefop_client_free(client);
  return 0;
}
