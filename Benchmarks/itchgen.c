/* Writes a Nasdaq TotalView-ITCH 5.0 file in which, after the opening, every message changes a best quote: an exact
 * load. Instruments are chosen uniformly; the same arguments give the same bytes.
 *
 *   itchgen OUT INSTRUMENTS SEED RATE:SECONDS[,RATE:SECONDS…]
 *
 * Codes are 1000, 1001, … Beside the file, OUT.final.json says the best quotes that the last message leaves.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *out;
static uint64_t state, messages;

static uint64_t draw(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static uint8_t message[64];
static int fill;

static void number(uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; i--) message[fill++] = (uint8_t)(value >> (8 * i));
}

static void begin(char type, int locate, uint64_t time) {
  fill = 2;
  number((uint8_t)type, 1);
  number((uint64_t)locate, 2);
  number(0, 2);
  number(time, 6);
}

static void text(const char *value, int bytes) {
  for (int i = 0; i < bytes; i++) message[fill++] = *value ? (uint8_t)*value++ : ' ';
}

static void end(void) {
  message[0] = (uint8_t)((fill - 2) >> 8);
  message[1] = (uint8_t)(fill - 2);
  if (fwrite(message, 1, (size_t)fill, out) != (size_t)fill) { perror("write"); exit(2); }
  messages++;
}

/* One side of a book: an order that sets the best price, and perhaps a second at the same price. */
struct side { uint64_t base, extra; uint32_t price, size, extra_size; };

int main(int argc, char **argv) {
  if (argc != 5) { fprintf(stderr, "usage: itchgen OUT INSTRUMENTS SEED RATE:SECONDS[,…]\n"); return 64; }
  int instruments = atoi(argv[2]);
  if (instruments < 1 || instruments > 60000) { fprintf(stderr, "instruments: 1 to 60000\n"); return 64; }
  state = strtoull(argv[3], NULL, 10) * 0x9e3779b97f4a7c15u + 0x1234567;
  out = fopen(argv[1], "wb");
  if (!out) { perror(argv[1]); return 2; }
  setvbuf(out, NULL, _IOFBF, 1 << 20);
  struct side (*book)[2] = calloc((size_t)instruments, sizeof *book);
  uint64_t time = 34200ull * 1000000000ull, reference = 1;
  char code[16];
  begin('S', 0, time); text("O", 1); end();
  for (int i = 0; i < instruments; i++) {
    snprintf(code, sizeof code, "%d", 1000 + i);
    begin('R', i + 1, time);
    text(code, 8); text("Q", 1); text("N", 1); number(100, 4); text("N", 1); text("C", 1); text("Z ", 2); text("P", 1);
    text("N", 1); text("N", 1); text("1", 1); text("N", 1); number(0, 4); text("N", 1); end();
    begin('H', i + 1, time); text(code, 8); text("T", 1); text(" ", 1); text("    ", 4); end();
  }
  begin('S', 0, time); text("S", 1); end();
  begin('S', 0, time); text("Q", 1); end();
  for (int i = 0; i < instruments; i++) {
    snprintf(code, sizeof code, "%d", 1000 + i);
    for (int s = 0; s < 2; s++) {
      struct side *side = &book[i][s];
      side->base = reference++;
      side->price = s == 0 ? 999500 : 1000500;
      side->size = 100;
      begin('A', i + 1, time);
      number(side->base, 8); text(s == 0 ? "B" : "S", 1); number(side->size, 4); text(code, 8); number(side->price, 4);
      end();
    }
  }
  char *phase = strtok(argv[4], ",");
  for (; phase; phase = strtok(NULL, ",")) {
    double rate, seconds;
    if (sscanf(phase, "%lf:%lf", &rate, &seconds) != 2 || rate <= 0) { fprintf(stderr, "bad phase: %s\n", phase); return 64; }
    uint64_t count = (uint64_t)(rate * seconds), from = time;
    for (uint64_t n = 0; n < count; n++) {
      time = from + (uint64_t)((double)n * 1e9 / rate);
      uint64_t random = draw();
      int i = (int)((random >> 33) % (uint64_t)instruments);
      int s = (int)(random & 1);
      struct side *side = &book[i][s];
      if (side->extra) {
        begin('D', i + 1, time); number(side->extra, 8); end();
        side->extra = 0;
        continue;
      }
      uint32_t size = 100 * (1 + (uint32_t)(random >> 8) % 9);
      if (random & 2) {
        snprintf(code, sizeof code, "%d", 1000 + i);
        side->extra = reference++;
        side->extra_size = size;
        begin('A', i + 1, time);
        number(side->extra, 8); text(s == 0 ? "B" : "S", 1); number(size, 4); text(code, 8); number(side->price, 4);
        end();
        continue;
      }
      /* A step of a cent up or down within bounds that keep the sides apart. */
      uint32_t low = s == 0 ? 998500 : 1000100, high = s == 0 ? 999900 : 1001500;
      int up = random & 4 ? 1 : 0;
      if (side->price <= low) up = 1;
      if (side->price >= high) up = 0;
      side->price += up ? 100 : (uint32_t)-100;
      side->size = size;
      begin('U', i + 1, time); number(side->base, 8); number(reference, 8); number(size, 4); number(side->price, 4); end();
      side->base = reference++;
    }
    time = from + (uint64_t)(seconds * 1e9);
  }
  if (fclose(out)) { perror("close"); return 2; }
  char name[4096];
  snprintf(name, sizeof name, "%s.final.json", argv[1]);
  out = fopen(name, "w");
  if (!out) { perror(name); return 2; }
  fprintf(out, "{");
  for (int i = 0; i < instruments; i++) {
    fprintf(out, "%s\n\"%d\":[", i ? "," : "", 1000 + i);
    for (int s = 0; s < 2; s++) {
      struct side *side = &book[i][s];
      fprintf(out, "%s%" PRIu32 ",%" PRIu32 ",%d", s ? "," : "", side->price, side->size + (side->extra ? side->extra_size : 0),
        side->extra ? 2 : 1);
    }
    fprintf(out, "]");
  }
  fprintf(out, "\n}\n");
  if (fclose(out)) { perror(name); return 2; }
  fprintf(stderr, "%s: %" PRIu64 " messages, %d instruments\n", argv[1], messages, instruments);
  return 0;
}
