/* uWebSockets as a peer: its own publish and subscribe, a topic an instrument, driven through the C interface of the
 * library that the PyPI package socketify carries. No Python runs: the market is made here, on its loop, by a timer
 * of a millisecond from payloads that are ready but for their time and number.
 *
 *   uws LIBRARY PORT INSTRUMENTS UPDATES_PER_SECOND PAYLOAD_BYTES [LEAD_SECONDS [SEED]]
 *
 * A client subscribes with Kabuto's text; codes are 1000, 1001, … A market that can't keep up falls behind and loses
 * nothing; what was published goes to standard output once a second: total and seconds since the first.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* As declared by socketify 0.0.31. */
typedef struct { const char *key, *cert, *passphrase, *dh, *ca, *ciphers; int low_memory; } context_options;
typedef struct { int port; const char *host; int options; } listen_config;
typedef void (*socket_handler)(void *ws, void *user);
typedef struct {
  int compression;
  unsigned int max_payload;
  unsigned short idle_timeout;
  unsigned int max_backpressure;
  bool close_on_backpressure, reset_idle_on_send, automatic_pings;
  unsigned short max_lifetime;
  void (*upgrade)(void *, void *, void *, void *);
  socket_handler open;
  void (*message)(void *ws, const char *message, size_t length, int opcode, void *user);
  socket_handler drain;
  void (*ping)(void *, const char *, size_t, void *);
  void (*pong)(void *, const char *, size_t, void *);
  void (*close)(void *, int, const char *, size_t, void *);
  void (*subscription)(void *, const char *, size_t, int, int, void *);
} behavior;

static void *library;
static void *symbol(const char *name) {
  void *found = dlsym(library, name);
  if (!found) { fprintf(stderr, "uws: %s\n", dlerror()); exit(2); }
  return found;
}

static bool (*publish)(int, void *, const char *, size_t, const char *, size_t, int, bool);
static bool (*subscribe)(int, void *, const char *, size_t);
static void *app;
static int instruments, payload_bytes;
static double rate, lead, started;
static uint64_t published, state, told;
static char *payloads, (*codes)[16];
static int rx_offset, seq_offset;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void digits(char *to, uint64_t value, int width) {
  while (width-- > 0) { to[width] = (char)('0' + value % 10); value /= 10; }
}

static void tick(void *user) {
  (void)user;
  double passed = seconds() - started - lead;
  if (passed < 0) return;
  uint64_t due = (uint64_t)(passed * rate), most = published + (uint64_t)(rate / 100) + 1;
  if (due > most) due = most; /* sockets get their turn after ten milliseconds of market at the latest */
  if (due > published) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    while (published < due) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      int i = (int)((state >> 33) % (uint64_t)instruments);
      char *payload = payloads + (size_t)i * (size_t)payload_bytes;
      digits(payload + seq_offset, ++published, 9);
      digits(payload + rx_offset, now, 19);
      publish(0, app, codes[i], 4, payload, (size_t)payload_bytes, 1, false);
    }
  }
  if ((uint64_t)passed > told) {
    told = (uint64_t)passed;
    printf("%llu %.6f\n", (unsigned long long)published, seconds() - started - lead);
    fflush(stdout);
  }
}

static void message(void *ws, const char *text, size_t length, int opcode, void *user) {
  (void)opcode;
  (void)user;
  const char *at = memmem(text, length, "\"instruments\":[", 15), *end = text + length;
  if (!at) return;
  for (at += 15; at < end && *at == '"';) {
    const char *close = memchr(at + 1, '"', (size_t)(end - at - 1));
    if (!close) return;
    subscribe(0, ws, at + 1, (size_t)(close - at - 1));
    at = close + 1;
    if (at < end && *at == ',') at++;
  }
}

static void ignore(void *ws, void *user) { (void)ws; (void)user; }
static void closed(void *ws, int code, const char *text, size_t length, void *user) { (void)ws; (void)code; (void)text; (void)length; (void)user; }
static void listening(void *socket, listen_config config, void *user) {
  (void)user;
  (void)config;
  if (!socket) { fprintf(stderr, "uws: the port is taken\n"); exit(2); }
}

int main(int argc, char **argv) {
  if (argc < 6) { fprintf(stderr, "usage: uws LIBRARY PORT INSTRUMENTS RATE PAYLOAD_BYTES [LEAD [SEED]]\n"); return 64; }
  library = dlopen(argv[1], RTLD_NOW);
  if (!library) { fprintf(stderr, "uws: %s\n", dlerror()); return 2; }
  instruments = atoi(argv[3]);
  rate = atof(argv[4]);
  payload_bytes = atoi(argv[5]);
  lead = argc > 6 ? atof(argv[6]) : 0;
  state = (argc > 7 ? strtoull(argv[7], NULL, 10) : 1) * 0x9e3779b97f4a7c15u + 1;
  if (instruments < 1 || instruments > 9000 || rate < 1) return 64;
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  codes = calloc((size_t)instruments, sizeof *codes);
  char text[512];
  for (int i = 0; i < instruments; i++) {
    snprintf(codes[i], sizeof codes[i], "%d", 1000 + i);
    int head = snprintf(text, sizeof text,
      "[{\"type\":\"update\",\"channel\":\"quotes\",\"instrument\":\"%s\",\"seq\":000000000,\"pad\":\"", codes[i]);
    const char *tail = "\",\"rx\":\"0000000000000000000\"}]";
    int least = head + (int)strlen(tail);
    if (payload_bytes < least) payload_bytes = least;
    if (payload_bytes > (int)sizeof text) payload_bytes = (int)sizeof text;
    if (!payloads) payloads = malloc((size_t)instruments * (size_t)payload_bytes);
    char *payload = payloads + (size_t)i * (size_t)payload_bytes;
    memset(payload, '.', (size_t)payload_bytes);
    memcpy(payload, text, (size_t)head);
    memcpy(payload + payload_bytes - strlen(tail), tail, strlen(tail));
    seq_offset = (int)((char *)memmem(payload, (size_t)payload_bytes, "\"seq\":", 6) - payload) + 6;
    rx_offset = payload_bytes - 22;
  }
  publish = symbol("uws_publish");
  subscribe = symbol("uws_ws_subscribe");
  void *(*create_loop)(void) = symbol("socketify_create_loop");
  void *(*native)(void *) = symbol("socketify_get_native_loop");
  void *(*bind_loop)(void *) = symbol("uws_get_loop_with_native");
  void *(*create_app)(int, context_options) = symbol("uws_create_app");
  void (*ws)(int, void *, const char *, behavior, void *) = symbol("uws_ws");
  void (*listen_at)(int, void *, listen_config, void (*)(void *, listen_config, void *), void *) = symbol("uws_app_listen_with_config");
  void *(*timer)(void *, uint64_t, uint64_t, void (*)(void *), void *) = symbol("socketify_create_timer");
  int (*run)(void *, int) = symbol("socketify_loop_run");
  void *loop = create_loop();
  bind_loop(native(loop));
  app = create_app(0, (context_options){0});
  ws(0, app, "/*", (behavior){.max_payload = 65536, .idle_timeout = 0, .max_backpressure = 256u << 20, .open = ignore,
    .message = message, .drain = ignore, .close = closed}, NULL);
  listen_at(0, app, (listen_config){.port = atoi(argv[2]), .host = "127.0.0.1"}, listening, NULL);
  started = seconds();
  timer(loop, 1, 1, tick, NULL);
  run(loop, 0);
  return 0;
}
