"""The market viewer in a real browser against the real binary.

    python -m unittest -v Tests/Browser/test_viewer.py

KABUTO_BIN          the binary (default .build/debug/kabuto)
KABUTO_VIEWER       the viewer's folder, where it isn't that beside the binary
KABUTO_URL          a server that already runs, instead; tests that must restart it are skipped
KABUTO_AXE          another axe.min.js than that of axe-core-python
KABUTO_SCREENSHOTS  where pictures go (default docs/screenshots/out)
"""

import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from axe_core_python.selenium import Axe
from browser import DESKTOP, PHONE, Page, open_browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from server import Server

AXE = os.environ.get("KABUTO_AXE")  # another axe.min.js than that of the package
server = Server()
driver = None


def setUpModule():
    global driver
    server.start()
    driver = open_browser()
    print(f"\nViewer at {server.url}", flush=True)


def tearDownModule():
    if driver:
        driver.quit()
    server.stop()


class ViewerTest(unittest.TestCase):
    def setUp(self):
        self.page = Page(driver, server.url)
        self.page.look()
        driver.get("about:blank")
        driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": server.url, "storageTypes": "local_storage"})
        self.page.complaints()
        print(f"\n  {self.shortDescription()}", flush=True)

    def assertNoComplaints(self):
        self.assertEqual(self.page.complaints(), [], "errors in the console")

    def channel(self, token):
        return self.page.run("return getComputedStyle(document.documentElement).getPropertyValue(arguments[0])", token)


class Prices(ViewerTest):
    def test_first_price_and_movement(self):
        """Loads, shows the most traded instrument and its price, and the price moves."""
        begun = time.monotonic()
        self.page.open()
        print(f"    first price after {time.monotonic() - begun:.2f} s, page load included")
        self.assertRegex(self.page.price(), r"\d")
        self.assertEqual(self.page.text("kabuto-status"), "Live")
        first = self.page.run("return kabuto.model.updates")
        self.page.wait(lambda: self.page.run("return kabuto.model.updates") > first + 20, "20 updates")
        seen = {self.page.price()}
        self.page.wait(lambda: seen.add(self.page.price()) or len(seen) > 1, "another price")
        self.assertNoComplaints()

    def test_binary_frames_show_the_same(self):
        """With ?encoding=binary the frames are binary, and prices are there and move."""
        self.page.open("?lang=en&encoding=binary")
        self.assertEqual(self.page.run("return kabuto.stream.socket.protocol"), "kabuto.binary.1")
        first = self.page.run("return kabuto.model.updates")
        self.page.wait(lambda: self.page.run("return kabuto.model.updates") > first + 20, "20 updates")
        self.assertRegex(self.page.price(), r"\d")
        self.page.wait(lambda: self.page.run("return document.querySelectorAll('.tape .grid-body [role=row]').length") > 0, "trades", 60)
        self.assertNoComplaints()

    def test_list_is_ordered_by_turnover(self):
        """Orders the list by turnover at first; a column header sorts by that column, again turns it round."""
        self.page.open()
        self.page.wait(lambda: len(self.page.rows()) > 10, "rows")
        turnovers = "return kabuto.list.records.slice(0, 20).map((r) => r.quote?.turnover ?? 0)"
        self.page.wait(lambda: (lambda found: found[0] > found[-1])(self.page.run(turnovers)), "turnovers that differ")
        header = driver.find_element(By.CSS_SELECTOR, "button[data-column=last]")
        header.click()
        sorted_by = "return document.querySelector('button[data-column=last]').parentElement.getAttribute('aria-sort')"
        self.page.wait(lambda: self.page.run(sorted_by) == "descending", "descending")
        header.click()
        self.page.wait(lambda: self.page.run(sorted_by) == "ascending", "ascending")
        self.assertNoComplaints()

    def test_only_visible_rows_exist(self):
        """Keeps only the visible rows in the document, however many instruments there are."""
        self.page.open("?lang=en&view=all")
        total = self.page.run("return kabuto.model.records.length")
        rows = self.page.run("return document.querySelectorAll('kabuto-market-list .grid-body [role=row]').length")
        print(f"    {total} instruments, {rows} rows in the document")
        self.assertLess(rows, 60)
        self.page.run("document.querySelector('#market-grid').scrollTop = 1e6")
        last = self.page.run("return kabuto.model.records.map((r) => r.code).sort().at(-1)")
        self.page.wait(lambda: self.page.rows() and self.page.rows()[-1][0] == last, "the last row")
        self.assertNoComplaints()

    def test_board_and_tape(self):
        """Shows ten levels a side with totals, the detail of a chosen row, and time and sales."""
        self.page.open()
        levels = "return [...document.querySelectorAll('.b-level .b-price')].filter((cell) => /\\d/.test(cell.textContent)).length"
        self.page.wait(lambda: self.page.run(levels) >= 10, "levels")
        prices = self.page.run("return [...document.querySelectorAll('.b-level .b-price')].map((c) => parseFloat(c.textContent.replace(/,/g, ''))).filter((p) => p)")
        self.assertEqual(prices, sorted(prices, reverse=True), "asks above bids, dearest first")
        driver.find_elements(By.CSS_SELECTOR, ".b-bid")[0].click()
        self.page.wait(lambda: "shares" in self.page.text(".detail"), "the detail of the best bid")
        print(f"    {self.page.text('.detail')}")
        self.page.wait(lambda: self.page.run("return document.querySelectorAll('.tape .grid-body [role=row]').length") > 0, "trades", 60)
        self.assertNoComplaints()

    def test_board_before_an_auction(self):
        """Draws overlapping sides around the indicated price: what would be matched is one row, marked 前."""
        self.page.open("?lang=ja")
        self.page.wait(lambda: self.page.run("return !!kabuto.selected.book"), "the board")
        self.page.run("""
          const { model, stream, marketStream, selected } = kabuto;
          stream.pause();
          marketStream.pause();
          const level = (price, size) => ({ price, size, orders: 2 });
          const common = { instrument: selected.key, market: selected.market, epoch: selected.quote.epoch, seq: selected.quote.seq + 1 };
          const auction = { price: 1000, paired: 700, imbalance: 300, side: 'sell', far: 1000, near: 1000, reference: 990, type: 'open' };
          stream.dispatchEvent(new CustomEvent('frame', { detail: [
            { type: 'update', channel: 'quotes', ...common, state: 'pre_open', special: null, auction },
            { type: 'snapshot', channel: 'books', ...common, state: 'pre_open', stale: null,
              bids: [level(1200, 500), level(1001, 200), level(999, 400)], asks: [level(800, 600), level(1000, 400), level(1002, 100)],
              bid_total: 1150, ask_total: 1100, under: 50, over: 0 }] }));""")
        self.page.painted()
        rows = self.page.run("""
          return [...document.querySelectorAll('.b-level')].map((row) => [...row.children].map((cell) => cell.innerText.trim()))
            .filter((cells) => /\\d/.test(cells[2]));""")
        self.assertEqual(rows, [["2", "100", "1,002", "", ""], ["4", "1,000", "1,000", "前", ""], ["", "前", "1,000", "700", "4"], ["", "", "999", "400", "2"]])
        self.assertIn("寄前気配 1,000", self.page.text(".b-middle-text"))
        self.assertEqual((self.page.text(".b-over .b-size-ask"), self.page.text(".b-under .b-size-bid")), ("0", "50"))
        self.assertNoComplaints()

    def test_chart_draws(self):
        """Draws candles (canvas not empty) for minutes and days; the table shows the same bars."""
        self.page.open()
        self.page.wait(lambda: self.page.run("return kabuto.chart.bars.length") > 1, "minute bars")
        if self.page.run("return kabuto.chart.missing === true"):
            self.skipTest("vendor/lightweight-charts.js is not installed (make setup)")
        colours = """
          const seen = new Set();
          for (const canvas of document.querySelectorAll('kabuto-chart canvas')) {
            if (!canvas.width || !canvas.height) continue;
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            for (let i = 0; i < data.length; i += 16) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
          }
          return seen.size;"""
        self.page.wait(lambda: self.page.run(colours) > 5, "a drawn chart")
        self.page.keys("d")
        self.page.wait(lambda: self.page.run("return kabuto.chart.interval === '1d' && kabuto.chart.getAttribute('aria-busy') === 'false'"), "daily bars")
        self.page.keys("d")
        driver.find_element(By.CSS_SELECTOR, ".table-button").click()
        self.page.wait(lambda: self.page.run("return document.querySelectorAll('.bar-table tbody tr').length") > 0, "the table")
        self.assertNoComplaints()


class Finding(ViewerTest):
    def test_search(self):
        """Finds by code, by Japanese and by English name; says so where nothing is found."""
        self.page.open()
        sample = self.page.run("return kabuto.model.records.filter((r) => r.nameJa && r.nameEn).map((r) => [r.code, r.nameJa, r.nameEn])[3]")
        box = driver.find_element(By.ID, "search")
        for wanted in sample:
            self.page.keys("/")
            box.clear()
            box.send_keys(wanted)
            self.page.wait(lambda: self.page.rows() and self.page.rows()[0][0] == sample[0], f"“{wanted}” to be found")
            print(f"    “{wanted}” finds {sample[0]}")
        box.send_keys(Keys.ENTER)
        self.page.wait(lambda: self.page.text("#instrument-name") == sample[2], "the instrument")
        box.clear()
        box.send_keys("no such name")
        self.page.wait(lambda: "Nothing matches" in (self.page.text("kabuto-market-list .empty") or ""), "the empty state")
        self.page.shoot("desktop-light-en-empty-search")
        self.assertNoComplaints()

    def test_keyboard(self):
        """Goes by keys alone: search, arrows, Enter, Esc, J, watchlist, help."""
        self.page.open()
        self.page.keys("?")
        self.page.wait(lambda: self.page.run("return document.querySelector('#keys-dialog').open"), "the keys")
        self.page.shoot("desktop-light-en-keys")
        self.page.keys(Keys.ESCAPE)
        self.page.keys("/")
        self.assertEqual(self.page.run("return document.activeElement.id"), "search")
        self.page.keys(Keys.ESCAPE)
        self.assertNotEqual(self.page.run("return document.activeElement.id"), "search")
        name = self.page.text("#instrument-name")
        self.page.keys("j")
        self.page.wait(lambda: self.page.text("#instrument-name") != name, "the next instrument")
        self.page.keys("w")
        self.page.keys("2")
        self.page.wait(lambda: len(self.page.rows()) == 1, "the watchlist with one instrument")
        self.page.run("document.querySelector('#market-grid').focus()")
        self.page.keys("1", Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
        self.page.wait(lambda: self.page.text("#instrument-name") != "", "an instrument")
        self.assertIn("i=", driver.current_url)
        self.assertNoComplaints()


class Looks(ViewerTest):
    def test_language_and_colours(self):
        """Switches language and colour convention; the convention follows the language by default."""
        self.page.open()
        english = self.page.text("#instrument-name")
        red, green, blue = (self.channel(f"--{name}") for name in ("red", "green", "blue"))
        self.assertEqual((self.channel("--up"), self.channel("--down")), (green, red))
        driver.find_element(By.ID, "switch-language").click()
        self.page.wait(lambda: self.page.text(".views button") == "全銘柄", "Japanese")
        self.assertIn("lang=ja", driver.current_url)
        self.assertEqual(self.page.run("return document.documentElement.lang"), "ja")
        self.assertNotEqual(self.page.text("#instrument-name"), english)
        self.assertEqual((self.channel("--up"), self.channel("--down")), (red, blue))
        driver.find_element(By.ID, "open-settings").click()
        driver.find_element(By.CSS_SELECTOR, "input[name=colours][value=international]").click()
        self.assertEqual((self.channel("--up"), self.channel("--down")), (green, red))
        driver.find_element(By.CSS_SELECTOR, "input[name=colours][value=japan]").click()
        driver.find_element(By.CSS_SELECTOR, "input[name=down][value=green]").click()
        self.assertEqual((self.channel("--up"), self.channel("--down")), (red, green))
        self.page.shoot("desktop-light-ja-settings")
        self.assertNoComplaints()

    def test_simulated_banner(self):
        """Says plainly that the market is simulated."""
        self.page.open()
        simulated = self.page.run("return kabuto.model.simulated")
        self.assertTrue(simulated, "the simulated exchange's instruments carry `simulated`")
        self.assertIn("SIMULATED", self.page.text("#simulated"))
        self.assertTrue(driver.find_element(By.ID, "simulated").is_displayed())

    def test_no_scroll_on_desktop(self):
        """Fits 1280×800 without scrolling the page."""
        self.page.open()
        self.assertEqual(self.page.run("return [document.documentElement.scrollHeight, document.documentElement.scrollWidth]"), [800, 1280])

    def test_phone(self):
        """On a phone: list, then the instrument with tabs for chart, board and tape, and back."""
        self.page.look(PHONE)
        self.page.open(price=False)
        self.page.wait(lambda: len(self.page.rows()) > 5, "rows")
        self.page.wait(lambda: self.page.run("return [...document.querySelectorAll('kabuto-market-list .grid-body .c-last')].some((c) => /\\d/.test(c.textContent))"), "prices")
        driver.find_element(By.CSS_SELECTOR, "kabuto-market-list .grid-body .grid-row").click()
        self.page.wait(self.page.price, "the price")
        visible = lambda name: driver.find_element(By.CSS_SELECTOR, name).is_displayed()
        self.assertFalse(visible("kabuto-market-list"))
        for tab, parts in (("chart", (True, False, False)), ("board", (False, True, False)), ("tape", (False, False, True))):
            driver.find_element(By.CSS_SELECTOR, f"#tabs [data-tab={tab}]").click()
            self.assertEqual((visible("kabuto-chart"), visible("kabuto-board"), visible("kabuto-tape")), parts, tab)
            self.assertLessEqual(self.page.run("return document.documentElement.scrollWidth"), PHONE[0])
        driver.find_element(By.ID, "show-list").click()
        self.page.wait(lambda: visible("kabuto-market-list"), "the list again")
        self.assertNoComplaints()

    def test_accessible(self):
        """Has no axe violation: both themes, both languages, desktop and phone, and the dialogs."""
        for size, dark, language in ((DESKTOP, False, "en"), (DESKTOP, True, "ja"), (PHONE, False, "ja"), (PHONE, True, "en")):
            self.page.look(size, dark)
            self.page.open(f"?lang={language}", price=size == DESKTOP)
            self.page.wait(lambda: len(self.page.rows()) > 5, "rows")
            name = f"{'phone' if size == PHONE else 'desktop'} {'dark' if dark else 'light'} {language}"
            self.assertAccessible(name)
            if size == PHONE:
                driver.find_element(By.CSS_SELECTOR, "kabuto-market-list .grid-body .grid-row").click()
                for tab in ("board",) if dark else ("chart", "board", "tape"):
                    driver.find_element(By.CSS_SELECTOR, f"#tabs [data-tab={tab}]").click()
                    self.assertAccessible(f"{name} {tab}")
            else:
                driver.find_element(By.ID, "open-settings").click()
                self.assertAccessible(f"{name} settings")

    def assertAccessible(self, name):
        # A changing digit is caught in mid-flash otherwise, and its contrast with it.
        self.page.run("document.documentElement.style.setProperty('--flash', '0ms')")
        self.page.wait(lambda: self.page.run("return document.getAnimations().every((a) => a.playState === 'finished')"), "the last flash to end")
        driver.set_script_timeout(60)
        axe = Axe.from_file(AXE) if AXE else Axe()
        violations = axe.run(driver)["violations"]
        for violation in violations:
            print(f"    {violation['id']}: {violation['help']}")
            for node in violation["nodes"][:3]:
                print(f"      {node['html'][:160]} {[check.get('message') for check in node['any']][:1]}")
        print(f"    axe, {name}: {len(violations)} violations")
        self.assertEqual(len(violations), 0, name)

    def test_screenshots(self):
        """Takes the pictures: desktop and phone, light and dark, both languages."""
        for language in ("ja", "en"):
            for dark in (False, True):
                theme = "dark" if dark else "light"
                self.page.look(DESKTOP, dark)
                self.page.open(f"?lang={language}")
                self.page.wait(self.page.has_filled, "a filled page", 60)
                self.page.painted()
                self.page.shoot(f"desktop-{theme}-{language}")
                self.page.look(PHONE, dark, 2)
                self.page.open(f"?lang={language}", price=False)
                self.page.wait(self.page.has_filled, "a filled page", 60)
                self.page.painted()
                self.page.shoot(f"phone-{theme}-{language}-list")
                driver.find_element(By.CSS_SELECTOR, "kabuto-market-list .grid-body .grid-row").click()
                for tab in ("chart", "board", "tape"):
                    driver.find_element(By.CSS_SELECTOR, f"#tabs [data-tab={tab}]").click()
                    self.page.painted()
                    self.page.shoot(f"phone-{theme}-{language}-{tab}")
        self.assertNoComplaints()


class Running(ViewerTest):
    def test_main_thread(self):
        """Measures paints and long tasks while updates run (a report; machines differ)."""
        self.page.open()
        self.page.wait(self.page.has_filled, "a filled page", 60)
        self.page.run("""
          window.longTasks = [];
          new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((e) => e.duration))).observe({ type: 'longtask' });
          window.from = [performance.now(), kabuto.model.updates, kabuto.loop.frames];""")
        time.sleep(4)
        self.page.wait(lambda: self.page.run("return kabuto.model.updates > from[1] && kabuto.loop.frames > from[2]"), "an update")
        report = json.loads(self.page.run("""
          const seconds = (performance.now() - from[0]) / 1000, frames = kabuto.loop.frames - from[2];
          const costs = [...kabuto.loop.costs].slice(0, kabuto.loop.frames).sort((a, b) => a - b);
          return JSON.stringify({ updates: (kabuto.model.updates - from[1]) / seconds, frames: frames / seconds,
            median: costs[costs.length >> 1], p99: costs[Math.floor(costs.length * 0.99)], long: longTasks });"""))
        print(f"    {report['updates']:.0f} updates/s, {report['frames']:.0f} paints/s, paint median {report['median']:.2f} ms, "
              f"99 % {report['p99']:.2f} ms, {len(report['long'])} long tasks in 4 s, {sum(report['long']):.0f} ms together")
        self.assertGreater(report["updates"], 0)

    def test_burst(self):
        """Feeds 2,000 updates a second straight into the page and measures (a report; machines differ)."""
        self.page.open("?lang=en&view=all")
        self.page.wait(lambda: len(self.page.rows()) > 10, "rows")
        driver.set_script_timeout(30)
        report = driver.execute_async_script("""
          const done = arguments[0], model = kabuto.model, tasks = [];
          new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration))).observe({ type: 'longtask' });
          const records = model.records.filter((r) => r.quote && r.quote.last);
          let sent = 0, spent = 0;
          const begun = performance.now(), framesBefore = kabuto.loop.frames;
          const timer = setInterval(() => {
            const wanted = Math.min((performance.now() - begun) * 2, 6000), events = [];
            for (; sent < wanted; sent += 1) {
              const r = records[(sent * 7) % records.length], q = r.quote;
              const last = q.last + (sent % 3 - 1);
              events.push({ type: 'update', channel: 'quotes', instrument: r.key, seq: q.seq, last, volume: q.volume + 100,
                change: last - (q.previous_close ?? last), change_percent: 0.5 });
            }
            const from = performance.now();
            kabuto.stream.dispatchEvent(new CustomEvent('frame', { detail: events }));
            spent += performance.now() - from;
            if (sent >= 6000) {
              clearInterval(timer);
              const frames = kabuto.loop.frames - framesBefore, costs = [...kabuto.loop.costs].slice(0, frames).sort((a, b) => a - b);
              done({ seconds: (performance.now() - begun) / 1000, frames, apply: spent, median: costs[costs.length >> 1],
                worst: costs[costs.length - 1], sum: costs.reduce((a, b) => a + b, 0), counted: costs.length, tasks });
            }
          }, 10);""")
        busy = (report["apply"] + report["sum"] / report["counted"] * report["frames"]) / report["seconds"] / 10
        print(f"    6,000 updates in {report['seconds']:.1f} s: applied in {report['apply']:.0f} ms, {report['frames']} paints, median "
              f"{report['median']:.2f} ms, worst {report['worst']:.1f} ms, scripts busy {busy:.0f} % of the time, {len(report['tasks'])} long tasks")
        self.assertGreater(report["frames"], 0)

    def test_reconnects(self):
        """Server stopped: the page says so and since when; started again on the same port: prices move again."""
        if not server.is_ours:
            self.skipTest("test_reconnects: KABUTO_URL names a server that is not ours to restart")
        self.page.open()
        self.page.shoot("desktop-light-en-live")
        server.stop()
        self.page.wait(lambda: driver.find_element(By.CSS_SELECTOR, "kabuto-notice").is_displayed(), "the notice")
        self.assertIn("Connection lost", self.page.text("kabuto-notice"))
        self.page.shoot("desktop-light-en-disconnected")
        server.start()
        self.page.wait(lambda: self.page.text("kabuto-status") == "Live", "the connection")
        self.page.wait(lambda: not driver.find_element(By.CSS_SELECTOR, "kabuto-notice").is_displayed(), "the notice to go")
        before = self.page.run("return kabuto.model.updates")
        self.page.wait(lambda: self.page.run("return kabuto.model.updates") > before + 20, "updates")
        seen = {self.page.price()}
        self.page.wait(lambda: seen.add(self.page.price()) or len(seen) > 1, "another price", 60)


if __name__ == "__main__":
    unittest.main(verbosity=2)
