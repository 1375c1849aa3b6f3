// The course of what is open: a line a severity, what can't be told as a dashed one, values in a fixed place, a table
// behind a button. A value holds until the next run, so lines are steps.

import { h, setText } from "./dom.js";
import * as format from "./format.js";
import { t } from "./i18n.js";

const SVG = "http://www.w3.org/2000/svg";
export const SERIES = /** @type {const} */ (["critical", "high", "medium", "low", "unknown"]);
const MARGIN = { left: 40, right: 12, top: 8, bottom: 22 };

/** @typedef {{critical: number, high: number, medium: number, low: number, info: number, unknown: number, excepted: number}} Counts
 * @typedef {{at: string, open: Counts}} TrendPoint */

/** @param {string} name @param {Record<string, string|number>} attributes @param {string} [text] */
function shape(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text) element.textContent = text;
  return element;
}

/** A round number at or above. @param {number} value */
function nice(value) {
  if (value <= 4) return 4;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].map((step) => step * size).find((step) => step >= value) ?? value;
}

/** Low and info are drawn as one. @param {Counts} open @param {string} name */
export const count = (open, name) => (name === "low" ? open.low + open.info : /** @type {any} */ (open)[name]);

const [MINUTE, HOUR, DAY] = [60000, 3600000, 86400000];
/** Steps between marks of time, from the finest. */
const STEPS = [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE).concat([1, 2, 3, 6, 12].map((n) => n * HOUR), [1, 2, 7, 14, 30, 60, 90, 180, 365].map((n) => n * DAY));
/** So many points are drawn as points, too. */
const MOST_DOTS = 120;

/** Marks of time within a range, at round times of the reader's zone; each says what differs from the one before.
 * @param {number} from @param {number} to @param {number} most @returns {{time: number, text: string}[]} */
export function timeMarks(from, to, most) {
  const step = STEPS.find((one) => (to - from) / one <= most) ?? 365 * DAY;
  const locale = document.documentElement.lang === "ja" ? "ja-JP" : "en-GB";
  const marks = [];
  // Hours are of the zone's own day, which the hour of summer time may move.
  const zone = new Date(from).getTimezoneOffset() * MINUTE;
  for (let time = Math.ceil((from - zone) / step) * step + zone; time <= to; time += step) {
    const at = new Date(time);
    const isMidnight = at.getHours() === 0 && at.getMinutes() === 0;
    /** @type {Intl.DateTimeFormatOptions} */
    const day = locale === "ja-JP" ? { month: "numeric", day: "numeric" } : { month: "short", day: "numeric" };
    const asDay = step >= DAY || isMidnight;
    marks.push({ time, text: asDay ? at.toLocaleDateString(locale, day) : at.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" }) });
  }
  return marks;
}

export class TrendChart {
  constructor() {
    this.picture = shape("svg", { role: "img", tabindex: 0 });
    this.plot = h("div", { class: "plot" });
    this.plot.append(this.picture);
    this.values = h("dl", { class: "legend" });
    this.element = h("div", {}, this.values, this.plot);
    /** @type {TrendPoint[]} */
    this.points = [];
    this.from = 0;
    this.to = 0;
    this.width = 0;
    this.height = 0;
    this.chosen = -1;
    new ResizeObserver(([entry]) => {
      this.width = entry.contentRect.width;
      this.height = entry.contentRect.height;
      this.draw();
    }).observe(this.plot);
    this.picture.addEventListener("pointermove", (event) => this.#choose(this.#nearest(/** @type {PointerEvent} */ (event).offsetX)));
    this.picture.addEventListener("pointerleave", () => this.#choose(-1));
    this.picture.addEventListener("blur", () => this.#choose(-1));
    this.picture.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[/** @type {KeyboardEvent} */ (event).key];
      if (!step || this.points.length === 0) return;
      event.preventDefault();
      event.stopPropagation();
      const from = this.chosen === -1 ? this.points.length - (step < 0 ? 0 : 1) : this.chosen;
      this.#choose(Math.min(this.points.length - 1, Math.max(0, from + step)));
    });
  }

  /** @param {{from: string, to: string, points: TrendPoint[]}} trend @param {number} days */
  show(trend, days) {
    this.points = trend.points;
    this.to = Date.parse(trend.to);
    // A young history fills the picture; before it there is nothing to draw.
    const first = this.points.length > 0 ? Date.parse(this.points[0].at) : 0;
    this.from = Math.min(Math.max(Date.parse(trend.from), first), this.to - 10 * MINUTE);
    this.chosen = -1;
    this.picture.setAttribute("aria-label", t("govTrendLabel", { days }));
    this.draw();
  }

  /** @param {number} time */
  #x(time) {
    const inner = this.width - MARGIN.left - MARGIN.right;
    return MARGIN.left + Math.max(0, Math.min(1, (time - this.from) / Math.max(1, this.to - this.from))) * inner;
  }

  /** @param {number} x */
  #nearest(x) {
    let best = -1, distance = Infinity;
    this.points.forEach((point, i) => {
      const away = Math.abs(this.#x(Date.parse(point.at)) - x);
      if (away <= distance) [best, distance] = [i, away];
    });
    return best;
  }

  draw() {
    this.#legend();
    if (this.width < 50) return;
    const { width, height } = this;
    const bottom = height - MARGIN.bottom;
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const most = nice(Math.max(1, ...this.points.flatMap((point) => SERIES.map((name) => count(point.open, name)))));
    const y = (/** @type {number} */ value) => bottom - (value / most) * (bottom - MARGIN.top);
    /** @type {Element[]} */
    const parts = [];
    for (const value of [0, most / 2, most]) {
      parts.push(shape("path", { class: "grid", d: `M${MARGIN.left} ${Math.round(y(value)) + 0.5}H${width - MARGIN.right}` }));
      parts.push(shape("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, format.size(value)));
    }
    for (const { time, text } of timeMarks(this.from, this.to, width < 500 ? 4 : 8)) {
      const x = this.#x(time);
      parts.push(shape("path", { class: "grid", d: `M${x.toFixed(1)} ${bottom}v4` }));
      const anchor = x < MARGIN.left + 20 ? "start" : x > width - MARGIN.right - 20 ? "end" : "middle";
      parts.push(shape("text", { class: "time", x, y: height - 4, "text-anchor": anchor }, text));
    }
    // The gravest is drawn last, above the others.
    for (const name of [...SERIES].reverse()) {
      let d = "";
      for (const point of this.points) {
        const x = this.#x(Date.parse(point.at)).toFixed(1), level = y(count(point.open, name)).toFixed(1);
        d += d === "" ? `M${x} ${level}` : `H${x}V${level}`;
      }
      if (d !== "") parts.push(shape("path", { class: "line", "data-line": name, d: `${d}H${this.#x(this.to).toFixed(1)}` }));
      if (this.points.length > MOST_DOTS) continue;
      for (const point of this.points) {
        parts.push(shape("circle", { class: "dot", "data-line": name, cx: this.#x(Date.parse(point.at)).toFixed(1), cy: y(count(point.open, name)).toFixed(1), r: 2.5 }));
      }
    }
    this.cross = shape("path", { class: "cross", d: "" });
    parts.push(this.cross);
    this.picture.replaceChildren(...parts);
    this.#cross();
  }

  /** @param {number} index */
  #choose(index) {
    if (index === this.chosen) return;
    this.chosen = index;
    this.#legend();
    this.#cross();
  }

  #cross() {
    const point = this.points[this.chosen];
    this.cross?.setAttribute("d", point ? `M${this.#x(Date.parse(point.at)).toFixed(1)} ${MARGIN.top}V${this.height - MARGIN.bottom}` : "");
  }

  /** Values in a fixed place: of the point in focus, else the latest. */
  #legend() {
    const point = this.points[this.chosen] ?? this.points[this.points.length - 1];
    const items = [["at", this.points[this.chosen] ? moment(point?.at) : t("govNow")],
      ...SERIES.map((name) => [name, point ? format.size(count(point.open, name)) : format.NONE])];
    if (this.values.children.length !== items.length) {
      this.values.replaceChildren(...items.map(([name]) => h("div", { "data-name": name, class: name === "at" ? "at" : null },
        h("dt", { class: name === "at" ? null : "severity", "data-severity": name }), h("dd", {}))));
    }
    items.forEach(([name, text], i) => {
      const [label, value] = this.values.children[i].children;
      setText(label, name === "at" ? t("govTime") : name === "low" ? t("govLowInfo") : t(`sev_${name}`));
      setText(value, text);
    });
  }
}

/** The same as a table, the newest first. @param {TrendPoint[]} points */
export function trendTable(points) {
  const names = [...SERIES, "excepted"];
  return h("div", { class: "scrolls", tabindex: "0", role: "group", "aria-label": t("govTrend") }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("govTime")), ...names.map((name) => h("th", { scope: "col", class: "number" }, name === "low" ? t("govLowInfo") : t(`sev_${name}`))))),
    h("tbody", {}, ...points.slice().reverse().map((point) => h("tr", {}, h("td", {}, moment(point.at)),
      ...names.map((name) => h("td", { class: "number" }, format.size(count(point.open, name)))))))));
}

/** A time in the reader's zone, the zone shown. @param {string|null|undefined} text */
export function moment(text) {
  if (!text) return format.NONE;
  const locale = document.documentElement.lang === "ja" ? "ja-JP" : "en-GB";
  return new Date(text).toLocaleString(locale, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
}
