#!/usr/bin/env python3
"""A soak: the simulated market for half an hour with a few hundred clients, some of which come and go. Nothing may grow
and nothing may be lost. Not part of `make bench` nor of continuous integration.

    soak.py [--minutes 30] [--clients 300] [--speed 60] [--out soak.json] [--plot soak.png]

Each ten seconds: resident memory, descriptors, what the feed, the loops and the store count as lost, gone or stuck. A
client of its own checks that trades come in order, each once. After the warm-up (a third of the time) a line is fitted
to memory and descriptors; the verdict is about what it rises in the rest. Tables grow to the size of the first day: a
run whose warm-up is shorter than a day of the market (about seven minutes at speed 60) doesn't judge memory.
"""
import json
import os
import shutil
import tempfile
import threading
import time
import urllib.request

import bench

SAMPLE_SECONDS = 10
DAY_SECONDS = 7 * 3600  # of the simulated market, from a minute before the open; stretches without messages are cut
# What a fitted line may rise over the judged time: noise of the allocator, not a leak.
MEMORY_SHARE, MEMORY_BYTES, DESCRIPTORS = 0.03, 4 << 20, 4


class Trades(threading.Thread):
    """Follows every trade of the market as server-sent events; comes back with Last-Event-ID when it is cut."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.seen, self.faults, self.cuts, self.inexact, self.dropped = 0, [], 0, 0, 0
        self.last, self.id, self.ends = {}, None, False

    def run(self):
        try:
            self.follow()
        except Exception as error:  # whatever it is: a watcher that is gone has found nothing
            self.faults.append(f"the watcher ended: {error!r}")

    def follow(self):
        while not self.ends:
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.port}/v1/events?channel=trades&instruments=*&interval=100",
                headers={"Last-Event-ID": self.id} if self.id else {})
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    opened = time.monotonic()
                    for row in answer:
                        if row.startswith(b"id: "):
                            self.id = row[4:].decode().strip()
                        elif row.startswith(b"data: "):
                            for event in json.loads(row[6:]):
                                self.take(event)
                            # It comes back each minute by itself: resuming is part of what is tried.
                            if time.monotonic() - opened > 60 or self.ends:
                                break
            except OSError as error:
                self.cuts += 1
                if not self.ends:
                    self.faults.append(f"cut: {error}")
                    time.sleep(0.5)

    def take(self, event):
        if event["type"] == "resumed" and event["mode"] != "exact":
            self.inexact += 1
        if event.get("channel") != "trades":
            return
        # More than 128 trades of one instrument between two frames (an auction): told, as documented.
        self.dropped += event.get("dropped") or 0
        if event["type"] == "snapshot":
            newest = event["trades"][0]["seq"] if event["trades"] else 0
            self.last[event["instrument"]] = (event["epoch"], newest)
        elif event["type"] == "update" and "broke" not in event:
            self.seen += 1
            epoch, before = self.last.get(event["instrument"], ("", 0))
            now = event.get("epoch", epoch)
            if epoch == now and event["seq"] <= before:
                self.faults.append(f"{event['instrument']}: {event['seq']} after {before}")
            self.last[event["instrument"]] = (now, event["seq"])


def slope(points):
    """Rise of the fitted line from the first to the last point."""
    if len(points) < 3:
        return 0.0
    n = len(points)
    mx = sum(x for x, _ in points) / n
    my = sum(y for _, y in points) / n
    spread = sum((x - mx) ** 2 for x, _ in points)
    return sum((x - mx) * (y - my) for x, y in points) / spread * (points[-1][0] - points[0][0])


def sample(server, begin, trades):
    status = server.status()
    source, store = status["sources"][0], status["store"]
    return {
        "second": round(time.monotonic() - begin, 1), "resident_bytes": bench.resident_bytes(server.pid),
        "descriptors": bench.descriptors(server.pid), "cpu_s": round(bench.cpu_seconds(server.pid), 2),
        "clients": sum(loop["clients"] for loop in status["loops"]), "epoch": source["epoch"], "seq": source["seq"],
        "state": source["state"], "messages": source["messages"], "lost": source["lost"],
        "stuck": sum(loop["stuck"] for loop in status["loops"]),
        "delivered": sum(loop["delivered"] for loop in status["loops"]), "refused": status["connections"]["refused"],
        "store": store["state"], "rows_written": store["rows_written"], "rows_lost": store["rows_lost"],
        "trades_seen": trades.seen, "trade_faults": len(trades.faults),
    }


def plot(samples, path, judged):
    try:
        import matplotlib
    except ImportError:
        bench.say("matplotlib isn't installed: no plot")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, sharex=True, figsize=(9, 5), layout="constrained")
    minutes = [s["second"] / 60 for s in samples]
    axes[0].plot(minutes, [s["resident_bytes"] / 1e6 for s in samples])
    axes[0].set_ylabel("resident, MB")
    axes[0].set_ylim(bottom=0)
    axes[1].plot(minutes, [s["descriptors"] for s in samples], label="descriptors")
    axes[1].plot(minutes, [s["clients"] for s in samples], label="clients")
    axes[1].set_ylim(bottom=0)
    axes[1].legend()
    axes[1].set_xlabel("minutes")
    for axis in axes:
        axis.axvspan(0, judged / 60, alpha=0.1, label="warm-up")
    figure.savefig(path)


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--clients", type=int, default=300, help="that stay; a tenth as many come and go")
    p.add_argument("--instruments", type=int, default=400)
    p.add_argument("--speed", type=int, default=60)
    p.add_argument("--out")
    p.add_argument("--plot")
    a = p.parse_args()
    seconds = a.minutes * 60
    data = tempfile.mkdtemp(prefix="kabuto-soak-")
    server = bench.Kabuto(
        a.kabuto, f"sim:seed=1&instruments={a.instruments}&speed={a.speed}", options=("--data", data))
    try:
        names = os.path.join(bench.folder(), "soak-names")
        with open(names, "w") as out:
            for line in server.get("/v1/instruments?limit=10000")["instruments"]:
                out.write(line["instrument"] + "\n")
        trades = Trades(server.port)
        trades.start()
        begin = time.monotonic()
        stay = bench.load(
            server.port, a.clients, "--names", names, "--wanted", 20, "--interval", 50, "--warm", 2, "--seconds",
            seconds, background=True)
        samples, came, cut, seed = [], 0, 0, 0
        guests = None
        while time.monotonic() - begin < seconds:
            if guests is None or guests.poll() is not None:
                if guests is not None:
                    result = bench.loaded(guests)
                    cut += result["closed"]
                    came += max(1, a.clients // 10)
                seed += 1
                guests = bench.load(
                    server.port, max(1, a.clients // 10), "--names", names, "--wanted", 50, "--interval", seed % 2 * 100,
                    "--seed", seed, "--warm", 0, "--seconds", 5 + seed % 7, background=True)
            if not samples or time.monotonic() - begin >= len(samples) * SAMPLE_SECONDS:
                samples.append(sample(server, begin, trades))
                bench.say(json.dumps(samples[-1]))
            time.sleep(0.2)
        trades.ends = True
        if guests.poll() is None:
            bench.end(guests)
        steady = bench.loaded(stay)
        trades.join(70)
        last = sample(server, begin, trades)
    finally:
        status = server.end()
        shutil.rmtree(data, ignore_errors=True)
    warm = seconds / 3
    judged = [s for s in samples if s["second"] >= warm]
    memory = slope([(s["second"], s["resident_bytes"]) for s in judged])
    handles = slope([(s["second"], s["descriptors"]) for s in judged])
    mean = sum(s["resident_bytes"] for s in judged) / max(1, len(judged))
    judges_memory = warm >= DAY_SECONDS / a.speed
    found = {
        "memory grew": judges_memory and memory > max(MEMORY_BYTES, MEMORY_SHARE * mean),
        "descriptors grew": handles > DESCRIPTORS,
        "messages were lost": last["lost"] > 0,
        "rows were lost": last["rows_lost"] > 0,
        "the store failed": any(s["store"] != "ok" for s in samples),
        "the feed was not live": any(s["state"] not in ("live", "ended", "recovering") for s in samples),
        "clients were stuck": last["stuck"] > 0,
        "clients were closed": steady["closed"] + cut > 0,
        "connections were refused": last["refused"] > 0,
        "trades were wrong": bool(trades.faults),
        "the server ended badly": status != 0,
    }
    result = {
        "benchmark": "soak", **bench.machine(), "minutes": a.minutes, "clients": a.clients, "came_and_went": came,
        "memory_judged": judges_memory, "memory_rise_mb": round(memory / 1e6, 2), "mean_resident_mb": round(mean / 1e6, 1),
        "descriptors_rise": round(handles, 1), "messages": last["messages"], "trades_checked": trades.seen,
        "resumes_not_exact": trades.inexact, "trades_dropped_and_told": trades.dropped, "delivered": last["delivered"], "trade_faults": trades.faults[:10],
        "failed": [name for name, is_so in found.items() if is_so], "verdict": "failed" if any(found.values()) else "passed",
    }
    if a.out:
        with open(a.out, "w") as out:
            json.dump({**result, "samples": samples}, out, indent=1)
    if a.plot:
        plot(samples, a.plot, warm)
    bench.emit(result)
    raise SystemExit(0 if result["verdict"] == "passed" else 1)


if __name__ == "__main__":
    main()
