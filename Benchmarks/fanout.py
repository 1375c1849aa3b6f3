#!/usr/bin/env python3
"""The fan-out beside its peers: the same market, the same clients, the same bytes, in interleaved rounds.

Kabuto plays a file in which every message changes a best quote, at the offered rate. uWebSockets publishes as many
payloads of the same size to topics, nchan gets them by POST, and `floor` sends the bytes that Kabuto sent with bare
send calls. The clients are one C program that only counts. CPU is that of the server process: for Kabuto file reader,
order books and gateway; for uWebSockets its market too; for nchan the worker, the publisher is left out.

  deliveries/CPU s   events that reached a client for each second of the server's CPU
  client s/CPU s     clients that a core can keep at the offered rate: clients x seconds x the share of the market that
                     was really served / CPU seconds. With an interval only Kabuto sends less than every update
  market             share of the offered updates that was taken; below 1 the server is saturated and its market late
  of floor           CPU of the server for a client second / CPU of the bare send calls of the same bytes
"""
import argparse
import json
import os
import subprocess
import sys
import time

import bench

PEERS = ["kabuto", "uws", "nchan", "floor"]


class Run:
    """One server and its clients for a few seconds."""

    def __init__(self, a, clients, wanted, instruments, interval, probe):
        self.a, self.clients, self.wanted, self.instruments = a, clients, wanted, instruments
        self.interval, (self.size, self.records) = interval, probe
        # A quiet time at first, so that clients come while little happens.
        self.lead = 1.5 + clients / 1000
        self.names = bench.names_file(instruments)
        self.expected = a.rate * wanted / instruments  # updates a client and second
        self.last = None

    def client(self, port, pids, *more, timing=True):
        arguments = ["--names", self.names, "--wanted", self.wanted, "--interval", self.interval, "--seed", 7,
                     "--warm", 0, "--seconds", self.a.seconds, "--not-before", self.begin + self.lead + 1]
        for pid in pids:
            arguments += ["--pid", pid]
        if timing:
            arguments += ["--timing"]
        return bench.load(port, self.clients, *arguments, *more)

    def result(self, name, found, market):
        cpu = found["cpu_s"][0]
        seconds = found["seconds"]
        one = {
            "peer": name, "clients": self.clients, "wanted": self.wanted, "instruments": self.instruments,
            "interval_ms": self.interval, "deliveries_per_s": found["updates"] / seconds,
            "deliveries_per_cpu_s": found["updates"] / cpu if cpu else 0, "cpu_share": cpu / seconds,
            "market": market, "client_s_per_cpu_s": self.clients * seconds * market / cpu if cpu else 0,
            "frames_per_client_s": found["frames"] / self.clients / seconds,
            "bytes_per_client_s": found["bytes"] / self.clients / seconds,
            "bytes_per_update": found["bytes"] / found["updates"] if found["updates"] else None,
            "delay_us": found.get("delay_us"), "client_cpu_share": found["client_cpu_s"] / seconds,
            "closed": found["closed"], "fewest": found["fewest"], "most": found["most"],
        }
        return one

    def kabuto(self):
        seconds = self.lead + self.a.seconds + 6
        path = bench.market_file(self.instruments, f"100:{self.lead:g},{self.a.rate}:{seconds:g}")
        server = bench.Kabuto(self.a.kabuto, f"itch:{path}?speed=1")
        try:
            self.begin = time.monotonic()

            def sample():
                # What the loop took from its ring, not what the feed put in.
                return time.monotonic(), server.status()["loops"][0]["records"]

            process = bench.load(
                server.port, self.clients, "--names", self.names, "--wanted", self.wanted, "--interval", self.interval,
                "--seed", 7, "--warm", 0, "--seconds", self.a.seconds, "--not-before", self.begin + self.lead + 1,
                "--pid", server.pid, "--timing", background=True)
            time.sleep(max(0.0, self.begin + self.lead + 1.2 - time.monotonic()))
            before = sample()
            time.sleep(max(0.5, self.a.seconds - 1.0))
            after = sample()
            found = bench.loaded(process)
            if self.interval:
                market = (after[1] - before[1]) / (after[0] - before[0]) / self.records / self.a.rate
            else:
                market = found["updates"] / found["seconds"] / self.clients / self.expected
            found = self.result("kabuto", found, min(1.0, market))
            found["resident_mb"] = bench.resident_bytes(server.pid) / 1e6
            found["loops"] = {k: server.status()["loops"][0].get(k) for k in ("conflated", "stuck")}
            self.last = found
            return found
        finally:
            server.end()

    def uws(self):
        library = bench.socketify_library()
        if not library:
            return None
        port = bench.free_port()
        process = bench.start(
            [bench.tool("peers/uws.c", "-ldl"), library, str(port), str(self.instruments), str(self.a.rate), str(self.size),
             str(self.lead)], stdout=subprocess.DEVNULL)
        try:
            self.begin = time.monotonic()
            time.sleep(0.3)
            found = self.client(port, [process.pid])
            market = min(1.0, found["updates"] / found["seconds"] / self.clients / self.expected)
            return self.result("uws", found, market)
        finally:
            bench.end(process)

    def nchan(self):
        from peers import nchan
        if not nchan.available():
            return None
        port = bench.free_port()
        peer = nchan.Nchan(port, bench.folder(), self.instruments)
        try:
            self.begin = time.monotonic()
            peer.publish(self.a.rate, self.size, self.lead)
            found = self.client(port, [peer.worker], "--path", "/sub/", "--in-path")
            market = min(1.0, found["updates"] / found["seconds"] / self.clients / self.expected)
            return self.result("nchan", found, market)
        finally:
            peer.end()

    def floor(self):
        """The bytes and flushes of the Kabuto run before."""
        if not self.last or not self.last["frames_per_client_s"]:
            return None
        frames, size = self.last["frames_per_client_s"], self.last["bytes_per_client_s"]
        port = bench.free_port()
        process = bench.start(
            [bench.tool("peers/floor.c"), str(port), str(self.clients), str(round(size / frames)), str(frames)],
            stdout=subprocess.DEVNULL)
        try:
            self.begin = time.monotonic() - self.lead
            time.sleep(0.2)
            found = self.client(port, [process.pid], "--plain", timing=False)
            found["updates"] = round(found["bytes"] / self.last["bytes_per_update"])
            found["frames"] = round(found["bytes"] / (size / frames))
            # What could not be sent was not served.
            market = min(1.0, found["bytes"] / found["seconds"] / self.clients / size) * self.last["market"]
            return self.result("floor", found, market)
        finally:
            bench.end(process)


def probe(a, instruments):
    """Bytes of one update as Kabuto writes it when every update is sent (the peers' payloads are as long), and the
    records that a message of the file makes."""
    path = bench.market_file(instruments, "1000:10")
    server = bench.Kabuto(a.kabuto, f"itch:{path}?speed=1")
    try:
        before = server.status()
        found = bench.load(server.port, 1, "--names", bench.names_file(instruments), "--wanted", 200, "--interval", 0,
                           "--timing", "--warm", 0.5, "--seconds", 2)
        after = server.status()
        records = after["loops"][0]["records"] - before["loops"][0]["records"]
        messages = after["sources"][0]["messages"] - before["sources"][0]["messages"]
        return round(found["bytes"] / found["updates"]), records / messages
    finally:
        server.end()


def check(a, clients, wanted, instruments, interval):
    """The last quotes of ten clients among many are REST's, and both are what the file's generator says."""
    path = bench.market_file(instruments, f"100:{1 + clients / 1000:g},{a.rate}:2", seed=3)
    final = json.load(open(path + ".final.json"))
    server = bench.Kabuto(a.kabuto, f"itch:{path}?speed=1")
    records = os.path.join(bench.folder(), f"record-{clients}-{wanted}-{interval}")
    os.makedirs(records, exist_ok=True)
    try:
        bench.load(server.port, clients, "--names", bench.names_file(instruments), "--wanted", wanted, "--interval", interval,
                   "--warm", 0, "--seconds", 60, "--until-quiet", 4, "--record", f"{records}:10")
        quotes = {}
        for quote in server.get("/v1/quotes?limit=10000")["quotes"]:
            quotes[quote["instrument"].split(".")[0]] = quote
    finally:
        server.end()
    compared = wrong = 0
    for name in sorted(os.listdir(records)):
        state, numbers = {}, {}
        for line in open(os.path.join(records, name)):
            for event in json.loads(line):
                key = event.get("instrument", "").split(".")[0]
                if event["type"] == "snapshot":
                    state[key] = event
                elif event["type"] == "update":
                    wrong += event["seq"] <= state[key]["seq"]
                    state[key].update(event)
        assert len(state) == min(wanted, instruments), f"{len(state)} instruments came"
        for key, value in state.items():
            quote, (bid, bid_size, bid_orders, ask, ask_size, ask_orders) = quotes[key], final[key]
            mine = [value[field] for field in ("bid", "bid_size", "bid_orders", "ask", "ask_size", "ask_orders", "seq", "time")]
            rest = [quote[field] for field in ("bid", "bid_size", "bid_orders", "ask", "ask_size", "ask_orders", "seq", "time")]
            compared += 1
            wrong += mine != rest or mine[:6] != [bid / 1e4, bid_size, bid_orders, ask / 1e4, ask_size, ask_orders]
    return {"check": "last quotes: client = REST = file", "clients": clients, "interval_ms": interval, "compared": compared,
            "wrong": wrong}


def summary(runs):
    """Medians of the rounds of one peer in one scenario."""
    one = dict(runs[0])
    for field, value in list(one.items()):
        values = [run[field] for run in runs]
        if isinstance(value, (int, float)) and field not in ("clients", "wanted", "instruments", "interval_ms"):
            one[field] = bench.middle(values)
    one["rounds"] = len(runs)
    one["spread_client_s_per_cpu_s"] = [round(x, 1) for x in bench.spread([r["client_s_per_cpu_s"] for r in runs])]
    one["spread_deliveries_per_cpu_s"] = [round(x) for x in bench.spread([r["deliveries_per_cpu_s"] for r in runs])]
    if one["delay_us"]:
        one["delay_us"] = {k: bench.middle([r["delay_us"][k] for r in runs]) for k in one["delay_us"]}
    return one


def main():
    p = bench.parser(__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--clients", default="1000,5000")
    p.add_argument("--mixes", default="20/4000,100/400", help="wanted/instruments, with commas")
    p.add_argument("--intervals", default="0,50")
    p.add_argument("--peers", default=",".join(PEERS))
    p.add_argument("--rate", type=int, default=20_000, help="updates a second, offered")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=5)
    p.add_argument("--quick", action="store_true", help="1,000 clients, one round of 3 s")
    p.add_argument("--no-check", action="store_true")
    a = p.parse_args()
    if a.quick:
        a.clients, a.rounds, a.seconds = "1000", 1, 3
    a.kabuto = os.path.abspath(a.kabuto)
    peers = [peer for peer in PEERS if peer in a.peers.split(",")]
    bench.emit({"benchmark": "fanout", "offered_per_s": a.rate, **bench.machine()})
    scenarios = []
    for clients in map(int, a.clients.split(",")):
        for mix in a.mixes.split(","):
            wanted, instruments = map(int, mix.split("/"))
            for interval in map(int, a.intervals.split(",")):
                scenarios.append((clients, wanted, instruments, interval))
    probes = {m: probe(a, m) for m in sorted({s[2] for s in scenarios})}
    if not a.no_check:
        for scenario in scenarios:
            if scenario[0] == scenarios[0][0]:
                answer = check(a, *scenario)
                bench.emit(answer)
                if answer["wrong"] or not answer["compared"]:
                    sys.exit("the clients' last quotes are wrong")
    collected = {}
    for number in range(a.rounds):
        for scenario in scenarios:
            run = Run(a, *scenario, probes[scenario[2]])
            for peer in peers:
                found = getattr(run, peer)()
                if found is None:
                    if number == 0:
                        bench.say(f"{peer}: not installed, left out")
                    continue
                found["load"] = round(os.getloadavg()[0], 2)
                collected.setdefault((scenario, peer), []).append(found)
                bench.say(f"round {number + 1} {scenario} {peer}: {found['deliveries_per_cpu_s']:,.0f} deliveries/CPU s, "
                          f"{found['client_s_per_cpu_s']:,.0f} client s/CPU s, CPU {found['cpu_share']:.2f}, market {found['market']:.2f}")
    rows = []
    for scenario in scenarios:
        medians = {peer: summary(collected[scenario, peer]) for peer in peers if (scenario, peer) in collected}
        for peer, one in medians.items():
            bench.emit(bench.rounded(one))

            def ratio(other, field):
                return medians["kabuto"][field] / medians[other][field] if {"kabuto", other} <= medians.keys() and medians[other][field] else None

            delay = one["delay_us"] or {}
            rows.append([
                f"{scenario[0]} × {scenario[1]}/{scenario[2]}, {scenario[3]} ms", peer, one["deliveries_per_cpu_s"],
                one["client_s_per_cpu_s"], one["cpu_share"], one["market"],
                delay.get("p50", 0) / 1000 if delay else None, delay.get("p99", 0) / 1000 if delay else None,
                one["bytes_per_update"], one["frames_per_client_s"],
                None if peer == "kabuto" else ratio(peer, "deliveries_per_cpu_s"),
                None if peer == "kabuto" else ratio(peer, "client_s_per_cpu_s"),
                " – ".join(bench.short(float(x)) for x in one["spread_client_s_per_cpu_s"])])
    print()
    bench.table(["scenario", "server", "deliveries/CPU s", "client s/CPU s", "CPU share", "market", "p50 ms", "p99 ms",
                 "bytes/update", "frames/client s", "Kabuto ×, deliveries", "Kabuto ×, client s", "spread client s/CPU s"], rows)


if __name__ == "__main__":
    main()
