/* Many WebSocket clients over loopback in one thread: connects, subscribes, counts. Made to cost little itself, so
 * that on two cores the server has one of its own.
 *
 *   loadclient --port P --clients N [options]            prints one JSON object when the time is over
 *
 *   --names FILE          instruments, one a line; each client wants --wanted of them, drawn with --seed
 *   --wanted K            how many (0 = the list ["*"])
 *   --interval MS         of the subscription; --channel quotes
 *   --timing              asks for "rx" and measures delays from it (CLOCK_REALTIME)
 *   --texts FILE          instead: a line each that client n sends (the lines repeat)
 *   --path PATH           default /v1/stream; with --in-path the instruments follow it, with commas between
 *   --protocol NAME       asks for a subprotocol; binary frames are counted by bytes, not by updates
 *   --plain               no HTTP, no frames: connect and count bytes
 *   --warm S --seconds S  counting begins S seconds after all are connected, and lasts so long
 *   --not-before T        … and not before T on CLOCK_MONOTONIC
 *   --pid PID             (repeated) CPU time of these processes within the counted time
 *   --slow N:BYTES        the first N clients read no more than BYTES a second each
 *   --stuck N             the N after those never read
 *   --storm               after the counted time: all drop, come back and resume; time until each has had an answer
 *   --record DIR:N        what the last N clients receive, a file each with the payloads, a line a frame
 *   --until-quiet S       ends when nothing has come for S seconds, instead of after --seconds
 *   --open                prints "connected" on standard error when all are, for who waits for it
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CARRY = 48, BLOCK = 1 << 18, SUB = 64 };

struct client {
  int fd, up, plain;
  int header_fill, carry_fill;
  uint8_t header[14];
  char carry[CARRY];
  uint64_t left;                /* bytes of the payload that are to come */
  int opcode;
  double allowance, allowed_at; /* of a slow client */
  uint64_t rate;
  int stuck, served;
  uint64_t updates, frames;
  FILE *record;
  char *text;
  size_t text_size;
  char epoch[64], market[16];
  uint64_t sequence;
};

struct totals { uint64_t updates, snapshots, frames, bytes, reads, delays, closed, errors, resumed, exact; };

static struct client *clients;
static int count, epoll_fd, port = 8080, timing, in_path, plain, storm;
static const char *path = "/v1/stream", *channel = "quotes";
static struct totals now_totals;
static uint64_t histogram[64 * SUB], largest;
static int measuring;
static unsigned sampled, sample_every = 8;

static double clock_seconds(clockid_t id) {
  struct timespec t;
  if (clock_gettime(id, &t)) return 0;
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static double seconds_now(void) { return clock_seconds(CLOCK_MONOTONIC); }
static int64_t wall(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what) {
  fprintf(stderr, "loadclient: %s: %s\n", what, strerror(errno));
  exit(2);
}

/* Logarithmic buckets, 64 to each doubling: a delay is known to 1.6 %. */
static void put(int64_t ns) {
  uint64_t us = ns < 0 ? 0 : (uint64_t)ns / 100; /* tenths of a microsecond */
  if (us > largest) largest = us;
  int shift = us < SUB ? 0 : 63 - __builtin_clzll(us) - 5;
  histogram[(uint64_t)shift * SUB + (us >> shift)]++;
  now_totals.delays++;
}
static double percentile(double share) {
  uint64_t wanted = (uint64_t)ceil((double)now_totals.delays * share), seen = 0;
  for (uint64_t i = 0; i < 64 * SUB; i++) {
    seen += histogram[i];
    if (histogram[i] && seen >= wanted) {
      uint64_t shift = i / SUB, low = i % SUB;
      return ((double)low + 0.5) * (double)(1ull << shift) / 10.0;
    }
  }
  return 0;
}

static uint64_t random_state = 1;
static uint64_t draw(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static void watch(struct client *c) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event)) fail("epoll_ctl");
}

static void drop(struct client *c) {
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
  c->up = 0;
  c->header_fill = c->carry_fill = 0;
  c->left = 0;
}

static void send_text(struct client *c, const char *text, size_t size) {
  if (size == 0) return;
  uint8_t *frame = malloc(size + 14);
  size_t at = 0;
  frame[at++] = 0x81;
  if (size < 126) frame[at++] = 0x80 | (uint8_t)size;
  else if (size < 65536) { frame[at++] = 0xfe; frame[at++] = (uint8_t)(size >> 8); frame[at++] = (uint8_t)size; }
  else { frame[at++] = 0xff; for (int i = 7; i >= 0; i--) frame[at++] = (uint8_t)(size >> (8 * i)); }
  memset(frame + at, 0, 4); /* a mask of zeros: the payload as it is */
  at += 4;
  memcpy(frame + at, text, size);
  at += size;
  for (size_t sent = 0; sent < at;) {
    ssize_t n = send(c->fd, frame + sent, at - sent, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) { usleep(1000); continue; }
    if (n < 0) { now_totals.errors++; break; }
    sent += (size_t)n;
  }
  free(frame);
}

static char **names;
static int name_count, wanted = 20, interval = 50;

/* What client `n` asks for: instruments drawn without repetition. */
static void compose(struct client *c) {
  size_t capacity = 256 + (size_t)wanted * 32, at = 0;
  char *text = malloc(capacity);
  int *order = malloc(sizeof(int) * (size_t)(name_count ? name_count : 1));
  for (int i = 0; i < name_count; i++) order[i] = i;
  if (!in_path)
    at += (size_t)sprintf(text, "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"%s\",\"interval\":%d,%s\"instruments\":[",
      channel, interval, timing ? "\"timing\":true," : "");
  if (wanted == 0) at += (size_t)sprintf(text + at, in_path ? "*" : "\"*\"");
  for (int k = 0; k < wanted && k < name_count; k++) {
    int other = k + (int)(draw() % (uint64_t)(name_count - k)), chosen = order[other];
    order[other] = order[k];
    order[k] = chosen;
    at += (size_t)sprintf(text + at, in_path ? "%s%s" : "%s\"%s\"", k ? "," : "", names[chosen]);
  }
  if (!in_path) at += (size_t)sprintf(text + at, "]}");
  free(order);
  c->text = text;
  c->text_size = at;
}

static const char *protocol;

static void dial(struct client *c) {
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0) fail("socket");
  if (c->stuck || c->rate) { int small = 16384; setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small); }
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (plain) { c->up = 1; return; }
  char *request = malloc(512 + c->text_size);
  int size = sprintf(request,
    "GET %s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n", path, in_path ? c->text : "", port,
    protocol ? "Sec-WebSocket-Protocol: " : "", protocol ? protocol : "", protocol ? "\r\n" : "");
  if (send(c->fd, request, (size_t)size, MSG_NOSIGNAL) != size) fail("send");
  free(request);
}

/* Waits for the answer to the handshake. Whatever came behind it is returned in `rest`. */
static ssize_t handshake(struct client *c, char *rest, size_t room) {
  size_t fill = 0;
  for (;;) {
    ssize_t n = recv(c->fd, rest + fill, room - fill - 1, 0);
    if (n <= 0) { if (n < 0 && errno == EINTR) continue; fail("the server closed during the handshake"); }
    fill += (size_t)n;
    rest[fill] = 0;
    char *end = strstr(rest, "\r\n\r\n");
    if (!end) continue;
    if (strncmp(rest, "HTTP/1.1 101", 12)) { fprintf(stderr, "loadclient: %.200s\n", rest); exit(2); }
    size_t left = fill - (size_t)(end + 4 - rest);
    memmove(rest, end + 4, left);
    c->up = 1;
    return (ssize_t)left;
  }
}

/* Where a client stands, for a resume: what the last heartbeat or the snapshots say. */
static void note(struct client *c, const char *text, size_t size) {
  const char *at;
  if (!c->epoch[0] && (at = memmem(text, size, "\"epoch\":\"", 9))) sscanf(at + 9, "%63[^\"]", c->epoch);
  if (!c->market[0] && (at = memmem(text, size, "\"market\":\"", 10))) sscanf(at + 10, "%15[^\"]", c->market);
  if (storm == 2 && memmem(text, size, "\"type\":\"resumed\"", 16)) {
    now_totals.resumed++;
    if (memmem(text, size, "\"mode\":\"exact\"", 14)) now_totals.exact++;
  }
  /* Events come in the order of their numbers: the last one tells. */
  at = memrchr(text, '{', size);
  if (at) at = memmem(at, size - (size_t)(at - text), "\"seq\":", 6);
  if (at) { uint64_t s = strtoull(at + 6, NULL, 10); if (s > c->sequence) c->sequence = s; }
}

static const char update_mark[] = "\"type\":\"update\"";
static const char rx_mark[] = "\"rx\":\"";

static void look(struct client *c, const char *text, size_t size, int64_t at) {
  const char *from = text, *end = text + size;
  for (;;) {
    const char *hit = memmem(from, (size_t)(end - from), update_mark, sizeof update_mark - 1);
    if (!hit) break;
    from = hit + sizeof update_mark - 1;
    now_totals.updates++;
    c->updates++;
    if (timing && measuring && ++sampled % sample_every == 0) {
      const char *rx = memmem(from, (size_t)(end - from), rx_mark, sizeof rx_mark - 1);
      if (rx && end - rx > 26) {
        int64_t value = 0;
        for (const char *d = rx + 6; *d >= '0' && *d <= '9'; d++) value = value * 10 + (*d - '0');
        put(at - value);
      }
    }
  }
}

/* Who never answers a ping is taken for gone after a minute. Its payload isn't repeated: the server doesn't look. */
static void pong(struct client *c) {
  static const uint8_t frame[6] = {0x8a, 0x80, 0, 0, 0, 0};
  if (send(c->fd, frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) now_totals.errors++;
}

/* Takes `size` bytes at `data`; `data - CARRY` may be overwritten. */
static void take(struct client *c, char *data, size_t size, int64_t at) {
  now_totals.bytes += size;
  if (plain) return;
  while (size > 0) {
    if (c->left == 0) {
      c->header[c->header_fill++] = (uint8_t)*data++;
      size--;
      if (c->header_fill < 2) continue;
      int length = c->header[1] & 0x7f, need = length < 126 ? 2 : length == 126 ? 4 : 10;
      if (c->header_fill < need) continue;
      uint64_t left = 0;
      if (need == 2) left = (uint64_t)length;
      for (int i = 2; i < need; i++) left = left << 8 | c->header[i];
      c->opcode = c->header[0] & 15;
      c->header_fill = 0;
      c->carry_fill = 0;
      c->left = left;
      now_totals.frames++;
      c->frames++;
      if (c->opcode == 8) now_totals.closed++;
      if (c->opcode == 9) pong(c);
      if (storm == 2 && !c->served) { c->served = 1; }
      continue;
    }
    size_t part = size < c->left ? size : (size_t)c->left;
    c->left -= part;
    if (c->opcode == 1 || c->opcode == 0) {
      char *text = data - c->carry_fill;
      size_t length = part + (size_t)c->carry_fill;
      /* The end of the part before, so that a word cut in two is found; headers are not in between. */
      memcpy(text, c->carry, (size_t)c->carry_fill);
      if (c->record) { fwrite(data, 1, part, c->record); if (c->left == 0) fputc('\n', c->record); }
      look(c, text, length, at);
      if (storm) note(c, text, length);
      if (c->left > 0) {
        /* Not so much that what was counted is counted again. */
        size_t span = length < sizeof update_mark - 2 ? length : sizeof update_mark - 2;
        memcpy(c->carry, text + length - span, span);
        c->carry_fill = (int)span;
      }
    }
    data += part;
    size -= part;
    if (c->left == 0) c->carry_fill = 0;
  }
}

static char *block;

static void readable(struct client *c) {
  if (c->fd < 0) return;
  size_t room = BLOCK;
  if (c->rate) {
    double t = seconds_now();
    c->allowance += (t - c->allowed_at) * (double)c->rate;
    if (c->allowance > (double)c->rate) c->allowance = (double)c->rate;
    c->allowed_at = t;
    if (c->allowance < 512) return;
    room = c->allowance < BLOCK ? (size_t)c->allowance : BLOCK;
  }
  ssize_t n = recv(c->fd, block + CARRY, room, MSG_DONTWAIT);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    now_totals.errors++;
    drop(c);
    return;
  }
  if (n == 0) { now_totals.closed++; drop(c); return; }
  if (c->rate) c->allowance -= (double)n;
  block[CARRY + n] = 0;
  now_totals.reads++;
  take(c, block + CARRY, (size_t)n, timing ? wall() : 0);
}

static struct epoll_event events[512];
static double last_slow;

static void turn(double until) {
  double left = until - seconds_now();
  int wait = left <= 0 ? 0 : left > 0.05 ? 50 : (int)(left * 1000) + 1;
  int n = epoll_wait(epoll_fd, events, 512, wait);
  for (int i = 0; i < n; i++) readable(events[i].data.ptr);
  /* Slow clients aren't watched: they are asked ten times a second. */
  double t = seconds_now();
  if (t - last_slow > 0.1) {
    last_slow = t;
    for (int i = 0; i < count && clients[i].rate; i++) readable(&clients[i]);
  }
}

/* Opens every connection, 64 handshakes at a time, and sends what each client wants; `resumes`: with where it stands.
 * `times`, where given, gets the seconds after which each client had its first frame; ends when all have. */
static int open_all(int resumes, double *times) {
  double begin = seconds_now();
  char *state = calloc((size_t)count, 1); /* 0 not yet, 1 asked, 2 open, 3 served */
  int opened = 0, open = 0, done = 0;
  while ((times ? done : open) < count && seconds_now() - begin < 120) {
    while (opened < count && opened - open < 64) {
      struct client *c = &clients[opened];
      dial(c);
      watch(c);
      if (plain) { state[opened] = 2; open++; }
      opened++;
      if (!plain) c->up = 0;
    }
    int n = epoll_wait(epoll_fd, events, 512, 20);
    for (int e = 0; e < n; e++) {
      struct client *c = events[e].data.ptr;
      int i = (int)(c - clients);
      if (state[i] != 1 && c->up) {
        readable(c);
      } else {
        ssize_t rest = handshake(c, block + CARRY, BLOCK - CARRY);
        state[i] = 2;
        open++;
        if (resumes) {
          char *text = malloc(c->text_size + 256);
          const char *body = strchr(c->text, ',');
          int size = sprintf(text, "{\"op\":\"resume\",\"from\":[{\"market\":\"%s\",\"epoch\":\"%s\",\"seq\":%" PRIu64 "}]%s",
            c->market, c->epoch, c->sequence, body ? body : "}");
          send_text(c, text, (size_t)size);
          free(text);
        } else if (!in_path) {
          send_text(c, c->text, c->text_size);
        }
        if (rest > 0) take(c, block + CARRY, (size_t)rest, timing ? wall() : 0);
        if (c->stuck || c->rate) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
      }
      if (times && c->served && state[i] == 2) { state[i] = 3; times[done++] = seconds_now() - begin; }
    }
  }
  free(state);
  return times ? done : open;
}

static int compare(const void *a, const void *b) { double x = *(const double *)a, y = *(const double *)b; return x < y ? -1 : x > y; }

/* All drop at once and come back with what they have; prints when each had its first frame. */
static void run_storm(void) {
  double *times = calloc((size_t)count, sizeof *times);
  for (int i = 0; i < count; i++) { drop(&clients[i]); clients[i].served = 0; }
  storm = 2;
  int answered = open_all(1, times);
  qsort(times, (size_t)answered, sizeof *times, compare);
  printf(",\"storm\":{\"served\":%d,\"of\":%d,\"first_s\":%.3f,\"median_s\":%.3f,\"p99_s\":%.3f,\"last_s\":%.3f,\"resumed\":%" PRIu64 ",\"exact\":%" PRIu64 "}", answered, count,
    answered ? times[0] : 0, answered ? times[answered / 2] : 0, answered ? times[(int)((double)(answered - 1) * 0.99)] : 0,
    answered ? times[answered - 1] : 0, now_totals.resumed, now_totals.exact);
  free(times);
}

int main(int argc, char **argv) {
  static const struct option options[] = {
    {"port", 1, 0, 'p'}, {"clients", 1, 0, 'c'}, {"names", 1, 0, 'n'}, {"wanted", 1, 0, 'k'}, {"interval", 1, 0, 'i'},
    {"channel", 1, 0, 'C'}, {"timing", 0, 0, 't'}, {"texts", 1, 0, 'T'}, {"path", 1, 0, 'P'}, {"in-path", 0, 0, 'I'},
    {"plain", 0, 0, 'L'}, {"warm", 1, 0, 'w'}, {"seconds", 1, 0, 's'}, {"pid", 1, 0, 'D'}, {"slow", 1, 0, 'S'},
    {"stuck", 1, 0, 'X'}, {"storm", 0, 0, 'M'}, {"record", 1, 0, 'R'}, {"until-quiet", 1, 0, 'Q'}, {"seed", 1, 0, 'e'},
    {"not-before", 1, 0, 'B'}, {"open", 0, 0, 'O'}, {"sample", 1, 0, 'Z'}, {"protocol", 1, 0, 'U'}, {0, 0, 0, 0}};
  const char *names_file = NULL, *texts_file = NULL, *record = NULL;
  double warm = 1, seconds = 5, quiet = 0, not_before = 0;
  int pids[16], pid_count = 0, slow = 0, stuck = 0, tells = 0, option;
  uint64_t slow_rate = 0, seed = 1;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    switch (option) {
    case 'p': port = atoi(optarg); break;
    case 'c': count = atoi(optarg); break;
    case 'n': names_file = optarg; break;
    case 'k': wanted = atoi(optarg); break;
    case 'i': interval = atoi(optarg); break;
    case 'C': channel = optarg; break;
    case 't': timing = 1; break;
    case 'T': texts_file = optarg; break;
    case 'P': path = optarg; break;
    case 'I': in_path = 1; break;
    case 'L': plain = 1; break;
    case 'w': warm = atof(optarg); break;
    case 's': seconds = atof(optarg); break;
    case 'D': if (pid_count < 16) pids[pid_count++] = atoi(optarg); break;
    case 'S': if (sscanf(optarg, "%d:%" SCNu64, &slow, &slow_rate) != 2) return 64; break;
    case 'X': stuck = atoi(optarg); break;
    case 'M': storm = 1; break;
    case 'R': record = optarg; break;
    case 'Q': quiet = atof(optarg); break;
    case 'e': seed = strtoull(optarg, NULL, 10); break;
    case 'B': not_before = atof(optarg); break;
    case 'O': tells = 1; break;
    case 'U': protocol = optarg; break;
    case 'Z': sample_every = (unsigned)atoi(optarg); break;
    default: return 64;
    }
  }
  if (count < 1 || sample_every < 1) { fprintf(stderr, "loadclient: --clients is wanted\n"); return 64; }
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if ((rlim_t)count + 64 > files.rlim_cur) { fprintf(stderr, "loadclient: %d clients, but ulimit -Hn is %lu\n", count, (unsigned long)files.rlim_cur); return 2; }
  random_state = seed * 0x9e3779b97f4a7c15u + 1;
  clients = calloc((size_t)count, sizeof *clients);
  block = malloc(BLOCK + CARRY + 1);
  epoll_fd = epoll_create1(0);
  char **lines = NULL;
  int line_count = 0;
  const char *list = texts_file ? texts_file : names_file;
  if (list) {
    FILE *f = fopen(list, "r");
    if (!f) fail(list);
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    while ((size = getline(&line, &room, f)) > 0) {
      while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r')) line[--size] = 0;
      if (size == 0) continue;
      lines = realloc(lines, sizeof *lines * (size_t)(line_count + 1));
      lines[line_count++] = strdup(line);
    }
    free(line);
    fclose(f);
  }
  if (!texts_file) { names = lines; name_count = line_count; }
  char record_folder[4096] = "";
  int record_count = 0;
  if (record) {
    const char *colon = strrchr(record, ':');
    if (!colon) return 64;
    snprintf(record_folder, sizeof record_folder, "%.*s", (int)(colon - record), record);
    record_count = atoi(colon + 1);
  }
  double begin = seconds_now();
  for (int i = 0; i < count; i++) {
    struct client *c = &clients[i];
    c->fd = -1;
    c->rate = i < slow ? slow_rate : 0;
    c->allowed_at = begin;
    c->stuck = i >= slow && i < slow + stuck;
    if (texts_file && line_count) { c->text = lines[i % line_count]; c->text_size = strlen(c->text); }
    else if (!plain) compose(c);
    if (record && i >= count - record_count) {
      char name[8192];
      snprintf(name, sizeof name, "%s/%d.jsonl", record_folder, i);
      c->record = fopen(name, "w");
      if (!c->record) fail(name);
    }
  }
  if (open_all(0, NULL) < count) { fprintf(stderr, "loadclient: not all could connect within two minutes\n"); return 2; }
  double connected = seconds_now();
  if (tells) { fprintf(stderr, "connected\n"); fflush(stderr); }
  double start_at = connected + warm > not_before ? connected + warm : not_before;
  while (seconds_now() < start_at) turn(start_at);
  struct totals start = now_totals;
  double cpu_start[16], own = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
  clockid_t clocks[16];
  for (int i = 0; i < pid_count; i++) {
    if (clock_getcpuclockid(pids[i], &clocks[i])) { fprintf(stderr, "loadclient: no process %d\n", pids[i]); return 2; }
    cpu_start[i] = clock_seconds(clocks[i]);
  }
  uint64_t *before = calloc((size_t)count, sizeof *before);
  for (int i = 0; i < count; i++) before[i] = clients[i].updates;
  memset(histogram, 0, sizeof histogram);
  now_totals.delays = start.delays = 0;
  largest = 0;
  measuring = 1;
  double from = seconds_now(), last_news = from;
  uint64_t last_bytes = now_totals.bytes;
  if (quiet > 0) {
    double last_seen = from;
    while (last_seen - last_news < quiet && last_seen - from < seconds) {
      turn(last_seen + 0.05);
      last_seen = seconds_now();
      if (now_totals.bytes - last_bytes > 1000) last_news = last_seen; /* heartbeats are no news */
      last_bytes = now_totals.bytes;
    }
  } else {
    while (seconds_now() < from + seconds) turn(from + seconds);
  }
  double took = seconds_now() - from;
  printf("{\"clients\":%d,\"connect_s\":%.2f,\"seconds\":%.3f,\"updates\":%" PRIu64 ",\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64
    ",\"reads\":%" PRIu64 ",\"closed\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"client_cpu_s\":%.4f,\"cpu_s\":[", count, connected - begin, took,
    now_totals.updates - start.updates, now_totals.frames - start.frames, now_totals.bytes - start.bytes, now_totals.reads - start.reads,
    now_totals.closed, now_totals.errors, clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - own);
  for (int i = 0; i < pid_count; i++) printf("%s%.6f", i ? "," : "", clock_seconds(clocks[i]) - cpu_start[i]);
  printf("]");
  uint64_t fewest = UINT64_MAX, most = 0;
  for (int i = slow + stuck; i < count; i++) {
    uint64_t n = clients[i].updates - before[i];
    if (n < fewest) fewest = n;
    if (n > most) most = n;
  }
  printf(",\"fewest\":%" PRIu64 ",\"most\":%" PRIu64, fewest == UINT64_MAX ? 0 : fewest, most);
  if (timing)
    printf(",\"samples\":%" PRIu64 ",\"delay_us\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}", now_totals.delays,
      percentile(.5), percentile(.9), percentile(.99), percentile(.999), (double)largest / 10);
  measuring = 0;
  if (storm) run_storm();
  printf("}\n");
  fflush(stdout);
  for (int i = 0; i < count; i++) {
    if (clients[i].record) fclose(clients[i].record);
    if (clients[i].fd >= 0) close(clients[i].fd);
  }
  return 0;
}
