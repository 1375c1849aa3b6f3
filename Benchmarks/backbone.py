#!/usr/bin/env python3
"""What it costs that nodes are apart. Four measurements (`--parts`), each beside its counterpart in the same round:

  path      plant and gateway in one process, beside two nodes with NATS between, on one rail and on two: delay to a
            client at an even rate, CPU for a message at rising rates and whether the whole stream came through, and
            where the feed plays as fast as it can
  keep      a plant whose ticks nobody keeps, beside JetStream in memory and in files
  gateways  1, 2 and 4 gateways on one plant with as many clients in all: CPU for a delivered update
  sites     servers of two sites joined by gateways, beside leaf nodes: bytes that cross the line for each byte that one
            far node wants, and delay, with 0, 1, 2 and 4 far nodes on two servers

The feed is a file in which every message changes a best quote (itchgen.c): its own final quotes are the truth that every
node must end with. A result that differs voids the ratio and ends the run with status 1. CPU is that of all processes, message
servers included."""
import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "Backbone"))

import bench
import estates
import natsclient

LEAD = 12.0  # seconds of a quiet feed in which everything starts
FIRST_RATE = 100
LINE = estates.MARKET


class Feed:
    """A file: a quiet time, then `rate` messages a second for `seconds`."""

    def __init__(self, a, rate, seconds):
        self.path = bench.market_file(a.instruments, f"{FIRST_RATE}:{LEAD},{rate}:{seconds:g}")
        self.address = f"itch:{self.path}?speed=1&date={estates.DATE}"
        self.messages, size = 0, os.path.getsize(self.path)
        with open(self.path, "rb") as file:
            data = file.read()
        place = 0
        while place < size:
            place += 2 + int.from_bytes(data[place:place + 2], "big")
            self.messages += 1
        with open(self.path + ".final.json") as file:
            final = json.load(file)
        # Bid, size, ask, size; the file's prices are times 10,000.
        self.truth = estates.digest({code: [one[0] / 10_000, one[1], one[3] / 10_000, one[4]] for code, one in final.items()})
        self.burst = int(rate * seconds)


def burst(ports, feed, processes):
    """From the quiet time's end to the last message at the last of the servers with these ports: seconds, CPU by process,
    and of the servers' loops what they took and delivered. Asked each 20 ms."""
    def look():
        said = [bench.get(port, "/v1/status") for port in ports]
        loops = [loop for one in said for loop in one["loops"]]
        return (min(one["sources"][0]["seq"] for one in said), time.monotonic(),
                {name: bench.cpu_seconds(pid) for name, pid in processes.items()},
                sum(loop["records"] for loop in loops), sum(loop["delivered"] for loop in loops))

    quiet = feed.messages - feed.burst
    estates.wait(lambda: look()[0] >= quiet * 0.9, "the quiet time to pass", LEAD + 60)
    start = first = last = look()
    # The file ends with what tells the day's end.
    while last[0] < feed.messages - 2 and time.monotonic() - last[1] < 20:
        time.sleep(0.02)
        now = look()
        if now[0] <= quiet:
            first = last = now
        elif now[0] > last[0]:
            last = now
    # What loops took is counted from within the quiet time and until all is quiet again: they are a little behind what
    # their source says, or ahead of what it said when it was asked.
    time.sleep(0.5)
    settled = look()
    return {"seconds": last[1] - first[1], "messages": last[0] - first[0], "records_per_message": (settled[3] - start[3]) / max(1, settled[0] - start[0]),
            "updates": settled[4] - first[4], "cpu_at": first[2],
            "cpu_settled_s": sum(settled[2].values()) - sum(first[2].values()),
            "cpu_s": {name: last[2][name] - first[2][name] for name in processes}}


def figures(name, found, feed, port, clients=None):
    found = {"case": name, **found, "cpu_total_s": sum(found["cpu_s"].values())}
    found["messages_per_s"] = found["messages"] / max(found["seconds"], 1e-9)
    found["cpu_ns_per_message"] = found["cpu_total_s"] * 1e9 / max(1, found["messages"])
    quotes = None
    for _ in range(200):
        quotes = estates.digest(estates.quotes(port))
        if quotes == feed.truth:
            break
        time.sleep(0.05)
    found["quotes"], found["equal"] = quotes, quotes == feed.truth
    source = bench.get(port, "/v1/status")["sources"][0]
    found["lost"] = source["lost"]
    if clients:
        found["delay_us"] = clients.get("delay_us")
    return found


def clients_on(a, port, interval, pids=(), count=None, timing=False):
    arguments = ["--names", bench.names_file(a.instruments), "--wanted", min(20, a.instruments), "--interval", interval,
                 "--seed", 7, "--warm", 0, "--until-quiet", 2, "--seconds", 600]
    for pid in pids:
        arguments += ["--pid", pid]
    if timing:
        arguments += ["--timing", "--sample", 1]
    return bench.load(port, count or a.clients, *arguments, background=True)


# MARK: path

def in_process(a, feed, interval, timing):
    begin = time.monotonic()
    server = bench.Kabuto(a.kabuto, f"{feed.address}&market={estates.MARKET}&zone={estates.ZONE}")
    try:
        load = clients_on(a, server.port, interval, timing=timing)
        check_lead(begin)
        found = burst([server.port], feed, {"kabuto": server.pid})
        return figures("in process", found, feed, server.port, bench.loaded(load))
    finally:
        server.end()


def check_lead(begin):
    if time.monotonic() - begin > LEAD - 1:
        raise SystemExit("starting took longer than the feed's quiet time: nothing was measured")


def between_nodes(a, feed, rails, interval, timing):
    servers = [(f"m{rail}", "s", rail, False) for rail in "ab"[:rails]]
    estate = estates.Estate(
        a.kabuto, feed.address, servers, [("plant", "s", ["plant"], 1), ("gw", "s", ["gateway"], 1)])
    try:
        estate.carry()
        estate.serve("gw")
        estate.lives("gw")
        begin = time.monotonic()
        estate.serve("plant")
        estate.is_live("plant", "gw")
        load = clients_on(a, estate.nodes["gw"]["port"], interval, timing=timing)
        check_lead(begin)
        port = estate.nodes["gw"]["port"]
        found = burst([port], feed, {name: process.pid for name, process in estate.processes.items()})
        return figures(f"NATS, {rails} rail{'s' if rails > 1 else ''}", found, feed, port, bench.loaded(load))
    finally:
        estate.end()


def path(a):
    """An even feed with every update to the clients, for the delay; then faster and faster ones, for the throughput: a case
    goes on to the next rate while what it carries is the whole stream; then one as fast as it can be played."""
    loads = [("even", a.even_rate, a.seconds, 0)]
    loads += [(f"{rate:,}/s", rate, a.ladder_seconds, 50) for rate in a.ladder]
    loads += [("flood", a.flood_rate, a.flood_seconds, 50)]
    cases = {"in process": 0, "NATS, 1 rail": 1, "NATS, 2 rails": 2}
    runs = {}
    for _ in range(a.rounds):
        behind = set()
        for load, rate, seconds, interval in loads:
            feed = Feed(a, rate, seconds)
            for case, rails in cases.items():
                # In process goes on: it is what the others stand beside.
                if case in behind and rails and load != "flood":
                    continue
                timing = load == "even"
                found = between_nodes(a, feed, rails, interval, timing) if rails else in_process(a, feed, interval, timing)
                runs.setdefault((load, case), []).append(found)
                bench.say(f"{load}, {case}: {found['messages_per_s']:,.0f} messages/s, {found['cpu_ns_per_message']:,.0f} ns of CPU each, "
                          f"{found['records_per_message']:.3f} records each")
                if found["records_per_message"] < 0.99 * runs[load, "in process"][-1]["records_per_message"] or found["messages_per_s"] < 0.9 * rate:
                    behind.add(case)
            os.remove(feed.path)
    rows, records = [], {}
    for (load, case), found in runs.items():
        beside = runs[load, "in process"]
        base = bench.middle([one["cpu_ns_per_message"] for one in beside])
        records[load] = bench.middle([one["records_per_message"] for one in beside])
        one = summary("path", case, found, load=load)
        one["times_in_process"] = ratio(one["cpu_ns_per_message"], base, found, beside)
        # Less than all: the stream was faster than what carries it, and snapshots made up for the rest.
        one["share_of_records"] = bench.middle([run["records_per_message"] for run in found]) / max(1e-9, records[load])
        delays = [run["delay_us"] for run in found if run["delay_us"]]
        one["delay_us"] = {key: bench.middle([delay[key] for delay in delays]) for key in ("p50", "p99")} if delays else None
        emit(one)
        delay = one["delay_us"] or {}
        rows.append([load, case, one["messages_per_s"], one["cpu_ns_per_message"], " – ".join(bench.short(x) for x in one["spread"]),
                     one["times_in_process"], one["share_of_records"], delay.get("p50"), delay.get("p99"), equal(one)])
    print()
    bench.table(["feed", "case", "messages/s", "ns of CPU a message", "spread", "× in process", "share of records", "p50 µs", "p99 µs", "final quotes"], rows)
    return all(one["equal"] for found in runs.values() for one in found)


def summary(part, case, found, **more):
    costs = [one["cpu_ns_per_message"] for one in found]
    return {"part": part, **more, "case": case, "rounds": len(found),
            "messages": found[0]["messages"], "messages_per_s": bench.middle([one["messages_per_s"] for one in found]),
            "cpu_ns_per_message": bench.middle(costs), "spread": bench.spread(costs),
            "cpu_s": {name: bench.middle([one["cpu_s"][name] for one in found]) for name in found[0]["cpu_s"]},
            "lost": max(one.get("lost", 0) for one in found), "equal": all(one["equal"] for one in found),
            "result": found[0].get("quotes")}


def ratio(value, base, *runs):
    """None where one of the results isn't the truth."""
    return value / base if all(run["equal"] for found in runs for run in found) else None


def equal(one):
    return "equal" if one["equal"] else "DIFFERENT"


def emit(one):
    bench.emit(bench.rounded(one))


# MARK: keep

def kept(a, feed, storage):
    servers = [("m", "s", "a", False)] + ([("keeper", "s", "a", True)] if storage else [])
    estate = estates.Estate(a.kabuto, feed.address, servers, [("plant", "s", ["plant"], 1)])
    try:
        estate.carry()
        client = estate.client("keeper" if storage else "m")
        if storage:
            made = client.request(
                f"$JS.API.STREAM.CREATE.TICKS_{LINE}",
                {"name": f"TICKS_{LINE}", "subjects": [f"keep.ticks.{LINE}"], "retention": "limits", "storage": storage,
                 "max_bytes": 4 << 30, "max_age": 0, "discard": "old", "num_replicas": 1, "duplicate_window": 600_000_000_000})
            if made.get("error"):
                raise SystemExit(f"JetStream: {made['error']}")
        client.close()
        begin = time.monotonic()
        estate.serve("plant")
        estate.is_live("plant")
        check_lead(begin)
        port = estate.nodes["plant"]["port"]
        found = burst([port], feed, {name: process.pid for name, process in estate.processes.items()})
        result = {"frames": 0, "bytes": 0, "frames_digest": None, "kept_after_s": 0.0}
        if storage:
            # Anew: the server has given up who didn't answer its pings meanwhile.
            client = estate.client("keeper")
            ended, last, changed = time.monotonic(), -1, time.monotonic()
            # The last frames come when the day has ended.
            while time.monotonic() - changed < 3:
                state = client.request(f"$JS.API.STREAM.INFO.TICKS_{LINE}")["state"]
                if state["messages"] != last:
                    last, changed = state["messages"], time.monotonic()
                time.sleep(0.05)
            result = {"frames": state["messages"], "kept_after_s": changed - ended}
        else:
            time.sleep(3)
        after = estate.cpu()
        found["cpu_s"] = {name: after[name] - found["cpu_at"][name] for name in after}
        if storage:
            result["frames_digest"], result["bytes"] = frames_digest(client, state)
        made = figures({None: "nobody keeps", "memory": "JetStream, memory", "file": "JetStream, files"}[storage], found, feed, port)
        return {"bytes": 0, "frames_digest": None, **made, **result}
    finally:
        estate.end()


def frames_digest(client, state):
    """Of the names and sizes of all that is kept: a name says epoch, first and last message. (When a message was received
    is within, and another each time.) And the bytes of it."""
    digest, size = hashlib.sha256(), 0
    for number in range(state["first_seq"], state["last_seq"] + 1):
        message = client.request(f"$JS.API.STREAM.MSG.GET.TICKS_{LINE}", {"seq": number})["message"]
        payload = base64.b64decode(message["data"])
        digest.update(base64.b64decode(message["hdrs"]) + str(len(payload)).encode())
        size += len(payload)
    return digest.hexdigest()[:16], size


def keep(a):
    feed, runs = Feed(a, a.keep_rate, a.seconds), {}
    for _ in range(a.rounds):
        for storage in (None, "memory", "file"):
            found = kept(a, feed, storage)
            runs.setdefault(found["case"], []).append(found)
    digests = {one["frames_digest"] for found in runs.values() for one in found if one["frames_digest"]}
    rows = []
    base = bench.middle([one["cpu_ns_per_message"] for one in runs["nobody keeps"]])
    for case, found in runs.items():
        one = summary("keep", case, found)
        one["times_nobody"] = ratio(one["cpu_ns_per_message"], base, found, runs["nobody keeps"])
        for field in ("frames", "bytes", "kept_after_s"):
            one[field] = bench.middle([run[field] for run in found])
        one["equal"] = one["equal"] and (case == "nobody keeps" or len(digests) == 1)
        one["frames_digest"] = found[0]["frames_digest"]
        emit(one)
        rows.append([case, one["messages_per_s"], one["cpu_ns_per_message"], one["times_nobody"], one["cpu_s"].get("plant"),
                     one["cpu_s"].get("keeper"), one["frames"], one["bytes"], one["kept_after_s"], equal(one)])
    print()
    bench.table(["ticks", "messages/s", "ns of CPU a message", "× nobody", "plant CPU s", "keeper CPU s", "frames", "bytes", "kept after s",
                 "frames and quotes"], rows)
    return len(digests) <= 1 and all(one["equal"] for found in runs.values() for one in found)


# MARK: gateways

def several(a, feed, count):
    names = [f"gw{number}" for number in range(count)]
    estate = estates.Estate(
        a.kabuto, feed.address, [("m", "s", "a", False)],
        [("plant", "s", ["plant"], 1)] + [(name, "s", ["gateway"], 1) for name in names])
    try:
        estate.carry()
        for name in names:
            estate.serve(name)
        estate.lives(*names)
        begin = time.monotonic()
        estate.serve("plant")
        estate.is_live("plant", *names)
        loads = [clients_on(a, estate.nodes[name]["port"], 50, count=max(1, a.clients // count)) for name in names]
        check_lead(begin)
        found = burst(
            [estate.nodes[name]["port"] for name in names], feed,
            {name: process.pid for name, process in estate.processes.items()})
        for load in loads:
            bench.loaded(load)
        made = [figures(f"{count} gateway{'s' if count > 1 else ''}", found, feed, estate.nodes[name]["port"]) for name in names]
        one = made[0]
        one["equal"] = all(other["equal"] for other in made)
        # Both until all is quiet.
        one["cpu_us_per_update"] = one["cpu_settled_s"] * 1e6 / max(1, one["updates"])
        return one
    finally:
        estate.end()


def gateways(a):
    feed, runs = Feed(a, a.rate, a.seconds), {}
    for _ in range(a.rounds):
        for count in a.gateways:
            found = several(a, feed, count)
            runs.setdefault(found["case"], []).append(found)
    rows, base, alone = [], None, next(iter(runs.values()))
    for case, found in runs.items():
        one = summary("gateways", case, found)
        one["updates"] = bench.middle([run["updates"] for run in found])
        one["cpu_us_per_update"] = bench.middle([run["cpu_us_per_update"] for run in found])
        one["cpu_total_s"] = sum(one["cpu_s"].values())
        gateway = sum(value for name, value in one["cpu_s"].items() if name.startswith("gw"))
        base = base or one["cpu_us_per_update"]
        emit(one)
        rows.append([case, one["updates"], one["cpu_us_per_update"], ratio(one["cpu_us_per_update"], base, found, alone),
                     one["cpu_total_s"], gateway,
                     one["cpu_s"]["plant"], one["cpu_s"]["m"], equal(one)])
    print()
    bench.table(["gateways", "updates delivered", "µs of CPU an update", "× one", "CPU s", "of gateways", "of the plant", "of NATS", "final quotes"],
                rows)
    return all(one["equal"] for found in runs.values() for one in found)


# MARK: sites

def line_bytes(ports):
    """Bytes that were sent over connections to these ports, both ways, as the kernel counts them; acknowledged ones."""
    text = subprocess.run(["ss", "-tniOH", "state", "established"], capture_output=True, text=True, check=True).stdout
    total = 0
    for row in text.splitlines():
        words = row.split()
        places = [word.rsplit(":", 1)[-1] for word in words[2:4]]
        if any(place.isdigit() and int(place) in ports for place in places):
            found = re.search(r"bytes_acked:(\d+)", row)
            total += int(found.group(1)) if found else 0
    return total


def crossing(a, between, far):
    feed = f"sim:seed=3&instruments={a.instruments}&speed={a.speed}"
    estate = estates.Estate(
        a.kabuto, feed, [(f"m{site}{number}", site, "a", False) for site in ("near", "far") for number in (1, 2)],
        [("plant", "near", ["plant"], 1)], between)
    kind = "gateway_port" if between == "gateways" else "leaf_port"
    ports = {one[kind] for one in estate.servers.values()}
    clients = []
    try:
        estate.carry()
        estate.serve("plant")
        estate.lives("plant")
        subject = f"px.{LINE}.plant.all"
        clients = [estate.client("mnear1")] + [estate.client(f"mfar{1 + number % 2}") for number in range(far)]
        for client in clients:
            client.subscribe(subject)
        natsclient.hear(clients, 2)
        for client in clients:
            client.messages.clear()
        before = line_bytes(ports)
        natsclient.hear(clients, a.seconds)
        crossed = line_bytes(ports) - before
        heard = [{hashlib.sha256(payload).digest(): (when, len(payload)) for _, payload, when in client.messages} for client in clients]
        common = [key for key in heard[0] if all(key in other for other in heard[1:])]
        # Both ends of the window are cut where frames are under way.
        edge = max(2, len(common) // 50)
        inner = list(heard[0])[edge:-edge]
        one = {"frames": len(heard[0]), "wanted_bytes": sum(size for _, size in heard[0].values()), "crossed_bytes": crossed,
               "equal": bool(inner) and all(key in other for key in inner for other in heard[1:])}
        delays = sorted(other[key][0] - heard[0][key][0] for other in heard[1:] for key in common)
        one["added_us"] = {name: delays[int(len(delays) * part)] / 1000 for name, part in (("p50", 0.5), ("p99", 0.99))} if delays else None
        one["idle"] = far == 0
        return one
    finally:
        for client in clients:
            client.close()
        estate.end()


def sites(a):
    runs, rows = {}, []
    for _ in range(a.rounds):
        for far in a.far:
            for between in ("gateways", "leafnodes"):
                runs.setdefault((far, between), []).append(crossing(a, between, far))
    for (far, between), found in runs.items():
        ratios = [one["crossed_bytes"] / max(1, one["wanted_bytes"]) for one in found]
        delays = [one["added_us"] for one in found if one["added_us"]]
        one = {"part": "sites", "between": between, "far_nodes": far, "rounds": len(found), "frames": found[0]["frames"],
               "crossed_per_wanted_byte": bench.middle(ratios), "spread": bench.spread(ratios),
               "crossed_bytes": bench.middle([run["crossed_bytes"] for run in found]),
               "added_us": {key: bench.middle([delay[key] for delay in delays]) for key in ("p50", "p99")} if delays else None,
               "equal": all(run["equal"] for run in found)}
        emit(one)
        added = one["added_us"] or {}
        rows.append([between, far, one["frames"], one["crossed_bytes"], one["crossed_per_wanted_byte"],
                     " – ".join(bench.short(x) for x in one["spread"]), added.get("p50"), added.get("p99"), equal(one)])
    print()
    bench.table(["between sites", "far nodes", "frames", "bytes crossed", "crossed / wanted", "spread", "added p50 µs", "added p99 µs", "frames there"],
                rows)
    return all(one["equal"] for found in runs.values() for one in found)


def main():
    p = bench.parser(__doc__.splitlines()[0], epilog="\n".join(__doc__.splitlines()[1:]), formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--parts", default="path,keep,gateways,sites")
    p.add_argument("--instruments", type=int, default=400)
    p.add_argument("--clients", type=int, default=100)
    p.add_argument("--even-rate", type=int, default=10_000, help="messages a second of the even feed of `path`: delay is measured there")
    p.add_argument("--rate", type=int, default=50_000, help="messages a second of `gateways`")
    p.add_argument("--keep-rate", type=int, default=100_000)
    p.add_argument("--ladder", type=lambda text: list(map(int, filter(None, text.split(",")))), default=[100_000, 200_000, 400_000, 800_000],
                   help="messages a second, rising, of `path`")
    p.add_argument("--ladder-seconds", type=float, default=3)
    p.add_argument("--flood-rate", type=int, default=5_000_000, help="more than can be done: the feed plays as fast as it can")
    p.add_argument("--flood-seconds", type=float, default=1)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--speed", default="60", help="of the simulated market of `sites`")
    p.add_argument("--gateways", type=lambda text: list(map(int, text.split(","))), default=[1, 2, 4])
    p.add_argument("--far", type=lambda text: list(map(int, text.split(","))), default=[0, 1, 2, 4])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--quick", action="store_true", help="small: shows that everything runs, not what it costs")
    a = p.parse_args()
    if a.quick:
        a.rounds, a.seconds, a.clients, a.instruments = 1, 2, 10, 40
        a.even_rate, a.rate, a.keep_rate, a.flood_rate, a.flood_seconds = 5_000, 5_000, 5_000, 1_000_000, 0.2
        a.ladder, a.ladder_seconds = [20_000], 1
    parts = {"path": path, "keep": keep, "gateways": gateways, "sites": sites}
    chosen = a.parts.split(",")
    for name in chosen:
        if name not in parts:
            p.error(f"--parts: \"{name}\" found, wanted some of {', '.join(parts)}")
    bench.emit({"benchmark": "backbone", **bench.machine()})
    if not estates.NATS:
        bench.say("backbone.py: nats-server is not installed; nothing was measured")
        return
    good = [parts[name](a) for name in chosen]
    if not all(good):
        raise SystemExit("results differ: no ratio")


if __name__ == "__main__":
    main()
