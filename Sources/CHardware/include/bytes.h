// The C library's searches over bytes, for rooms that import no C library (memmem is a GNU function, which Swift's
// Glibc module leaves out).
#ifndef KABUTO_BYTES_H
#define KABUTO_BYTES_H
#include <stddef.h>
#include <stdint.h>

/// The first `byte` among `count` bytes, or NULL.
const uint8_t *_Nullable kabuto_find_byte(const uint8_t *_Nonnull start, size_t count, uint8_t byte);

/// The first place of `part` among `count` bytes, or NULL.
const uint8_t *_Nullable kabuto_find(
  const uint8_t *_Nonnull start, size_t count, const uint8_t *_Nonnull part, size_t partCount);

/// Whether `count` bytes are the same.
int kabuto_equal(const uint8_t *_Nonnull a, const uint8_t *_Nonnull b, size_t count);

#endif
