#!/usr/bin/env python3
"""What a request costs at the firewall: CPU time of the proxy (all its processes) a request, of Kabuto, of nginx with
libmodsecurity and of Apache with ModSecurity 2.9, each with the same Core Rule Set (Debian's 3.3, blocking, paranoia
level 1) and without rules, one worker on one core. Six cases, and a mix of them (in 100 requests: 50 plain GETs, 30
pages of quotes with 22 cookies, 10 forms of 4 KiB, 5 JSON documents of 32 KiB, 1 upload of 2 MB, 4 attacks). Then the
delay at a low, even rate. Different statuses void the figures, and end the run with status 1."""
import os
import random
import sys

import bench

sys.path.insert(0, os.path.join(bench.HERE, "Firewall"))

import corpora
import rulesets
import servers


def mix_file(a):
    """Blocks of 100 requests in the mix's shares, each block in another order."""
    dice, blocks, made = random.Random(a.seed), a.blocks, []
    for case, share in corpora.SHARES.items():
        own = random.Random(f"{a.seed} mix {case}")
        made.append([corpora.mixed(case, own, f"mix-{case}-{number}") for number in range(share * blocks)])
    requests = []
    for block in range(blocks):
        part = [one for of_case, share in zip(made, corpora.SHARES.values()) for one in of_case[block * share:(block + 1) * share]]
        dice.shuffle(part)
        requests += part
    return requests


def statuses(found):
    """By case, how often each status came."""
    return {corpora.CASES[int(number)]: case["statuses"] for number, case in found["cases"].items()}


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--servers", help="some of nginx, nginx+modsecurity, apache, apache+modsecurity, kabuto, kabuto+rules, with commas between")
    p.add_argument("--cases", default=",".join(corpora.CASES) + ",mix")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=1, help="a case, server and round")
    p.add_argument("--connections", type=int, default=16)
    p.add_argument("--rate", type=float, default=10, help="requests a second of the mix where delays are measured")
    p.add_argument("--delay-seconds", type=float, default=20)
    p.add_argument("--paranoia", type=int, default=1)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--blocks", type=int, default=6, help="blocks of 100 requests in the mix's file")
    p.add_argument("--options", default="", help="further options of `kabuto firewall run`, with blanks between")
    p.add_argument("--quick", action="store_true")
    a = p.parse_args()
    if a.quick:
        a.rounds, a.seconds, a.delay_seconds, a.blocks = 1, 0.3, 2, 2
    bench.emit({"benchmark": "firewall", "paranoia": a.paranoia, "rounds": a.rounds, **bench.machine()})
    found, lacking = servers.available(a.kabuto)
    for name, what in lacking.items():
        bench.say(f"{name} is left out: {what} is not there")
    if a.servers:
        found = {name: found[name] for name in a.servers.split(",") if name in found}
    cases = a.cases.split(",")
    each = 20 if a.quick else 200
    files = {case: servers.prepared(corpora.mix(each, a.seed, [case]), case) for case in cases if case != "mix"}
    if "mix" in cases:
        files["mix"] = servers.prepared(mix_file(a), "mix")

    backend = servers.Backend()
    running = {}
    extra = rulesets.paranoia(a.paranoia)
    for name, (made, examined) in found.items():
        more = {"program": a.kabuto, "options": a.options.split()} if made is servers.Kabuto else {}
        running[name] = made(backend.port, rules=examined or None, extra=extra if examined else "", **more)

    # Each request once, one after the other: the same answers, or the rest says nothing.
    digests, wrong = {}, []
    for name, server in running.items():
        counts = {}
        for case in files:
            if case != "mix":
                count = min(each, {"upload": 10, "json": 40}.get(case, each))
                once = servers.client("--port", server.port, "--requests", files[case], "--connections", 1, "--count", count)
                counts.update(statuses(once))
                if once["errors"]:
                    wrong.append(f"{name}: {case}: {once['errors']} requests without an answer")
        digests[name] = counts
        bench.emit({"server": name, "statuses": counts})
    for examined in (False, True):
        of_kind = {name: digests[name] for name in running if running[name].rules == examined}
        first = next(iter(of_kind), None)
        wrong += [f"{name} answers {counts}, {first} {of_kind[first]}" for name, counts in of_kind.items() if counts != of_kind[first]]

    cost, errors = {}, 0
    for turn in range(a.rounds):
        for case, path in files.items():
            for name, server in running.items():
                before = server.cpu()
                done = servers.client("--port", server.port, "--requests", path, "--connections", a.connections, "--seconds", a.seconds)
                cost.setdefault((case, name), []).append((server.cpu() - before) / max(1, done["answers"]) * 1e6)
                errors += done["errors"]
    delays = {}
    if "mix" in files:
        for turn in range(a.rounds if a.quick else max(1, a.rounds // 2)):
            for name, server in running.items():
                done = servers.client("--port", server.port, "--requests", files["mix"], "--connections", 32, "--seconds", a.delay_seconds, "--rate", a.rate)
                errors += done["errors"]
                for number, case in done["cases"].items():
                    for part in ("p50", "p99"):
                        delays.setdefault((name, corpora.CASES[int(number)], part), []).append(case["delay_us"][part])
    for server in running.values():
        server.end()
    backend.end()
    if errors:
        wrong.append(f"{errors} requests without an answer")

    middle = {key: bench.middle(values) for key, values in cost.items()}
    rows = []
    for case in files:
        for name in running:
            values = cost[case, name]
            bench.emit(bench.rounded({"case": case, "server": name, "cpu_us_per_request": middle[case, name], "requests_per_cpu_s": 1e6 / middle[case, name],
                                      "spread_us": bench.spread(values)}))
        rows.append([case, *(middle[case, name] for name in running)])
    print()
    bench.table(["CPU µs a request", *running], rows)

    def added(case, plain, examined):
        return middle[case, examined] - middle[case, plain] if (case, plain) in middle and (case, examined) in middle else None

    pairs = (("nginx", "nginx+modsecurity"), ("apache", "apache+modsecurity"), ("kabuto", "kabuto+rules"))
    rows = []
    for case in files:
        ours, row, line = added(case, *pairs[2]), [case], {"case": case, "added_us": {}, "ratio_added": {}, "ratio_whole": {}}
        for plain, examined in pairs:
            rules = added(case, plain, examined)
            line["added_us"][examined] = rules
            if examined != "kabuto+rules":
                line["ratio_added"][examined] = rules / ours if rules and ours and ours > 0 else None
                line["ratio_whole"][examined] = middle[case, examined] / middle[case, "kabuto+rules"] if rules and ours else None
        line["proxy_of_nginx"] = middle[case, "nginx"] / middle[case, "kabuto"] if (case, "nginx") in middle and (case, "kabuto") in middle else None
        bench.emit(bench.rounded({k: bench.rounded(v) if isinstance(v, dict) else v for k, v in line.items()}))
        row += [line["added_us"][examined] for _, examined in pairs]
        row += [line["ratio_added"]["nginx+modsecurity"], line["ratio_whole"]["nginx+modsecurity"], line["ratio_added"]["apache+modsecurity"], line["ratio_whole"]["apache+modsecurity"],
                line["proxy_of_nginx"]]
        rows.append(row)
    print()
    bench.table(["what the rules add, µs", "libmodsecurity", "ModSecurity 2.9", "Kabuto", "× less than libmodsecurity", "whole request ×", "× less than 2.9", "whole request ×", "proxy alone, of nginx"], rows)
    rows = []
    for name in running:
        for case in corpora.CASES:
            if (name, case, "p50") in delays:
                p50, p99 = (bench.middle(delays[name, case, part]) for part in ("p50", "p99"))
                bench.emit(bench.rounded({"server": name, "case": case, "rate": a.rate, "delay_us": {"p50": p50, "p99": p99}}))
                rows.append([name, case, p50 / 1000, p99 / 1000])
    if rows:
        print()
        bench.table(["server", f"delay at {a.rate:g} a second of the mix", "p50 ms", "p99 ms"], rows)
    for text in wrong:
        bench.say(f"firewall.py: {text}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
