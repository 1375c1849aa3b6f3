// Network namespaces, TAP devices and processes within them: what Swift can't do because it must happen on one thread
// (setns) or between fork and exec. For the laboratory. A shim, nothing more.
#ifndef KABUTO_NAMESPACES_H
#define KABUTO_NAMESPACES_H

#include <stdint.h>

/// Opens a TAP device of that name, made in the network namespace of that file (NULL: the caller's), without blocking.
/// The device lives as long as the descriptor is open. Returns the descriptor, or -1 with errno.
int kabuto_open_tap(const char *namespace_file, const char *name);

/// Makes a network namespace and binds it to that (empty, existing) file. The caller's own stays. Returns 0, or -1 with
/// errno.
int kabuto_make_namespace(const char *namespace_file);

/// Lets go of the namespace bound to that file, also where processes still use it. Returns 0, or -1 with errno.
int kabuto_release_namespace(const char *namespace_file);

/// Writes a setting (such as /proc/sys/net/ipv4/ip_forward) within a network namespace. Returns 0, or -1 with errno.
int kabuto_write_setting(const char *namespace_file, const char *path, const char *value);

/// Opens a socket in a network namespace (it stays in it), without blocking; `type` is SOCK_STREAM or SOCK_DGRAM. Returns
/// the descriptor, or -1 with errno.
int kabuto_open_socket(const char *namespace_file, int type);

/// Starts a program in a session of its own. `namespace_file` and `folder` may be NULL. The descriptors become its
/// standard input, output and error; no other one is passed on. Returns the process's id, or -1 with errno (also when the
/// program could not be executed).
int kabuto_spawn(const char *namespace_file, const char *folder, const char *const *arguments,
                   const char *const *environment, int input, int output, int error);

/// Lets the calling thread go before all ordinary ones (SCHED_FIFO), and wake without slack. Returns 0, or -1 with errno.
int kabuto_run_first(int priority);

/// Lets a process that has one thread go before all ordinary ones, with the threads that it starts later. Returns 0, or -1
/// with errno.
int kabuto_let_first(int process, int priority);

#endif
