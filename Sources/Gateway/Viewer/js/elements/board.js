// <kabuto-board>: 板, ten levels a side in the Japanese layout: asks above bids, sizes beside prices.
// A row chosen by click or Enter shows its size, orders and the sum up to it.

import { h, iconButton, setAttribute, setSign, setText } from "../dom.js";
import * as format from "../format.js";
import { t, translate } from "../i18n.js";
import { BOOK, QUOTE } from "../market-model.js";
import { marksOf } from "../marks.js";

export const LEVELS = 10;
/** @typedef {import("../types.js").Level} Level */

/** Before an auction the sides overlap. As on the exchange's own boards, all that would be matched at the
 * indicated price stands there as one row, and what is behind it follows. `side`: 1 asks, -1 bids.
 * @param {(Level & {isFolded?: boolean})[]} levels best first @param {number|null} price @param {number} side */
function atAuction(levels, price, side) {
  if (price === null) return levels;
  const behind = levels.findIndex((level) => (level.price - price) * side > 0);
  const count = behind < 0 ? levels.length : behind;
  if (count === 0) return levels;
  let orders = 0;
  for (let i = 0; i < count; i += 1) orders += levels[i].orders;
  return [{ price, size: sum(levels, count), orders, isFolded: true }, ...levels.slice(count)];
}

/** @param {Level[]} levels @param {number} count */
function sum(levels, count) {
  let size = 0;
  for (let i = 0; i < count && i < levels.length; i += 1) size += levels[i].size;
  return size;
}

class Board extends HTMLElement {
  /** @param {import("../app.js").App} app */
  start(app) {
    this.app = app;
    /** @type {{side: "ask"|"bid", price: number}|null} */
    this.chosen = null;
    this.focusIndex = LEVELS;
    this.#build();
    app.settings.addEventListener("change", () => this.paintAll());
    app.addEventListener("select", () => {
      this.chosen = null;
      this.paintAll();
    });
    app.loop.add(this);
    this.paintAll();
  }

  #build() {
    const cell = (/** @type {string} */ name, /** @type {string} */ role = "gridcell") => h("span", { role, class: `b-${name}` });
    /** @param {string} kind @param {"over"|"under"} label */
    const total = (kind, label) => {
      const ask = cell("size-ask"), bid = cell("size-bid"), price = cell("price");
      price.setAttribute("data-t", label);
      return { element: h("div", { role: "row", class: `b-row b-total b-${kind}` }, cell("orders-ask"), ask, price, bid, cell("orders-bid")), ask, bid };
    };
    const head = h("div", { role: "row", class: "b-row b-head" });
    for (const [name, label] of [["orders-ask", "orders"], ["size-ask", "askSize"], ["price", "price"], ["size-bid", "bidSize"], ["orders-bid", "orders"]]) {
      const top = cell(name, "columnheader");
      top.setAttribute("data-t", label);
      head.append(top);
    }
    this.over = total("over", "over");
    this.under = total("under", "under");
    this.rows = Array.from({ length: LEVELS * 2 }, (_, i) => this.#makeRow(i));
    this.middle = h("span", { role: "gridcell", "aria-colspan": "5", class: "b-middle-text" });
    const middle = h("div", { role: "row", class: "b-row b-middle" }, this.middle);
    this.grid = h("div", { role: "grid", class: "board", "data-t-label": "boardTitle", onkeydown: (/** @type {KeyboardEvent} */ e) => this.#key(e) },
      head, this.over.element, ...this.rows.slice(0, LEVELS).map((row) => row.element), middle,
      ...this.rows.slice(LEVELS).map((row) => row.element), this.under.element);
    this.empty = h("p", { class: "empty-title board-empty", hidden: true });
    this.detailText = h("p", {});
    this.detailClose = iconButton("close", "closeDetail", { onclick: () => this.#choose(null) });
    this.detail = h("div", { class: "detail", "aria-live": "polite" }, this.detailText, this.detailClose);
    this.append(h("h2", { "data-t": "boardTitle" }), this.grid, this.empty, this.detail);
  }

  /** @param {number} index 0…9 asks, farthest first; 10…19 bids, best first */
  #makeRow(index) {
    const side = /** @type {"ask"|"bid"} */ (index < LEVELS ? "ask" : "bid");
    const cell = (/** @type {string} */ name) => h("span", { role: "gridcell", class: `b-${name}` });
    const bar = h("i", { class: "bar" }), text = h("span", {});
    const orders = cell(`orders-${side}`), size = cell(`size-${side}`), priceCell = cell("price");
    const price = h("span", {}), mark = h("abbr", { class: "mark mark-warn", hidden: true });
    size.append(bar, text);
    priceCell.append(price);
    // The mark stands beside the price, in the cell that this side leaves empty.
    const other = side === "ask" ? "bid" : "ask";
    const beside = cell(`size-${other}`);
    beside.append(mark);
    const cells = side === "ask"
      ? [orders, size, priceCell, beside, cell(`orders-${other}`)]
      : [cell(`orders-${other}`), beside, priceCell, size, orders];
    const element = h("div", { role: "row", class: `b-row b-level b-${side}`, tabindex: index === LEVELS ? "0" : "-1", "aria-selected": "false" }, ...cells);
    const row = { element, bar, text, orders, price, priceCell, mark, side, level: /** @type {Level|null} */ (null), scale: -1 };
    element.addEventListener("click", () => this.#choose(row.level ? { side, price: row.level.price } : null));
    element.addEventListener("focus", () => this.#rove(index));
    return row;
  }

  /** @param {number} index */
  #rove(index) {
    this.rows[this.focusIndex].element.tabIndex = -1;
    this.focusIndex = index;
    this.rows[index].element.tabIndex = 0;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const row = this.rows[this.focusIndex];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const next = this.rows[this.focusIndex + (event.key === "ArrowDown" ? 1 : -1)];
      next?.element.focus();
    } else if (event.key === "Enter" || event.key === " ") this.#choose(row.level ? { side: row.side, price: row.level.price } : null);
    else if (event.key === "Escape" && this.chosen) this.#choose(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {{side: "ask"|"bid", price: number}|null} level */
  #choose(level) {
    const again = level && this.chosen && level.side === this.chosen.side && level.price === this.chosen.price;
    this.chosen = again ? null : level;
    this.paintAll();
  }

  paintAll() {
    translate(this);
    this.#paint();
  }

  paint() {
    const record = this.app.selected;
    if (record && record.changed & (BOOK | QUOTE)) this.#paint();
  }

  #paint() {
    const record = this.app.selected;
    const book = record?.book ?? null;
    this.setAttribute("aria-busy", String(!book));
    setAttribute(this, "data-stale", book?.stale || record?.quote?.stale ? "" : null);
    const auction = record?.quote?.auction ?? null;
    const asks = atAuction(book?.asks ?? [], auction?.price ?? null, 1);
    const bids = atAuction(book?.bids ?? [], auction?.price ?? null, -1);
    const isEmpty = book !== null && asks.length === 0 && bids.length === 0;
    this.empty.hidden = !isEmpty;
    if (isEmpty) setText(this.empty, t("boardEmpty"));
    let largest = 1;
    for (let i = 0; i < LEVELS; i += 1) largest = Math.max(largest, asks[i]?.size ?? 0, bids[i]?.size ?? 0);
    const quote = record?.quote ?? null;
    const special = quote?.special ?? null;
    const sign = special ? t(special.startsWith("special") ? "special" : "sequential")
      : quote && (quote.state === "pre_open" || quote.auction) ? t(quote.auction?.type === "close" ? "preCloseShort" : "preOpenShort") : null;
    const signSide = special ? special.slice(-3) : "both";
    for (let i = 0; i < LEVELS; i += 1) {
      const isBest = i === 0;
      this.#paintRow(this.rows[LEVELS - 1 - i], asks[i] ?? null, largest, isBest && signSide !== "bid" ? sign : null);
      this.#paintRow(this.rows[LEVELS + i], bids[i] ?? null, largest, isBest && signSide !== "ask" ? sign : null);
    }
    setText(this.over.ask, book ? format.size(book.ask_total - sum(asks, LEVELS)) : "");
    setText(this.under.bid, book ? format.size(book.bid_total - sum(bids, LEVELS)) : "");
    this.#paintMiddle();
    this.#paintDetail(asks, bids);
  }

  /** @param {any} row @param {Level|null} level @param {number} largest @param {string|null} sign */
  #paintRow(row, level, largest, sign) {
    const record = this.app.selected;
    row.level = level;
    const decimals = record?.decimals ?? 0;
    setText(row.price, level ? format.price(level.price, decimals) : "");
    setText(row.text, level ? format.size(level.size) : "");
    setText(row.orders, level ? format.size(level.orders) : "");
    const scale = level ? Math.round((level.size / largest) * 200) / 200 : 0;
    if (scale !== row.scale) {
      row.scale = scale;
      row.bar.style.transform = `scaleX(${scale})`;
    }
    const base = record?.quote?.previous_close ?? null;
    setSign(row.priceCell, level && base !== null ? format.sign(level.price - base) : 0);
    const isLast = level !== null && record?.quote?.last === level.price;
    setAttribute(row.element, "data-last", isLast ? "" : null);
    const isChosen = level !== null && this.chosen?.price === level.price && this.chosen.side === row.side;
    setAttribute(row.element, "aria-selected", String(isChosen));
    row.mark.hidden = !(sign && level);
    if (sign) setText(row.mark, sign);
  }

  #paintMiddle() {
    const record = this.app.selected, quote = record?.quote, book = record?.book;
    if (!record || !quote) return setText(this.middle, t("boardLoading"));
    if (quote.auction?.price) {
      const words = [`${t(quote.special ?? `auction_${quote.auction.type}`)} ${format.price(quote.auction.price, record.decimals)}`, `${t("paired")} ${format.size(quote.auction.paired)}`];
      setText(this.middle, words.join("  "));
      return setSign(this.middle, quote.previous_close === null ? 0 : format.sign(quote.auction.price - quote.previous_close));
    }
    const price = quote.last ?? quote.reference;
    const arrow = quote.last !== null && quote.direction ? ` ${format.arrow(quote.direction)}`.trimEnd() : "";
    const ask = book?.asks[0]?.price, bid = book?.bids[0]?.price;
    const spread = ask !== undefined && bid !== undefined ? `  ${t("spread")} ${format.price(ask - bid, record.decimals)}` : "";
    const limit = marksOf(quote).find((mark) => mark.tone === "up" || mark.tone === "down");
    const label = quote.last === null ? `${t("reference")} ` : "";
    setText(this.middle, `${label}${format.price(price, record.decimals)}${arrow}${limit ? `  ${limit.long}` : spread}`);
    setSign(this.middle, format.sign(quote.change));
  }

  /** @param {(Level & {isFolded?: boolean})[]} asks @param {(Level & {isFolded?: boolean})[]} bids */
  #paintDetail(asks, bids) {
    const record = this.app.selected;
    const levels = this.chosen?.side === "ask" ? asks : bids;
    const at = this.chosen ? levels.findIndex((level) => level.price === this.chosen?.price) : -1;
    this.detailClose.hidden = at < 0;
    setAttribute(this.detail, "aria-live", at < 0 ? "off" : "polite");
    if (!record || !this.chosen || at < 0) return setText(this.detailText, t("boardHint"));
    const level = levels[at];
    const last = record.quote?.last ?? null;
    if (level.isFolded) {
      const price = format.price(level.price, record.decimals);
      return setText(this.detailText, [t("levelSize", { n: format.size(level.size) }), t("levelOrders", { n: format.size(level.orders) }), t("foldedHint", { price })].join(" · "));
    }
    const parts = [
      t(this.chosen.side === "ask" ? "levelAsk" : "levelBid", { price: format.price(level.price, record.decimals) }),
      t("levelSize", { n: format.size(level.size) }), t("levelOrders", { n: format.size(level.orders) }),
      level.orders > 0 ? t("perOrder", { n: format.size(Math.round(level.size / level.orders)) }) : "",
      t("cumulative", { n: format.size(sum(levels, at + 1)) }),
      last !== null ? t("fromLast", { n: format.signed(level.price - last, record.decimals) }) : "",
    ];
    setText(this.detailText, parts.filter(Boolean).join(" · "));
  }
}

customElements.define("kabuto-board", Board);
