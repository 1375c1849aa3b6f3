/* Sends prepared HTTP/1.1 requests over kept connections and counts the answers. One thread, next to no cost of its own.
 *
 *   httpclient --port P --requests FILE [options]      prints one JSON object at the end
 *
 *   --connections N     16
 *   --count K           ends after K answers; --seconds S: after S seconds
 *   --rate R            R requests a second, evenly; a delay counts from when a request was due (else: as fast as answered)
 *   --hold              each connection sends one request and stays; prints {"held": N} and waits for the end of its input
 *
 * The file is a sequence of little-endian u32 case, u32 length, bytes. It is gone through in order, again and again. An
 * answer that never comes, or a connection that ends within one, is an error; a kept connection that the server closed
 * before any byte of an answer is opened anew and the request sent again (counted as "again"), as HTTP clients do. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "http1.h"

enum { CASES = 16, SUB = 64, STATUSES = 600 };

struct prepared { uint32_t kind, size; const char *bytes; };
struct connection {
  int fd, busy, used, received;  /* used: has had an answer; received: bytes of this answer */
  const struct prepared *request;
  size_t sent;
  double due;
  struct message message;
};
struct tally { uint64_t answers, statuses[STATUSES], histogram[64 * SUB], most; };

static struct prepared *requests;
static size_t request_count, next_request;
static struct tally tallies[CASES];
static uint64_t answers, errors, again;
static int waiting, port;
static char input[1 << 18];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned slot(uint64_t value) {
  if (value < SUB) return (unsigned)value;
  unsigned shift = 63 - (unsigned)__builtin_clzll(value) - 6;
  return (shift + 1) * SUB + (unsigned)((value >> shift) - SUB);
}
static double slot_value(unsigned s) { return s < SUB ? s : (double)((uint64_t)(SUB + s % SUB) << (s / SUB - 1)); }

static double quantile(const struct tally *t, double part) {
  uint64_t wanted = (uint64_t)(part * (double)t->answers), seen = 0;
  for (unsigned s = 0; s < 64 * SUB; ++s)
    if ((seen += t->histogram[s]) > wanted) return slot_value(s);
  return (double)t->most;
}

static void load(const char *path) {
  int fd = open(path, O_RDONLY);
  struct stat about;
  if (fd < 0 || fstat(fd, &about) || about.st_size == 0) { perror(path); exit(2); }
  const char *bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (bytes == MAP_FAILED) { perror(path); exit(2); }
  size_t room = 0;
  for (size_t at = 0; at + 8 <= (size_t)about.st_size;) {
    if (request_count == room) {
      requests = realloc(requests, (room = room ? room * 2 : 1024) * sizeof *requests);
      if (!requests) exit(2);
    }
    struct prepared *one = &requests[request_count++];
    memcpy(&one->kind, bytes + at, 4);
    memcpy(&one->size, bytes + at + 4, 4);
    one->bytes = bytes + at + 8;
    at += 8 + one->size;
    if (one->kind >= CASES || at > (size_t)about.st_size) { fprintf(stderr, "httpclient: %s: a request is cut off\n", path); exit(2); }
  }
}

static void watch(struct connection *c, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  epoll_ctl(waiting, EPOLL_CTL_MOD, c->fd, &event);
}

static void dial(struct connection *c) {
  int yes = 1;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&at, sizeof at)) { perror("httpclient: connect"); exit(2); }
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(waiting, EPOLL_CTL_ADD, c->fd, &event);
  c->used = 0;
}

static void send_more(struct connection *c) {
  while (c->sent < c->request->size) {
    ssize_t went = send(c->fd, c->request->bytes + c->sent, c->request->size - c->sent, MSG_NOSIGNAL);
    if (went < 0) {
      if (errno == EAGAIN) watch(c, EPOLLIN | EPOLLOUT);
      else watch(c, EPOLLIN); /* an answer may lie in the socket all the same */
      return;
    }
    c->sent += (size_t)went;
  }
  watch(c, EPOLLIN);
}

static void begin(struct connection *c, double due) {
  c->request = &requests[next_request];
  next_request = (next_request + 1) % request_count;
  c->busy = 1;
  c->sent = 0;
  c->received = 0;
  c->due = due;
  message_begin(&c->message, 1);
  send_more(c);
}

static void reopen(struct connection *c) {
  close(c->fd);
  dial(c);
}

static void finish(struct connection *c) {
  struct tally *t = &tallies[c->request->kind];
  uint64_t delay = (uint64_t)((now() - c->due) * 1e9);
  int whole = c->sent == c->request->size, closes = c->message.closes || c->message.part == UNTIL_CLOSE;
  ++answers;
  ++t->answers;
  ++t->statuses[c->message.status > 0 && c->message.status < STATUSES ? c->message.status : 0];
  ++t->histogram[slot(delay)];
  if (delay > t->most) t->most = delay;
  c->busy = 0;
  c->used = 1;
  if (closes || !whole) reopen(c);
}

static void receive(struct connection *c) {
  ssize_t got = recv(c->fd, input, sizeof input, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    if (!c->busy) { reopen(c); return; }
    if (c->message.part == UNTIL_CLOSE) { finish(c); return; }
    if (c->used && !c->received) {
      ++again;
      reopen(c);
      c->sent = 0;
      message_begin(&c->message, 1);
      send_more(c);
      return;
    }
    ++errors;
    c->busy = 0;
    reopen(c);
    return;
  }
  if (!c->busy) { ++errors; reopen(c); return; }
  c->received = 1;
  message_take(&c->message, input, (size_t)got);
  if (c->message.part == WHOLE) finish(c);
  else if (c->message.part == WRONG) { ++errors; c->busy = 0; reopen(c); }
}

int main(int argc, char **argv) {
  static const struct option options[] = {{"port", 1, 0, 'p'}, {"requests", 1, 0, 'f'}, {"connections", 1, 0, 'n'}, {"count", 1, 0, 'k'}, {"seconds", 1, 0, 's'},
                                          {"rate", 1, 0, 'r'}, {"hold", 0, 0, 'h'}, {0, 0, 0, 0}};
  const char *path = NULL;
  size_t connection_count = 16;
  uint64_t count = 0;
  double seconds = 0, rate = 0;
  int hold = 0;
  for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    switch (o) {
      case 'p': port = atoi(optarg); break;
      case 'f': path = optarg; break;
      case 'n': connection_count = strtoul(optarg, NULL, 10); break;
      case 'k': count = strtoull(optarg, NULL, 10); break;
      case 's': seconds = atof(optarg); break;
      case 'r': rate = atof(optarg); break;
      case 'h': hold = 1; break;
      default: return 64;
    }
  }
  if (!path || !port || !connection_count || (!count && seconds <= 0 && !hold)) { fprintf(stderr, "usage: httpclient --port P --requests FILE --count K|--seconds S|--hold …\n"); return 64; }
  signal(SIGPIPE, SIG_IGN);
  load(path);
  waiting = epoll_create1(0);
  struct connection *all = calloc(connection_count, sizeof *all);
  if (!all) return 2;
  if (hold) count = connection_count;
  double from = now(), due = from;
  uint64_t begun = 0;
  for (size_t i = 0; i < connection_count; ++i) {
    dial(&all[i]);
    if (hold) begin(&all[i], now()), ++begun;
  }
  for (;;) {
    double at = now();
    int busy = 0, over = (count && begun - errors >= count) || (seconds > 0 && at - from >= seconds);
    for (size_t i = 0; i < connection_count; ++i) {
      if (!all[i].busy && !over) {
        if (rate > 0 && due > at) break;
        begin(&all[i], rate > 0 ? due : at);
        ++begun;
        due += rate > 0 ? 1 / rate : 0;
        over = count && begun - errors >= count;
      }
    }
    for (size_t i = 0; i < connection_count; ++i) busy += all[i].busy;
    if (over && !busy) break;
    if (errors > 10000) { fprintf(stderr, "httpclient: too many errors\n"); break; }
    if (over && seconds > 0 && at - from > seconds + 30) { errors += (uint64_t)busy; break; }
    int wait = over || rate <= 0 || busy == (int)connection_count ? 1000 : due > at ? (int)((due - at) * 1000) : 0;
    struct epoll_event events[256];
    int ready = epoll_wait(waiting, events, 256, wait);
    for (int i = 0; i < ready; ++i) {
      struct connection *c = events[i].data.ptr;
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(c);
      if (c->busy && (events[i].events & EPOLLOUT) && c->sent < c->request->size) send_more(c);
    }
  }
  double took = now() - from;
  if (hold) {
    printf("{\"held\": %zu, \"errors\": %" PRIu64 "}\n", connection_count, errors);
    fflush(stdout);
    while (read(0, input, sizeof input) > 0) {}
    return 0;
  }
  printf("{\"seconds\": %.6f, \"answers\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"again\": %" PRIu64 ", \"cases\": {", took, answers, errors, again);
  const char *comma = "";
  for (unsigned i = 0; i < CASES; ++i) {
    struct tally *t = &tallies[i];
    if (!t->answers) continue;
    printf("%s\"%u\": {\"answers\": %" PRIu64 ", \"statuses\": {", comma, i, t->answers);
    const char *inner = "";
    for (unsigned s = 0; s < STATUSES; ++s)
      if (t->statuses[s]) printf("%s\"%u\": %" PRIu64, inner, s, t->statuses[s]), inner = ", ";
    printf("}, \"delay_us\": {\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}}", quantile(t, .5) / 1e3, quantile(t, .99) / 1e3, quantile(t, .999) / 1e3,
           (double)t->most / 1e3);
    comma = ", ";
  }
  printf("}}\n");
  return errors ? 1 : 0;
}
