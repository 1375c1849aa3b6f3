#!/usr/bin/env python3
"""Libmodsecurity and Kabuto examine the same requests: the same rules must match. Requests come from JSON lines (see
corpora.py; without files: the regression tests), and mutations of them, by a seed. A request whose rules differ is
written down, and counts as wrong unless the exceptions' file names the reason; then the status is 1.

Mutations, one to three a request, each of one value (of the query, a form, a cookie or a header):
  flip        a byte is changed, dropped, doubled or put in
  encode      characters become %xx, %25xx, %uxxxx, \\uxxxx, \\xxx, &#n;, &#xh; or +
  case        letters change case
  fill        SQL or HTML comments, blanks, tabs, line ends, NUL between words or characters
  move        the value goes to the query, a form, JSON, multipart, a cookie, the path or a header
  join        a value of another request is appended, with or without something between
  cut         the value is cut to a part, or repeated

The exceptions' file has JSON lines {"rule": id or "*", "side": "peer"|"ours"|"*", "request": expression, "reason": text}
(the expression is searched in the request's id, target and Content-Type):
"peer" means that only libmodsecurity matches the rule. An exception without a reason is refused."""
import argparse
import collections
import json
import os
import random
import re
import subprocess
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import bench
import corpora
import rulesets

FORM = corpora.FORM


# The two sides: requests in, the identities of the rules that matched and logged by request out.

def peer(main, requests):
    process = subprocess.Popen([bench.tool("Firewall/modsecurity.cpp", "-lmodsecurity"), main], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return answered(process, b"".join(map(corpora.frame, requests)), requests)


def ours(program, main, requests):
    """`kabuto firewall check` prints a line a request: {"id", "matches": [{"id", …}…]} (or the ids alone)."""
    path = os.path.join(bench.folder(), "requests.jsonl")
    corpora.write(requests, path)
    process = subprocess.Popen([program, "firewall", "check", "--rules", main, "--quoting", "libmodsecurity", "--input", path, "--json"], stdout=subprocess.PIPE)
    return answered(process, None, requests)


def answered(process, data, requests):
    text, _ = process.communicate(data)
    # 1 says that something matched.
    if process.returncode not in (0, 1):
        raise SystemExit(f"{process.args[0]} ended with status {process.returncode}")
    found = {}
    for line in text.splitlines():
        answer = json.loads(line)
        found[answer["id"]] = [match["id"] if isinstance(match, dict) else match for match in answer["matches"]]
    absent = [one["id"] for one in requests if one["id"] not in found]
    if absent:
        raise SystemExit(f"{process.args[0]} said nothing of {len(absent)} requests, the first is {absent[0]}")
    return found


# A request taken apart into the values that mutations change, and put together again

class Parts:
    def __init__(self, made):
        self.made = made
        self.headers = [list(pair) for pair in made["headers"]]
        self.path, mark, query = made["uri"].partition("?")
        self.has_query = bool(mark)
        self.query = [pair.partition("=") for pair in query.split("&")] if mark else []
        self.query = [[name, value, sign] for name, sign, value in self.query]
        self.body = corpora.body(made)
        self.form = None
        kind = next((value for name, value in self.headers if name.lower() == "content-type"), "")
        if kind.startswith(FORM) and self.body:
            text = self.body.decode("utf-8", "replace")
            self.form = [[name, value, sign] for name, sign, value in (pair.partition("=") for pair in text.split("&"))]
        self.changed_body = False

    def places(self):
        """Where there is a value: functions that get and set it. `encoded` ones are percent-encoded when set."""
        found = []
        for pair in self.query:
            found.append(("query", lambda pair=pair: pair[1], lambda text, pair=pair: pair.__setitem__(1, text)))
        for pair in self.form or []:
            found.append(("form", lambda pair=pair: pair[1], lambda text, pair=pair: pair.__setitem__(1, text)))
        for pair in self.headers:
            if pair[0].lower() not in ("host", "content-length", "content-type", "transfer-encoding", "connection"):
                found.append(("header", lambda pair=pair: pair[1], lambda text, pair=pair: pair.__setitem__(1, text)))
        if self.body and self.form is None:
            def put(text):
                self.body, self.changed_body = text.encode("latin-1", "replace"), True
            found.append(("body", lambda: self.body.decode("latin-1"), put))
        return found or [("path", lambda: self.path, lambda text: setattr(self, "path", text))]

    def whole(self, identity):
        join = lambda pairs: "&".join(name + (sign or ("=" if value else "")) + value for name, value, sign in pairs)
        uri = self.path + ("?" + join(self.query) if self.has_query or self.query else "")
        uri = tame(uri, blanks=False)
        body = self.body
        if self.form is not None:
            body = join(self.form).encode("utf-8", "surrogateescape")
        headers = [[name, tame(value)] for name, value in self.headers]
        if body or self.changed_body:
            headers = [pair for pair in headers if pair[0].lower() != "content-length"] + [["Content-Length", str(len(body))]]
        made = dict(self.made)
        made.pop("expect", None)
        again = corpora.request(identity, made.pop("method"), uri, headers, body, made.pop("version"), made.pop("client"))
        return {**made, **again}


def tame(text, blanks=True):
    """What could not be on a request's first line or in a header's value is encoded, so that both sides are asked the same."""
    out = []
    for c in text:
        if c in "\r\n\0" or (not blanks and c in " \t"):
            out.append("%%%02X" % ord(c))
        elif 0xd800 <= ord(c) < 0xe000:
            out.append("?")
        else:
            out.append(c)
    return "".join(out)


# The mutations: dice, text and all values there are; a new text

def flip(dice, text, _values):
    if not text:
        return chr(dice.randrange(1, 127))
    at = dice.randrange(len(text))
    kind = dice.randrange(4)
    other = chr(dice.choice((dice.randrange(32, 127), dice.randrange(1, 256), ord(dice.choice("'\"`;<>()/\\%&|$=#-*{}[]@")))))
    return (text[:at] + other + text[at + 1:], text[:at] + text[at + 1:], text[:at] + text[at] + text[at:], text[:at] + other + text[at:])[kind]


def encode(dice, text, _values):
    share = dice.choice((1.0, 0.3, 0.1))
    kind = dice.randrange(9)

    def one(c):
        if dice.random() > share:
            return c
        data = c.encode("utf-8", "surrogateescape")
        if kind == 0:
            return "".join(f"%{b:02x}" for b in data)
        if kind == 1:
            return "".join(f"%25{b:02X}" for b in data)
        if kind == 2:
            return f"%u{ord(c) & 0xffff:04x}"
        if kind == 3:
            return f"\\u{ord(c) & 0xffff:04x}"
        if kind == 4:
            return "".join(f"\\x{b:02x}" for b in data)
        if kind == 5:
            return f"%26%23{ord(c)};"
        if kind == 6:
            return f"%26%23x{ord(c):x}%3b"
        if kind == 7:
            return "+" if c == " " else c
        return f"%uff{(ord(c) - 0x20) & 0xff:02x}" if 0x21 <= ord(c) <= 0x7e else c  # full-width form
    return "".join(map(one, text))


def case(dice, text, _values):
    kind = dice.randrange(3)
    return text.upper() if kind == 0 else text.swapcase() if kind == 1 else "".join(c.upper() if dice.random() < 0.5 else c.lower() for c in text)


def fill(dice, text, _values):
    what = dice.choice(("/**/", "/*!*/", "<!-- -->", "--%0a", "%20", "%09", "%0a", "%0d%0a", "%00", "%a0", "\t", "+", "%0b", "\\", "''", "\"\"", "^", "%ef%bb%bf"))
    if dice.random() < 0.6:
        pieces = re.split(r"( |\+|%20)", text)
        return "".join(what if piece in (" ", "+", "%20") and dice.random() < 0.7 else piece for piece in pieces)
    at = dice.randrange(len(text) + 1)
    return text[:at] + what + text[at:]


def join(dice, text, values):
    other = dice.choice(values)
    between = dice.choice(("", " ", ";", "&", "|", "%0a", "'", "--", ",", "%26"))
    return text + between + other if dice.random() < 0.5 else other + between + text


def cut(dice, text, _values):
    if len(text) < 2:
        return text * 3
    a, b = sorted((dice.randrange(len(text)), dice.randrange(len(text) + 1)))
    return dice.choice((text[a:b] or text, text[:b] or text, text[a:], text * dice.randrange(2, 5) if len(text) < 2000 else text))


CHANGES = {"flip": flip, "encode": encode, "case": case, "fill": fill, "join": join, "cut": cut}


def move(dice, parts, values):
    """A value goes to another place, decoded where that place has another encoding."""
    where, get, _put = dice.choice(parts.places())
    text = get() or dice.choice(values)
    plain = urllib.parse.unquote_plus(text, errors="replace") if where in ("query", "form") else text
    name = dice.choice(("q", "id", "file", "user", "data", "x[y]", "url", "a.b", "comment"))
    target = dice.choice(("query", "form", "json", "multipart", "filename", "xml", "cookie", "path", "header", "agent", "name"))
    quoted = urllib.parse.quote(plain, safe="", errors="surrogateescape")

    def body(kind, data):
        parts.made = {**parts.made, "method": "POST"}
        parts.headers = [pair for pair in parts.headers if pair[0].lower() not in ("content-type", "content-length", "transfer-encoding")]
        parts.headers.append(["Content-Type", kind])
        parts.body, parts.form, parts.changed_body = data, None, True

    data = plain.encode("utf-8", "surrogateescape")
    if target == "query":
        parts.query.append([name, quoted, "="])
    elif target == "name":
        parts.query.append([quoted, "1", "="])
    elif target == "form":
        body(FORM, f"{name}={quoted}".encode())
    elif target == "json":
        text = plain.encode("utf-8", "replace").decode()
        body("application/json", json.dumps(dice.choice(({name: text}, {"a": [{name: text}, 1, None]}, [text], {text: 1})), ensure_ascii=dice.random() < 0.5).encode())
    elif target == "multipart":
        body("multipart/form-data; boundary=boundary17", corpora.multipart([(name, data), ("z", "1")], "boundary17"))
    elif target == "filename":
        file = plain.replace("\r", "").replace("\n", "").replace("\"", "").replace("\0", "")
        body("multipart/form-data; boundary=boundary17", corpora.multipart([(name, file, "text/plain", data)], "boundary17"))
    elif target == "xml":
        escaped = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        body("application/xml", f"<?xml version=\"1.0\"?><r><v k=\"1\">{escaped}</v></r>".encode("utf-8", "replace"))
    elif target == "cookie":
        cookie = plain if dice.random() < 0.5 else quoted
        parts.headers = [pair for pair in parts.headers if pair[0].lower() != "cookie"] + [["Cookie", f"{name}={cookie}; other=1"]]
    elif target == "path":
        parts.path = parts.path.rstrip("/") + "/" + quoted
    elif target == "agent":
        parts.headers = [pair for pair in parts.headers if pair[0].lower() != "user-agent"] + [["User-Agent", plain]]
    else:
        parts.headers.append([dice.choice(("Referer", "X-Data", "Accept-Language", "X-Forwarded-For")), plain])


def mutations(requests, count, seed):
    """`count` mutations, spread evenly over the requests. The identity tells which, of which and what was done."""
    dice = random.Random(f"mutations {seed}")
    values = [get() for one in requests for _where, get, _put in Parts(one).places()]
    values = [value for value in values if 3 <= len(value) <= 4000] or ["1"]
    order = list(range(len(requests)))
    for number in range(count):
        if number % len(order) == 0:
            dice.shuffle(order)
        made = requests[order[number % len(order)]]
        parts, done = Parts(made), []
        for _ in range(dice.choice((1, 1, 1, 2, 2, 3))):
            kind = dice.choice((*CHANGES, "move", "move"))
            done.append(kind)
            if kind == "move":
                move(dice, parts, values)
                continue
            # Query and form fields are where most rules look.
            places = parts.places()
            _where, get, put = dice.choice([place for place in places if place[0] in ("query", "form", "body")] or places) if dice.random() < 0.7 else dice.choice(places)
            put(CHANGES[kind](dice, get(), values)[:20000])
        yield parts.whole(f"{made['id']}~{seed}.{number}~{'+'.join(done)}")


# Comparing

def exceptions(path):
    found = []
    if not path:
        return found
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            one = json.loads(line)
            if not one.get("reason"):
                raise SystemExit(f"{path}:{number}: an exception without a reason")
            found.append((one.get("rule", "*"), one.get("side", "*"), re.compile(one.get("request", "")), one["reason"]))
    return found


def kind_of(request):
    """The target and Content-Type of a request, for exceptions."""
    return " ".join([request["uri"]] + [f"content-type {value}" for name, value in request["headers"] if name.lower() == "content-type"])


def excused(known, rule, side, identity):
    for wanted, where, pattern, reason in known:
        if wanted in ("*", rule) and where in ("*", side) and pattern.search(identity):
            return reason
    return None


def main():
    p = bench.parser(__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("files", nargs="*", help="requests as JSON lines; else the regression tests")
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--data", default=corpora.test_data())
    p.add_argument("--rules", help="the Core Rule Set's folder; else that of the test data")
    p.add_argument("--main", help="a configuration that both load, as it is, instead of one made here")
    p.add_argument("--paranoia", type=int, default=4)
    p.add_argument("--count", type=int, default=50000, help="mutations")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--exceptions", default=os.path.join(HERE, "exceptions.jsonl"))
    p.add_argument("--out", default="differing.jsonl", help="the requests that differ, with both sides' rules")
    p.add_argument("--against", choices=("kabuto", "peer"), default="kabuto", help="peer: libmodsecurity against itself, where nothing may differ")
    p.add_argument("--canary", metavar="ID", help="with --against peer: the second one lacks this rule, so something must differ")
    p.add_argument("--batch", type=int, default=5000)
    a = p.parse_args()
    folder = os.path.join(bench.folder(), "rules")
    rules = a.rules or os.path.join(a.data, "crs-3.3", "rules")
    extra = rulesets.REGRESSION.replace("paranoia_level=4", f"paranoia_level={a.paranoia}")
    main = a.main or rulesets.main(folder, rules=rules, engine="DetectionOnly", extra=extra)
    second = main
    if a.canary:
        second = os.path.join(bench.folder(), "canary.conf")
        with open(second, "w") as text:
            text.write(f"Include {main}\nSecRuleRemoveById {a.canary}\n")
    known = exceptions(a.exceptions if os.path.exists(a.exceptions) else None)
    originals = [one for path in a.files for one in corpora.read(path)] if a.files else list(corpora.regression(a.data))
    seen = set()
    for number, one in enumerate(originals):
        if one["id"] in seen:
            one["id"] += f"#{number}"
        seen.add(one["id"])
    bench.emit({"benchmark": "differential", "requests": len(originals), "mutations": a.count, "seed": a.seed, **bench.machine()})
    every = originals + list(mutations(originals, a.count, a.seed))
    counts, reasons, differing, wrong, matched = collections.Counter(), collections.Counter(), 0, 0, 0
    out = open(a.out, "w", encoding="utf-8")
    for begin in range(0, len(every), a.batch):
        batch = every[begin:begin + a.batch]
        left = peer(main, batch)
        right = ours(a.kabuto, main, batch) if a.against == "kabuto" else peer(second, batch)
        for one in batch:
            theirs, mine = set(left[one["id"]]), set(right[one["id"]])
            matched += len(theirs)
            if theirs == mine:
                continue
            differing += 1
            open_ones = []
            for rule in theirs ^ mine:
                side = "peer" if rule in theirs else "ours"
                reason = excused(known, rule, side, f"{one['id']} {kind_of(one)}")
                if reason:
                    reasons[reason] += 1
                else:
                    counts[rule, side] += 1
                    open_ones.append(rule)
            wrong += bool(open_ones)
            out.write(json.dumps({**one, "peer": sorted(theirs), "ours": sorted(mine), "unexplained": sorted(open_ones)}) + "\n")
        bench.say(f"{min(begin + a.batch, len(every))} of {len(every)}: {differing} differ, {wrong} of them unexplained")
    out.close()
    for (rule, side), times in counts.most_common():
        bench.emit({"rule": rule, "only": side, "requests": times})
    for reason, times in reasons.most_common():
        bench.emit({"excused": reason, "times": times})
    bench.emit({"compared": len(every), "matches": matched, "differing": differing, "unexplained": wrong})
    print()
    bench.table(["rule", "only libmodsecurity", "only Kabuto"], [[str(rule), counts[rule, "peer"], counts[rule, "ours"]] for rule in sorted({rule for rule, _ in counts})])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
