"""One command, its processor time, wall time and memory, those of all its children included, as the kernel counts them."""
import contextlib
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time


class Done:
    def __init__(self, status, ended, cpu, wall, resident, out, err):
        self.status, self.ended, self.cpu, self.wall, self.resident_bytes, self.out, self.err = status, ended, cpu, wall, resident, out, err

    def figures(self):
        return {"cpu_s": self.cpu, "wall_s": self.wall, "resident_mib": self.resident_bytes / 2**20}


def run(command, seconds=None, mebibytes=None, environment=None, folder=None, feed=None):
    """Runs to the end, or until time (then `ended` is "time") or memory (the process dies of it) are up.

    `feed` runs beside it in a thread, with the command's standard input and a function that gives what the command said on
    standard error so far (EOFError once it has ended); what goes wrong in it is raised here."""
    def limit():
        os.setsid()
        if mebibytes:
            resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin, ended = time.monotonic(), "itself"
        process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.PIPE if feed else subprocess.DEVNULL, preexec_fn=limit, env=environment,
                                   cwd=folder)
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
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if seconds and time.monotonic() - begin > seconds and ended == "itself":
                    ended = "time"
                    os.killpg(process.pid, signal.SIGKILL)
                time.sleep(0.005)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - begin
        over.set()
        if feed:
            feeder.join()
        out.seek(0)
        err.seek(0)
        done = Done(process.returncode, ended, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024,
                    out.read().decode("utf-8", "replace"), err.read().decode("utf-8", "replace"))
    if faults:
        raise RuntimeError(f"{command[0]} (status {done.status}) couldn't be fed: {faults[0]!r}: {done.err[-1000:]}") from faults[0]
    return done
