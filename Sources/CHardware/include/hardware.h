// What the processor and kernel offer and Swift has no word for.
#ifndef KABUTO_HARDWARE_H
#define KABUTO_HARDWARE_H
#include <stddef.h>

/// Starts loading the cache line at `address`; harmless for any address.
static inline void kabuto_prefetch(const void *_Nullable address) { __builtin_prefetch(address, 1, 3); }

/// Memory for a large table: zeros, aligned to 2 MiB, in huge pages where the kernel grants them (fewer TLB
/// misses), taken page by page as it is used. `bytes` is a multiple of 2 MiB. NULL where there is none.
void *_Nullable kabuto_map(size_t bytes);

/// Gives back what `kabuto_map` gave, with the same number of bytes.
void kabuto_unmap(void *_Nonnull start, size_t bytes);

#endif
