// Loads vendor/lightweight-charts.js once (`make setup` puts it there) and makes charts of it.

import * as format from "./format.js";
import { currentLanguage } from "./i18n.js";

/** @type {Promise<any>|null} */
let loading = null;

/** Resolves to the library, or null where it is not installed. */
export function chartLibrary() {
  loading ??= new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = "vendor/lightweight-charts.js";
    script.onload = () => resolve(/** @type {any} */ (window).LightweightCharts ?? null);
    script.onerror = () => resolve(null);
    document.head.append(script);
  });
  return loading;
}

/** The chart's colours, out of the page's tokens. */
export function chartColours() {
  const style = getComputedStyle(document.documentElement);
  const token = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    surface: token("--surface"), text: token("--muted"), grid: token("--hairline"), strong: token("--hairline-strong"),
    up: token("--up"), down: token("--down"), upSoft: token("--up-soft"), downSoft: token("--down-soft"), accent: token("--accent"),
    font: token("--font"),
  };
}

/** Options that follow theme and language. @param {string} interval @param {() => number} decimals */
export function chartOptions(interval, decimals) {
  const colours = chartColours();
  const locale = currentLanguage() === "ja" ? "ja-JP" : "en-GB";
  const options = (/** @type {Intl.DateTimeFormatOptions} */ shape) => new Intl.DateTimeFormat(locale, { ...shape, timeZone: "UTC" });
  const shapes = [
    options({ year: "numeric" }), options({ month: "short" }), options({ day: "numeric", month: "numeric" }),
    options({ hour: "2-digit", minute: "2-digit" }), options({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  ];
  const pointer = options(interval === "1d" ? { dateStyle: "medium" } : { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" });
  return {
    autoSize: true,
    layout: { background: { type: "solid", color: colours.surface }, textColor: colours.text, fontFamily: colours.font, fontSize: 11 },
    grid: { vertLines: { visible: false }, horzLines: { color: colours.grid } },
    rightPriceScale: { borderColor: colours.grid, scaleMargins: { top: 0.06, bottom: 0.24 } },
    timeScale: {
      borderColor: colours.grid, timeVisible: interval === "1m", secondsVisible: false, rightOffset: 2, minBarSpacing: 0.4, shiftVisibleRangeOnNewBar: false,
      tickMarkFormatter: (/** @type {number} */ time, /** @type {number} */ kind) => (shapes[kind] ?? shapes[3]).format(time * 1000),
    },
    localization: { locale, priceFormatter: (/** @type {number} */ price) => format.rounded(price, decimals()), timeFormatter: (/** @type {number} */ time) => pointer.format(time * 1000) },
    crosshair: {
      mode: 0,
      vertLine: { color: colours.text, width: 1, style: 3, labelBackgroundColor: colours.accent },
      horzLine: { color: colours.text, width: 1, style: 3, labelBackgroundColor: colours.accent },
    },
    handleScroll: { vertTouchDrag: false },
  };
}

/** @param {number} decimals */
export function candleOptions(decimals) {
  const { up, down } = chartColours();
  return {
    upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderUpColor: up, borderDownColor: down,
    priceFormat: { type: "price", precision: decimals, minMove: 10 ** -decimals }, lastValueVisible: true, priceLineVisible: false,
  };
}
