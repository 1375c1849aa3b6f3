// <kabuto-tape>: time and sales (歩み値), newest first, as a virtual table.

import { h, setAttribute, setSign, setText } from "../dom.js";
import * as format from "../format.js";
import { t, translate } from "../i18n.js";
import { TRADES } from "../market-model.js";
import { VirtualRows } from "../virtual-rows.js";

class Tape extends HTMLElement {
  /** @param {import("../app.js").App} app */
  start(app) {
    this.app = app;
    const columns = [["time", "time"], ["price", "price"], ["size", "size"], ["kind", "kind"]];
    const head = h("div", { role: "row", class: "t-row t-head" },
      ...columns.map(([name, label]) => h("span", { role: "columnheader", class: `t-${name}`, "data-t": label })));
    this.body = h("div", { role: "rowgroup", class: "grid-body" });
    this.table = h("div", { role: "table", class: "tape scroller", tabindex: "0", "data-t-label": "tapeTitle" },
      h("div", { role: "rowgroup", class: "sticky" }, head), this.body);
    this.scroller = this.table;
    this.empty = h("p", { class: "empty-title", hidden: true });
    this.dropped = h("p", { class: "dropped", hidden: true });
    this.append(h("h2", { "data-t": "tapeTitle" }), this.table, this.empty, this.dropped);
    this.rows = new VirtualRows(this.scroller, this.body, {
      make: () => this.#makeRow(), element: (row) => row.element, fill: (row, index) => this.#fill(row, index),
    }, () => {
      this.mustLayout = true;
      app.loop.request();
    });
    this.mustFill = true;
    this.mustLayout = true;
    app.settings.addEventListener("change", () => this.paintAll());
    app.addEventListener("select", () => {
      this.scroller.scrollTop = 0;
      this.paintAll();
    });
    app.loop.add(this);
    this.paintAll();
  }

  paintAll() {
    translate(this);
    this.mustFill = true;
    this.app.loop.request();
  }

  paint() {
    const record = this.app.selected;
    const changed = record !== null && (record.changed & TRADES) !== 0;
    if (!changed && !this.mustFill && !this.mustLayout) return;
    const trades = record?.trades ?? [];
    this.rows.setCount(trades.length);
    this.rows.layout(changed || this.mustFill);
    this.mustFill = false;
    this.mustLayout = false;
    this.table.setAttribute("aria-rowcount", String(trades.length + 1));
    const isEmpty = trades.length === 0;
    this.empty.hidden = !isEmpty;
    if (isEmpty) setText(this.empty, record?.quote ? t("tapeEmpty") : "");
    this.dropped.hidden = !record || record.tradesDropped === 0;
    if (record && record.tradesDropped > 0) setText(this.dropped, t("tapeDropped", { n: format.size(record.tradesDropped) }));
  }

  #makeRow() {
    const cell = (/** @type {string} */ name) => h("span", { role: "cell", class: `t-${name}` });
    const time = cell("time"), price = cell("price"), size = cell("size"), kind = cell("kind");
    const element = h("div", { role: "row", class: "t-row" }, time, price, size, kind);
    return { element, time, price, size, kind };
  }

  /** @param {any} row @param {number} index */
  #fill(row, index) {
    const record = this.app.selected;
    const trade = record?.trades[index];
    if (!record || !trade) return;
    setAttribute(row.element, "aria-rowindex", String(index + 2));
    setAttribute(row.element, "data-broken", trade.broken ? "" : null);
    setAttribute(row.element, "data-side", trade.side);
    setText(row.time, format.clock(trade.time));
    const arrow = trade.direction === "up" ? " ↑" : trade.direction === "down" ? " ↓" : "\u2007\u2007";
    setText(row.price, `${format.price(trade.price, record.decimals)}${arrow}`);
    setSign(row.price, trade.direction === "up" ? 1 : trade.direction === "down" ? -1 : 0);
    setText(row.size, format.size(trade.size));
    const kind = trade.kind === "trade" ? "" : t(`kind_${trade.kind}`);
    const side = trade.side === "buy" ? t("side_buy") : trade.side === "sell" ? t("side_sell") : "";
    setText(row.kind, trade.broken ? t("broken") : kind || side);
    setAttribute(row.kind, "title", trade.side ? t(trade.side === "buy" ? "bought" : "sold") : null);
  }
}

customElements.define("kabuto-tape", Tape);
