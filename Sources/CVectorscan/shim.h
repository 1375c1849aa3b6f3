#ifndef KABUTO_CVECTORSCAN_SHIM_H
#define KABUTO_CVECTORSCAN_SHIM_H
#include <hs.h>
#include <stdlib.h>
/// Frees what the library allocated for its caller.
static inline void kabuto_free(void *memory) { free(memory); }
#endif
