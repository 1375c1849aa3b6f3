// Receiving and sending many datagrams with one system call, and the kernel's receive time stamps: what Swift can't
// say because of C's control message macros. A shim, nothing more. (namespaces.h: the part of the laboratory.)
#ifndef KABUTO_NETWORK_H
#define KABUTO_NETWORK_H

#include <stddef.h>
#include <stdint.h>

/// Most datagrams that one call receives or sends.
#define KABUTO_BATCH 64

/// One datagram of a batch.
typedef struct {
  /// Its bytes; the caller's.
  void *bytes;
  /// In: room (receiving) or bytes to send. Out: bytes received.
  uint32_t count;
  /// Out: non-zero where the datagram was longer than the room.
  uint32_t truncated;
  /// Out: when the kernel had it, nanoseconds since 1970; 0 = unknown.
  uint64_t received_at;
  /// Out: datagrams the kernel has dropped on this socket so far; 0 = not told.
  uint32_t dropped;
  /// Out: bytes of `sender` that were filled.
  uint32_t sender_count;
  /// Out: who sent it (struct sockaddr_storage).
  unsigned char sender[128];
} kabuto_datagram;

/// Receives up to `count` datagrams without waiting. Returns how many, or -1 with errno.
int kabuto_receive(int socket, kabuto_datagram *datagrams, int count);

/// Sends `count` datagrams to one address, or to the connected one where `to` is NULL. Returns how many, or -1 with
/// errno.
int kabuto_send(int socket, const kabuto_datagram *datagrams, int count, const void *to, uint32_t to_count);

/// Waits until one of the descriptors can be read, at most so long. Writes whether each can, into `ready`. Returns how
/// many can.
int kabuto_wait(const int *descriptors, unsigned char *ready, int count, uint64_t nanoseconds);

/// A descriptor that a thread can wait for and another can set (eventfd); -1 with errno.
int kabuto_event(void);

/// Waits until the event is set, or `other` can be read (`reading`) or written (`writing`), at most so long; takes the
/// event. `other` < 0: none. Returns 1 where `other` can be read or is broken, 2 where it can be written, both, or 0.
int kabuto_wait_event(int event, int other, int reading, int writing, uint64_t nanoseconds);

#endif
