"""What a server has kept, read from its database file and over REST, for comparison with what it should have kept.

The file is read from a copy: opening it folds the log into it, which would hide what the server finds by itself.
"""

import os
import shutil
import sqlite3
import tempfile

FILE = "prices.sqlite"
TABLES = {
    "trade": "sequence, time, price, size, match, kind, aggressor, direction, broken, broken_by",
    "quote": "sequence, time, bid, bid_size, bid_orders, ask, ask_size, ask_orders",
    "minute_bar": "start, sequence, open, high, low, close, volume, turnover, trades, closed",
    "daily_bar": "t.date, sequence, open, high, low, close, volume, turnover, trades, closed",
}


def code(number):
    """An instrument's code from the eight bytes that the database keeps as a signed integer."""
    return (number & (1 << 64) - 1).to_bytes(8, "big").decode("ascii", "replace").strip()


class Copy:
    """A copy of a data folder's database, open."""

    def __init__(self, data):
        self.folder = tempfile.mkdtemp(prefix="kabuto-copy-")
        for suffix in ("", "-wal"):
            if os.path.exists(os.path.join(data, FILE + suffix)):
                shutil.copy(os.path.join(data, FILE + suffix), os.path.join(self.folder, FILE + suffix))
        self.line = sqlite3.connect(os.path.join(self.folder, FILE))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.line.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sound(self):
        return self.line.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def begun(self):
        return bool(self.line.execute("SELECT 1 FROM sqlite_master WHERE name = 'snapshot'").fetchall())

    def rows(self, table):
        """Everything in a table, with names in place of the database's own numbers; sorted."""
        rows = self.line.execute(
            f"SELECT i.code, e.date, e.session, {TABLES[table]} FROM {table} t"
            " JOIN instrument i ON i.id = t.instrument JOIN epoch e ON e.id = t.epoch").fetchall()
        count = self.line.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        assert len(rows) == count, f"{count - len(rows)} rows of {table} have no name"
        return sorted((code(row[0]), *row[1:]) for row in rows)

    def all(self):
        return {table: self.rows(table) for table in TABLES}

    def snapshots(self):
        """(epoch, sequence) of those that can be offered, newest first."""
        return self.line.execute(
            "SELECT epoch, sequence FROM snapshot WHERE set_aside IS NULL ORDER BY id DESC").fetchall()


def trades(server, name, limit=1000):
    """All trades of an instrument over REST, newest first."""
    found, cursor = [], None
    while True:
        page = server.json(f"/v1/trades/{name}", limit=limit, cursor=cursor)
        found += page["trades"]
        cursor = page["next"]
        if cursor is None:
            return found


def served(server):
    """All that REST says of what happened: trades page by page, bars of minutes and of the day."""
    return {
        name: {
            "trades": trades(server, name),
            **{interval: server.json(f"/v1/bars/{name}", interval=interval, limit=10_000)["bars"]
               for interval in ("1m", "1d")},
        }
        for name in sorted(server.codes())
    }
