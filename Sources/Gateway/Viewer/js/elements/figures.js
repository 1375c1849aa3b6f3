// <kabuto-figures>: the day's key figures as a list of terms.

import { h, setSign, setText } from "../dom.js";
import * as format from "../format.js";
import { t, translate } from "../i18n.js";
import { QUOTE } from "../market-model.js";

/** @typedef {import("../types.js").Quote} Quote */
/** @typedef {import("../market-model.js").InstrumentRecord} InstrumentRecord */
/** Label, value, note, and the price whose direction colours it.
 * @type {[string, (q: Quote, r: InstrumentRecord) => string, ((q: Quote) => string)|null, ((q: Quote) => number|null)|null][]} */
const FIGURES = [
  ["open", (q, r) => format.price(q.open, r.decimals), (q) => format.minute(q.open_time), (q) => q.open],
  ["high", (q, r) => format.price(q.high, r.decimals), (q) => format.minute(q.high_time), (q) => q.high],
  ["low", (q, r) => format.price(q.low, r.decimals), (q) => format.minute(q.low_time), (q) => q.low],
  ["previousClose", (q, r) => format.price(q.previous_close, r.decimals), (q) => format.shortDate(q.previous_date), null],
  ["volume", (q) => format.size(q.volume), null, null],
  ["turnover", (q) => format.compact(q.turnover), null, null],
  ["vwap", (q, r) => format.price(q.vwap, Math.min(r.decimals + 2, 4)), null, (q) => q.vwap],
  ["trades", (q) => format.size(q.trades), null, null],
  ["limitHigh", (q, r) => format.price(q.limit_up, r.decimals), null, null],
  ["limitLow", (q, r) => format.price(q.limit_down, r.decimals), null, null],
  ["reference", (q, r) => format.price(q.reference, r.decimals), (q) => format.shortDate(q.reference_date), null],
  ["close", (q, r) => format.price(q.close, r.decimals), null, (q) => q.close],
];

/** In place of price limits and a reference price, where the market has none. @type {Record<string, typeof FIGURES[number]>} */
const WITHOUT_LIMITS = {
  limitHigh: ["bid", (q, r) => format.price(q.bid, r.decimals), (q) => format.size(q.bid_size), null],
  limitLow: ["ask", (q, r) => format.price(q.ask, r.decimals), (q) => format.size(q.ask_size), null],
  reference: ["lastSize", (q) => format.size(q.last_size), null, null],
};

class Figures extends HTMLElement {
  /** @param {import("../app.js").App} app */
  start(app) {
    this.app = app;
    this.cells = FIGURES.map(([label]) => {
      const value = h("span", { class: "value" }), note = h("span", { class: "note" });
      const term = h("dt", { "data-t": label });
      return { box: h("div", {}, term, h("dd", {}, value, note)), term, value, note };
    });
    this.append(h("dl", { "data-t-label": "figures" }, ...this.cells.map((cell) => cell.box)));
    app.settings.addEventListener("change", () => this.paintAll());
    app.addEventListener("select", () => this.paintAll());
    app.loop.add(this);
    this.paintAll();
  }

  paintAll() {
    translate(this);
    if (this.app.selected) this.#paint(this.app.selected);
  }

  paint() {
    const record = this.app.selected;
    if (record && record.changed & QUOTE) this.#paint(record);
  }

  /** @param {InstrumentRecord} record */
  #paint(record) {
    const quote = record.quote;
    const hasLimits = !quote || [quote.limit_up, quote.limit_down, quote.reference].some((price) => price !== null);
    FIGURES.forEach((usual, i) => {
      const [label, value, note, against] = hasLimits ? usual : WITHOUT_LIMITS[usual[0]] ?? usual;
      const cell = this.cells[i];
      if (cell.term.getAttribute("data-t") !== label) {
        cell.term.setAttribute("data-t", label);
        setText(cell.term, t(label));
      }
      setText(cell.value, quote ? value(quote, record) : "");
      const text = quote && note ? note(quote) : "";
      setText(cell.note, text === format.NONE ? "" : text);
      const price = quote && against ? against(quote) : null;
      setSign(cell.box, price === null || quote?.previous_close == null ? 0 : format.sign(price - quote.previous_close));
    });
  }
}

customElements.define("kabuto-figures", Figures);
