"""The page of findings in a real browser, on a history of real checks and scans.

    python -m unittest -v Tests/Browser/test_governance_page.py

KABUTO_BIN          the binary (default .build/debug/kabuto)
KABUTO_VIEWER       another folder of the pages' files than the one beside the binary
KABUTO_AXE          another axe.min.js than that of axe-core-python
KABUTO_SCREENSHOTS  where pictures go (default docs/screenshots/out)
"""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.append(os.path.join(HERE, "..", "Server"))

import findings
import live_account
from axe_core_python.selenium import Axe
from browser import DESKTOP, PHONE, Page, open_browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from test_govern_results import Page as GovernServe

AXE = os.environ.get("KABUTO_AXE")
VIEWER = ["--viewer", os.environ["KABUTO_VIEWER"]] if os.environ.get("KABUTO_VIEWER") else []
# What the server would answer in a state that can't be brought about: `mode` makes it away, failing or slow.
STUB = """
  window.stub = { mode: 'real' };
  try { stub.mode = sessionStorage.stub ?? 'real'; } catch { /* about:blank has none */ }
  const asked = window.fetch;
  window.fetch = (url, options) => {
    if (stub.mode === 'dead') return Promise.reject(new TypeError('no connection'));
    if (stub.mode === 'slow') return new Promise(() => {});
    if (stub.mode === 'failing') return Promise.resolve(new Response(
      JSON.stringify({ type: '/problems/history', title: 'Internal Server Error', status: 500, detail: 'the disk is full' }),
      { status: 500, headers: { 'content-type': 'application/problem+json' } }));
    return asked(url, options);
  };"""
driver = history = server = None


def setUpModule():
    global driver, history, server
    history = findings.lived_in()
    unittest.addModuleCleanup(history.end)
    if not live_account.MISSING:
        findings.scanned(history)
    history.write("keys.json", plain_keys=3, good=0)
    findings.excepted(history)
    server = GovernServe(history.data, *VIEWER)
    unittest.addModuleCleanup(server.end)
    driver = open_browser()
    unittest.addModuleCleanup(driver.quit)


class GovernancePage(unittest.TestCase):
    def setUp(self):
        print(f"\n  {self.shortDescription()}", flush=True)
        self.page = Page(driver, server.url)
        self.page.look()
        self.script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": STUB})
        self.page.complaints()

    def tearDown(self):
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": self.script["identifier"]})
        self.page.run("try { sessionStorage.clear(); } catch { /* no page was opened */ }")
        driver.get("about:blank")

    def open(self, query="?lang=en", kind="overview"):
        driver.get(f"{server.url}/governance{query}")
        self.shown(kind)

    def shown(self, kind):
        self.page.wait(lambda: self.page.run("return document.getElementById('view').dataset.kind") == kind, kind)

    def texts(self, selector):
        return self.page.run("return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent.trim())", selector)

    def rows(self):
        return self.page.run("return [...document.querySelectorAll('#rows tr')].map((row) => row.dataset.id)")

    def test_overview_says_what_the_history_says(self):
        """Figures are those of the history, and lead to lists of as many."""
        counts = history.told("list")["counts"]
        self.open()
        figures = self.page.run("return [...document.querySelectorAll('.figures dd > a')].map((one) => Number(one.textContent.replaceAll(',', '')))")
        self.assertEqual(figures, [counts[name] for name in ("critical", "high", "medium", "low", "unknown", "excepted")])
        for name in ("low", "info", "unknown"):
            self.assertGreater(counts[name], 0)
        for place in (0, 2, 3, 4, 5):
            self.open()
            driver.find_elements(By.CSS_SELECTOR, ".figures dd > a")[place].click()
            self.shown("list")
            self.assertIn(f"of {figures[place]}", self.page.text(".pages .push"))
        self.open()
        driver.find_element(By.CSS_SELECTOR, ".figures .under a").click()
        self.shown("list")
        self.assertIn("severity=info", driver.current_url)
        self.assertIn(f"of {counts['info']}", self.page.text(".pages .push"))
        # In the course they are one.
        figures[3] += counts["info"]
        self.open()
        self.page.wait(lambda: self.page.run("return document.querySelectorAll('.trend .line').length") == 5, "the lines")
        lines = self.page.run("return [...document.querySelectorAll('.trend .line')].map((one) => one.dataset.line)")
        self.assertEqual(sorted(lines), ["critical", "high", "low", "medium", "unknown"])
        # The course ends with the figures, what an exception covers counted as that only.
        self.assertGreater(counts["excepted"], 0)
        number = lambda text: int(text.replace(",", ""))
        legend = self.page.run("return [...document.querySelectorAll('.legend div:not(.at)')].map((one) => [one.dataset.name, one.lastChild.textContent])")
        self.assertEqual([number(value) for _, value in legend], figures[:5], legend)
        driver.find_element(By.LINK_TEXT, "Table").click()
        self.page.wait(lambda: self.page.run("return document.querySelector('.trend table') !== null"), "the table")
        self.assertGreater(self.page.run("return document.querySelectorAll('.trend tbody tr').length"), 5)
        self.assertEqual([number(text) for text in self.texts(".trend tbody tr:first-child td.number")], figures)
        self.assertEqual(self.page.complaints(), [])

    def test_list_filters_by_link_and_detail_says_all(self):
        """The address says where one is; back goes back; the detail has found, wanted, mend, place and events."""
        self.open("?lang=en&list=1&rule=ssh_closed&account=files", "list")
        self.assertEqual(len(self.rows()), 1)
        driver.find_element(By.CSS_SELECTOR, "#rows a.title").click()
        self.shown("finding")
        self.assertIn("finding=", driver.current_url)
        text = self.page.text("#view")
        for part in ("Found", "0.0.0.0/0", "Allow port 22 from your own networks", "OpenGroup1", "web.json", "CIS 5.2", "Back again", "Fixed"):
            self.assertIn(part, text)
        driver.find_element(By.ID, "switch-language").click()
        self.page.wait(lambda: "対処方法" in self.page.text("#view"), "Japanese")
        self.assertIn("ポート22を全開放しない", self.page.text("#finding-title"))
        self.page.keys(Keys.ESCAPE)
        self.shown("list")
        self.assertIn("rule=ssh_closed", driver.current_url)
        driver.back()
        self.shown("finding")

    def test_further_clauses_say_what_was_wanted(self):
        """Of a clause that asks a variable whether it is empty the title is told, or what it selects; never the variable."""
        other = findings.History()
        self.addCleanup(other.end)
        with open(other.rules, "w", encoding="utf-8") as out:
            out.write(
                "let plain = Resources.*[ Type == 'AWS::EC2::Volume' Properties.Encrypted == false ]\n"
                "let small = Resources.*[ Type == 'AWS::EC2::Volume' Properties.Size < 10 ]\n"
                "# @title Volumes are large and encrypted\n# @title.ja ボリュームは大きく、暗号化する\n"
                "rule titled { %plain empty  %small empty }\nrule untitled { %plain empty  %small empty }\n"
                "rule written { Resources.*.Properties { Size > 10  Size > 20 } }\n")
        other.write("volume.json", plain_volumes=1, good=0)
        other.check()
        served = GovernServe(other.data, *VIEWER)
        self.addCleanup(served.end)
        for rule, language, wanted in (
            ("titled", "en", "Wanted: Volumes are large and encrypted — Found: "), ("titled", "ja", "期待値: ボリュームは大きく、暗号化する — 検出値: "),
            ("untitled", "en", "Wanted: Resources.*[ Type == 'AWS::EC2::Volume' Properties.Size < 10 ] — Found: "),
            ("written", "en", "Size > 20 — Found: "),
        ):
            identity = other.told("list", "--rule", rule)["findings"][0]["id"]
            driver.get(f"{served.url}/?lang={language}&finding={identity}")
            self.shown("finding")
            text = self.page.text("#view")
            self.assertIn(wanted, text)
            self.assertNotIn("%small", text)

    def test_keyboard(self):
        """Search, arrows, Enter, Esc, keys; the focus stays where it is when the page looks again."""
        self.open()
        self.page.keys("/")
        self.shown("list")
        self.page.wait(lambda: self.page.run("return document.activeElement.id") == "search", "the search field")
        self.page.keys("volume")
        self.page.wait(lambda: "q=volume" in driver.current_url, "the address")
        self.page.wait(lambda: self.page.run("return document.activeElement.id") == "search", "the focus")
        self.assertEqual(self.page.run("return document.activeElement.value"), "volume")
        self.page.wait(lambda: all("olume" in text for text in self.texts("#rows .title")), "volumes alone")
        self.page.keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
        focused = "return document.activeElement.closest('tr')?.dataset.id"
        self.assertEqual(self.page.run(focused), self.rows()[1])
        self.page.run("return governance.go(false)")
        self.assertEqual(self.page.run(focused), self.rows()[1])
        self.page.keys(Keys.ENTER)
        self.shown("finding")
        self.page.keys(Keys.ESCAPE)
        self.shown("list")
        self.page.keys(Keys.ESCAPE)
        self.shown("overview")
        self.page.keys("?")
        self.assertTrue(driver.find_element(By.ID, "keys").is_displayed())
        self.page.keys(Keys.ESCAPE)
        self.assertFalse(driver.find_element(By.ID, "keys").is_displayed())

    def test_states(self):
        """Loading, away, failing, no match, no such finding, no history: each says what it is."""
        self.open()
        self.page.run("stub.mode = 'dead'; return governance.look()")
        self.page.wait(lambda: driver.find_element(By.ID, "notice").is_displayed(), "the notice")
        self.assertIn("No answer since", self.page.text("#notice"))
        self.assertGreater(len(self.texts(".figures dd")), 5)
        self.page.shoot("governance-desktop-light-en-lost")
        self.page.run("stub.mode = 'real'; return governance.look()")
        self.page.wait(lambda: not driver.find_element(By.ID, "notice").is_displayed(), "the notice to go")
        self.page.run("sessionStorage.stub = 'failing'")
        self.open(kind="failed")
        self.assertIn("the disk is full", self.page.text("#view"))
        self.page.run("sessionStorage.stub = 'slow'")
        driver.get(f"{server.url}/governance?lang=en")
        self.assertEqual(self.page.run("return [document.body.getAttribute('aria-busy'), document.querySelectorAll('.bones').length > 0]"), ["true", True])
        self.page.shoot("governance-desktop-light-en-loading")
        self.page.run("sessionStorage.clear()")
        self.open("?lang=en&list=1&q=nothing-of-that-name", "list")
        self.assertIn("Nothing matches", self.page.text("#view"))
        self.open("?lang=en&finding=ffffffffffff", "gone")
        self.assertIn("No such finding", self.page.text("#view"))
        empty = findings.History()
        self.addCleanup(empty.end)
        os.makedirs(empty.data)
        other = GovernServe(empty.data, *VIEWER)
        self.addCleanup(other.end)
        driver.get(f"{other.url}/?lang=ja")
        self.shown("none")
        self.assertIn("まだ履歴がありません", self.page.text("#view"))
        self.page.shoot("governance-desktop-light-ja-none")
        # The first run shows by itself.
        empty.write("web.json", open_groups=1)
        empty.check()
        self.shown("overview")

    def test_ten_thousand(self):
        """A list of 10,000 findings comes a page at a time, and each once."""
        large = findings.History()
        self.addCleanup(large.end)
        large.write("large.json", plain_volumes=10_000)
        large.check()
        other = GovernServe(large.data, *VIEWER)
        self.addCleanup(other.end)
        driver.get(f"{other.url}/?lang=en&list=1")
        self.shown("list")
        first = self.rows()
        self.assertEqual(len(first), 50)
        self.assertIn("1–50 of 10,000", self.page.text(".pages .push"))
        driver.find_element(By.LINK_TEXT, "Next").click()
        self.page.wait(lambda: "51–100" in self.page.text(".pages .push"), "the next page")
        self.assertFalse(set(first) & set(self.rows()))
        self.assertIn("cursor=", driver.current_url)
        driver.back()
        self.page.wait(lambda: self.rows() == first, "the first page")

    def test_no_layout_shift(self):
        """What is shown doesn't jump when it is loaded and looked at again."""
        self.open()
        shift = self.page.run("""
          const done = performance.getEntriesByType('layout-shift');
          return done.filter((one) => !one.hadRecentInput).reduce((sum, one) => sum + one.value, 0);""")
        driver.execute_async_script("""
          const done = arguments[0];
          window.shifts = 0;
          new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts += one.value; })
            .observe({ type: 'layout-shift', buffered: true });
          requestAnimationFrame(() => setTimeout(done, 50));""")
        self.page.run("return governance.go(false)")
        self.page.painted()
        self.assertLess(shift + self.page.run("return window.shifts"), 0.1)

    def test_accessible_and_pictures(self):
        """No axe violation, no sideways scrolling, and pictures: both themes, languages and sizes."""
        identity = history.told("list", "--rule", "ssh_closed", "--account", "files")["findings"][0]["id"]
        excepted = history.told("list", "--state", "excepted")["findings"][0]["id"]
        views = {"overview": ("", "overview"), "table": ("&table=1", "overview"), "list": ("&list=1", "list"), "detail": (f"&finding={identity}", "finding"),
                 "excepted": (f"&finding={excepted}", "finding")}
        for size, dark, language in ((DESKTOP, False, "en"), (DESKTOP, True, "ja"), (PHONE, False, "ja"), (PHONE, True, "en")):
            for view, (query, kind) in views.items():
                self.page.look(size, dark, 2 if size == PHONE else 1)
                self.open(f"?lang={language}{query}", kind)
                name = f"governance-{view}-{'phone' if size == PHONE else 'desktop'}-{'dark' if dark else 'light'}-{language}"
                driver.set_script_timeout(60)
                violations = (Axe.from_file(AXE) if AXE else Axe()).run(driver)["violations"]
                for violation in violations:
                    print(f"    {violation['id']}: {violation['help']} {[node['html'][:160] for node in violation['nodes'][:3]]}")
                self.assertEqual(len(violations), 0, name)
                self.assertLessEqual(self.page.run("return document.documentElement.scrollWidth"), size[0])
                self.page.painted()
                self.page.shoot(name)
        self.assertEqual(self.page.complaints(), [])

    def test_head_is_that_of_the_page_of_the_estate(self):
        """Both pages are files of their own with the same head, but for title, style and script."""
        folder = os.path.join(HERE, "..", "..", "Sources", "Gateway", "Viewer")
        heads = []
        for page, title in (("governance", "findings"), ("estate", "estate")):
            with open(os.path.join(folder, f"{page}.html"), encoding="utf-8") as file:
                head = file.read().split("<body")[0]
            heads.append(head.replace(f"<title>Kabuto {title}<", "<title><").replace(f'"{page}.css"', '""').replace(f'"js/{page}.js"', '""'))
        self.assertEqual(*heads)

    def test_every_word_is_there_in_both_languages(self):
        """Words that the page asks for exist, and none is left over."""
        import re

        folder = os.path.join(HERE, "..", "..", "Sources", "Gateway", "Viewer")

        def text(name):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                return file.read()

        known = set(re.findall(r"(\w+): \[\"", text("js/governance-words.js")))
        used = text("governance.html") + "".join(text(f"js/governance{part}.js") for part in ("", "-views", "-trend"))
        asked = set(re.findall(r"\b(gov\w+)\b", used))
        asked |= {f"govKey_{name}" for name in ("search", "move", "open", "back", "theme", "help")}
        self.assertEqual({key for key in asked if key[3:4].isupper() and not key.endswith("_")} - known - {"govKey_"}, set())
        self.assertEqual({key for key in known if key.startswith("gov")} - asked, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
