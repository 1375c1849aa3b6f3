#define _DEFAULT_SOURCE
#include "hardware.h"
#include <sys/mman.h>

int kabuto_advise_huge_pages(void *start, size_t bytes) {
#ifdef MADV_HUGEPAGE
  return madvise(start, bytes, MADV_HUGEPAGE);
#else
  (void)start;
  (void)bytes;
  return -1;
#endif
}
