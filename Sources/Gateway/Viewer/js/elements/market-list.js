// <kabuto-market-list>: the market, watchlist and rankings as one virtual grid with search and sort.
// Only visible rows exist, are painted, and get fast quotes; the order follows the slow subscription.

import { FlashingNumber, h, iconButton, setAttribute, setSign, setText } from "../dom.js";
import * as format from "../format.js";
import { currentLanguage, t, translate } from "../i18n.js";
import { recordsOf, sortRecords, VIEWS } from "../list-views.js";
import { QUOTE, SPARK } from "../market-model.js";
import { marksOf } from "../marks.js";
import { getBars, RequestQueue } from "../rest.js";
import { drawSpark, makeSpark } from "../spark.js";
import { VirtualRows } from "../virtual-rows.js";

const SORT_EVERY_MS = 1500;
const HANDS_OFF_MS = 1500; // Rows don't jump under a moving pointer.
const SPARK_EVERY_MS = 1000;
const SPARK_BARS = 100;
const SPARK_RETRY_MS = 5000;
const COLUMNS = /** @type {const} */ (["name", "trend", "last", "change", "changePercent", "volume", "turnover"]);

class MarketList extends HTMLElement {
  /** @param {import("../app.js").App} app */
  start(app) {
    this.app = app;
    this.view = "byTurnover";
    this.query = "";
    this.column = VIEWS[this.view].column;
    this.descending = VIEWS[this.view].descending;
    /** @type {import("../market-model.js").InstrumentRecord[]} */
    this.records = [];
    this.active = -1;
    this.sortedAt = -Infinity;
    this.pointerAt = -Infinity;
    this.mustSort = true;
    this.mustRefill = true;
    this.sparkQueue = new RequestQueue(4);
    /** @type {Map<import("../market-model.js").InstrumentRecord, any>} record → row on screen */
    this.onScreen = new Map();
    this.#build();
    app.settings.addEventListener("change", () => this.refresh());
    app.loop.add(this);
  }

  #build() {
    this.input = /** @type {HTMLInputElement} */ (h("input", {
      type: "search", id: "search", spellcheck: "false", "data-t-hint": "search", "data-t-label": "search",
      enterkeyhint: "go", "aria-controls": "market-grid",
      oninput: () => this.#search(this.input.value), onkeydown: (/** @type {KeyboardEvent} */ e) => this.#key(e),
    }));
    this.clear = iconButton("close", "clear", { onclick: () => this.clearSearch(), hidden: true });
    this.tabs = h("div", { class: "views", role: "group", "data-t-label": "views" });
    for (const view of Object.keys(VIEWS)) {
      this.tabs.append(h("button", { type: "button", "data-view": view, "data-t": view, "aria-pressed": "false", onclick: () => this.setView(view) }));
    }
    this.head = h("div", { class: "grid-row grid-head", role: "row", "aria-rowindex": "1" });
    for (const column of COLUMNS) {
      const cell = h("span", { role: "columnheader", class: `c-${column}` });
      if (column === "trend") cell.append(h("span", { "data-t": "trend" }));
      else cell.append(h("button", { type: "button", tabindex: "-1", "data-column": column, "data-t": column, onclick: () => this.#sortBy(column) }));
      this.head.append(cell);
    }
    this.body = h("div", { class: "grid-body", role: "rowgroup" });
    this.grid = h("div", {
      id: "market-grid", class: "grid scroller", role: "grid", tabindex: "0", "data-t-label": "market", "aria-colcount": COLUMNS.length,
      onkeydown: (/** @type {KeyboardEvent} */ e) => this.#key(e),
    }, h("div", { role: "rowgroup", class: "sticky" }, this.head), this.body);
    this.scroller = this.grid;
    this.grid.addEventListener("pointermove", (e) => (this.pointerAt = e.timeStamp), { passive: true });
    this.empty = h("div", { class: "empty", hidden: true }, h("p", { class: "empty-title" }), h("p", { class: "empty-hint" }));
    this.count = h("p", { class: "count", role: "status" });
    this.append(
      h("div", { class: "search" }, h("span", { class: "icon icon-search", "aria-hidden": "true" }), this.input, h("kbd", { "aria-hidden": "true" }, "/"), this.clear),
      this.tabs, h("div", { class: "grid-box" }, this.grid, this.empty), this.count,
    );
    this.rows = new VirtualRows(this.scroller, this.body, {
      make: (slot) => this.#makeRow(slot), element: (row) => row.element, fill: (row, index) => this.#fill(row, index),
    }, () => this.app.loop.request());
    translate(this);
    this.#showView();
  }

  /** Everything again: language, colours, the watchlist. */
  refresh() {
    translate(this);
    this.mustSort = true;
    this.mustRefill = true;
    this.app.loop.request();
  }

  /** @param {string} view */
  setView(view) {
    this.view = view in VIEWS ? view : "byTurnover";
    this.column = VIEWS[this.view].column;
    this.descending = VIEWS[this.view].descending;
    this.query = "";
    this.input.value = "";
    this.scroller.scrollTop = 0;
    this.#showView();
    this.app.noteView(this.view);
    this.refresh();
  }

  #showView() {
    for (const tab of this.tabs.children) tab.setAttribute("aria-pressed", String(tab.getAttribute("data-view") === this.view));
    this.clear.hidden = this.query === "";
    setAttribute(this.grid, "data-ranked", VIEWS[this.view].ranked && this.query === "" ? "" : null);
  }

  /** @param {string} text */
  #search(text) {
    this.query = text.trim();
    this.active = this.query === "" ? -1 : 0;
    this.scroller.scrollTop = 0;
    this.#showView();
    this.refresh();
  }

  clearSearch() {
    this.input.value = "";
    this.#search("");
  }

  focusSearch() {
    this.input.focus();
    this.input.select();
  }

  /** @param {typeof COLUMNS[number]} column */
  #sortBy(column) {
    const next = /** @type {import("../list-views.js").Column} */ (column === "name" && this.column === "code" ? "name" : column === "name" ? "code" : column);
    if (next === this.column) this.descending = !this.descending;
    else {
      this.column = next;
      this.descending = next !== "code" && next !== "name";
    }
    this.scroller.scrollTop = 0;
    this.refresh();
  }

  // Keyboard

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    const page = Math.max(1, Math.floor(this.rows.height / this.rows.rowHeight) - 1);
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page });
    const inSearch = event.target === this.input;
    if (event.key in steps) this.#move(this.active < 0 && this.query === "" ? this.#selectedIndex() + steps[event.key] : this.active + steps[event.key]);
    else if (event.key === "Home" && !inSearch) this.#move(0);
    else if (event.key === "End" && !inSearch) this.#move(this.records.length - 1);
    else if (event.key === "Enter" && (inSearch || event.target === this.grid)) {
      const record = this.records[Math.max(this.active, 0)];
      if (record) this.app.open(record, true);
    } else return;
    event.preventDefault();
  }

  #selectedIndex() {
    return this.app.selected ? this.records.indexOf(this.app.selected) : -1;
  }

  /** Opens the next or previous instrument of the list. @param {number} step */
  step(step) {
    const index = Math.min(Math.max(this.#selectedIndex() + step, 0), this.records.length - 1);
    const record = this.records[index];
    if (!record) return;
    this.rows.reveal(index);
    this.app.open(record, false);
  }

  /** @param {number} index */
  #move(index) {
    if (this.records.length === 0) return;
    this.active = Math.min(Math.max(index, 0), this.records.length - 1);
    this.rows.reveal(this.active);
    this.mustRefill = true;
    this.app.loop.request();
  }

  // Rows

  /** @param {number} slot */
  #makeRow(slot) {
    const cell = (/** @type {string} */ name, /** @type {any[]} */ ...children) => h("span", { role: "gridcell", class: `c-${name}` }, ...children);
    const rank = h("span", { class: "rank" }), code = h("span", { class: "code" }), name = h("span", { class: "name" });
    const marks = h("span", { class: "row-marks" });
    const spark = makeSpark();
    const last = cell("last"), change = cell("change"), percent = cell("changePercent"), volume = cell("volume"), turnover = cell("turnover");
    const element = h("div", { class: "grid-row", role: "row", id: `row-${slot}` },
      cell("name", rank, code, name, marks), cell("trend", spark.picture), last, change, percent, volume, turnover);
    const row = { element, rank, code, name, marks, spark, last: new FlashingNumber(last), lastCell: last, change, percent, volume, turnover,
      record: /** @type {import("../market-model.js").InstrumentRecord|null} */ (null), sparkAt: 0, marksText: "" };
    element.addEventListener("click", () => row.record && this.app.open(row.record, true));
    return row;
  }

  /** @param {any} row @param {number} index */
  #fill(row, index) {
    const record = this.records[index];
    if (row.record !== record) {
      if (row.record && this.onScreen.get(row.record) === row) this.onScreen.delete(row.record);
      row.record = record;
      row.sparkAt = 0;
    }
    this.onScreen.set(record, row);
    setAttribute(row.element, "aria-rowindex", String(index + 2));
    setAttribute(row.element, "aria-selected", String(record === this.app.selected));
    setAttribute(row.element, "data-active", index === this.active ? "" : null);
    if (index === this.active) setAttribute(this.grid, "aria-activedescendant", row.element.id);
    setText(row.rank, String(index + 1));
    setText(row.code, record.hasName ? record.code : "");
    setText(row.name, record.name(currentLanguage()));
    this.#paintRow(row, record, 0, 0);
  }

  /** @param {any} row @param {import("../market-model.js").InstrumentRecord} record @param {number} moved @param {number} now */
  #paintRow(row, record, moved, now) {
    const quote = record.quote;
    setAttribute(row.element, "data-loading", quote ? null : "");
    setAttribute(row.element, "data-stale", quote?.stale ? "" : null);
    const price = quote?.last ?? null;
    row.last.set(price === null && quote ? format.price(quote.reference, record.decimals) : format.price(price, record.decimals), moved);
    setAttribute(row.lastCell, "data-reference", quote && price === null ? "" : null);
    setText(row.change, format.signed(quote?.change, record.decimals));
    setText(row.percent, quote && price === null ? NO_CHANGE : format.percent(quote?.change_percent));
    setSign(row.element, format.sign(quote?.change));
    setText(row.volume, format.compact(quote?.volume));
    setText(row.turnover, format.compact(quote?.turnover));
    const marks = marksOf(quote);
    const text = marks.map((mark) => mark.short).join(" ");
    if (text !== row.marksText) {
      row.marksText = text;
      row.marks.replaceChildren(...marks.slice(0, 2).map((mark) => h("abbr", { class: `mark mark-${mark.tone}`, title: mark.long }, mark.short)));
    }
    if (now - row.sparkAt > SPARK_EVERY_MS || row.sparkAt === 0) {
      row.sparkAt = now;
      drawSpark(row.spark, record.sparkReady ? record.spark : [], quote?.previous_close ?? null);
    }
    if (!record.sparkLoaded) this.#loadSpark(record);
  }

  /** @param {import("../market-model.js").InstrumentRecord} record */
  #loadSpark(record) {
    record.sparkLoaded = true;
    this.sparkQueue.add(async () => {
      if (!this.onScreen.has(record)) {
        record.sparkLoaded = false; // Scrolled away meanwhile: ask when it is seen again.
        return;
      }
      /** @type {import("../types.js").Bar[]} */
      let bars;
      try {
        bars = await getBars(record.key, { interval: "1m", limit: SPARK_BARS });
      } catch {
        setTimeout(() => (record.sparkLoaded = false), SPARK_RETRY_MS); // The row's next paint asks again.
        return;
      }
      const today = bars.length > 0 ? bars[bars.length - 1].start.slice(0, 10) : "";
      this.app.model.loadSpark(record, bars.filter((bar) => bar.start.startsWith(today)));
      this.app.loop.request();
    });
  }

  // Paint

  /** @param {number} now */
  paint(now) {
    const model = this.app.model;
    const due = now - this.sortedAt > SORT_EVERY_MS && now - this.pointerAt > HANDS_OFF_MS && !document.hidden;
    if (this.mustSort || due) this.#sort(now);
    this.rows.layout(this.mustRefill);
    this.mustRefill = false;
    for (const record of model.dirty) {
      if ((record.changed & (QUOTE | SPARK)) === 0) continue;
      const row = this.onScreen.get(record);
      if (!row || row.record !== record) continue;
      if (record.changed === SPARK) row.sparkAt = 0;
      this.#paintRow(row, record, record.moved, now);
    }
    this.#tellVisible();
  }

  /** @param {number} now */
  #sort(now) {
    const { model, settings } = this.app;
    this.sortedAt = now;
    const focus = this.active >= 0 ? this.records[this.active] : null;
    let next;
    if (this.query !== "") next = model.search(this.query);
    else next = sortRecords(recordsOf(this.view, model, settings.watched), this.column, this.descending, currentLanguage());
    const same = !this.mustSort && next.length === this.records.length && next.every((record, i) => record === this.records[i]);
    this.mustSort = false;
    setAttribute(this.grid, "data-skeleton", model.records.length === 0 && !this.app.isLoaded ? "" : null);
    if (same) return;
    this.records = next;
    if (focus && this.query === "") this.active = next.indexOf(focus);
    this.active = Math.min(this.active, next.length - 1);
    this.mustRefill = true;
    this.rows.setCount(next.length);
    this.grid.setAttribute("aria-rowcount", String(next.length + 1));
    setText(this.count, t(next.length === 1 ? "instrument" : "instruments", { n: format.size(next.length) }));
    for (const button of this.head.querySelectorAll("button")) {
      const column = button.dataset.column;
      const sorted = this.query === "" && (column === this.column || (column === "name" && this.column === "code"));
      setAttribute(/** @type {Element} */ (button.parentElement), "aria-sort", sorted ? (this.descending ? "descending" : "ascending") : null);
      if (column === "name") setText(button, t(this.column === "code" ? "code" : "name"));
    }
    this.#showEmpty(next.length === 0 && this.app.isLoaded);
  }

  /** @param {boolean} empty */
  #showEmpty(empty) {
    this.empty.hidden = !empty;
    this.grid.hidden = empty;
    if (!empty) return;
    const kind = this.app.model.records.length === 0 ? "emptyMarket" : this.query !== "" ? "emptySearch" : this.view === "watch" ? "emptyWatch" : "emptyRanking";
    setText(this.empty.children[0], t(kind, { q: this.query }));
    setText(this.empty.children[1], t(`${kind}Hint`));
  }

  #tellVisible() {
    const { first, last } = this.rows;
    if (first === this.toldFirst && last === this.toldLast && this.records === this.toldRecords) return;
    this.toldFirst = first;
    this.toldLast = last;
    this.toldRecords = this.records;
    const keys = new Set();
    for (let i = first; i <= last; i += 1) if (this.records[i]) keys.add(this.records[i].key);
    this.app.wantVisible(keys);
  }
}

const NO_CHANGE = "–";

customElements.define("kabuto-market-list", MarketList);
