// <kabuto-chart>: candles and volume of the selected instrument, minutes or days, with the values under
// the crosshair in a fixed place, session breaks, the previous close as a line, and a table of the same.

import { candleOptions, chartColours, chartLibrary, chartOptions } from "../chart-library.js";
import { h, setAttribute, setSign, setText } from "../dom.js";
import * as format from "../format.js";
import { currentLanguage, t, translate } from "../i18n.js";
import { BARS, QUOTE } from "../market-model.js";
import { getBars } from "../rest.js";
import { findBreaks, SessionBreaks } from "../session-breaks.js";

/** @typedef {import("../types.js").Bar} Bar */
const FIRST_LOAD = { "1m": 1000, "1d": 500 };
const OLDER_LOAD = 500;
const RETRY_SECONDS = 5;
const TABLE_ROWS = 200;
const YOUNG_BARS = 60;
const EDGE_LABEL = 18; // Half the width of "09:00", which stands under the first bar.
const REDRAW_EVERY_MS = 200; // A chart is redrawn whole; the price above it moves at once.
/** Range buttons: label → how many bars (minutes, days) or sessions. @type {Record<"1m"|"1d", [string, {bars?: number, days?: number}][]>} */
const RANGES = {
  "1m": [["r1h", { bars: 60 }], ["r1s", { days: 1 }], ["r3s", { days: 3 }]],
  "1d": [["r1m", { bars: 22 }], ["r3m", { bars: 65 }], ["r6m", { bars: 130 }], ["r1y", { bars: 250 }], ["rall", {}]],
};

class Chart extends HTMLElement {
  /** @param {import("../app.js").App} app */
  start(app) {
    this.app = app;
    /** @type {"1m"|"1d"} */
    this.interval = "1m";
    this.range = { "1m": "r1s", "1d": "r6m" };
    /** @type {Bar[]} */
    this.bars = [];
    /** @type {number[]} */
    this.times = [];
    this.loadToken = 0;
    this.isTable = false;
    this.mustUpdate = false;
    this.updatedAt = 0;
    this.hasOlder = true;
    /** @type {number|null} time under the crosshair */
    this.pointed = null;
    this.#build();
    app.settings.addEventListener("change", (e) => this.#restyle(/** @type {CustomEvent} */ (e).detail));
    app.addEventListener("select", () => this.load());
    app.addEventListener("epoch", () => this.load());
    app.loop.add(this);
    void this.#startLibrary();
  }

  #build() {
    const button = (/** @type {string} */ label, /** @type {() => void} */ onclick, props = {}) =>
      h("button", { type: "button", "data-t": label, "aria-pressed": "false", onclick, ...props });
    this.intervals = h("div", { class: "segments", role: "group", "data-t-label": "interval" },
      button("minute1", () => this.setInterval("1m"), { "data-interval": "1m" }), button("day1", () => this.setInterval("1d"), { "data-interval": "1d" }));
    this.ranges = h("div", { class: "segments ranges", role: "group", "data-t-label": "range" });
    this.tableButton = button("showTable", () => this.#toggleTable(), { class: "table-button" });
    this.legend = h("p", { class: "legend" });
    this.legendParts = ["when", "o", "h", "l", "c", "v"].map((name) => {
      const value = h("span", { class: `legend-${name}` });
      this.legend.append(name === "when" ? value : h("span", { class: "legend-pair" }, h("b", { "data-t": name }), value));
      return value;
    });
    this.pane = h("div", { class: "pane", role: "img" });
    this.note = h("p", { class: "chart-note", role: "status", hidden: true });
    this.tableBody = h("tbody", {});
    this.tableBox = h("div", { class: "bar-table", tabindex: "0", role: "region", "data-t-label": "barTable", hidden: true },
      h("table", {}, h("thead", {}, h("tr", {}, ...["time", "open", "high", "low", "close", "volume"].map((key) => h("th", { scope: "col", "data-t": key })))), this.tableBody));
    this.append(
      h("div", { class: "chart-bar" }, this.intervals, this.ranges, this.tableButton),
      this.legend, h("div", { class: "chart-box" }, this.pane, this.tableBox, this.note));
    this.#showRanges();
  }

  async #startLibrary() {
    const library = await chartLibrary();
    if (!library) {
      this.missing = true;
      this.tableButton.hidden = true;
      this.#toggleTable(true);
      this.#paintAll();
      return;
    }
    this.library = library;
    this.chart = library.createChart(this.pane, this.#options());
    this.candles = this.chart.addCandlestickSeries(candleOptions(0));
    this.volume = this.chart.addHistogramSeries({ priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.breaks = new SessionBreaks();
    this.candles.attachPrimitive(this.breaks);
    this.chart.subscribeCrosshairMove((/** @type {any} */ at) => {
      this.pointed = at.time ?? null;
      this.#paintLegend();
    });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((/** @type {any} */ range) => {
      if (range && range.from < 5 && this.hasOlder && !this.#isRangeOurs(range)) void this.#loadOlder();
    });
    // A chart made while hidden (a phone's list page) has no width to set a range in.
    new ResizeObserver(([entry]) => {
      const isShown = entry.contentRect.width > 0;
      if (isShown && !this.wasShown) requestAnimationFrame(() => this.#applyRange());
      this.wasShown = isShown;
    }).observe(this.pane);
    this.#draw(true);
  }

  #options() {
    return chartOptions(this.interval, () => this.app.selected?.decimals ?? 0);
  }

  /** @param {"1m"|"1d"} interval */
  setInterval(interval) {
    if (interval === this.interval) return;
    this.interval = interval;
    this.#showRanges();
    this.chart?.applyOptions(this.#options());
    void this.load();
  }

  toggleInterval() {
    this.setInterval(this.interval === "1m" ? "1d" : "1m");
  }

  #showRanges() {
    for (const button of this.intervals.children) button.setAttribute("aria-pressed", String(button.getAttribute("data-interval") === this.interval));
    this.ranges.replaceChildren(...RANGES[this.interval].map(([label]) =>
      h("button", { type: "button", "data-t": label, "aria-pressed": String(this.range[this.interval] === label), onclick: () => this.#setRange(label) })));
    translate(this);
  }

  /** @param {string} label */
  #setRange(label) {
    this.range[this.interval] = label;
    this.#showRanges();
    this.#applyRange();
  }

  #applyRange() {
    if (!this.chart || this.bars.length === 0) return;
    const wanted = RANGES[this.interval].find(([label]) => label === this.range[this.interval])?.[1] ?? {};
    const count = this.bars.length;
    let from = 0;
    if (wanted.bars) from = Math.max(0, count - wanted.bars);
    else if (wanted.days) {
      const days = [...new Set(this.bars.map((bar) => bar.start.slice(0, 10)))].slice(-wanted.days);
      from = this.bars.findIndex((bar) => bar.start.slice(0, 10) === days[0]);
    }
    // A young day grows from the left; it is not stretched over the whole width.
    const to = Math.max(count + 1.5, from + YOUNG_BARS);
    const width = this.chart.timeScale().width() || 400;
    this.shownRange = { from: from - 0.5 - ((to - from) * EDGE_LABEL) / width, to };
    this.chart.timeScale().setVisibleLogicalRange(this.shownRange);
  }

  /** Whether the reader has left the range as the button set it. @param {{from: number, to: number}|null} range */
  #isRangeOurs(range) {
    const ours = this.shownRange;
    return ours !== undefined && range !== null && Math.abs(range.from - ours.from) < 0.5 && Math.abs(range.to - ours.to) < 0.5;
  }

  // Data

  async load() {
    const record = this.app.selected;
    if (!record) return;
    const token = (this.loadToken += 1);
    clearTimeout(this.retry);
    this.setAttribute("aria-busy", "true");
    this.bars = [];
    this.times = [];
    this.hasOlder = true;
    this.#draw(false);
    try {
      const bars = await getBars(record.key, { interval: this.interval, limit: FIRST_LOAD[this.interval] });
      if (token !== this.loadToken) return;
      this.#setBars(bars);
      this.setAttribute("aria-busy", "false");
      this.#draw(true);
    } catch (error) {
      if (token !== this.loadToken) return;
      this.#say(t("chartFailed", { why: /** @type {Error} */ (error).message, n: RETRY_SECONDS }));
      this.retry = setTimeout(() => this.load(), RETRY_SECONDS * 1000);
    }
  }

  async #loadOlder() {
    const record = this.app.selected;
    if (!record || this.bars.length === 0 || this.loadingOlder) return;
    const token = this.loadToken;
    this.loadingOlder = true;
    try {
      const older = await getBars(record.key, { interval: this.interval, limit: OLDER_LOAD, to: this.bars[0].start });
      if (token !== this.loadToken) return;
      const first = this.times[0];
      const fresh = older.filter((bar) => format.wallSeconds(bar.start) < first);
      this.hasOlder = fresh.length > 0;
      if (fresh.length === 0) return;
      const visible = this.chart?.timeScale().getVisibleLogicalRange();
      this.#setBars([...fresh, ...this.bars]);
      this.#draw(false);
      if (visible) this.chart.timeScale().setVisibleLogicalRange({ from: visible.from + fresh.length, to: visible.to + fresh.length });
    } catch {
      this.hasOlder = false; // The newest bars are there; older ones are asked for again with the next load.
    } finally {
      this.loadingOlder = false;
    }
  }

  /** @param {Bar[]} bars */
  #setBars(bars) {
    this.bars = bars;
    this.times = bars.map((bar) => this.#timeOf(bar.start));
  }

  /** @param {string} start */
  #timeOf(start) {
    return format.wallSeconds(this.interval === "1d" ? start.slice(0, 10) : start);
  }

  /** The newest bar, from the stream: minutes from `bars`, the day from the quote. @returns {Bar|null} */
  #liveBar() {
    const record = this.app.selected;
    if (!record) return null;
    if (this.interval === "1m") return record.bar;
    const quote = record.quote;
    if (!quote || quote.last === null || quote.open === null || quote.last_time === null) return null;
    return /** @type {any} */ ({ start: quote.last_time.slice(0, 10), open: quote.open, high: quote.high, low: quote.low, close: quote.last,
      volume: quote.volume, turnover: quote.turnover, trades: quote.trades, closed: false });
  }

  #updateLive() {
    const bar = this.#liveBar();
    if (!bar || this.getAttribute("aria-busy") === "true") return;
    const time = this.#timeOf(bar.start);
    const last = this.times[this.times.length - 1] ?? -Infinity;
    if (time < last) return;
    if (time === last) this.bars[this.bars.length - 1] = bar;
    else {
      this.bars.push(bar);
      this.times.push(time);
      this.#setBreaks();
    }
    if (this.bars.length === 1) this.#draw(true);
    else if (this.candles) {
      const follows = time > last && this.#isRangeOurs(this.chart.timeScale().getVisibleLogicalRange());
      this.candles.update(this.#candleOf(bar, time, this.bars.length - 1));
      this.volume.update(this.#volumeOf(bar, time, this.bars.length - 1));
      if (follows) this.#applyRange();
    }
    if (this.isTable) this.#paintTable();
    if (this.pointed === null) this.#paintLegend();
  }

  // Drawing

  /** @param {number} now */
  paint(now) {
    const record = this.app.selected;
    if (!record) return;
    if (record.changed & (this.interval === "1m" ? BARS : QUOTE)) this.mustUpdate = true;
    if (this.mustUpdate && now - this.updatedAt >= REDRAW_EVERY_MS) {
      this.mustUpdate = false;
      this.updatedAt = now;
      this.#updateLive();
    }
    if (!(record.changed & QUOTE)) return;
    if (this.drawnDecimals !== record.decimals || this.drawnPrevious !== (record.quote?.previous_close ?? null)) this.#applyPrices();
  }

  #applyPrices() {
    const record = this.app.selected;
    if (!record || !this.candles) return;
    this.drawnDecimals = record.decimals;
    this.drawnPrevious = record.quote?.previous_close ?? null;
    this.candles.applyOptions(candleOptions(record.decimals));
    if (this.previousLine) this.candles.removePriceLine(this.previousLine);
    this.previousLine = null;
    if (this.drawnPrevious === null || this.bars.length === 0) return;
    const colours = chartColours();
    this.previousLine = this.candles.createPriceLine({ price: this.drawnPrevious, color: colours.text, lineWidth: 1, lineStyle: 2, axisLabelVisible: true, title: t("previousClose") });
  }

  /** @param {boolean} applyRange */
  #draw(applyRange) {
    if (this.candles) {
      this.candles.setData(this.bars.map((bar, i) => this.#candleOf(bar, this.times[i], i)));
      this.volume.setData(this.bars.map((bar, i) => this.#volumeOf(bar, this.times[i], i)));
      this.#setBreaks();
      this.#applyPrices();
      if (applyRange) this.#applyRange();
    }
    this.#paintAll();
  }

  #paintAll() {
    const isBusy = this.getAttribute("aria-busy") === "true";
    if (this.missing) this.#say(t("chartMissing"));
    else this.#say(this.app.selected && !isBusy && this.bars.length === 0 ? t("chartEmpty") : "");
    const name = this.app.selected?.name(currentLanguage()) ?? "";
    this.pane.setAttribute("aria-label", t("chartOf", { i: t(this.interval === "1m" ? "minute1" : "day1"), name }));
    if (this.isTable) this.#paintTable();
    this.#paintLegend();
  }

  /** @param {string} text */
  #say(text) {
    this.note.hidden = text === "";
    setText(this.note, text);
  }

  #setBreaks() {
    this.breaks?.set(findBreaks(this.bars, this.times, this.interval), chartColours().strong);
  }

  /** A bar of one price is down where it lies below the bar before. @param {Bar} bar @param {number} index */
  #isDown(bar, index) {
    return bar.close < bar.open || (bar.close === bar.open && index > 0 && bar.close < this.bars[index - 1].close);
  }

  /** @param {Bar} bar @param {number} time @param {number} index */
  #candleOf(bar, time, index) {
    this.colours ??= chartColours();
    const color = this.#isDown(bar, index) ? this.colours.down : this.colours.up;
    return { time, open: bar.open, high: bar.high, low: bar.low, close: bar.close, color, wickColor: color, borderColor: color };
  }

  /** @param {Bar} bar @param {number} time @param {number} index */
  #volumeOf(bar, time, index) {
    this.colours ??= chartColours();
    return { time, value: bar.volume, color: this.#isDown(bar, index) ? this.colours.downSoft : this.colours.upSoft };
  }

  #paintLegend() {
    const record = this.app.selected;
    const at = this.pointed === null ? this.times.length - 1 : this.times.indexOf(this.pointed);
    const bar = this.bars[at];
    const [when, open, high, low, close, volume] = this.legendParts;
    this.legend.classList.toggle("is-empty", !bar);
    if (!bar || !record) return this.legendParts.forEach((part) => setText(part, ""));
    setText(when, this.interval === "1d" ? format.shortDate(bar.start) : `${format.shortDate(bar.start)} ${format.minute(bar.start)}`);
    setText(open, format.price(bar.open, record.decimals));
    setText(high, format.price(bar.high, record.decimals));
    setText(low, format.price(bar.low, record.decimals));
    setText(close, format.price(bar.close, record.decimals));
    setText(volume, format.compact(bar.volume));
    setSign(this.legend, format.sign(bar.close - bar.open));
  }

  #toggleTable(show = !this.isTable) {
    this.isTable = show;
    this.tableBox.hidden = !show;
    this.pane.hidden = show;
    setAttribute(this.tableButton, "aria-pressed", String(show));
    if (show) this.#paintTable();
  }

  #paintTable() {
    const decimals = this.app.selected?.decimals ?? 0;
    const bars = this.bars.slice(-TABLE_ROWS).reverse();
    while (this.tableBody.children.length < bars.length) {
      this.tableBody.append(h("tr", {}, h("th", { scope: "row" }), ...Array.from({ length: 5 }, () => h("td", {}))));
    }
    while (this.tableBody.children.length > bars.length) this.tableBody.lastChild?.remove();
    bars.forEach((bar, i) => {
      const cells = this.tableBody.children[i].children;
      const when = this.interval === "1d" ? format.day(bar.start) : `${format.shortDate(bar.start)} ${format.minute(bar.start)}`;
      const texts = [when, ...[bar.open, bar.high, bar.low, bar.close].map((price) => format.price(price, decimals)), format.size(bar.volume)];
      texts.forEach((text, column) => setText(cells[column], text));
    });
  }

  /** @param {string} name of the setting that changed */
  #restyle(name) {
    if (name === "watched" || name === "panes") return;
    translate(this);
    this.colours = undefined;
    this.drawnDecimals = -1;
    this.chart?.applyOptions(this.#options());
    this.#draw(false);
  }
}

customElements.define("kabuto-chart", Chart);
