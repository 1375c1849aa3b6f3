#ifndef KABUTO_CVECTORSCAN_SHIM_H
#define KABUTO_CVECTORSCAN_SHIM_H
#include <hs.h>
#include <stdlib.h>
/// Frees what the library allocated for its caller.
static inline void kabuto_free(void *memory) { free(memory); }

/// The library's code for AVX2, which builds for several processors export; NULL in others.
extern hs_error_t avx2_hs_scan(const hs_database_t *, const char *, unsigned int, unsigned int, hs_scratch_t *,
                               match_event_handler, void *) __attribute__((weak));

/// Whether the processor has AVX-512 and the library can be told to do without.
static inline int kabuto_can_avoid_avx512(void) {
  hs_platform_info_t platform;
  if (avx2_hs_scan == NULL || hs_populate_platform(&platform) != HS_SUCCESS) return 0;
  return (platform.cpu_features & (HS_CPU_FEATURES_AVX512 | HS_CPU_FEATURES_AVX512VBMI)) != 0;
}

/// hs_scan, with the code for AVX2 where `avx2` says so: the database must have been built for it.
static inline hs_error_t kabuto_scan(int avx2, const hs_database_t *database, const char *data, unsigned int length,
                                     hs_scratch_t *scratch, match_event_handler handler, void *context) {
  return avx2 ? avx2_hs_scan(database, data, length, 0, scratch, handler, context)
              : hs_scan(database, data, length, 0, scratch, handler, context);
}
#endif
