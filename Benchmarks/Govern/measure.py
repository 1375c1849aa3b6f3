"""One command, its processor time, wall time and memory, those of all its children included, as the kernel counts them."""
import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time


class Done:
    def __init__(self, status, ended, cpu, wall, resident, out, err):
        self.status, self.ended, self.cpu, self.wall, self.resident_bytes, self.out, self.err = status, ended, cpu, wall, resident, out, err

    def figures(self):
        return {"cpu_s": self.cpu, "wall_s": self.wall, "resident_mib": self.resident_bytes / 2**20}


# A process that was just made is as large as the one that made it, and the kernel's highest mark keeps that over exec. So a small
# one stands between: it makes the command, says its number, and at its end what it took.
LAUNCHER = """
import os, resource, sys
tell, mebibytes = int(sys.argv[1]), int(sys.argv[2])
pid = os.fork()
if pid == 0:
    os.close(tell)
    os.setsid()
    if mebibytes:
        resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))
    os.execvp(sys.argv[3], sys.argv[3:])
os.write(tell, b"%d\\n" % pid)
_, status, usage = os.wait4(pid, 0)
os.write(tell, b"%d %d %d\\n" % (status, 1e6 * (usage.ru_utime + usage.ru_stime), usage.ru_maxrss))
"""


def run(command, seconds=None, mebibytes=None, environment=None, folder=None, feed=None):
    """Runs to the end, or until time (then `ended` is "time") or memory (the process dies of it) are up.

    `feed` runs beside it in a thread, with the command's standard input and a function that gives what the command said on
    standard error so far (EOFError once it has ended); what goes wrong in it is raised here."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin, ended = time.monotonic(), "itself"
        told, tell = os.pipe()
        process = subprocess.Popen([sys.executable, "-S", "-c", LAUNCHER, str(tell), str(mebibytes or 0), *command], stdout=out, stderr=err,
                                   stdin=subprocess.PIPE if feed else subprocess.DEVNULL, pass_fds=[tell], env=environment, cwd=folder)
        os.close(tell)
        over, faults = threading.Event(), []

        def said():
            if over.is_set():
                raise EOFError("the command ended")
            return os.pread(err.fileno(), 1 << 20, 0).decode("utf-8", "replace")

        def body():
            try:
                feed(process.stdin, said)
            except Exception as fault:
                faults.append(fault)
            with contextlib.suppress(OSError):
                process.stdin.close()

        feeder = threading.Thread(target=body, daemon=True)
        if feed:
            feeder.start()
        with os.fdopen(told, "rb") as told:
            pid = int(told.readline())

            def kill():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)

            try:
                while not select.select([told], [], [], 0.2)[0]:
                    if seconds and time.monotonic() - begin > seconds:
                        ended = "time"
                        kill()
            except BaseException:
                kill()
                raise
            wall = time.monotonic() - begin
            status, microseconds, kibibytes = (int(word) for word in told.readline().split())
        process.wait()
        over.set()
        if feed:
            feeder.join()
        out.seek(0)
        err.seek(0)
        done = Done(os.waitstatus_to_exitcode(status), ended, microseconds / 1e6, wall, kibibytes * 1024,
                    out.read().decode("utf-8", "replace"), err.read().decode("utf-8", "replace"))
    if faults:
        raise RuntimeError(f"{command[0]} (status {done.status}) couldn't be fed: {faults[0]!r}: {done.err[-1000:]}") from faults[0]
    return done
