#!/usr/bin/env python3
"""Order books from ITCH files beside other builders, in interleaved rounds: `kabuto digest` reads, checks, decodes, keeps
every level and order and writes its listener's records.

  kabuto         CPU of the whole run: reading the file, framing, checks, books, records
  cpp-map        our text-book C++ builder (peers/books.cpp): hash map of orders, std::map of levels; file in memory
  cpp-flat       the same with a vector by order number and sorted vectors of levels; file in memory
  nautilus       nautilus_trader's L3 OrderBook (Rust), many changes a Python call; ready objects, no decoding
  nautilus-call  the same, one Python call a change
  hftbacktest    its L3 market depth (Rust), one Python call an instrument; ready arrays, no decoding, two depths
  itchfeed       a decoder in Python alone, no books

Times are CPU time for each message of the file. Every builder's final books (all levels: price, shares and, where it
knows them, orders) must be equal to Kabuto's, else there is no ratio and the script fails. The peers in Python get the
file's first messages only (--short), and so do Kabuto and the C++ builders in that comparison.
"""
import argparse
import gzip
import hashlib
import json
import os
import subprocess
import sys

import bench

SCRIPTS = {
    "nautilus": ("nautilus_trader", ["nautilus_books.py", "batch"]),
    "nautilus-call": ("nautilus_trader", ["nautilus_books.py", "single"]),
    "hftbacktest": ("hftbacktest", ["hftbacktest_books.py"]),
    "itchfeed": ("itch", ["itchfeed_decode.py"]),
}
BUILDERS = ["kabuto", "cpp-map", "cpp-flat"]


def python():
    own = os.path.join(bench.VENV, "bin", "python")
    return own if os.path.exists(own) else sys.executable


def available(peer):
    if peer in BUILDERS:
        return True
    found = subprocess.run([python(), "-c", f"import {SCRIPTS[peer][0]}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return found.returncode == 0


def run(a, peer, path, out):
    """What the builder says of its run; its final books are in `out`."""
    if peer == "kabuto":
        command = [a.kabuto, "digest", "--json", "--books", out, path]
    elif peer in BUILDERS:
        command = [bench.tool("peers/books.cpp"), peer[4:], path, out]
    else:
        script, *mode = SCRIPTS[peer][1]
        command = [python(), os.path.join(bench.HERE, "peers", script), *mode, path] + ([] if peer == "itchfeed" else [out])
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == 3 and peer == "cpp-flat":
        return None
    if done.returncode != 0:
        raise SystemExit(f"{peer} ended with status {done.returncode} on {path}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def differences(own, other):
    """How many rows differ; a builder that doesn't count orders writes 0 of them."""
    with open(own) as one, open(other) as two:
        mine, theirs = one.read().split("\n"), two.read().split("\n")
    if mine == theirs:
        return 0
    if len(mine) != len(theirs):
        return abs(len(mine) - len(theirs))
    wrong = 0
    for a, b in zip(mine, theirs):
        wrong += a != b and not (b.endswith(",0") and a.rsplit(",", 1)[0] == b.rsplit(",", 1)[0])
    return wrong


def beginning(path, messages):
    """A file of the first messages of another; the file itself where it has no more."""
    with open(path, "rb") as file:
        data = file.read(messages * 52)
    at = count = 0
    while count < messages and at + 2 < len(data):
        at += 2 + (data[at] << 8 | data[at + 1])
        count += 1
    if at >= os.path.getsize(path):
        return path
    short = os.path.join(bench.folder(), f"{messages}-{os.path.basename(path)}")
    with open(short, "wb") as out:
        out.write(data[:at])
    return short


def files(a):
    """(name, path) of the files that are measured."""
    found = []
    if a.file:
        return [(os.path.basename(path), path) for path in a.file]
    real = os.path.join(os.environ.get("KABUTO_TESTDATA", os.path.join(bench.ROOT, "..", "shared", "data")), "itch", "goog-2012-06-21.itch.gz")
    if os.path.exists(real):
        path = os.path.join(bench.folder(), "real.itch")
        with gzip.open(real) as source, open(path, "wb") as out:
            out.write(source.read())
        found.append(("real day, 1 instrument", path))
    else:
        bench.say(f"{real}: not there, the real day is left out")
    path = os.path.join(bench.folder(), "simulated.itch")
    subprocess.run([a.kabuto, "simulate", "--out", path, "--seed", "3", "--instruments", str(a.instruments), "--messages", str(a.messages)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found.append((f"simulated day, {a.instruments} instruments", path))
    if not a.tiny:
        path = os.path.join(bench.folder(), "mix.itch")
        subprocess.run([bench.tool("mix.swift"), path, str(a.messages), str(a.instruments)], check=True, stdout=subprocess.DEVNULL)
        found.append((f"busy mix, {a.instruments} instruments", path))
    return found


def compare(a, name, path, peers, rounds):
    """Interleaved rounds of some builders over one file."""
    runs, wrong, books = {}, {}, {}
    for number in range(rounds):
        for peer in peers:
            out = os.path.join(bench.folder(), f"{peer}.csv")
            one = run(a, peer, path, out)
            if one is None:
                bench.say(f"{name}, {peer}: order numbers are too sparse for its vector, left out")
                continue
            runs.setdefault(peer, []).append(one)
            if peer == "itchfeed":
                continue
            books[peer] = hashlib.sha256(open(out, "rb").read()).hexdigest()[:16]
            wrong[peer] = wrong.get(peer, 0) + differences(os.path.join(bench.folder(), "kabuto.csv"), out)
            bench.say(f"round {number + 1}, {name}, {peer}: {runs[peer][-1]['ns_per_message']:.1f} ns a message")
    own = bench.middle([one["ns_per_message"] for one in runs["kabuto"]])
    rows, failed = [], False
    for peer, found in runs.items():
        figures = [one["ns_per_message"] for one in found]
        messages = {one["messages"] for one in found} | {runs["kabuto"][0]["messages"]}
        equal = len(messages) == 1 and not wrong.get(peer, 0)
        failed |= not equal
        middle = bench.middle(figures)
        line = {
            "file": name, "peer": peer, "messages": found[0]["messages"], "live_orders": found[0].get("live_orders"),
            "ns_per_message": middle, "messages_per_cpu_s": 1e9 / middle, "times_kabuto": middle / own if equal else None,
            "spread_ns": [round(x, 1) for x in bench.spread(figures)], "rounds": len(figures), "books": books.get(peer),
            "equal": equal, "wrong_levels": wrong.get(peer), "peak_mb": max(one["peak_memory_bytes"] for one in found) / 1e6,
        }
        if peer == "kabuto":
            digests = {one["digest"] for one in found}
            line["digest"] = digests.pop()
            failed |= bool(digests)
        bench.emit(bench.rounded(line))
        rows.append([name, found[0]["messages"], peer, middle, " – ".join(bench.short(x) for x in bench.spread(figures)),
                     None if peer == "kabuto" else line["times_kabuto"], line["peak_mb"],
                     "decoder only" if peer == "itchfeed" else "equal" if equal else "DIFFERENT"])
    return rows, failed


def main():
    p = bench.parser(__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--messages", type=int, default=20_000_000)
    p.add_argument("--instruments", type=int, default=4000)
    p.add_argument("--short", type=int, default=1_000_000, help="messages for the peers in Python")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--peers", default=",".join([*BUILDERS, *SCRIPTS]))
    p.add_argument("--file", action="append", help="this ITCH file instead; may be repeated")
    p.add_argument("--quick", action="store_true", help="a million messages, one round")
    p.add_argument("--tiny", action="store_true", help="20,000 messages of 40 instruments, one round: a test that all of it works")
    a = p.parse_args()
    if a.quick:
        a.messages, a.short, a.rounds = 1_000_000, 100_000, 1
    if a.tiny:
        a.messages, a.instruments, a.short, a.rounds = 20_000, 40, 10_000, 1
    a.kabuto = os.path.abspath(a.kabuto)
    wanted = ["kabuto"]
    for peer in a.peers.split(","):
        if peer in wanted:
            continue
        if peer not in BUILDERS and peer not in SCRIPTS:
            raise SystemExit(f"--peers: \"{peer}\" found, wanted some of {', '.join([*BUILDERS, *SCRIPTS])}")
        if available(peer):
            wanted.append(peer)
        else:
            bench.say(f"{peer}: not installed, left out")
    bench.emit({"benchmark": "books", **bench.machine()})
    rows, failed = [], False
    for name, path in files(a):
        short = beginning(path, a.short)
        plain = [peer for peer in wanted if peer in BUILDERS]
        if short == path:
            plain = wanted
        parts = [(name, path, plain)]
        if short != path and len(plain) < len(wanted):
            parts.append((f"{name}, its beginning", short, wanted))
        for part in parts:
            more, bad = compare(a, *part, a.rounds)
            rows += more
            failed |= bad
    print()
    bench.table(["file", "messages", "builder", "ns of CPU a message", "spread", "× Kabuto", "peak MB", "final books"], rows)
    if failed:
        raise SystemExit("final books differ: no ratio")


if __name__ == "__main__":
    main()
