"""A disk that is full, and files that were damaged: the server goes on serving, says what is wrong, and has everything
right in the end.

KABUTO_DAMAGES  how many damaged files (default 12)
KABUTO_SEED     repeats them
"""

import glob
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from kabuto import Server, until
from stored import FILE, served
from test_kill import Compared, Day, ended, source

DAMAGES = int(os.environ.get("KABUTO_DAMAGES", 12))
SEED = int(os.environ.get("KABUTO_SEED") or f"{random.randrange(1 << 32):x}", 16)


def tearDownModule():
    Day.forget()


class SmallDisk:
    """A file system of a few megabytes in memory."""

    def __init__(self, megabytes):
        self.path = tempfile.mkdtemp(prefix="kabuto-disk-")
        self.mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", self.path], capture_output=True).returncode == 0

    def fill(self):
        with open(os.path.join(self.path, "filler"), "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"\1" * 4096)
            except OSError:
                pass

    def free(self):
        os.remove(os.path.join(self.path, "filler"))

    def end(self):
        if self.mounted:
            subprocess.run(["umount", "--lazy", self.path], capture_output=True)
        shutil.rmtree(self.path, ignore_errors=True)


class FullDisk(Compared):
    def setUp(self):
        self.disk = SmallDisk(64)
        self.addCleanup(self.disk.end)
        if not self.disk.mounted:
            self.skipTest(f"{self.id()}: needs a user that may mount a file system")
        self.day = Day.one()

    def server(self, feed):
        server = Server(feed, environment={"KABUTO_SNAPSHOT_SECONDS": "0.5", "KABUTO_DATA": self.disk.path})
        server.data = self.disk.path
        self.addCleanup(server.end)
        return server

    def degraded(self, server):
        store = server.json("/v1/status")["store"]
        return store if store["state"] == "degraded" else None

    def fill_until_degraded(self, server):
        """Something may be written between two looks: the disk is filled again until nothing is."""
        def look():
            self.disk.fill()
            return self.degraded(server)
        return until(look, "a store that says it is degraded")

    def test_it_serves_on_and_recovers_when_there_is_room_again(self):
        day = self.day
        server = self.server(f"itch:{day.file}?speed=3000").start()
        until(lambda: server.json("/v1/status")["store"]["rows_written"] > 2000, "rows")
        store = self.fill_until_degraded(server)
        self.assertTrue(store["reason"])
        self.assertIn("writing fails", server.log_text())
        # It serves on: the feed goes on, answers come, the rows wait.
        before = source(server)["seq"]
        until(lambda: source(server)["seq"] > before + 3000, "the feed to go on")
        self.assertEqual(server.get("/health/ready").status, 200)
        self.assertEqual(len(server.json("/v1/quotes", limit=1000)["quotes"]), len(day.served))
        until(lambda: server.json("/v1/status")["store"]["rows_waiting"] > 0, "rows that wait")
        self.assertIsNotNone(self.degraded(server))
        metrics = server.get("/metrics").body.decode()
        self.assertIn("\nkabuto_store_ok 0\n", metrics)
        self.disk.free()
        until(lambda: server.json("/v1/status")["store"]["state"] == "ok", "writing to work again")
        self.assertIn("writing works again; 0 rows were lost", server.log_text())
        last = ended(server)
        self.assertEqual(last["digest"], day.digest)
        store = server.json("/v1/status")["store"]
        self.assertEqual((store["rows_lost"], store["rows_waiting"]), (0, 0))
        self.same_served(server, day)
        self.assertEqual(server.terminate(), 0)
        self.same_rows(server.data, day)

    def test_what_could_not_be_kept_is_told_and_played_again(self):
        for end in ("term", "kill"):
            with self.subTest(end=end):
                day = self.day
                server = self.server(f"itch:{day.file}?speed=3000").start()
                until(lambda: server.json("/v1/status")["store"]["rows_written"] > 2000, "rows")
                self.fill_until_degraded(server)
                until(lambda: server.json("/v1/status")["store"]["rows_waiting"] > 500, "rows that wait")
                if end == "kill":
                    server.kill()
                else:
                    self.assertEqual(server.terminate(), 0)
                    self.assertIn("rows could not be written and are lost", server.log_text())
                self.disk.free()
                # The snapshot that could be written is older than what was lost: the feed is played from there.
                server.feeds = (f"itch:{day.file}?speed=max",)
                server.start(ready=False)
                self.same_end(server, day)
                for file in glob.glob(os.path.join(self.disk.path, "*")):
                    os.remove(file)

    def test_a_start_without_room_tells_or_serves(self):
        day = self.day
        server = self.server(f"itch:{day.file}?speed=3000").start()
        until(lambda: server.json("/v1/status")["store"]["rows_written"] > 2000, "rows")
        server.kill()
        self.disk.fill()
        server.launch()
        try:
            until(lambda: server.process.poll() is not None or server.answers("/health/live"), "an answer or an end")
        except AssertionError:
            pass
        if server.process.poll() is not None:
            self.assertEqual(server.process.returncode, 2)
            self.assertIn("space", server.log_text())
        server.kill()
        self.disk.free()
        server.feeds = (f"itch:{day.file}?speed=max",)
        server.start(ready=False)
        self.same_end(server, day)


class Damage(Compared):
    """Files changed while the server is down, by chance."""

    def flip(self, chance, path):
        with open(path, "r+b") as file:
            for _ in range(chance.choice((1, 1, 8, 200))):
                place = chance.randrange(os.path.getsize(path))
                file.seek(place)
                byte = file.read(1)[0]
                file.seek(place)
                file.write(bytes([byte ^ chance.randrange(1, 256)]))

    def cut(self, chance, path):
        os.truncate(path, chance.randrange(os.path.getsize(path)))

    def zero(self, chance, path):
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            file.seek(chance.randrange(max(1, size // 4096)) * 4096)
            file.write(bytes(4096))

    def garbage(self, chance, path):
        with open(path, "wb") as file:
            file.write(chance.randbytes(chance.choice((0, 1, 100, 4096, 70_000))))

    def gone(self, chance, path):
        os.remove(path)

    def test_damaged_files_never_make_wrong_prices(self):
        print(f"\n  {DAMAGES} damages; to repeat: KABUTO_SEED={SEED:x} KABUTO_DAMAGES={DAMAGES}", flush=True)
        chance = random.Random(SEED)
        day = Day.one()
        # What is damaged: a folder as a kill leaves it, with a log that isn't folded in, somewhere in the day.
        first = Server(f"itch:{day.file}?speed=3000", data=True, environment={"KABUTO_SNAPSHOT_SECONDS": "0.5"}).start()
        self.addCleanup(first.end)
        until(lambda: source(first)["time_ns"] > 13 * 3600 * 10**9, "the afternoon")
        first.kill()
        self.assertGreater(os.path.getsize(os.path.join(first.data, FILE + "-wal")), 0)
        # And the same as an orderly end leaves it: all in one file.
        folded = os.path.join(first.folder, "folded")
        shutil.copytree(first.data, folded)
        sqlite3.connect(os.path.join(folded, FILE)).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
        ways = [self.flip, self.flip, self.cut, self.zero, self.garbage, self.gone]
        told = 0
        for number in range(DAMAGES):
            way = ways[number % len(ways)]
            kept, suffix = chance.choice(((first.data, ""), (first.data, "-wal"), (folded, ""), (folded, "")))
            with self.subTest(number=number, way=way.__name__, file=FILE + suffix, log_folded=kept == folded):
                server = Server(f"itch:{day.file}?speed=max", data=True)
                self.addCleanup(server.end)
                shutil.copytree(kept, server.data)
                way(chance, os.path.join(server.data, FILE + suffix))
                server.start(ready=False)
                last = ended(server)
                self.assertEqual(last["digest"], day.digest)
                aside = sorted(os.path.basename(name) for name in glob.glob(os.path.join(server.data, "*.damaged-*")))
                log = server.log_text(1 << 20)
                for name in aside:
                    if not name.endswith(("-wal", "-shm")):
                        self.assertIn(name, log)
                        told += 1
                self.same_served(server, day)
                self.assertEqual(server.terminate(), 0)
                self.same_rows(server.data, day)
                server.end()
        print(f"  {told} databases were set aside", flush=True)


if __name__ == "__main__":
    unittest.main()
