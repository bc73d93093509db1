/* Runs a fuzz target without libFuzzer:

       PROGRAM FILE...            each of these inputs
       PROGRAM --mix COUNT FILE   so many inputs that are made of the lines of
                                  the file, always the same ones */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SEEDS 256
#define MAX_SIZE 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char *seeds[MAX_SEEDS];
static size_t seed_count;
static uint64_t state = 1;

static size_t below(size_t limit) {
  state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (size_t)(state >> 33) % limit;
}

static char *read_file(const char *name, size_t *size) {
  FILE *file = fopen(name, "rb");
  if (!file) {
    perror(name);
    exit(2);
  }
  char *bytes = malloc(1 << 20);
  *size = fread(bytes, 1, (1 << 20) - 1, file);
  bytes[*size] = 0;
  fclose(file);
  return bytes;
}

static void run(const char *bytes, size_t size) {
  /* An exact copy, so that a sanitizer sees a byte read too far. */
  uint8_t *copy = malloc(size ? size : 1);
  memcpy(copy, bytes, size);
  LLVMFuzzerTestOneInput(copy, size);
  free(copy);
}

/* The beginning of one line, the end of another, and some bytes changed. */
static size_t mix(char *input) {
  const char *a = seeds[below(seed_count)], *b = seeds[below(seed_count)];
  size_t head = below(strlen(a) + 1), tail = below(strlen(b) + 1);
  int length = snprintf(input, MAX_SIZE, "%.*s%s", (int)head, a, b + tail);
  size_t size = length < MAX_SIZE ? (size_t)length : MAX_SIZE - 1;
  for (size_t changes = below(6); size && changes; changes--) {
    const char *other = seeds[below(seed_count)];
    input[below(size)] = below(8) ? other[below(strlen(other))] : (char)below(256);
  }
  return size;
}

int main(int argc, char **argv) {
  size_t size;
  LLVMFuzzerInitialize(&argc, &argv);
  if (argc != 4 || strcmp(argv[1], "--mix") != 0) {
    for (int i = 1; i < argc; i++) {
      char *bytes = read_file(argv[i], &size);
      run(bytes, size);
      free(bytes);
    }
    return 0;
  }
  char *lines = read_file(argv[3], &size);
  for (char *line = strtok(lines, "\n"); line && seed_count < MAX_SEEDS; line = strtok(NULL, "\n")) {
    if (line[0] != '#') seeds[seed_count++] = line;
  }
  for (size_t i = 0; i < seed_count; i++) run(seeds[i], strlen(seeds[i]));
  for (long count = atol(argv[2]); count > 0; count--) {
    char input[MAX_SIZE];
    run(input, mix(input));
  }
  free(lines);
  return 0;
}
