/* What permessage-deflate (RFC 7692) would cost: compresses each frame of a file by itself (no context takeover), with one
 * zlib stream that is reset in between.
 *
 *   deflate FILE LEVEL [ROUNDS]     FILE: frames, each after its length (4 bytes, little-endian)
 *   prints one JSON object: frames, bytes before and after, CPU time a frame
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

static double cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 3) return 64;
  FILE *file = fopen(argv[1], "rb");
  if (!file) { perror(argv[1]); return 2; }
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  unsigned char *in = malloc((size_t)size + 1), *out = malloc((size_t)size + 4096);
  if (fread(in, 1, (size_t)size, file) != (size_t)size) return 2;
  int rounds = argc > 3 ? atoi(argv[3]) : 1;
  z_stream z = {0};
  if (deflateInit2(&z, atoi(argv[2]), Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 2;
  uint64_t frames = 0, before = 0, after = 0;
  double start = cpu();
  for (int round = 0; round < rounds; round++) {
    for (long at = 0; at + 4 <= size;) {
      uint32_t length = in[at] | in[at + 1] << 8 | in[at + 2] << 16 | (uint32_t)in[at + 3] << 24;
      at += 4;
      deflateReset(&z);
      z.next_in = in + at;
      z.avail_in = length;
      z.next_out = out;
      z.avail_out = (unsigned)(size + 4096 < INT32_MAX ? size + 4096 : INT32_MAX);
      if (deflate(&z, Z_SYNC_FLUSH) != Z_OK) return 2;
      frames++;
      before += length;
      after += z.total_out - 4; /* the empty block's end is left away (7.2.1) */
      at += length;
    }
  }
  double spent = cpu() - start;
  printf("{\"frames\":%llu,\"bytes_before\":%llu,\"bytes_after\":%llu,\"us_a_frame\":%.3f}\n", (unsigned long long)frames,
         (unsigned long long)before, (unsigned long long)after, spent / frames * 1e6);
  return 0;
}
