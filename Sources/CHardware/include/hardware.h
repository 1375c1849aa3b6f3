// What the processor and kernel offer and Swift has no word for.
#ifndef KABUTO_HARDWARE_H
#define KABUTO_HARDWARE_H
#include <stddef.h>

/// Starts loading the cache line at `address`; harmless for any address.
static inline void kabuto_prefetch(const void *_Nonnull address) { __builtin_prefetch(address, 1, 3); }

/// Asks for huge pages under a large table: fewer TLB misses. Best effort; returns 0 when granted.
int kabuto_advise_huge_pages(void *_Nonnull start, size_t bytes);

#endif
