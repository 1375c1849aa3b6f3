"""What the benchmarks share: tools compiled on demand, processes that always end, CPU time, tables.

All traffic goes to 127.0.0.1. CPU time is the kernel's count of nanoseconds a process ran (its CPU clock), not wall
time: figures stay comparable while other work runs on the machine, though caches and the other core's load still tell.
"""
import argparse
import atexit
import ctypes
import glob
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
TOOLS = os.environ.get("KABUTO_BENCH_TOOLS", os.path.join(ROOT, ".build-bench"))
VENV = os.path.join(ROOT, ".venv-bench")

_folder = None
_running = []


def _results():
    """Every script takes `--results FOLDER` (or KABUTO_BENCH_RESULTS): its JSON lines are appended there, for plots.py."""
    if "--results" in sys.argv[1:-1]:
        place = sys.argv.index("--results")
        folder = sys.argv[place + 1]
        del sys.argv[place:place + 2]
    else:
        folder = os.environ.get("KABUTO_BENCH_RESULTS")
    if not folder:
        return None
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, os.path.splitext(os.path.basename(sys.argv[0]))[0] + ".jsonl")


RESULTS = _results()


def parser(text, **more):
    """A script's command line; `--results` is taken out of it before it is read."""
    made = argparse.ArgumentParser(description=text, **more)
    made.add_argument("--results", metavar="FOLDER", help="append the JSON lines to a file there (also KABUTO_BENCH_RESULTS)")
    return made


def emit(line):
    """Prints a JSON line, and appends it to the results. The line with "benchmark" is a run's first."""
    text = json.dumps(line)
    print(text, flush=True)
    if RESULTS:
        with open(RESULTS, "a") as out:
            out.write(text + "\n")


def folder():
    """A folder that goes when the benchmark does."""
    global _folder
    if _folder is None:
        _folder = tempfile.mkdtemp(prefix="kabuto-bench-")
        atexit.register(shutil.rmtree, _folder, True)
    return _folder


def say(text):
    print(text, file=sys.stderr, flush=True)


COMPILERS = {
    ".c": ["gcc", "-O2"],
    ".cpp": ["g++", "-std=c++17", "-O3", "-march=native"],
    ".swift": ["swiftc", "-O"],
}


def tool(source, *libraries):
    """Compiles Benchmarks/SOURCE where it has changed; the program's path."""
    path = os.path.join(HERE, source)
    base, ending = os.path.splitext(os.path.basename(source))
    program = os.path.join(TOOLS, base)
    if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(path):
        os.makedirs(TOOLS, exist_ok=True)
        subprocess.run([*COMPILERS[ending], "-o", program + ".part", path, *libraries], check=True)
        os.replace(program + ".part", program)
    return program


def loadclient():
    return tool("loadclient.c", "-lm")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(command, **more):
    process = subprocess.Popen(command, **more)
    _running.append(process)
    return process


def end(process, patience=15):
    if process in _running:
        _running.remove(process)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


@atexit.register
def _end_all():
    for process in list(_running):
        end(process, 3)


def _signalled(number, _frame):
    sys.exit(128 + number)


signal.signal(signal.SIGTERM, _signalled)

_libc = ctypes.CDLL(None, use_errno=True)


def cpu_seconds(pid):
    """The process's CPU time, all threads, to the nanosecond."""
    clock = ctypes.c_int()
    if _libc.clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise ProcessLookupError(pid)
    return time.clock_gettime(clock.value)


def resident_bytes(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return 0


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return json.load(answer)


class Kabuto:
    """`kabuto serve` on a free port, without the firewall before it: what is measured is the gateway."""

    def __init__(self, program, *feeds, options=(), log="error"):
        self.port = free_port()
        command = [program, "serve", "--listen", f"127.0.0.1:{self.port}", "--log-level", log, "--firewall", "off", *options]
        for feed in feeds:
            command += ["--feed", feed]
        self.begin = time.monotonic()
        self.process = start(command, stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"kabuto ended with status {self.process.returncode}")
            try:
                if self.get("/health/ready")["status"] == "ready":
                    break
            except OSError:
                pass
            if time.monotonic() - self.begin > 60:
                raise SystemExit("kabuto did not become ready")
            time.sleep(0.02)

    def get(self, path):
        return get(self.port, path)

    def status(self):
        return self.get("/v1/status")

    def end(self):
        return end(self.process)


def market_file(instruments, phases, seed=1, name=None):
    """An ITCH file whose every message after the opening changes a best quote; `phases` as `itchgen` takes them."""
    path = os.path.join(folder(), name or f"market-{instruments}-{phases.replace(':', '_').replace(',', '-')}-{seed}.itch")
    if not os.path.exists(path):
        subprocess.run(
            [tool("itchgen.c"), path, str(instruments), str(seed), phases], check=True, stderr=subprocess.DEVNULL)
    return path


def names_file(instruments):
    path = os.path.join(folder(), f"names-{instruments}")
    if not os.path.exists(path):
        with open(path, "w") as out:
            out.writelines(f"{1000 + number}\n" for number in range(instruments))
    return path


def load(port, clients, *arguments, background=False):
    """Runs the load client to its end; what it measured."""
    command = [loadclient(), "--port", str(port), "--clients", str(clients), *map(str, arguments)]
    process = start(command, stdout=subprocess.PIPE, text=True)
    return process if background else loaded(process)


def loaded(process):
    text, _ = process.communicate()
    if process in _running:
        _running.remove(process)
    if process.returncode != 0:
        raise SystemExit(f"the load client ended with status {process.returncode}")
    return json.loads(text)


def socketify_library():
    """uWebSockets as the PyPI package socketify carries it; None where it isn't installed."""
    found = glob.glob(os.path.join(VENV, "lib/python3*/site-packages/socketify/libsocketify_linux_amd64.so"))
    if not found:
        return None
    try:
        ctypes.CDLL(found[0])
    except OSError:
        return None
    return found[0]


def middle(values):
    return statistics.median(values)


def spread(values):
    return [min(values), max(values)]


def machine():
    """What the figures were taken on, and what else was running."""
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return {"cpu": model, "cores": os.cpu_count(), "load": [round(x, 2) for x in os.getloadavg()]}


def rounded(value):
    if isinstance(value, float):
        return round(value, 4 if abs(value) < 10 else 1)
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return value


def short(value):
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def table(heads, rows, out=sys.stdout):
    """A Markdown table."""
    cells = [[short(cell) for cell in row] for row in rows]
    widths = [max(len(str(line[i])) for line in [heads, *cells]) for i in range(len(heads))]
    for number, line in enumerate([heads, *cells]):
        print("| " + " | ".join(str(c).ljust(w) for c, w in zip(line, widths)) + " |", file=out)
        if number == 0:
            print("| " + " | ".join("-" * w for w in widths) + " |", file=out)
    out.flush()
