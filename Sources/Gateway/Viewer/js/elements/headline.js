// <kabuto-headline>: name, price, change and marks of the selected instrument, and its key figures.

import { FlashingNumber, h, icon, setAttribute, setSign, setText } from "../dom.js";
import * as format from "../format.js";
import { currentLanguage, t, translate } from "../i18n.js";
import { QUOTE } from "../market-model.js";
import { marksOf } from "../marks.js";

class Headline extends HTMLElement {
  /** @param {import("../app.js").App} app */
  start(app) {
    this.app = app;
    this.star = h("button", { type: "button", class: "icon-button star", "aria-pressed": "false", onclick: () => app.toggleWatch() }, icon("star"));
    this.back = h("button", { type: "button", class: "icon-button back", "data-t-label": "back", "data-t-title": "back", onclick: () => app.back() }, icon("back"));
    this.name = h("h2", { id: "instrument-name", tabindex: "-1" });
    this.code = h("span", { class: "code" });
    this.meta = h("span", { class: "meta" });
    this.badges = h("span", { class: "badges" });
    this.price = h("span", { class: "big-price" });
    this.number = new FlashingNumber(this.price);
    this.arrow = h("span", { class: "arrow" });
    this.change = h("span", { class: "big-change" });
    this.since = h("span", { class: "since" });
    this.when = h("span", { class: "when" });
    this.auction = h("p", { class: "auction", hidden: true });
    this.warning = h("p", { class: "warning", hidden: true });
    this.badgeText = "";
    this.append(
      h("div", { class: "title-line" }, this.back, this.star, this.name, this.code, this.meta),
      h("div", { class: "price-line" }, this.price, this.arrow, this.change, h("span", { class: "when-line" }, this.since, this.when, this.badges)),
      this.auction, this.warning,
    );
    app.settings.addEventListener("change", () => this.paintAll());
    app.addEventListener("select", () => {
      this.number.text = "";
      this.paintAll();
    });
    app.addEventListener("second", () => this.#paintWarning());
    app.loop.add(this);
    this.paintAll();
  }

  paintAll() {
    translate(this);
    const record = this.app.selected;
    this.setAttribute("aria-busy", String(!record?.quote));
    if (!record) return;
    const language = currentLanguage();
    setText(this.name, record.name(language));
    setText(this.code, record.hasName ? record.code : "");
    const lot = record.info.lot ? ` · ${t("lotShares", { n: format.size(record.info.lot) })}` : "";
    const currency = record.info.currency ? ` · ${record.info.currency}` : "";
    setText(this.meta, `${record.market}${currency}${lot}`);
    const watched = this.app.settings.watched.has(record.key);
    setAttribute(this.star, "aria-pressed", String(watched));
    const label = t(watched ? "watchRemove" : "watchAdd");
    setAttribute(this.star, "aria-label", label);
    setAttribute(this.star, "title", label);
    this.badgeText = "\u0000";
    this.#paint(record, 0);
  }

  paint() {
    const record = this.app.selected;
    if (record && record.changed & QUOTE) this.#paint(record, record.moved);
  }

  /** @param {import("../market-model.js").InstrumentRecord} record @param {number} moved */
  #paint(record, moved) {
    const quote = record.quote;
    if (!quote) return;
    setAttribute(this, "aria-busy", "false");
    setAttribute(this, "data-stale", quote.stale ? "" : null);
    const traded = quote.last !== null;
    setAttribute(this.price, "data-reference", traded ? null : "");
    this.number.set(format.price(traded ? quote.last : quote.reference, record.decimals), moved);
    const change = changeOf(quote);
    setSign(this, format.sign(change.by));
    this.arrow.hidden = !traded;
    setText(this.arrow, traded ? format.arrow(quote.direction) : "");
    setAttribute(this.arrow, "data-sign", quote.direction);
    if (traded) {
      setText(this.change, `${format.triangle(change.by)} ${format.signed(change.by, record.decimals)} (${format.percent(change.percent)})`.trim());
      setText(this.since, change.isSinceOpen ? t("sinceOpen") : "");
      const today = quote.last_time?.slice(0, 10) === quote.time?.slice(0, 10);
      const zone = format.zoneName(quote.time, record.info.time_zone);
      setText(this.when, `${today ? "" : `${format.shortDate(quote.last_time)} `}${format.clock(quote.last_time)} ${zone}`);
    } else {
      setText(this.change, t("noTrade"));
      setText(this.since, "");
      setText(this.when, quote.reference === null ? "" : t("referenceOf", { date: format.shortDate(quote.reference_date) }));
    }
    this.#paintBadges(quote);
    this.#paintAuction(record, quote);
    this.#paintWarning();
  }

  /** @param {import("../types.js").Quote} quote */
  #paintBadges(quote) {
    const marks = marksOf(quote).filter((mark) => mark.tone !== "stale");
    const text = `${quote.state} ${marks.map((mark) => mark.long).join()} ${quote.short_restricted} ${quote.suspect}`;
    if (text === this.badgeText) return;
    this.badgeText = text;
    const badge = (/** @type {string} */ words, /** @type {string} */ tone, /** @type {string|null} */ short = null) =>
      h("span", { class: `badge badge-${tone}` }, short ? h("b", {}, short) : null, words);
    const badges = [];
    const isHalted = quote.state === "halted" || quote.state === "paused";
    const isSaid = isHalted || (quote.state === "pre_open" && marks.some((mark) => mark.short === t("preOpenShort")));
    if (!isSaid) badges.push(badge(t(`state_${quote.state}`), "plain"));
    for (const mark of marks) {
      const isSign = mark.tone === "warn" && !isHalted;
      badges.push(badge(mark.long, mark.tone, isSign || mark.tone === "plain" ? mark.short : null));
    }
    if (quote.short_restricted) badges.push(badge(t("shortRestricted"), "plain"));
    if (quote.suspect) badges.push(badge(t("suspect"), "warn"));
    this.badges.replaceChildren(...badges);
  }

  /** @param {import("../market-model.js").InstrumentRecord} record @param {import("../types.js").Quote} quote */
  #paintAuction(record, quote) {
    const auction = quote.auction;
    this.auction.hidden = !auction;
    if (!auction) return;
    const name = t(quote.special ?? `auction_${auction.type}`);
    const side = `${t(`side_${auction.side}`)} ${format.size(auction.imbalance)}`;
    const text = `${name} ${format.price(auction.price, record.decimals)}  ·  ${t("paired")} ${format.size(auction.paired)}  ·  ${t("imbalance")} ${side}`;
    setText(this.auction, text);
  }

  #paintWarning() {
    const quote = this.app.selected?.quote;
    const stale = quote?.stale;
    this.warning.hidden = !stale && !quote?.suspect;
    if (stale) {
      const newest = this.app.model.newestTime;
      const age = newest ? Date.parse(newest) - Date.parse(stale.since) : 0;
      setText(this.warning, `${t("stale", { age: format.duration(age) })} (${format.clock(stale.since)}): ${t(`stale_${stale.reason}`)}`);
    } else if (quote?.suspect) setText(this.warning, t("suspectWhy"));
  }
}

/** Against the last close; where none is known, against the day's first price.
 * @param {import("../types.js").Quote} quote */
function changeOf(quote) {
  if (quote.change !== null || quote.last === null || !quote.open) return { by: quote.change, percent: quote.change_percent, isSinceOpen: false };
  const by = quote.last - quote.open;
  return { by, percent: (by / quote.open) * 100, isSinceOpen: true };
}

customElements.define("kabuto-headline", Headline);
