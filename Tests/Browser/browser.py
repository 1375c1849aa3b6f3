"""Headless Chromium for the page tests: sizes, themes, waiting, screenshots, and what went wrong inside."""

import os
import shutil
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

DESKTOP = (1280, 800)
PHONE = (390, 844)
SCREENSHOTS = os.environ.get("KABUTO_SCREENSHOTS", "docs/screenshots/out")


def open_browser():
    options = Options()
    options.binary_location = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
    arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en-US", "--window-size=1400,1100"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    for argument in arguments:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


class Page:
    """The viewer in a browser of a given size and system theme."""

    def __init__(self, driver, url):
        self.driver = driver
        self.url = url

    def look(self, size=DESKTOP, dark=False, scale=1):
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": scale, "mobile": size == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [theme]})

    def open(self, query="?lang=en", price=True):
        self.driver.get(f"{self.url}/{query}")
        if price:
            self.wait(self.price, "a first price")

    def run(self, script, *values):
        return self.driver.execute_script(script, *values)

    def price(self):
        return self.run("return document.querySelector('.big-price')?.textContent.trim() || null")

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.textContent.trim() ?? null", selector)

    def has_filled(self):
        """Whether there is something to see everywhere: rows with trends, a chart, a board, trades."""
        return self.run("""
          const { model, list, chart, selected } = kabuto;
          return !!selected?.quote?.last && selected.trades.length > 0 && selected.book?.bids.length > 0 && chart.bars.length > 1
            && chart.getAttribute('aria-busy') === 'false' && list.records.slice(0, 8).every((record) => record.sparkReady);""")

    def painted(self):
        """Lets the page paint what it knows."""
        self.driver.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))")

    def rows(self):
        """Code and name of the visible rows, in their order on the screen."""
        return self.run("""
          return [...document.querySelectorAll('kabuto-market-list .grid-body .grid-row:not([hidden])')]
            .filter((row) => row.getAttribute('role') === 'row' && row.querySelector('.code'))
            .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))
            .map((row) => [row.querySelector('.code').textContent, row.querySelector('.name').textContent]);""")

    def keys(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def wait(self, what, name, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            found = what()
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s in vain for {name}")
            time.sleep(0.1)

    def shoot(self, name):
        os.makedirs(SCREENSHOTS, exist_ok=True)
        path = os.path.join(SCREENSHOTS, f"viewer-{name}.png")
        self.driver.save_screenshot(path)
        print(f"    screenshot {path}")

    def complaints(self):
        """Errors of the console since the last call; a policy violation is one of them."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
