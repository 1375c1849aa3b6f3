#!/usr/bin/env python3
"""How the firewall's cost grows, beside nginx with libmodsecurity: with the rules (the Core Rule Set once, twice, four
times, every copy with other numbers, words, variables and transformations, so that nothing can be shared), with the
body's size, with reloads of the rules (memory after each, and requests lost meanwhile) and with idle connections."""
import os
import random
import resource
import subprocess
import sys
import time
import urllib.parse

import bench

sys.path.insert(0, os.path.join(bench.HERE, "Firewall"))

import corpora
import rulesets
import servers

PARTS = ("rules", "bodies", "reloads", "idle")


def made(a, name, backend, **more):
    kind, examined = a.found[name]
    if kind is servers.Kabuto:
        more.update(program=a.kabuto, options=a.options.split())
    return kind(backend.port, rules=examined or None, **more)


def cpu_us(server, path, seconds, connections=16):
    before = server.cpu()
    done = servers.client("--port", server.port, "--requests", path, "--connections", connections, "--seconds", seconds)
    if done["errors"]:
        raise SystemExit(f"{server.name}: {done['errors']} requests without an answer")
    odd = {status for case in done["cases"].values() for status in case["statuses"]} - {"200", "403"}
    if odd:
        raise SystemExit(f"{server.name}: status {', '.join(sorted(odd))}")
    return (server.cpu() - before) / max(1, done["answers"]) * 1e6


def settled(server, patience=60):
    """Waits until a server that was told something is done with it: it hardly uses its processor any more."""
    begin, before = time.monotonic(), server.cpu()
    while time.monotonic() - begin < patience:
        time.sleep(0.05)
        now = server.cpu()
        if abs(now - before) < 0.003 and time.monotonic() - begin > 0.15:
            return
        before = now
    raise SystemExit(f"{server.name} was still busy after {patience} seconds")


def rules(a, backend):
    cases = ("get", "quotes", "form", "json", "attack")
    files = {case: servers.prepared(corpora.mix(20 if a.quick else 100, 1, [case]), case) for case in cases}
    found, memory = {}, {}
    folder = servers.place("copies")
    copies = rulesets.enlarged(folder, 4)
    for turn in range(a.rounds):
        for times in (1, 2, 4):
            for name in a.examined:
                server = made(a, name, backend, copies=copies[:times - 1])
                memory[name, times] = server.resident()
                for case, path in files.items():
                    found.setdefault((name, case, times), []).append(cpu_us(server, path, a.seconds))
                server.end()
    rows = []
    for name in a.examined:
        for case in cases:
            middles = [bench.middle(found[name, case, times]) for times in (1, 2, 4)]
            bench.emit({"part": "rules", "server": name, "case": case, "cpu_us": [round(x, 1) for x in middles], "times": [1, 2, 4],
                        "memory_mb": [round(memory[name, times] / 1e6, 1) for times in (1, 2, 4)]})
            rows.append([name, case, *middles, middles[2] / middles[0]])
    print()
    bench.table(["server", "case", "rules × 1, µs", "× 2", "× 4", "× 4 / × 1"], rows)


def sized(kind, kilobytes, number):
    """A form of fields of 250 bytes, a JSON document of values of 250 bytes, or an upload, as large as asked."""
    dice, size = random.Random(f"{kind} {kilobytes} {number}"), kilobytes * 1024
    identity = f"{kind}-{kilobytes}-{number}"
    if kind == "upload":
        boundary = "----boundary" + corpora.token(dice, 24)
        data = corpora.multipart([("file", "a.pdf", "application/pdf", dice.randbytes(size).replace(b"\n--", b"\n.."))], boundary)
        return corpora.post(identity, "/documents", f"multipart/form-data; boundary={boundary}", data, case="upload")
    pairs, fill = [], 0
    while fill < size:
        pairs.append((f"field{len(pairs)}", corpora.words(dice, 60)[:max(1, min(250, size - fill - 12))]))
        fill += len(pairs[-1][0]) + len(pairs[-1][1]) + (2 if kind == "form" else 8)
    if kind == "form":
        return corpora.post(identity, "/account", corpora.FORM, urllib.parse.urlencode(pairs), case="form")
    import json
    return corpora.post(identity, "/v1/notes", "application/json", json.dumps(dict(pairs)), case="json")


def bodies(a, backend):
    limits = "SecRequestBodyNoFilesLimit 13107200\n"
    sizes = {"form": (1, 4, 16, 64), "json": (4, 16, 64, 128), "upload": (64, 256, 1024, 4096)}
    if a.quick:
        sizes = {kind: some[:2] for kind, some in sizes.items()}
    found = {}
    running = {name: made(a, name, backend, extra=limits) for name in a.examined}
    files = {(kind, size): servers.prepared([sized(kind, size, n) for n in range(5 if kind == "upload" else 20)], f"{kind}-{size}")
             for kind, some in sizes.items() for size in some}
    for turn in range(a.rounds):
        for (kind, size), path in files.items():
            for name, server in running.items():
                found.setdefault((name, kind, size), []).append(cpu_us(server, path, a.seconds, 4))
    for server in running.values():
        server.end()
    rows = []
    for name in a.examined:
        for kind, some in sizes.items():
            middles = [bench.middle(found[name, kind, size]) for size in some]
            growth = (middles[-1] - middles[-2]) / (some[-1] - some[-2]) / ((middles[1] - middles[0]) / (some[1] - some[0])) if len(some) > 2 else None
            bench.emit(bench.rounded({"part": "bodies", "server": name, "kind": kind, "kilobytes": list(some), "cpu_us": [round(x, 1) for x in middles], "slope_last_to_first": growth}))
            rows.append([name, kind, ", ".join(map(str, some)), ", ".join(bench.short(x) for x in middles), growth])
    print()
    bench.table(["server", "body", "KiB", "CPU µs", "µs a further KiB, last / first"], rows)


def reloads(a, backend):
    path = servers.prepared(corpora.mix(50, 1, ["get", "form", "attack"]), "reloads")
    rows = []
    for name in a.examined:
        server = made(a, name, backend)
        # First under load: no request may fail. Then without, many times: memory.
        process = servers.client("--port", server.port, "--requests", path, "--connections", 8, "--seconds", a.reload_seconds, "--rate", a.rate, background=True)
        swaps = 0
        while process.poll() is None:
            server.reload()
            swaps += 1
            time.sleep(0.5)
        done = servers.finished(process)
        strange = sum(times for case in done["cases"].values() for status, times in case["statuses"].items() if status not in ("200", "403"))
        settled(server)
        first, count, series = server.resident(), a.reloads if name.startswith("kabuto") else a.peer_reloads, []
        cpu = server.cpu()
        for number in range(1, count + 1):
            server.reload()
            settled(server)
            if number % max(1, count // 10) == 0:
                servers.client("--port", server.port, "--requests", path, "--connections", 2, "--count", 150)
                series.append(round(server.resident() / 1e6, 1))
        cpu = (server.cpu() - cpu) / max(1, count)
        server.end()
        bench.emit({"part": "reloads", "server": name, "under_load": {"reloads": swaps, "answers": done["answers"], "errors": done["errors"], "other_status": strange, "again": done["again"],
                    "p99_us": {corpora.CASES[int(number)]: case["delay_us"]["p99"] for number, case in done["cases"].items()}},
                    "reloads": count, "memory_mb": [round(first / 1e6, 1), *series], "kb_per_reload": round((series[-1] * 1e6 - first) / count / 1e3, 1), "cpu_ms_per_reload": round(cpu * 1e3, 1)})
        rows.append([name, swaps, done["errors"] + strange, count, first / 1e6, series[-1], (series[-1] * 1e6 - first) / count / 1e3])
    # In one process, where no worker is replaced: what the library itself loses at each load.
    count = 20 if a.quick else a.peer_reloads
    folder = servers.place("library")
    text = subprocess.run([bench.tool("Firewall/modsecurity.cpp", "-lmodsecurity"), "--reload", str(count), rulesets.main(folder)], check=True, capture_output=True, text=True).stdout
    import json
    lines = [json.loads(line) for line in text.splitlines()]
    bench.emit({"part": "reloads", "server": "libmodsecurity in one process", "reloads": count, "memory_mb": [round(line["resident_bytes"] / 1e6, 1) for line in lines],
                "kb_per_reload": round((lines[-1]["resident_bytes"] - lines[1]["resident_bytes"]) / (lines[-1]["loads"] - lines[1]["loads"]) / 1e3, 1)})
    rows.append(["libmodsecurity in one process", None, None, count, lines[0]["resident_bytes"] / 1e6, lines[-1]["resident_bytes"] / 1e6,
                 (lines[-1]["resident_bytes"] - lines[1]["resident_bytes"]) / (lines[-1]["loads"] - lines[1]["loads"]) / 1e3])
    print()
    bench.table(["server", "reloads under load", "failed requests", "reloads", "MB before", "MB after", "KB a reload"], rows)


def idle(a, backend):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536, hard))
    path = servers.prepared(corpora.mix(50, 1, ["get"]), "idle")
    rows = []
    for name in a.found:
        if name.startswith("apache"):
            continue  # its workers hold no more than some hundred connections as configured here
        server = made(a, name, backend)
        servers.client("--port", server.port, "--requests", path, "--connections", 4, "--count", 400)
        settled(server)
        before = server.resident()
        process = servers.client("--port", server.port, "--requests", path, "--connections", a.idle, "--hold", background=True, stdin=subprocess.PIPE)
        process.stdout.readline()
        settled(server)
        held = server.resident()
        process.stdin.close()
        process.stdout.read()
        process.wait()
        bench.end(process)
        time.sleep(1)
        after = server.resident()
        server.end()
        bench.emit({"part": "idle", "server": name, "connections": a.idle, "bytes_per_connection": round((held - before) / a.idle), "memory_mb": [round(x / 1e6, 1) for x in (before, held, after)]})
        rows.append([name, a.idle, round((held - before) / a.idle), before / 1e6, held / 1e6, after / 1e6])
    print()
    bench.table(["server", "idle connections", "bytes each", "MB before", "MB with them", "MB after"], rows)


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--parts", default=",".join(PARTS))
    p.add_argument("--servers", help="some of those that firewall.py names")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=1)
    p.add_argument("--reloads", type=int, default=1000)
    p.add_argument("--peer-reloads", type=int, default=100)
    p.add_argument("--reload-seconds", type=float, default=15, help="how long rules are swapped under load")
    p.add_argument("--rate", type=float, default=100, help="requests a second meanwhile")
    p.add_argument("--idle", type=int, default=5000)
    p.add_argument("--options", default="", help="further options of `kabuto firewall run`, with blanks between")
    p.add_argument("--quick", action="store_true")
    a = p.parse_args()
    if a.quick:
        a.rounds, a.seconds, a.reloads, a.peer_reloads, a.reload_seconds, a.idle = 1, 0.3, 10, 10, 2, 500
    bench.emit({"benchmark": "firewallscale", "rounds": a.rounds, **bench.machine()})
    a.found, lacking = servers.available(a.kabuto)
    for name, what in lacking.items():
        bench.say(f"{name} is left out: {what} is not there")
    if a.servers:
        a.found = {name: a.found[name] for name in a.servers.split(",") if name in a.found}
    a.examined = [name for name, (_, examined) in a.found.items() if examined and not name.startswith("apache")]
    backend = servers.Backend()
    for part in a.parts.split(","):
        {"rules": rules, "bodies": bodies, "reloads": reloads, "idle": idle}[part](a, backend)
    backend.end()


if __name__ == "__main__":
    main()
