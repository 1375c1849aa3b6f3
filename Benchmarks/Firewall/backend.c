/* The application behind the proxies: reads any request to its end and answers 200, at next to no cost. One thread.
 *
 *   backend PORT        "ok" as text/plain; below /page/ an HTML page of 8 KiB */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http1.h"

struct connection { int fd; struct message message; };

static char page[9000], input[1 << 18];
static size_t page_size;
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n";

static void make_page(void) {
  char text[8300];
  size_t fill = (size_t)snprintf(text, sizeof text, "<!DOCTYPE html><html lang=\"ja\"><head><title>Quotes</title></head><body><table>");
  for (unsigned row = 0; fill < 8192 - 100; ++row)
    fill += (size_t)snprintf(text + fill, sizeof text - fill, "<tr><td>%u</td><td>Name %u</td><td>%u.5</td></tr>\n", 1300 + row * 7, row, 1000 + row * 13);
  while (fill < 8192) text[fill++] = ' ';
  page_size = (size_t)snprintf(page, sizeof page, "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\n\r\n%.*s", fill, (int)fill, text);
}

static void answer(struct connection *c) {
  const char *path = strchr(c->message.head, ' ');
  int html = path && !strncmp(path + 1, "/page/", 6);
  const char *text = html ? page : ok;
  size_t size = html ? page_size : sizeof ok - 1;
  if (send(c->fd, text, size, MSG_NOSIGNAL) != (ssize_t)size) c->message.part = WRONG; /* fits into the socket's buffer */
}

int main(int count, char **words) {
  if (count != 2) { fprintf(stderr, "usage: backend PORT\n"); return 64; }
  signal(SIGPIPE, SIG_IGN);
  make_page();
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) { perror("backend"); return 2; }
  int waiting = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
  epoll_ctl(waiting, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int ready = epoll_wait(waiting, events, 256, -1);
    for (int i = 0; i < ready; ++i) {
      struct connection *c = events[i].data.ptr;
      if (!c) {
        int fd;
        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
          c = malloc(sizeof *c);
          if (!c) { close(fd); continue; }
          c->fd = fd;
          message_begin(&c->message, 0);
          event.data.ptr = c;
          epoll_ctl(waiting, EPOLL_CTL_ADD, fd, &event);
        }
        continue;
      }
      ssize_t got = recv(c->fd, input, sizeof input, 0);
      setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes); /* no proxy waits 40 ms for a delayed acknowledgement */
      int ended = got == 0 || (got < 0 && errno != EAGAIN);
      for (size_t taken = 0; got > 0 && taken < (size_t)got && !ended;) {
        taken += message_take(&c->message, input + taken, (size_t)got - taken);
        /* Body first, then the answer: no "100 Continue" is ever needed by these proxies. */
        if (c->message.part == WHOLE) {
          answer(c);
          ended = c->message.closes || c->message.part == WRONG || strstr(c->message.head, " HTTP/1.0\r\n") != NULL;
          message_begin(&c->message, 0);
        } else ended = c->message.part == WRONG;
      }
      if (ended) { close(c->fd); free(c); }
    }
  }
}
