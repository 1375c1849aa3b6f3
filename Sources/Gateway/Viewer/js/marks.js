// The short marks of Japanese price pages, out of a quote. Pure but for the words.

import { t } from "./i18n.js";

/** @typedef {{short: string, long: string, tone: "warn"|"up"|"down"|"plain"|"stale"}} Mark */

/** Most important first. @param {import("./types.js").Quote|null} quote @returns {Mark[]} */
export function marksOf(quote) {
  /** @type {Mark[]} */
  const marks = [];
  if (!quote) return marks;
  if (quote.state === "halted" || quote.state === "paused") {
    marks.push({ short: t("haltedShort"), long: t(`state_${quote.state}`), tone: "warn" });
  }
  if (quote.at_limit === "up") marks.push({ short: t("limitUpShort"), long: t("limitUp"), tone: "up" });
  if (quote.at_limit === "down") marks.push({ short: t("limitDownShort"), long: t("limitDown"), tone: "down" });
  if (quote.special) {
    marks.push({ short: t(quote.special.startsWith("special") ? "special" : "sequential"), long: t(quote.special), tone: "warn" });
  }
  else if (quote.state === "pre_open" || quote.auction) {
    const type = quote.auction?.type ?? "open";
    marks.push({ short: t(type === "close" ? "preCloseShort" : "preOpenShort"), long: t(`auction_${type}`), tone: "plain" });
  }
  if (quote.stale) marks.push({ short: t("staleShort"), long: t(`stale_${quote.stale.reason}`), tone: "stale" });
  return marks;
}
