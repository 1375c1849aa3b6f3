"""Estates on loopback addresses for measurements: message servers with the configurations that the program writes, and
nodes as processes. What was started is ended."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import bench
import natsclient

MARKET, ZONE, DATE = "XTKS", "Asia/Tokyo", "2026-11-25"
NATS = shutil.which("nats-server") or shutil.which("/usr/sbin/nats-server")


class Estate:
    """Servers and nodes of one measurement. A server: (name, site, rail, keeps); a node: (name, site, roles, streams)."""

    def __init__(self, program, feed, servers, nodes, between="gateways"):
        self.program, self.folder = program, os.path.join(bench.folder(), f"estate-{time.monotonic_ns()}")
        os.makedirs(self.folder)
        self.rails = sorted({server[2] for server in servers})
        self.servers, self.nodes, self.processes = {}, {}, {}
        sites = sorted({one[1] for one in servers + nodes})
        lines = ["estate: bench", "version: 1", "markets:", f"  - code: {MARKET}", f'    feed: "{feed}"', f"    time_zone: {ZONE}", "sites:"]
        lines += [f"  - {{name: {site}, zones: [{site}-a]}}" for site in sites]
        if len(sites) > 1:
            lines += ["links:"] + [
                f"  - {{name: l{number}, between: [{sites[0]}-a, {site}-a], latency_ms: 1}}" for number, site in enumerate(sites[1:])]
        lines += ["backbone:", f"  between_sites: {between}", "  servers:"]
        for number, (name, site, rail, keeps) in enumerate(servers):
            # An address each: servers may then have the same ports.
            one = {"name": name, "zone": f"{site}-a", "rail": rail, "address": f"127.0.9.{number + 10}"}
            ports = set()
            while len(ports) < 5:
                ports.add(bench.free_port())
            one.update(zip(("port", "cluster_port", "gateway_port", "leaf_port", "monitor_port"), sorted(ports)))
            if keeps:
                one["keeps_streams"] = True
            self.servers[name] = one
            lines.append(f"    - {json.dumps(one)}")
        lines.append("nodes:")
        for name, site, roles, streams in nodes:
            one = {"name": name, "zone": f"{site}-a", "address": "127.0.0.1", "port": bench.free_port(), "roles": roles}
            if streams > 1:
                one["streams"] = streams
            self.nodes[name] = one
            lines.append(f"  - {json.dumps(one)}")
        self.file = os.path.join(self.folder, "estate.yaml")
        with open(self.file, "w") as file:
            file.write("\n".join(lines) + "\n")

    def carry(self):
        """Starts the message servers, and waits until they listen."""
        for name, one in self.servers.items():
            made = subprocess.run(
                [self.program, "estate", "servers", self.file, "--server", name, "--streams", os.path.join(self.folder, "kept-" + name)],
                capture_output=True, text=True)
            if made.returncode:
                raise SystemExit(f"estate servers {name}: {made.stderr}")
            path = os.path.join(self.folder, name + ".conf")
            with open(path, "w") as file:
                file.write(made.stdout)
            self.processes[name] = bench.start([NATS, "-c", path], stdout=-3, stderr=open(os.path.join(self.folder, name + ".log"), "ab"))
        for name in self.servers:
            wait(lambda: self.client(name).close() or True, f"{name} to listen")
        # Sites and keepers join within a second or two.
        time.sleep(2.5)

    def client(self, server):
        return natsclient.Client(self.servers[server]["address"], self.servers[server]["port"])

    def serve(self, name, log="error"):
        path = os.path.join(self.folder, name + ".log")
        self.processes[name] = bench.start(
            [self.program, "serve", "--estate", self.file, "--node", name, "--log-level", log], stdout=-3, stderr=open(path, "ab"))

    def get(self, node, path):
        return bench.get(self.nodes[node]["port"], path)

    def lives(self, *nodes):
        for node in nodes:
            wait(lambda: self.get(node, "/health/live"), f"{node} to live")

    def is_live(self, *nodes):
        for node in nodes:
            wait(lambda: self.get(node, "/health/ready")["status"] == "ready", f"{node} to be ready")

    def cpu(self):
        """CPU seconds so far, by process."""
        return {name: bench.cpu_seconds(process.pid) for name, process in self.processes.items()}

    def end(self):
        for name in list(self.processes)[::-1]:
            bench.end(self.processes.pop(name))
        shutil.rmtree(self.folder, ignore_errors=True)


def wait(what, name, seconds=60):
    """The first true value; who isn't there yet is asked again."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = what()
            if found:
                return found
        except (OSError, urllib.error.URLError):
            pass
        if time.monotonic() > end:
            raise SystemExit(f"waited {seconds} s in vain for {name}")
        time.sleep(0.02)


def quotes(port):
    """The best quotes of all instruments, as the exchange's file names them."""
    found, cursor = {}, ""
    while True:
        answer = bench.get(port, f"/v1/quotes?limit=1000{cursor}")
        for quote in answer["quotes"]:
            found[quote["instrument"]] = [quote[name] for name in ("bid", "bid_size", "ask", "ask_size")]
        if not answer.get("next"):
            return found
        cursor = f"&cursor={answer['next']}"


def digest(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
