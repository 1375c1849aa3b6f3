"""The viewer with two servers of the same feed: one is killed, frozen, drained or taken out of service, and prices go on.

    python -m unittest -v Tests/Browser/test_elsewhere.py

KABUTO_BIN          the binary (default .build/debug/kabuto)
KABUTO_SEED         repeats the made-up cases of stream_cases.js
KABUTO_SCREENSHOTS  where pictures go (default docs/screenshots/out)
"""

import os
import signal
import sys
import threading
import time
import unittest
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "Server"))

import kabuto
import lines
from browser import Page, open_browser

driver = None
SEED = os.environ.get("KABUTO_SEED") or "%x" % int.from_bytes(os.urandom(4), "big")


def setUpModule():
    global driver
    driver = open_browser()
    print(f"\nKABUTO_SEED={SEED}", flush=True)


def tearDownModule():
    if driver:
        driver.quit()


class Pair:
    """Two servers, `near` and `far`, that hear the same lines, and an exchange that sends on and on."""

    def __init__(self):
        path = kabuto.simulated_file()
        self.exchange = lines.Exchange(lines.messages_of(path), multicast=True)
        source = self.exchange.source(reference=quote(path + ".reference.json"))
        self.servers = [kabuto.Server(source, options=["--firewall", "off"]) for _ in range(2)]
        self.near, self.far = self.servers
        named = ",".join(f"{server.url}#node={name}" for server, name in zip(self.servers, ("near", "far")))
        for server in self.servers:
            server.options += ["--endpoints", named]
            server.start(ready=False)
        self.ending = False
        self.feeder = threading.Thread(target=self.feed, daemon=True)
        self.feeder.start()
        for server in self.servers:
            kabuto.until(lambda: server.answers("/health/ready"), "readiness")

    def feed(self):
        # Into the morning at once, then a few messages a millisecond of the way.
        self.exchange.publish(through=15_000, pause=0.0002)
        while not self.ending and self.exchange.next < len(self.exchange.messages):
            self.exchange.publish(through=min(len(self.exchange.messages), self.exchange.next + 5))
            time.sleep(0.008)

    def send(self, server, number):
        server.process.send_signal(number)

    def end(self):
        self.ending = True
        self.feeder.join()
        for server in self.servers:
            if server.process.poll() is None:
                self.send(server, signal.SIGCONT)
            server.end()
        self.exchange.close()


WATCH = """
  const { stream, model } = kabuto;
  window.watched = { states: [], longest: 0, last: performance.now(), faults: [] };
  stream.addEventListener('state', (e) => watched.states.push(e.detail.state));
  stream.addEventListener('fault', (e) => watched.faults.push(e.detail));
  stream.addEventListener('frame', (e) => {
    if (!e.detail.some((event) => event.type === 'update')) return;
    const now = performance.now();
    watched.longest = Math.max(watched.longest, now - watched.last);
    watched.last = now;
  });"""


class Elsewhere(unittest.TestCase):
    def setUp(self):
        print(f"\n  {self.shortDescription()}", flush=True)
        self.pair = Pair()
        self.addCleanup(self.pair.end)
        self.page = Page(driver, self.pair.near.url)
        self.page.look()
        self.page.complaints()

    def open(self, query=""):
        self.page.open("?lang=en" + query)
        self.wait_for_updates(30)
        self.page.run(WATCH)
        time.sleep(2.5)  # So that there is a position to resume from.

    def status(self):
        return self.page.run("return kabuto.stream.status")

    def used(self):
        return [one["node"] for one in self.status()["endpoints"] if one["use"] == "used"]

    def wait_for_updates(self, count):
        before = self.page.run("return kabuto.model.updates")
        self.page.wait(lambda: self.page.run("return kabuto.model.updates") > before + count, "updates")

    def assertWhole(self, server):
        """The tape has every trade of the server's own list, once, and the quote is the server's."""
        self.pair.ending = True
        self.pair.feeder.join()
        key = self.page.run("return kabuto.selected.key")
        kabuto.until(lambda: server.json("/v1/status")["loops"][0]["ring_fill"] == 0, "an empty ring")

        def agrees():
            quote = server.json(f"/v1/quotes/{key}")
            return quote["volume"] == self.page.run("return kabuto.selected.quote.volume") and quote

        self.page.wait(agrees, "the server's own figures")
        shown = self.page.run("return kabuto.selected.trades.map((t) => [t.seq, t.match])")
        self.assertEqual(len(shown), len({tuple(trade) for trade in shown}), "a trade is there twice")
        self.assertEqual(shown, sorted(shown, reverse=True), "the order of the tape")
        listed = [[trade["seq"], trade["match"]] for trade in server.json(f"/v1/trades/{key}", limit=min(len(shown), 100))["trades"]]
        self.assertEqual(shown[: len(listed)], listed)

    def report(self, what):
        print(f"    {what}: longest time without an update {self.page.run('return watched.longest'):.0f} ms", flush=True)

    def assertUnnoticed(self):
        states = self.page.run("return watched.states")
        self.assertEqual(set(states) - {"live"}, set(), "the page noticed")
        self.assertTrue(self.page.run("return document.querySelector('kabuto-notice').hidden"))
        self.assertEqual(self.page.run("return watched.faults"), [])

    def test_killed(self):
        """kill -9 of the near server: the page goes on at the far one, nothing is doubled or lost."""
        self.open()
        self.assertEqual(self.used(), ["near"])
        self.pair.near.kill()
        self.page.wait(lambda: self.used() == ["far"], "the far server")
        self.wait_for_updates(50)
        self.assertEqual(self.status()["state"], "live")
        self.assertNotIn("waiting", self.page.run("return watched.states"))
        self.assertTrue(self.page.run("return document.querySelector('kabuto-notice').hidden"))
        self.assertEqual(self.page.text("kabuto-status"), "Live · far")
        self.page.shoot("desktop-light-en-elsewhere")
        self.report("killed")
        # REST goes where the stream is.
        bars = self.page.run("return kabuto.stream.origin")
        self.assertEqual(bars, self.pair.far.url)
        self.assertWhole(self.pair.far)

    def test_frozen(self):
        """SIGSTOP of the near server, binary frames: TCP still answers, the page leaves by the beats it misses."""
        self.open("&encoding=binary")
        self.pair.send(self.pair.near, signal.SIGSTOP)
        self.page.wait(lambda: self.used() == ["far"], "the far server")
        self.wait_for_updates(50)
        self.report("frozen")
        self.assertWhole(self.pair.far)

    def test_merged(self):
        """?merge=1: two servers are heard; one is killed, and the page doesn't notice."""
        self.open("&merge=1")
        self.page.wait(lambda: self.status()["merged"], "both")
        self.assertEqual(self.page.text("kabuto-status"), "Live · near + far")
        self.pair.near.kill()
        self.page.wait(lambda: not self.status()["merged"], "its loss")
        self.wait_for_updates(50)
        self.assertUnnoticed()
        self.report("merged, one killed")
        self.assertWhole(self.pair.far)

    def test_warm(self):
        """?standby=1: a connection in reserve takes over."""
        self.open("&standby=1")
        self.page.wait(lambda: [one for one in self.status()["endpoints"] if one["use"] == "standby"], "the reserve")
        self.pair.near.kill()
        self.page.wait(lambda: self.used() == ["far"], "the reserve in use")
        self.wait_for_updates(50)
        self.assertUnnoticed()
        self.report("killed, with a reserve")
        self.assertWhole(self.pair.far)

    def test_drained(self):
        """SIGTERM of the near server: the page moves before its end, and there is no error anywhere."""
        self.open()
        self.pair.send(self.pair.near, signal.SIGTERM)
        self.page.wait(lambda: self.used() == ["far"], "the far server")
        self.pair.near.process.wait(60)
        self.wait_for_updates(50)
        self.assertUnnoticed()
        self.report("drained")
        self.assertWhole(self.pair.far)

    def test_out_of_service_and_back(self):
        """Out of service and back: moved away without an error, and back after the server was well for a while."""
        self.open()
        self.page.complaints()
        self.pair.send(self.pair.near, signal.SIGUSR1)
        self.page.wait(lambda: self.used() == ["far"], "the far server")
        self.wait_for_updates(50)
        self.assertUnnoticed()
        self.assertEqual(self.pair.near.get("/health/ready").status, 503)
        self.pair.send(self.pair.near, signal.SIGUSR2)
        self.page.wait(lambda: self.used() == ["near"], "the near server again")
        self.wait_for_updates(50)
        self.assertUnnoticed()
        self.report("out of service and back")
        self.assertWhole(self.pair.near)


class Cases(unittest.TestCase):
    def test_cases(self):
        """The stream's modules against servers and feeds that are made up."""
        server = kabuto.Server("sim:instruments=2", options=["--firewall", "off"]).start(ready=False)
        self.addCleanup(server.end)
        driver.get(f"{server.url}/health/live")
        driver.set_script_timeout(120)
        with open(os.path.join(HERE, "stream_cases.js"), encoding="utf-8") as file:
            text = file.read()
        results = driver.execute_async_script(
            text
            + """
            const done = arguments[arguments.length - 1];
            Promise.all(['endpoints', 'merge', 'stream'].map((name) => import(`/js/kabuto-${name}.js`)))
              .then(([a, b, c]) => cases({ ...a, ...b, ...c }, arguments[0])).then(done, (error) => done([{ name: 'all', error: `${error}` }]));""",
            int(SEED, 16),
        )
        for result in results:
            print(f"    {'✘' if result['error'] else '✔'} {result['name']} {result['error'] or ''}")
        self.assertGreater(len(results), 20)
        self.assertEqual([result for result in results if result["error"]], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
