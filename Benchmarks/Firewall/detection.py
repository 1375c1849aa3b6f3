#!/usr/bin/env python3
"""What the rules say of requests whose answer is known, through libmodsecurity's C API and through Kabuto: the Core Rule
Set's regression tests (which pass, which fail), and the benign corpora at several paranoia levels (false positives by
corpus and rule: requests that any rule matched, and those at or over the blocking score). Where the two differ, the
requests are named and the status is 1."""
import collections
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import bench
import corpora
import differential
import rulesets

BLOCKING = 949110
# Rules that sum up or decide; not what looked like an attack.
SUMS = {949110, 959100, 980100, 980110, 980120, 980130, 980140, 980145, 980150}


def sides(a, main, requests):
    found = {"libmodsecurity": {}, "kabuto": {}}
    for begin in range(0, len(requests), 5000):
        batch = requests[begin:begin + 5000]
        found["libmodsecurity"].update(differential.peer(main, batch))
        if a.both:
            found["kabuto"].update(differential.ours(a.kabuto, main, batch))
    return {name: answers for name, answers in found.items() if answers}


def numbered(requests):
    """Titles that come twice get a number, so that each answer has its request."""
    seen = collections.Counter()
    made = []
    for one in requests:
        seen[one["id"]] += 1
        made.append({**one, "title": one["id"], "id": one["id"] if seen[one["id"]] == 1 else f"{one['id']}#{seen[one['id']]}"})
    return made


def regression(a):
    rules = rulesets.DEBIAN_RULES if a.debian else os.path.join(a.data, "crs-3.3", "rules")
    main = rulesets.main(os.path.join(bench.folder(), "regression"), rules=rules, engine="DetectionOnly", extra=rulesets.REGRESSION)
    requests = numbered(corpora.regression(a.data, a.debian))
    failing = {}
    for name, answers in sides(a, main, requests).items():
        failing[name] = [one["id"] for one in requests if not corpora.passes(one["expect"], one["title"], answers[one["id"]])]
        bench.emit({"part": "regression", "engine": name, "tests": len(requests), "passed": len(requests) - len(failing[name]), "failing": failing[name]})
    ours = set(failing.get("kabuto", ()))
    return [f"regression: {title} fails with Kabuto alone" for title in ours - set(failing["libmodsecurity"])]


def benign(a):
    requests, wrong = numbered(corpora.benign(a.data)), []
    rules = rulesets.DEBIAN_RULES if a.debian else os.path.join(a.data, "crs-3.3", "rules")
    rows = []
    for level in map(int, a.levels.split(",")):
        main = rulesets.main(os.path.join(bench.folder(), f"benign-{level}"), rules=rules, engine="DetectionOnly", extra=rulesets.paranoia(level))
        answers = sides(a, main, requests)
        for name, found in answers.items():
            counts = {}
            for one in requests:
                ids = found[one["id"]]
                count = counts.setdefault(one["case"], [0, 0, 0, collections.Counter()])
                count[0] += 1
                count[1] += bool(set(ids) - SUMS)
                count[2] += BLOCKING in ids
                count[3].update(set(ids) - SUMS)
            for corpus, (total, matched, over, by_rule) in counts.items():
                bench.emit({"part": "benign", "engine": name, "level": level, "corpus": corpus, "requests": total, "matched": matched, "over": over, "rules": dict(sorted(by_rule.items()))})
                rows.append([level, name, corpus, total, matched, over, ", ".join(f"{rule} {times}" for rule, times in by_rule.most_common())])
        if "kabuto" in answers:
            for one in requests:
                theirs, mine = (set(answers[name][one["id"]]) for name in ("libmodsecurity", "kabuto"))
                if theirs != mine:
                    wrong.append(f"level {level}: {one['id']}: only libmodsecurity {sorted(theirs - mine)}, only Kabuto {sorted(mine - theirs)}")
    print()
    bench.table(["level", "engine", "corpus", "requests", "any rule", "at the blocking score", "rules"], rows)
    return wrong


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--data", default=corpora.test_data())
    p.add_argument("--parts", default="regression,benign")
    p.add_argument("--levels", default="1,2", help="paranoia levels")
    p.add_argument("--debian", action="store_true", help="Debian's rules and the tests that go with them")
    p.add_argument("--peer-only", action="store_true")
    a = p.parse_args()
    a.both = not a.peer_only
    bench.emit({"benchmark": "detection", "debian": a.debian, **bench.machine()})
    wrong = []
    for part in a.parts.split(","):
        wrong += {"regression": regression, "benign": benign}[part](a)
    for text in wrong[:200]:
        bench.say(f"detection.py: {text}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
