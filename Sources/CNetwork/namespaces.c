#define _GNU_SOURCE
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// Enters a namespace; returns a descriptor of the one before, or -1.
static int enter(const char *file) {
  int before = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (before < 0) return -1;
  int wanted = open(file, O_RDONLY | O_CLOEXEC);
  if (wanted < 0 || setns(wanted, CLONE_NEWNET) != 0) {
    int reason = errno;
    if (wanted >= 0) close(wanted);
    close(before);
    errno = reason;
    return -1;
  }
  close(wanted);
  return before;
}

// Goes back. A thread that can't must not go on in a strange namespace.
static void leave(int before) {
  if (setns(before, CLONE_NEWNET) != 0) _exit(70);
  close(before);
}

int kabuto_open_tap(const char *file, const char *name) {
  if (strlen(name) >= IFNAMSIZ) {
    errno = ENAMETOOLONG;
    return -1;
  }
  int before = -1;
  if (file != NULL && (before = enter(file)) < 0) return -1;
  int reason = 0;
  int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tap < 0) {
    reason = errno;
  } else {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(tap, TUNSETIFF, &request) != 0) {
      reason = errno;
      close(tap);
      tap = -1;
    }
  }
  if (before >= 0) leave(before);
  errno = reason;
  return tap;
}

int kabuto_make_namespace(const char *file) {
  int before = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (before < 0) return -1;
  if (unshare(CLONE_NEWNET) != 0) {
    int reason = errno;
    close(before);
    errno = reason;
    return -1;
  }
  int result = mount("/proc/thread-self/ns/net", file, "none", MS_BIND, NULL);
  int reason = errno;
  leave(before);
  errno = reason;
  return result;
}

int kabuto_release_namespace(const char *file) { return umount2(file, MNT_DETACH); }

int kabuto_write_setting(const char *file, const char *path, const char *value) {
  int before = enter(file);
  if (before < 0) return -1;
  int result = -1;
  int reason = 0;
  int setting = open(path, O_WRONLY | O_CLOEXEC);
  if (setting < 0) {
    reason = errno;
  } else {
    ssize_t length = (ssize_t)strlen(value);
    if (write(setting, value, (size_t)length) == length) result = 0;
    else reason = errno;
    close(setting);
  }
  leave(before);
  errno = reason;
  return result;
}

int kabuto_open_socket(const char *file, int type) {
  int before = enter(file);
  if (before < 0) return -1;
  int result = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int reason = errno;
  leave(before);
  errno = reason;
  return result;
}

int kabuto_spawn(const char *file, const char *folder, const char *const *arguments,
                   const char *const *environment, int input, int output, int error) {
  int namespace = -1;
  if (file != NULL && (namespace = open(file, O_RDONLY | O_CLOEXEC)) < 0) return -1;
  int told[2];
  if (pipe2(told, O_CLOEXEC) != 0) {
    int reason = errno;
    if (namespace >= 0) close(namespace);
    errno = reason;
    return -1;
  }
  // No handler of ours may run in the child before it is another program.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  // Not fork: copying the memory of a process that carries frames would stop the carrying thread for its time.
  pid_t child = vfork();
  if (child == 0) {
    // Memory is the parent's until exec: only system calls, and nothing of the parent's is written.
    int tell = told[1];
    for (int number = 1; number < 32; number++) {
      if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    int fine = setsid() >= 0 && (namespace < 0 || setns(namespace, CLONE_NEWNET) == 0) &&
               (folder == NULL || chdir(folder) == 0) && dup2(input, 0) >= 0 && dup2(output, 1) >= 0 &&
               dup2(error, 2) >= 0;
    if (fine) {
      // The pipe goes to number 3, so that all above can be closed at once.
      if (tell != 3) {
        dup2(tell, 3);
        fcntl(3, F_SETFD, FD_CLOEXEC);
      }
      syscall(SYS_close_range, 4u, ~0u, 0u);
      execve(arguments[0], (char *const *)arguments, (char *const *)environment);
      tell = 3;
    }
    int why = errno;
    if (write(tell, &why, sizeof why) < 0) {
    }
    _exit(127);
  }
  int reason = child < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  close(told[1]);
  if (namespace >= 0) close(namespace);
  if (child > 0) {
    ssize_t count;
    do {
      count = read(told[0], &reason, sizeof reason);
    } while (count < 0 && errno == EINTR);
    if (count == (ssize_t)sizeof reason) {
      waitpid(child, NULL, 0);
      child = -1;
    }
  }
  close(told[0]);
  if (child < 0) errno = reason;
  return child;
}

int kabuto_run_first(int priority) {
  prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
  struct sched_param wanted = {.sched_priority = priority};
  return sched_setscheduler(0, SCHED_FIFO, &wanted);
}

int kabuto_let_first(int process, int priority) {
  struct sched_param wanted = {.sched_priority = priority};
  return sched_setscheduler(process, SCHED_RR, &wanted);
}
