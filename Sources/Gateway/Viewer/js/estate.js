// The page /estate: asks /v1/estate (docs/STREAM.md, The estate) every two seconds and shows it; without an estate the
// paths of this server alone, from /v1/status. What is chosen stands in the URL (?failure=zone/tky-a).

import { h, setAttribute, setText } from "./dom.js";
import { ESTATE_WORDS } from "./estate-words.js";
import * as format from "./format.js";
import { addWords, currentLanguage, t, translate } from "./i18n.js";
import { get } from "./rest.js";
import { Settings } from "./settings.js";

const LOOK_EVERY_MS = 2000;
const HEADS = ["gateway", "market", "stream", "rail", "nearness", "state", "through", "lag", "heard", "used", "why"];
const NUMBERS = new Set(["through", "lag", "heard"]);

/** @typedef {{market: string, stream: string, rail?: string|null, nearness?: string|null, state?: string|null,
 *   through?: number|null, lag_ns?: number|null, heard_ns?: number|null, used: boolean, why: string, why_key?: string|null}} PathReport
 * @typedef {{name: string, site: string, zone: string, roles: string[], state: string, reason?: string|null,
 *   heard_ns?: number|null, clients?: number|null, version?: number|null, paths: PathReport[]}} NodeView
 * @typedef {{kind: string, name: string, severity: string, summary: string, key?: string, values?: Record<string, string>,
 *   effects: {what: string, severity: string, text: string, key?: string, values?: Record<string, string>}[]}} FailureView
 * @typedef {{estate: string|null, version: number, node: string|null, sites: {name: string, kind: string, zones: string[]}[],
 *   nodes: NodeView[], failures: FailureView[]}} EstateView */

addWords(ESTATE_WORDS);
const key = (/** @type {string} */ prefix, /** @type {string} */ value) => `${prefix}_${value.replaceAll(/[ -]/g, "_")}`;
const word = (/** @type {string} */ prefix, /** @type {string|null|undefined} */ value) =>
  value === null || value === undefined ? "" : key(prefix, value) in ESTATE_WORDS ? t(key(prefix, value)) : value;
/** A server's text in the page's language, where it says by a key what it means; figures in it stay those of the text.
 * @param {string} prefix @param {string|null|undefined} name @param {string} text @param {Record<string, string>} [values] */
function said(prefix, name, text, values = {}) {
  const id = name ? key(prefix, name) : "";
  if (!(id in ESTATE_WORDS)) return text;
  const figures = text.match(/\d+(?:\.\d+)?/g) ?? [];
  return t(id, { figure: figures[figures.length - 1] ?? "", ...values });
}
const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** A span of time in the largest unit that fits. @param {number|null|undefined} nanoseconds */
function span(nanoseconds) {
  if (nanoseconds === null || nanoseconds === undefined) return "–";
  if (nanoseconds < 1e9) return `${(nanoseconds / 1e6).toFixed(nanoseconds < 1e7 ? 1 : 0)} ms`;
  return nanoseconds < 120e9 ? `${(nanoseconds / 1e9).toFixed(1)} s` : `${Math.round(nanoseconds / 60e9)} min`;
}

const MARKS = /** @type {Record<string, string>} */ ({
  ready: "good", live: "good", none: "good", gap: "bad", recovering: "middle", unheard: "bad", "not ready": "middle", "out of service": "middle", stale: "middle", "catching up": "middle",
  degraded: "middle", silent: "bad", lost: "bad", unknown: "none", ended: "none",
});
const mark = (/** @type {string} */ state) => h("span", { class: "mark", "data-mark": MARKS[state] ?? "none", "aria-hidden": "true" });

class EstatePage {
  constructor() {
    this.settings = new Settings();
    /** @type {EstateView|null} */
    this.view = null;
    this.text = "";
    /** @type {number|null} */
    this.lostAt = null;
    this.chosen = new URLSearchParams(location.search).get("failure") ?? "";
    this.shownFailures = "";
  }

  start() {
    for (const name of HEADS) element("path-heads").append(h("th", { scope: "col", "data-t": `head_${name}`, class: NUMBERS.has(name) ? "number" : null }));
    element("switch-language").addEventListener("click", () => this.settings.set("language", currentLanguage() === "ja" ? "en" : "ja"));
    element("switch-theme").addEventListener("click", () => this.settings.set("theme", this.settings.isDark ? "light" : "dark"));
    this.settings.addEventListener("change", () => this.show());
    element("failures").addEventListener("keydown", (e) => this.#key(e));
    addEventListener("popstate", () => this.choose(new URLSearchParams(location.search).get("failure") ?? "", false));
    document.addEventListener("visibilitychange", () => !document.hidden && void this.look());
    this.show();
    void this.look();
    setInterval(() => !document.hidden && void this.look(), LOOK_EVERY_MS);
  }

  async look() {
    try {
      const view = await get("/v1/estate").catch((/** @type {any} */ fault) => {
        if (fault.status === 404) return this.#alone();
        throw fault;
      });
      this.lostAt = null;
      const text = JSON.stringify(view);
      if (text === this.text) return this.#showNotice();
      this.text = text;
      this.view = view;
    } catch {
      this.lostAt ??= Date.now();
    }
    this.show();
  }

  /** Without an estate: what this server says of itself. @returns {Promise<EstateView>} */
  async #alone() {
    const status = await get("/v1/status");
    const name = status.node ?? location.host;
    const clients = status.loops.reduce((/** @type {number} */ sum, /** @type {any} */ loop) => sum + loop.clients, 0);
    const isLive = status.sources.every((/** @type {any} */ source) => source.state !== "stale" && source.state !== "recovering");
    const state = status.service.state === "in" ? (isLive ? "ready" : "not ready") : "out of service";
    const place = { site: status.site ?? t("estateAlone"), zone: status.zone ?? "–" };
    return {
      estate: null, version: 0, node: status.node, sites: [{ name: place.site, kind: "", zones: [place.zone] }],
      nodes: [{ name, ...place, roles: ["gateway"], state, reason: status.service.reason, heard_ns: 0, clients, paths: status.paths }],
      failures: [],
    };
  }

  // What is seen

  show() {
    translate(document);
    document.title = `${t("estateTitle")} · Kabuto`;
    this.#showNotice();
    const view = this.view;
    setText(element("estate-name"), view?.estate ? t("estateNamed", { name: view.estate, version: view.version }) : t("estateTitle"));
    setText(element("estate-state"), !view ? t("estateLoading") : !view.estate ? t("estateNone") : view.node ? t("estateAs", { node: view.node }) : "");
    if (!view) return;
    setAttribute(document.body, "aria-busy", null);
    this.#showFigures(view);
    this.#showSites(view);
    this.#showPaths(view);
    this.#showFailures(view);
  }

  #showNotice() {
    const notice = element("estate-notice");
    notice.hidden = this.lostAt === null;
    const locale = currentLanguage() === "ja" ? "ja-JP" : "en-GB";
    if (this.lostAt !== null) setText(notice, t("estateLost", { time: new Date(this.lostAt).toLocaleTimeString(locale) }));
  }

  /** @param {EstateView} view */
  #showFigures(view) {
    const ready = view.nodes.filter((node) => node.state === "ready").length;
    const paths = view.nodes.flatMap((node) => node.paths);
    const clients = view.nodes.reduce((sum, node) => sum + (node.clients ?? 0), 0);
    const fatal = view.failures.filter((failure) => failure.severity === "lost").length;
    /** @type {[string, string, boolean][]} */
    const figures = [
      ["estateNodes", `${ready} / ${view.nodes.length}`, ready < view.nodes.length],
      ["estateUsed", `${paths.filter((path) => path.used).length} / ${paths.length}`, paths.length > 0 && !paths.some((path) => path.used)],
      ["estateClients", format.size(clients), false],
      ["estateFatal", view.estate ? format.size(fatal) : "–", fatal > 0],
    ];
    element("figures").replaceChildren(...figures.map(([name, value, isBad]) => h("div", {}, h("dt", {}, t(name)), h("dd", { class: isBad ? "bad" : null }, value))));
  }

  /** @param {EstateView} view */
  #showSites(view) {
    element("sites").replaceChildren(...view.sites.map((site) => h("div", { class: "site" },
      h("h3", {}, site.name + (site.kind ? ` · ${word("site", site.kind)}` : "")),
      ...site.zones.map((zone) => h("div", { class: "zone" }, h("h4", {}, zone), ...view.nodes
        .filter((node) => node.site === site.name && node.zone === zone)
        .map((node) => this.#node(node, view)))))));
  }

  /** @param {NodeView} node @param {EstateView} view */
  #node(node, view) {
    const heard = node.heard_ns === null || node.heard_ns === undefined ? t("estateNever") : t("estateHeard", { age: span(node.heard_ns) });
    const isOther = view.estate !== null && node.version !== null && node.version !== undefined && node.version !== view.version;
    const why = [node.reason, node.state === "silent" || node.state === "unknown" ? heard : null, isOther ? t("estateOther", { version: node.version ?? 0 }) : null]
      .filter(Boolean).join(" · ");
    return h("div", { class: "node" }, mark(node.state), h("span", {}, node.name), h("span", { class: "roles" }, node.roles.map((role) => word("role", role)).join(", ")),
      h("span", { class: node.state === "silent" ? "state bad" : "state" }, word("node", node.state)), why && h("span", { class: "why" }, why));
  }

  /** @param {EstateView} view */
  #showPaths(view) {
    const rows = view.nodes.flatMap((node) => node.paths.map((path) => {
      const cells = {
        gateway: node.name, market: path.market, stream: path.stream, rail: path.rail ?? "–", nearness: word("near", path.nearness) || "–",
        state: word("path", path.state) || "–", through: path.through === null || path.through === undefined ? "–" : format.size(path.through), lag: span(path.lag_ns), heard: span(path.heard_ns),
        used: t(`used_${path.used}`), why: said("why", path.why_key, path.why),
      };
      return h("tr", { "data-used": String(path.used) }, ...Object.entries(cells).map(([name, text]) => h("td", { class: NUMBERS.has(name) ? "number" : name === "why" ? "words" : null },
        name === "state" && path.state && mark(path.state), name === "state" ? ` ${text}` : text)));
    }));
    const none = h("tr", {}, h("td", { colspan: HEADS.length, class: "empty" }, t("estateNoPaths")));
    element("paths").replaceChildren(...(rows.length > 0 ? rows : [none]));
  }

  /** @param {EstateView} view */
  #showFailures(view) {
    // Built anew only where it is another one: it is read aloud.
    const shown = JSON.stringify([view.failures, this.chosen, currentLanguage()]);
    if (shown === this.shownFailures) return;
    this.shownFailures = shown;
    const list = element("failures");
    const focused = document.activeElement?.getAttribute("data-failure");
    const items = view.failures.map((failure) => {
      const id = `${failure.kind}/${failure.name}`;
      return h("li", {}, h("button", { type: "button", "data-failure": id, "aria-current": id === this.chosen ? "true" : null, onclick: () => this.choose(id) },
        mark(failure.severity), h("span", {}, h("span", { class: "kind" }, `${word("kind", failure.kind)} `), failure.name), h("span", {}, word("severity", failure.severity))));
    });
    list.replaceChildren(...(items.length > 0 ? items : [h("li", { class: "empty" }, t("estateNoFailures"))]));
    if (focused) /** @type {HTMLElement|null} */ (list.querySelector(`[data-failure="${CSS.escape(focused)}"]`))?.focus();
    const failure = view.failures.find((one) => `${one.kind}/${one.name}` === this.chosen);
    const detail = !failure ? [h("p", { class: "empty" }, t(items.length > 0 ? "estateChoose" : "estateNoFailures"))] : [
      h("h3", {}, `${word("kind", failure.kind)} ${failure.name}: ${word("severity", failure.severity)}`), h("p", {}, said("sum", failure.key, failure.summary, failure.values)),
      h("ul", {}, ...failure.effects.map((effect) => h("li", {}, mark(effect.severity), h("span", {}, effect.what), h("span", {}, `${word("severity", effect.severity)}: ${said("effect", effect.key, effect.text, effect.values)}`)))),
      failure.effects.length === 0 && h("p", {}, t("estateNoEffects"))];
    element("failure").replaceChildren(.../** @type {Node[]} */ (detail.filter(Boolean)));
  }

  /** @param {string} id @param {boolean} [isNew] whether the URL is to follow */
  choose(id, isNew = true) {
    this.chosen = id;
    if (isNew) {
      const url = new URL(location.href);
      url.searchParams.set("failure", id);
      history.replaceState(null, "", url);
    }
    this.show();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const buttons = [...element("failures").querySelectorAll("button")];
    const next = buttons[Math.min(buttons.length - 1, Math.max(0, buttons.indexOf(/** @type {any} */ (document.activeElement)) + step))];
    next?.focus();
    if (next) this.choose(next.getAttribute("data-failure") ?? "");
  }
}

const page = new EstatePage();
/** For the browser tests and the curious. */
/** @type {any} */ (window).estate = page;
page.start();
