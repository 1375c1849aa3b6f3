"""A small application that is injectable on purpose: SQL built of texts, from a query parameter, a form field and a
cookie. For tests of the firewall only; it listens on loopback and its database is in memory.

    injectable.py --port P --log FILE

GET /quote?code=7203   POST /login (user=…)   GET /watchlist (Cookie: list=1)   everything else: 200

Each statement is a JSON line in the log: place, value, statement, whether its structure differs from the one meant
("differs": the value injected SQL), the database's error, and the request, so that it can be sent again.
"""

import argparse
import http.server
import json
import re
import sqlite3
import threading
import urllib.parse

STATEMENTS = {
    "query": "SELECT code, name, price FROM quotes WHERE code = '{}' AND listed = 1",
    "form": "SELECT id, name FROM users WHERE name = '{}'",
    "cookie": "SELECT quotes.code, quotes.name FROM entries JOIN quotes ON quotes.code = entries.code WHERE entries.list = {}",
}
TOKENS = re.compile(r"\s+|'(?:[^']|'')*'|\d+(?:\.\d+)?|\w+|--[^\n]*|/\*.*?\*/|.", re.S)


def structure(statement):
    """The kinds of a statement's tokens: two statements that differ in literals only have the same."""
    kinds = []
    for token in TOKENS.findall(statement):
        if token.isspace():
            continue
        if token[0] == "'" and len(token) > 1:
            kinds.append("text")
        elif token[0].isdigit():
            kinds.append("number")
        else:
            kinds.append(token.lower())
    return kinds


MEANT = {place: structure(text.format("1")) for place, text in STATEMENTS.items()}


def differs(place, statement):
    return structure(statement) != MEANT[place]


class Application(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port, log):
        super().__init__(("127.0.0.1", port), Handler)
        self.lock, self.log = threading.Lock(), open(log, "a", encoding="utf-8") if log else None
        self.database = sqlite3.connect(":memory:", check_same_thread=False)
        self.database.executescript("""
            CREATE TABLE quotes (code TEXT, name TEXT, price REAL, listed INTEGER); CREATE TABLE users (id INTEGER, name TEXT, password TEXT);
            CREATE TABLE entries (list INTEGER, code TEXT);
            INSERT INTO quotes VALUES ('7203', 'Motor', 2345.5, 1), ('9984', 'Group', 8123, 1), ('1301', 'Sea', 4100, 0);
            INSERT INTO users VALUES (1, 'alice', 'correct horse'), (2, 'bob', 'battery staple'); INSERT INTO entries VALUES (1, '7203'), (1, '9984'), (2, '1301');""")
        # A statement that runs for ever (time-based attacks) is ended.
        self.steps = 0
        self.database.set_progress_handler(self.step, 100_000)

    def step(self):
        self.steps += 1
        return self.steps > 300

    def ask(self, place, value, request):
        statement, error, rows = STATEMENTS[place].format(value), None, []
        with self.lock:
            self.steps = 0
            try:
                rows = self.database.execute(statement).fetchmany(100)
            except (sqlite3.Error, sqlite3.Warning, ValueError) as found:
                error = str(found)
            if self.log:
                self.log.write(json.dumps({"place": place, "value": value, "statement": statement, "differs": differs(place, statement), "error": error, "request": request}) + "\n")
                self.log.flush()
        return rows, error


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size).decode("utf-8", "replace")
        path, _, query = self.path.partition("?")
        place, value = None, None
        if path == "/quote":
            place, value = "query", urllib.parse.parse_qs(query, keep_blank_values=True).get("code", [""])[-1]
        elif path == "/login" and self.command == "POST":
            place, value = "form", urllib.parse.parse_qs(body, keep_blank_values=True).get("user", [""])[-1]
        elif path == "/watchlist":
            found = re.search(r"(?:^|;\s*)list=([^;]*)", self.headers.get("Cookie") or "")
            place, value = "cookie", urllib.parse.unquote(found[1]) if found else "0"
        if place is None:
            return self.answer(200, "ok\n")
        request = {"method": self.command, "uri": self.path, "headers": [[name, text] for name, text in self.headers.items()], "body": body}
        rows, error = self.server.ask(place, value, request)
        if error:
            return self.answer(500, f"<p>SQLite error: {error}</p>\n")
        return self.answer(200, "<table>" + "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows) + f"</table><p>{len(rows)} rows</p>\n")

    do_GET = do_POST = do_PUT = do_HEAD = handle_any


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--log")
    a = p.parse_args()
    Application(a.port, a.log).serve_forever()


if __name__ == "__main__":
    main()
