// What the processor and kernel offer and Swift has no word for.
#ifndef KABUTO_HARDWARE_H
#define KABUTO_HARDWARE_H
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/// Starts loading the cache line at `address`; harmless for any address.
static inline void kabuto_prefetch(const void *_Nullable address) { __builtin_prefetch(address, 1, 3); }

/// How many of the 16 numbers before `end` are greater than `bound`, where they ascend.
__attribute__((always_inline)) static inline int kabuto_greater_before(const int32_t *_Nonnull end, int32_t bound) {
#ifdef __SSE2__
  const __m128i *block = (const __m128i *)(const void *)end;
  __m128i wanted = _mm_set1_epi32(bound);
  __m128i first = _mm_packs_epi32(
    _mm_cmpgt_epi32(_mm_loadu_si128(block - 4), wanted), _mm_cmpgt_epi32(_mm_loadu_si128(block - 3), wanted));
  __m128i second = _mm_packs_epi32(
    _mm_cmpgt_epi32(_mm_loadu_si128(block - 2), wanted), _mm_cmpgt_epi32(_mm_loadu_si128(block - 1), wanted));
  uint32_t mask = (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(first, second));
  // The greater ones are the last ones: what is left of the highest bit that isn't set.
  return __builtin_clz(((~mask & 0xffff) << 1) | 1) - 15;
#else
  int count = 0;
  for (int back = 1; back <= 16; back++) count += end[-back] > bound;
  return count;
#endif
}

/// Memory for a large table: zeros, aligned to 2 MiB, in huge pages where the kernel grants them (fewer TLB
/// misses), taken page by page as it is used. `bytes` is a multiple of 2 MiB. NULL where there is none.
void *_Nullable kabuto_map(size_t bytes);

/// Gives back what `kabuto_map` gave, with the same number of bytes.
void kabuto_unmap(void *_Nonnull start, size_t bytes);

#endif
