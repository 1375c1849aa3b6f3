"""The page of the estate in a real browser: the sample of estate.json, and a server that has no estate.

    python -m unittest -v Tests/Browser/test_estate_page.py

KABUTO_BIN          the binary (default .build/debug/kabuto)
KABUTO_AXE          another axe.min.js than that of axe-core-python
KABUTO_SCREENSHOTS  where pictures go (default docs/screenshots/out)
"""

import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from axe_core_python.selenium import Axe
from browser import DESKTOP, PHONE, Page, open_browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from server import Server

AXE = os.environ.get("KABUTO_AXE")
server = Server()
driver = None
with open(os.path.join(HERE, "estate.json"), encoding="utf-8") as file:
    SAMPLE = file.read()
# What the server would answer if it had this estate; `mode` makes it fail or be without one.
STUB = """
  window.stub = { mode: 'sample', text: %s };
  const asked = window.fetch;
  window.fetch = (url, options) => {
    if (!String(url).includes('/v1/estate') || stub.mode === 'real') return asked(url, options);
    if (stub.mode === 'dead') return Promise.reject(new TypeError('no connection'));
    return Promise.resolve(new Response(stub.text, { status: 200, headers: { 'content-type': 'application/json' } }));
  };"""


def setUpModule():
    global driver
    server.start()
    driver = open_browser()


def tearDownModule():
    if driver:
        driver.quit()
    server.stop()


class EstatePage(unittest.TestCase):
    def setUp(self):
        import json

        print(f"\n  {self.shortDescription()}", flush=True)
        self.page = Page(driver, server.url)
        self.page.look()
        self.script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": STUB % json.dumps(SAMPLE)})
        self.page.complaints()

    def tearDown(self):
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": self.script["identifier"]})
        driver.get("about:blank")

    def open(self, query="?lang=en"):
        driver.get(f"{server.url}/estate{query}")
        self.page.wait(lambda: self.page.run("return !document.body.hasAttribute('aria-busy')"), "the estate")

    def test_shows_where_why_and_what_would_break(self):
        """Nodes with their state, paths with their reason, failures with their effects; the URL says what is chosen."""
        self.open()
        self.assertEqual(self.page.text("#estate-name"), "two-sites, version 12")
        figures = self.page.run("return [...document.querySelectorAll('#figures dd')].map((one) => one.textContent)")
        self.assertEqual(figures, ["3 / 6", "4 / 7", "1,852", "1"])
        self.assertEqual(self.page.run("return document.querySelectorAll('#paths tr').length"), 7)
        row = self.page.run("return [...document.querySelector('#paths tr').children].map((one) => one.textContent.trim())")
        self.assertEqual(row[:6] + row[9:], ["tky-gw-1", "XTKS", "tky-plant-1", "a", "Same zone", "Live", "Yes", "well"])
        driver.find_element(By.CSS_SELECTOR, "[data-failure='zone/tky-b']").click()
        self.assertIn("nothing missed: tky-plant-1 goes on", self.page.text("#failure"))
        unknown = self.page.run("return [...document.querySelectorAll('#paths tr')].map((row) => [...row.children].map((one) => one.textContent.trim())).find((row) => row[0] === 'osk-gw-1')")
        self.assertEqual(unknown[5:9] + unknown[10:], ["–", "–", "–", "–", "missed 3 beats"])
        self.assertIn("failure=zone%2Ftky-b", driver.current_url)
        self.open("?lang=ja&failure=site%2Ftokyo")
        self.assertIn("到達できる配信元がない", self.page.text("#failure"))
        self.assertIn("ハートビートが 3 回途絶", self.page.text("#paths"))
        self.assertIn("停止", self.page.text("#failure"))
        self.assertEqual(self.page.complaints(), [])

    def test_every_key_of_the_program_has_words(self):
        """What servers say by a key is said in both languages."""
        sources = os.path.join(HERE, "..", "..", "Sources")

        def found(path, pattern):
            with open(os.path.join(sources, path), encoding="utf-8") as file:
                return set(re.findall(pattern, file.read()))

        keys = {f"why_{key}" for key in found("Continuity/Paths/PathReason.swift", r'case \.\w+: "([a-z-]+)"\n')}
        keys |= {f"why_{key}" for key in found("Backbone/Streams/StreamReceiver+Paths.swift", r', "([a-z-]+)"\) \}')}
        view = "KabutoCLI/ServeEstateView.swift"
        keys |= {f"effect_{key}" for key in found(view, r'key: "([a-z-]+)"') | found(view, r'lost\(\w+, "[^"]+", "([a-z-]+)"\)')}
        keys |= {f"sum_{key}" for key in found(view, r'case \.\w+: \(.*, "([a-z]+)"\)')}
        self.assertGreater(len(keys), 20)
        words = found("Gateway/Viewer/js/estate-words.js", r'(\w+): \["')
        self.assertEqual({key.replace("-", "_") for key in keys} - words, set())

    def test_keyboard(self):
        """Arrows move in the list and choose; looking again leaves the focus where it is."""
        self.open()
        self.page.run("document.querySelector('#failures button').focus()")
        self.page.keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
        focused = "return document.activeElement.getAttribute('data-failure')"
        self.assertEqual(self.page.run(focused), "zone/tky-b")
        self.assertIn("zone%2Ftky-b", driver.current_url)
        self.page.run("stub.text = stub.text.replace('\"version\":12', '\"version\":13'); return estate.look()")
        self.page.wait(lambda: "13" in self.page.text("#estate-name"), "the next look")
        self.assertEqual(self.page.run(focused), "zone/tky-b")

    def test_a_lost_server_is_told(self):
        """Without an answer the page says since when, and keeps what it knew."""
        self.open()
        self.page.run("stub.mode = 'dead'; return estate.look()")
        self.page.wait(lambda: driver.find_element(By.ID, "estate-notice").is_displayed(), "the notice")
        self.assertIn("No answer since", self.page.text("#estate-notice"))
        self.assertEqual(self.page.run("return document.querySelectorAll('#paths tr').length"), 7)
        self.page.shoot("estate-desktop-light-en-lost")
        self.page.run("stub.mode = 'sample'; return estate.look()")
        self.page.wait(lambda: not driver.find_element(By.ID, "estate-notice").is_displayed(), "the notice to go")

    def test_without_an_estate(self):
        """A server without an estate shows itself."""
        self.open()
        self.page.run("stub.mode = 'real'; return estate.look()")
        self.page.wait(lambda: "without an estate" in self.page.text("#estate-state"), "the words")
        self.assertEqual(self.page.run("return document.querySelectorAll('.node').length"), 1)
        self.assertIn("reads the feed itself", self.page.text("#paths"))

    def test_accessible_and_pictures(self):
        """No axe violation, no sideways scrolling, and pictures: both themes, languages and sizes."""
        for size, dark, language in ((DESKTOP, False, "en"), (DESKTOP, True, "ja"), (PHONE, False, "ja"), (PHONE, True, "en")):
            self.page.look(size, dark, 2 if size == PHONE else 1)
            self.open(f"?lang={language}&failure=site%2Ftokyo")
            name = f"estate-{'phone' if size == PHONE else 'desktop'}-{'dark' if dark else 'light'}-{language}"
            driver.set_script_timeout(60)
            violations = (Axe.from_file(AXE) if AXE else Axe()).run(driver)["violations"]
            for violation in violations:
                print(f"    {violation['id']}: {violation['help']} {[node['html'][:120] for node in violation['nodes'][:2]]}")
            self.assertEqual(len(violations), 0, name)
            self.assertLessEqual(self.page.run("return document.documentElement.scrollWidth"), size[0])
            self.page.painted()
            self.page.shoot(name)
        self.assertEqual(self.page.complaints(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
