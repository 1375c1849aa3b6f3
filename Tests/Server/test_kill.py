"""Killed at any moment: `kill -9` again and again while a recorded day is played, started again each time. In the end
state and rows are those of a server that was never killed, and nothing that was acknowledged was missing in between.

KABUTO_KILLS  how many kills (default 12)
KABUTO_SEED   repeats the moments
"""

import json
import os
import random
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from kabuto import Server, run, until
from stored import Copy, TABLES, served, trades

KILLS = int(os.environ.get("KABUTO_KILLS", 12))
SEED = int(os.environ.get("KABUTO_SEED") or f"{random.randrange(1 << 32):x}", 16)
INSTRUMENTS, MESSAGES = 24, 90_000
# How many seconds of the exchange's a second is: the day's ten hours would last this long without a kill.
DAY_SECONDS = 16
NEWEST_IN_MEMORY = 128  # trades of an instrument that REST has without the store


class Day:
    """A simulated day as a file, its digest, and what a server that was never killed makes of it."""

    _one = None

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="kabuto-day-")
        self.file = os.path.join(self.folder, "day.itch")
        made = run("simulate", "--out", self.file, "--seed", "11", "--instruments", str(INSTRUMENTS),
                   "--messages", str(MESSAGES), "--json")
        assert made.returncode == 0, made.stderr
        self.messages = json.loads(made.stdout)["messages"]
        digest = run("digest", self.file, "--json")
        assert digest.returncode == 0, digest.stderr
        self.digest = json.loads(digest.stdout)["digest"]
        server = Server(f"itch:{self.file}?speed=max", data=True).start(ready=False)
        ended(server)
        self.served = served(server)
        assert server.terminate() == 0
        with Copy(server.data) as copy:
            self.rows = copy.all()
        server.end()

    @classmethod
    def one(cls):
        if cls._one is None:
            cls._one = cls()
        return cls._one

    @classmethod
    def forget(cls):
        if cls._one is not None:
            shutil.rmtree(cls._one.folder, ignore_errors=True)
            cls._one = None


def tearDownModule():
    Day.forget()


def source(server):
    return server.json("/v1/status")["sources"][0]


def ended(server):
    """Waits for the end of the feed, and until its rows are in the database. Returns the source's figures."""
    until(lambda: server.answers("/health/live") and source(server)["state"] == "ended"
          and source(server)["digest"] is not None, "the end of the day", seconds=180)

    def settled():
        status = server.json("/v1/status")
        if status["store"]["state"] != "ok" or any(loop["ring_fill"] for loop in status["loops"]):
            return False
        if status["store"]["ring_fill"] or status["store"]["rows_waiting"]:
            return False
        first = status["store"]["rows_written"]
        time.sleep(0.6)  # three batches
        return server.json("/v1/status")["store"]["rows_written"] == first

    until(settled, "the last rows")
    return source(server)


def by_seq(listed):
    return {trade["seq"]: trade for trade in listed}


class Compared(unittest.TestCase):
    def same_rows(self, data, day):
        """The database holds exactly what that of an undisturbed server holds."""
        with Copy(data) as copy:
            self.assertTrue(copy.sound())
            for table in TABLES:
                found, wanted = copy.rows(table), day.rows[table]
                missing = sorted(set(wanted) - set(found))
                wrong = sorted(set(found) - set(wanted))
                self.assertEqual((missing[:3], wrong[:3]), ([], []),
                                 f"{table}: {len(missing)} missing, {len(wrong)} wrong of {len(wanted)}")
                self.assertEqual(len(found), len(set(found)), f"{table}: rows are doubled")

    def same_served(self, server, day):
        found = served(server)
        self.assertEqual(found.keys(), day.served.keys())
        for name, wanted in day.served.items():
            for kind in wanted:
                self.assertEqual(found[name][kind], wanted[kind], f"{kind} of {name}")

    def same_end(self, server, day):
        """Plays the rest as fast as it goes: state, rows and answers are those of an undisturbed server."""
        last = ended(server)
        self.assertEqual((last["digest"], last["digest_seq"]), (day.digest, day.messages))
        self.assertEqual(last["seq"], day.messages)
        self.same_served(server, day)
        self.assertEqual(server.terminate(), 0)
        self.same_rows(server.data, day)


class Kills(Compared):
    def test_kill_9_at_random_moments_loses_nothing(self):
        print(f"\n  {KILLS} kills; to repeat: KABUTO_SEED={SEED:x} KABUTO_KILLS={KILLS}", flush=True)
        chance = random.Random(SEED)
        day = Day.one()
        speed = 36_000 // DAY_SECONDS
        server = Server(f"itch:{day.file}?speed={speed}", data=True, environment={"KABUTO_SNAPSHOT_SECONDS": "0.3"})
        self.addCleanup(server.end)
        known = {name: by_seq(listed["trades"]) for name, listed in day.served.items()}
        seen = {name: set() for name in known}  # whatever REST has ever said
        durable = {name: set() for name in known}  # what it had from the store
        resumed, snapshots = 0, []
        kill = -1
        # And on, where by chance the day has come no further than its morning: until something was seen that only the
        # store still has.
        while kill + 1 < KILLS or KILLS >= 12 and kill < 4 * KILLS and not any(durable.values()):
            kill += 1
            with self.subTest(kill=kill):
                server.launch()
                resumes = bool(snapshots)
                # While it starts, or some time after it has begun to play.
                if chance.random() < 0.3:
                    moment = time.monotonic() + chance.uniform(0, 0.8)
                else:
                    until(lambda: server.answers("/health/live") and source(server)["seq"], "a state", pause=0.01)
                    moment = time.monotonic() + chance.uniform(0, 3.5)
                while time.monotonic() < moment:
                    try:
                        if resumes and source(server)["seq"]:
                            # It goes on from the newest snapshot, not from an older one or the beginning.
                            self.assertGreaterEqual(source(server)["seq"], snapshots[0][1])
                            self.assertEqual(source(server)["epoch"], snapshots[0][0])
                            resumes, resumed = False, resumed + 1
                        for name in chance.sample(server.codes() or [], 1):
                            listed = trades(server, name, limit=chance.choice((50, 128, 1000)))
                            for trade in listed:
                                # Never another trade than the day has, broken or not yet.
                                wanted = known[name].get(trade["seq"])
                                self.assertIsNotNone(wanted, f"{name}: no such trade: {trade}")
                                self.assertEqual({**trade, "broken": None}, {**wanted, "broken": None})
                            seqs = [trade["seq"] for trade in listed]
                            self.assertEqual(seqs, sorted(set(seqs), reverse=True), "in order, none twice")
                            seen[name].update(seqs)
                            durable[name].update(seqs[NEWEST_IN_MEMORY:])
                    except (OSError, ValueError, IndexError):
                        pass  # not there yet
                    time.sleep(0.02)
                self.assertIsNone(server.process.poll(), server.log_text())
                server.kill()
                # What was acknowledged is there before anything is played again.
                with Copy(server.data) as copy:
                    self.assertTrue(copy.sound())
                    if not copy.begun():
                        continue
                    kept = {}
                    for row in copy.rows("trade"):
                        kept.setdefault(row[0], set()).add(row[3])
                    for name, seqs in durable.items():
                        self.assertLessEqual(seqs, kept.get(name, set()), f"{name}: acknowledged, and lost")
                    for table in TABLES if kill >= KILLS - 1 else ("trade",):
                        # Bars grow; ticks are there whole or not at all.
                        if table in ("trade", "quote"):
                            key = slice(0, 8) if table == "trade" else slice(None)
                            extra = {row[key] for row in copy.rows(table)} - {row[key] for row in day.rows[table]}
                            self.assertEqual(sorted(extra)[:3], [], f"{table}: rows that the day doesn't have")
                    snapshots = copy.snapshots()
        server.feeds = (f"itch:{day.file}?speed=max",)
        server.start(ready=False)
        print(f"  {resumed} starts from a snapshot, {sum(map(len, seen.values()))} trades seen, "
              f"{sum(map(len, durable.values()))} of them from the store", flush=True)
        self.same_end(server, day)
        if KILLS >= 12:
            self.assertGreater(resumed, 0)
            self.assertTrue(any(durable.values()))


if __name__ == "__main__":
    unittest.main()
