#!/usr/bin/env python3
"""sqlmap (Debian's package) against an application that is injectable on purpose (Tests/Server/injectable.py), on
loopback: directly, which must find the injection, behind nginx with libmodsecurity, and behind Kabuto, both blocking with
the same Core Rule Set. Then every injecting request that reached the application in any of these runs is sent through
both once more: a request that passes Kabuto and that libmodsecurity stops ends the run with status 1.

Injecting is what changed the structure of the SQL, by the application's own log; that the database then refused it as
bad SQL is counted apart."""
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import bench
import corpora
import rulesets
import servers

APPLICATION = os.path.join(bench.ROOT, "Tests", "Server", "injectable.py")
TARGETS = {
    "query": lambda base: ["-u", f"{base}/quote?code=7203", "-p", "code"],
    "form": lambda base: ["-u", f"{base}/login", "--data", "user=alice&go=1", "-p", "user"],
    "cookie": lambda base: ["-u", f"{base}/watchlist", "--cookie", "list=1", "-p", "list"],
}


class Application(servers.Server):
    name = "application"

    def __init__(self):
        folder, port = servers.place("application"), bench.free_port()
        self.statements = os.path.join(folder, "statements.jsonl")
        open(self.statements, "w").close()
        super().__init__([sys.executable, APPLICATION, "--port", str(port), "--log", self.statements], port, open(os.path.join(folder, "output"), "wb"))

    def taken(self):
        """What was logged since the last time."""
        with open(self.statements, encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines]
        with open(self.statements, "r+b") as log:
            log.truncate(0)
        return found


def attack(a, port, place, tamper, deadline):
    """One run of sqlmap; whether it says that the parameter is injectable, and the seconds."""
    left = max(5, min(a.limit, deadline - time.monotonic()))
    output = os.path.join(bench.folder(), f"sqlmap-{bench.free_port()}")
    command = [shutil.which("sqlmap"), *TARGETS[place](f"http://127.0.0.1:{port}"), "--host", "www.example.com", "--user-agent", corpora.BROWSER, "--batch", "--dbms", "sqlite", "--level", str(a.level),
               "--risk", str(a.risk), "--time-sec", "1", "--timeout", "5", "--retries", "0", "--threads", "4", "--technique", a.technique, "--flush-session", "--ignore-code", "*",
               "--output-dir", output, "--disable-coloring", "--banner", *(["--tamper", tamper] if tamper else [])]
    begin = time.monotonic()
    process = bench.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
    try:
        text, _ = process.communicate(timeout=left)
    except subprocess.TimeoutExpired:
        bench.end(process, 3)
        text, _ = process.communicate()
        text += "\n(ended: out of time)"
    if process in bench._running:
        bench._running.remove(process)
    if a.verbose:
        bench.say(text)
    return bool(re.search(r"sqlmap identified the following injection point|resumed the following injection point", text)), bool(re.search(r"banner: '", text)), round(time.monotonic() - begin, 1)


def sent(port, request):
    """A logged request once more; its status."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.putrequest(request["method"], request["uri"], skip_host=True, skip_accept_encoding=True)
        for name, value in request["headers"]:
            if name.lower() not in ("connection", "content-length", "x-forwarded-for", "x-request-id", "via", "x-real-ip", "x-forwarded-proto", "x-forwarded-host", "transfer-encoding"):
                line.putheader(name, value)
        data = request["body"].encode()
        if data or request["method"] == "POST":
            line.putheader("Content-Length", str(len(data)))
        line.endheaders(data)
        answer = line.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        line.close()


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--targets", default=",".join(TARGETS))
    p.add_argument("--tampers", default=",space2comment,randomcase,between,charencode", help="sqlmap's ways to evade, a run each; empty: none")
    p.add_argument("--level", type=int, default=2)
    p.add_argument("--risk", type=int, default=1)
    p.add_argument("--technique", default="BEUS")
    p.add_argument("--paranoia", type=int, default=1)
    p.add_argument("--limit", type=float, default=60, help="seconds for one run of sqlmap")
    p.add_argument("--total", type=float, default=1200, help="seconds for all of them")
    p.add_argument("--options", default="", help="further options of `kabuto firewall run`, with blanks between")
    p.add_argument("--verbose", action="store_true")
    p.add_argument("--quick", action="store_true", help="the query parameter alone, no evasion, level 1")
    a = p.parse_args()
    if a.quick:
        a.targets, a.tampers, a.level = "query", "", 1
    if not shutil.which("sqlmap"):
        raise SystemExit("sqlmap is not installed (apt-get install -y sqlmap)")
    bench.emit({"benchmark": "sqlmap", "paranoia": a.paranoia, "level": a.level, **bench.machine()})
    found, lacking = servers.available(a.kabuto)
    application = Application()
    extra = rulesets.paranoia(a.paranoia)
    fronts = {"directly": application}
    for name in ("nginx+modsecurity", "kabuto+rules"):
        if name in found:
            more = {"program": a.kabuto, "options": a.options.split()} if name.startswith("kabuto") else {}
            fronts[name] = found[name][0](application.port, rules=True, extra=extra, **more)
        else:
            bench.say(f"{name} is left out: {lacking[name]} is not there")
    deadline, rows, reached, failed = time.monotonic() + a.total, [], {}, []
    for place in a.targets.split(","):
        for tamper in a.tampers.split(","):
            for name, front in fronts.items():
                if time.monotonic() > deadline - 5:
                    bench.say(f"out of time before {place} {tamper} {name}")
                    continue
                application.taken()
                injectable, banner, seconds = attack(a, front.port, place, tamper, deadline)
                log = application.taken()
                injecting = [one for one in log if one["differs"]]
                for one in injecting:
                    reached.setdefault((one["place"], one["value"]), one)
                ran = [one for one in injecting if not one["error"]]
                line = {"target": place, "tamper": tamper, "through": name, "found": injectable, "banner": banner, "reached": len(log), "injecting": len(injecting), "ran": len(ran), "seconds": seconds}
                bench.emit(line)
                rows.append([place, tamper or "none", name, str(injectable), str(banner), len(log), len(injecting), len(ran)])
                if name == "directly" and not injectable and not tamper:
                    failed.append(f"control: sqlmap did not find the {place} injectable without a firewall")

    # Sent again, the same request through both.
    passed = {name: {} for name in fronts if name != "directly"}
    for key, one in reached.items():
        for name in passed:
            application.taken()
            status = sent(fronts[name].port, one["request"])
            log = [found for found in application.taken() if found["differs"]]
            if log:
                passed[name][key] = {"place": key[0], "value": key[1], "status": status, "error": log[0]["error"]}
    for name, through in passed.items():
        ran = [one for one in through.values() if not one["error"]]
        bench.emit({"sent_again": len(reached), "through": name, "passed": len(through), "ran": len(ran)})
    peer, ours = passed.get("nginx+modsecurity", {}), passed.get("kabuto+rules")
    for key in sorted(peer):
        if ours is None or key in ours:
            bench.emit({"passes": "both" if ours is not None else "nginx+modsecurity", **peer[key]})
    for key in sorted(ours or {}):
        if key not in peer:
            bench.emit({"passes": "kabuto alone", **ours[key]})
            failed.append(f"passes Kabuto and not libmodsecurity: {key[0]}: {key[1]!r}")
    for front in fronts.values():
        front.end()
    print()
    bench.table(["target", "evasion", "through", "found injectable", "banner read", "reached", "injecting", "of these ran"], rows)
    for text in failed:
        bench.say(f"sqlmap.py: {text}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
