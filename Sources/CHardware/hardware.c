#define _DEFAULT_SOURCE
#include "hardware.h"
#include <stdint.h>
#include <sys/mman.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

static const size_t hugePage = (size_t)2 << 20;

void *kabuto_map(size_t bytes) {
  // One huge page more than wanted, so that an aligned part of the wanted size lies within; the rest is given back.
  char *whole = mmap(NULL, bytes + hugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (whole == MAP_FAILED) return NULL;
  size_t before = (hugePage - ((uintptr_t)whole & (hugePage - 1))) & (hugePage - 1);
  if (before > 0) munmap(whole, before);
  if (hugePage > before) munmap(whole + before + bytes, hugePage - before);
#ifdef MADV_HUGEPAGE
  madvise(whole + before, bytes, MADV_HUGEPAGE);
#endif
  return whole + before;
}

void kabuto_unmap(void *start, size_t bytes) { munmap(start, bytes); }
