#define _GNU_SOURCE
#include "network.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#ifndef SO_RXQ_OVFL
#define SO_RXQ_OVFL 40
#endif

int kabuto_receive(int socket, kabuto_datagram *datagrams, int count) {
  if (count > KABUTO_BATCH) count = KABUTO_BATCH;
  struct mmsghdr messages[KABUTO_BATCH];
  struct iovec parts[KABUTO_BATCH];
  char control[KABUTO_BATCH][128] __attribute__((aligned(8)));
  for (int i = 0; i < count; i++) {
    parts[i].iov_base = datagrams[i].bytes;
    parts[i].iov_len = datagrams[i].count;
    memset(&messages[i], 0, sizeof messages[i]);
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_control = control[i];
    messages[i].msg_hdr.msg_controllen = sizeof control[i];
    messages[i].msg_hdr.msg_name = datagrams[i].sender;
    messages[i].msg_hdr.msg_namelen = sizeof datagrams[i].sender;
  }
  int received;
  do {
    received = recvmmsg(socket, messages, (unsigned)count, MSG_DONTWAIT, NULL);
  } while (received < 0 && errno == EINTR);
  for (int i = 0; i < received; i++) {
    struct msghdr *head = &messages[i].msg_hdr;
    datagrams[i].count = messages[i].msg_len;
    datagrams[i].truncated = (head->msg_flags & MSG_TRUNC) != 0;
    datagrams[i].sender_count = head->msg_namelen;
    datagrams[i].received_at = 0;
    datagrams[i].dropped = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c != NULL; c = CMSG_NXTHDR(head, c)) {
      if (c->cmsg_level != SOL_SOCKET) continue;
      if (c->cmsg_type == SO_TIMESTAMPNS && c->cmsg_len >= CMSG_LEN(sizeof(struct timespec))) {
        struct timespec at;
        memcpy(&at, CMSG_DATA(c), sizeof at);
        datagrams[i].received_at = (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
      } else if (c->cmsg_type == SO_RXQ_OVFL && c->cmsg_len >= CMSG_LEN(sizeof(uint32_t))) {
        memcpy(&datagrams[i].dropped, CMSG_DATA(c), sizeof(uint32_t));
      }
    }
  }
  return received;
}

int kabuto_send(int socket, const kabuto_datagram *datagrams, int count, const void *to, uint32_t to_count) {
  if (count > KABUTO_BATCH) count = KABUTO_BATCH;
  struct mmsghdr messages[KABUTO_BATCH];
  struct iovec parts[KABUTO_BATCH];
  for (int i = 0; i < count; i++) {
    parts[i].iov_base = datagrams[i].bytes;
    parts[i].iov_len = datagrams[i].count;
    memset(&messages[i], 0, sizeof messages[i]);
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = (void *)to;
    messages[i].msg_hdr.msg_namelen = to_count;
  }
  int sent;
  do {
    sent = sendmmsg(socket, messages, (unsigned)count, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

int kabuto_wait(const int *descriptors, unsigned char *ready, int count, uint64_t nanoseconds) {
  if (count > KABUTO_BATCH) count = KABUTO_BATCH;
  struct pollfd entries[KABUTO_BATCH];
  for (int i = 0; i < count; i++) entries[i] = (struct pollfd){.fd = descriptors[i], .events = POLLIN};
  struct timespec limit = {
      .tv_sec = (time_t)(nanoseconds / 1000000000u), .tv_nsec = (long)(nanoseconds % 1000000000u)};
  int found = ppoll(entries, (nfds_t)count, &limit, NULL);
  for (int i = 0; i < count; i++) ready[i] = found > 0 && entries[i].revents != 0;
  return found;
}

int kabuto_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int kabuto_wait_event(int event, int other, int reading, int writing, uint64_t nanoseconds) {
  struct pollfd entries[2] = {
      {.fd = event, .events = POLLIN},
      {.fd = reading || writing ? other : -1,
       .events = (short)((reading ? POLLIN : 0) | (writing ? POLLOUT : 0))}};
  struct timespec limit = {
      .tv_sec = (time_t)(nanoseconds / 1000000000u), .tv_nsec = (long)(nanoseconds % 1000000000u)};
  if (ppoll(entries, 2, &limit, NULL) <= 0) return 0;
  if (entries[0].revents) {
    eventfd_t taken;
    eventfd_read(event, &taken);
  }
  int broken = entries[1].revents & (POLLERR | POLLHUP | POLLNVAL);
  return (entries[1].revents & POLLIN || broken ? 1 : 0) | (entries[1].revents & POLLOUT ? 2 : 0);
}
