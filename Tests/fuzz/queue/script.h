/* Bytes of an input that are read as decisions.  One that is used up says 0 for
   ever, so each input is a whole program. */
#ifndef PREFOP_FUZZ_SCRIPT_H
#define PREFOP_FUZZ_SCRIPT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct script {
  const uint8_t *next, *end;
} script;

static inline int script_has_more(const script *s) { return s->next < s->end; }

/* A digit is its own value, so that an input can be written by hand. */
static inline unsigned script_choice(script *s, unsigned count) {
  if (!script_has_more(s)) return 0;
  return (uint8_t)(*s->next++ - '0') % count;
}

/* The place of the next byte among `letters`; any other byte stands for one of
   them too. */
static inline char script_letter(script *s, const char *letters) {
  if (!script_has_more(s)) return letters[0];
  char byte = (char)*s->next;
  if (byte != 0 && strchr(letters, byte)) {
    s->next++;
    return byte;
  }
  return letters[script_choice(s, (unsigned)strlen(letters))];
}

#endif
