#ifndef KABUTO_CVECTORSCAN_SHIM_H
#define KABUTO_CVECTORSCAN_SHIM_H
#include <hs.h>
#include <stdlib.h>
/// Frees what the library allocated for its caller.
static inline void kabuto_free(void *memory) { free(memory); }

typedef hs_error_t (*kabuto_scan_function)(
  const hs_database_t *, const char *, unsigned int, unsigned int, hs_scratch_t *, match_event_handler, void *);

// A library built for several processors has each one's code beside the entry that chooses: these may be missing.
#if defined(__x86_64__)
extern __attribute__((weak)) hs_error_t avx2_hs_scan(
  const hs_database_t *, const char *, unsigned int, unsigned int, hs_scratch_t *, match_event_handler, void *);
extern __attribute__((weak)) hs_error_t corei7_hs_scan(
  const hs_database_t *, const char *, unsigned int, unsigned int, hs_scratch_t *, match_event_handler, void *);
#endif

/// The library's scanning code: 0 as it chooses itself, 1 for AVX2, 2 for SSE4.2; NULL where there is none that this
/// processor can run.
static inline kabuto_scan_function kabuto_scan_variant(int number) {
  if (number == 0) return hs_scan;
#if defined(__x86_64__)
  if (number == 1 && avx2_hs_scan && __builtin_cpu_supports("avx2")) return avx2_hs_scan;
  if (number == 2 && corei7_hs_scan && __builtin_cpu_supports("sse4.2")) return corei7_hs_scan;
#endif
  return NULL;
}

/// `hs_compile` and `hs_alloc_scratch` as they are; a scan with code that was chosen.
static inline hs_error_t kabuto_scan(
  kabuto_scan_function function, const hs_database_t *database, const char *data, unsigned int length,
  hs_scratch_t *scratch, match_event_handler handler, void *context) {
  return function(database, data, length, 0, scratch, handler, context);
}
#endif
