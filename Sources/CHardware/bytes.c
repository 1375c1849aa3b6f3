#define _GNU_SOURCE
#include "bytes.h"
#include <string.h>

const uint8_t *kabuto_find_byte(const uint8_t *start, size_t count, uint8_t byte) { return memchr(start, byte, count); }

const uint8_t *kabuto_find(const uint8_t *start, size_t count, const uint8_t *part, size_t partCount) {
  return memmem(start, count, part, partCount);
}

int kabuto_equal(const uint8_t *a, const uint8_t *b, size_t count) { return memcmp(a, b, count) == 0; }
