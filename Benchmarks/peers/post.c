/* The market of the nchan peer: POSTs payloads to a channel an instrument over connections that stay open, several on
 * their way at a time on each. Where the server can't keep up the market falls behind.
 *
 *   post PORT INSTRUMENTS UPDATES_PER_SECOND PAYLOAD_BYTES [LEAD_SECONDS [CONNECTIONS]]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DEEP = 16, ANSWERS = 1 << 16, MARK = 10 };
static const char mark[] = "HTTP/1.1 20"; /* MARK bytes and one */

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 5) { fprintf(stderr, "usage: post PORT INSTRUMENTS RATE PAYLOAD_BYTES [LEAD [CONNECTIONS]]\n"); return 64; }
  int port = atoi(argv[1]), instruments = atoi(argv[2]), size = atoi(argv[4]), lines = argc > 6 ? atoi(argv[6]) : 64;
  double rate = atof(argv[3]), lead = argc > 5 ? atof(argv[5]) : 0;
  if (instruments < 1 || rate <= 0 || size < 1 || size > 4096 || lines < 1) return 64;
  signal(SIGPIPE, SIG_IGN);
  uint64_t state = 0x9e3779b97f4a7c15u, published = 0;
  int *fds = calloc((size_t)lines, sizeof *fds), *open = calloc((size_t)lines, sizeof *open), next = 0, queue = epoll_create1(0), *kept = calloc((size_t)lines, sizeof *kept);
  char (*rest)[MARK] = calloc((size_t)lines, sizeof *rest);
  for (int i = 0; i < lines; i++) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fds[i] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fds[i], (struct sockaddr *)&to, sizeof to)) { perror("connect"); return 2; }
    int one = 1;
    setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    epoll_ctl(queue, EPOLL_CTL_ADD, fds[i], &event);
  }
  static char text[8192], answers[ANSWERS];
  double begin = seconds() + lead;
  for (;;) {
    double passed = seconds() - begin;
    uint64_t due = passed < 0 ? 0 : (uint64_t)(passed * rate);
    int full = 0;
    while (published < due && full < lines) {
      if (open[next] >= DEEP) { next = (next + 1) % lines; full++; continue; }
      full = 0;
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      char payload[4200];
      struct timespec t;
      clock_gettime(CLOCK_REALTIME, &t);
      unsigned code = 1000 + (unsigned)((state >> 33) % (uint64_t)instruments);
      int head = sprintf(payload, "[{\"type\":\"update\",\"channel\":\"quotes\",\"instrument\":\"%u\",\"seq\":%09llu,\"pad\":\"", code, (unsigned long long)++published);
      char tail[64];
      int end = sprintf(tail, "\",\"rx\":\"%lld%09ld\"}]", (long long)t.tv_sec, t.tv_nsec);
      int pad = size - head - end;
      if (pad < 0) pad = 0;
      memset(payload + head, '.', (size_t)pad);
      memcpy(payload + head + pad, tail, (size_t)end);
      int length = head + pad + end;
      int n = sprintf(text, "POST /pub?id=%u HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", code, length);
      memcpy(text + n, payload, (size_t)length);
      if (send(fds[next], text, (size_t)(n + length), MSG_NOSIGNAL) != n + length) return 0;
      open[next]++;
      next = (next + 1) % lines;
    }
    struct epoll_event events[64];
    int n = epoll_wait(queue, events, 64, 1);
    for (int e = 0; e < n; e++) {
      uint32_t i = events[e].data.u32;
      /* The end of what came before, so that an answer cut in two is counted. */
      memcpy(answers, rest[i], (size_t)kept[i]);
      ssize_t got = recv(fds[i], answers + kept[i], ANSWERS - MARK, MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN)) return 0;
      if (got < 0) continue;
      char *last = answers + kept[i] + got;
      for (char *at = answers; (at = memmem(at, (size_t)(last - at), mark, MARK + 1)); at += MARK + 1) open[i]--;
      kept[i] = last - answers < MARK ? (int)(last - answers) : MARK;
      memcpy(rest[i], last - kept[i], (size_t)kept[i]);
    }
  }
}
