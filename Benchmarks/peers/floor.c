/* The limit: what the kernel asks for the same bytes. Takes N loopback connections and sends each of them BYTES at
 * every flush, all in a burst, by one send call of one ready buffer. Nothing is decoded, encoded or chosen.
 *
 *   floor PORT CLIENTS BYTES FLUSHES_PER_SECOND [LEAD_SECONDS]
 *
 * A connection that can't take more is passed over. Ends when the first connection does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 5) { fprintf(stderr, "usage: floor PORT CLIENTS BYTES FLUSHES_PER_SECOND\n"); return 64; }
  int clients = atoi(argv[2]), one = 1;
  size_t bytes = (size_t)atof(argv[3]);
  double rate = atof(argv[4]);
  if (clients < 1 || bytes < 1 || rate <= 0) return 64;
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) { perror("listen"); return 2; }
  int *fds = calloc((size_t)clients, sizeof *fds);
  for (int i = 0; i < clients; i++) {
    fds[i] = accept(listener, NULL, NULL);
    if (fds[i] < 0) { perror("accept"); return 2; }
    setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  char *buffer = malloc(bytes);
  memset(buffer, 'x', bytes);
  double begin = seconds();
  for (unsigned long n = 1;; n++) {
    double wait = begin + (double)n / rate - seconds();
    if (wait > 0) {
      struct timespec t = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
      nanosleep(&t, NULL);
    }
    for (int i = 0; i < clients; i++)
      if (send(fds[i], buffer, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return 0;
  }
}
