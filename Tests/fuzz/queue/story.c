#include "story.h"
#include "network.h"

#include <stdarg.h>
#include <string.h>

static char text[1 << 16];
static size_t length;

void story_begin(void) { length = 0; }

void story_end(void) {
  if (getenv("PREFOP_FUZZ_TRACE")) story_print();
}

void story_print(void) { fwrite(text, 1, length, stderr); }

static void forget_half(void) {
  const char *line = memchr(text + sizeof text / 2, '\n', length - sizeof text / 2);
  size_t forgotten = line ? (size_t)(line + 1 - text) : length;
  memmove(text, text + forgotten, length -= forgotten);
}

void tell(const char *format, ...) {
  char line[1024];
  va_list values;
  va_start(values, format);
  int begin = snprintf(line, sizeof line, "[%lld] ", (long long)network_now_ms());
  vsnprintf(line + begin, sizeof line - (size_t)begin - 1, format, values);
  va_end(values);
  strcat(line, "\n");
  if (length + strlen(line) > sizeof text) forget_half();
  memcpy(text + length, line, strlen(line));
  length += strlen(line);
}
