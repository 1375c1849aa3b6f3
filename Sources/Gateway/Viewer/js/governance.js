// The page /governance: asks /v1/governance/… (docs/GOVERN-RESULTS.md) and shows where the address says one is:
//   ?                      overview (&days=30|90|365, &table=1)
//   ?list=1&severity=…     a list by filter, a page at a time (&cursor=)
//   ?finding=ID            one finding
// A run that is written while one looks is seen within seconds: the summary is asked again, by its tag.

import { h, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { TrendChart, moment } from "./governance-trend.js";
import { FILTERS, address, detail, failed, gone, list, loading, noHistory, overview } from "./governance-views.js";
import { GOVERNANCE_WORDS } from "./governance-words.js";
import { addWords, currentLanguage, t, translate } from "./i18n.js";
import { get } from "./rest.js";
import { Settings } from "./settings.js";

const LOOK_EVERY_MS = 5000;
const TYPING_MS = 250;
const PAGE = 50;
const KEYS = [["/", "search"], ["↑ ↓", "move"], ["Enter", "open"], ["Esc", "back"], ["T", "theme"], ["?", "help"]];

addWords(GOVERNANCE_WORDS);
const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

class GovernancePage {
  constructor() {
    this.settings = new Settings();
    this.chart = new TrendChart();
    /** What was said, by question. @type {{kind: string, data: any}|null} */
    this.shown = null;
    /** @type {any} */
    this.summary = null;
    /** @type {number|null} */
    this.lostAt = null;
    this.asked = 0;
    this.backTo = address({ list: "1" });
    this.typing = 0;
    this.ready = false;
  }

  start() {
    element("switch-language").addEventListener("click", () => this.settings.set("language", currentLanguage() === "ja" ? "en" : "ja"));
    element("switch-theme").addEventListener("click", () => this.#switchTheme());
    element("show-keys").addEventListener("click", () => this.#showKeys());
    this.settings.addEventListener("change", () => this.show());
    document.addEventListener("click", (event) => this.#follow(event));
    document.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("popstate", () => void this.go());
    document.addEventListener("visibilitychange", () => !document.hidden && void this.look());
    this.show();
    element("view").replaceChildren(...loading());
    void this.go();
    setInterval(() => !document.hidden && void this.look(), LOOK_EVERY_MS);
  }

  get query() {
    return /** @type {Record<string, string>} */ (Object.fromEntries(new URLSearchParams(location.search)));
  }

  /** Asks whether there was another run since. */
  async look() {
    const known = this.summary?.version;
    try {
      const summary = await get("/v1/governance/summary");
      const wasLost = this.lostAt !== null;
      this.lostAt = null;
      if (summary.version !== known || wasLost || this.shown?.kind === "failed") {
        this.summary = summary;
        await this.go(false);
        if (known !== undefined && summary.version !== known && summary.open) this.#speak(summary.open);
      } else this.#showFrame();
    } catch (fault) {
      this.#lost(fault);
    }
  }

  /** Shows what the address names. @param {boolean} [isNew] whether the reader went there */
  async go(isNew = true) {
    const turn = (this.asked += 1);
    const query = this.query;
    try {
      const next = await this.#ask(query);
      if (turn !== this.asked) return;
      this.lostAt = null;
      this.shown = next;
    } catch (fault) {
      if (turn !== this.asked) return;
      const status = /** @type {any} */ (fault).status;
      if (status === 404 && query.finding) this.shown = { kind: "gone", data: null };
      else if (status > 0) this.shown = { kind: "failed", data: /** @type {any} */ (fault).message };
      else return this.#lost(fault);
    }
    this.show();
    if (!isNew) return;
    if (this.ready) {
      scrollTo(0, 0);
      if (!this.typing) element("view").focus({ preventScroll: true });
    }
    this.ready = true;
  }

  /** @param {Record<string, string>} query @returns {Promise<{kind: string, data: any}>} */
  async #ask(query) {
    this.summary = await get("/v1/governance/summary");
    if (!this.summary.open) return { kind: "none", data: null };
    if (query.finding) return { kind: "finding", data: await get(`/v1/governance/findings/${encodeURIComponent(query.finding)}`) };
    if (query.list) {
      const filter = Object.fromEntries(FILTERS.map((name) => [name, query[name] || null]));
      return { kind: "list", data: { query, page: await get("/v1/governance/findings", { ...filter, limit: PAGE, cursor: query.cursor }) } };
    }
    const days = query.days === "30" || query.days === "365" ? Number(query.days) : 90;
    const [trend, rules, accounts] = await Promise.all([
      get("/v1/governance/trend", { days, points: 180 }), get("/v1/governance/rules", { limit: 12 }), get("/v1/governance/accounts", { limit: 12 }),
    ]);
    return { kind: "overview", data: { days, table: query.table === "1", trend, rules, accounts } };
  }

  // What is seen

  show() {
    translate(document);
    setText(element("switch-language"), t("switchLanguage"));
    element("key-list").replaceChildren(...KEYS.map(([keys, name]) => h("div", {}, h("dt", {}, h("kbd", {}, keys)), h("dd", {}, t(`govKey_${name}`)))));
    setAttribute(element("home"), "href", address({}));
    this.#showFrame();
    if (!this.shown) return;
    setAttribute(document.body, "aria-busy", null);
    const { kind, data } = this.shown;
    const view = element("view");
    const focus = this.#focused();
    view.dataset.kind = kind;
    view.replaceChildren(...this.#parts(kind, data));
    this.#refocus(focus);
    const title = kind === "finding" ? (currentLanguage() === "ja" && data.finding.title_ja ? data.finding.title_ja : data.finding.title) : "";
    document.title = `${title ? `${title} · ` : ""}${t("govTitle")} · Kabuto`;
  }

  /** @param {string} kind @param {any} data @returns {Node[]} */
  #parts(kind, data) {
    switch (kind) {
      case "overview":
        return overview(this.summary, data.rules.rules, data.accounts.accounts, { rules: data.rules.total, accounts: data.accounts.total }, data.trend, this.chart, data);
      case "list":
        this.backTo = location.search;
        return list(data.page, data.query, (name, value) => this.#filter(name, value));
      case "finding": return detail(data, this.backTo);
      case "gone": return gone();
      case "none": return noHistory();
      default: return failed(String(data));
    }
  }

  /** The head: when was looked last, and whether anybody answers. */
  #showFrame() {
    const locale = currentLanguage() === "ja" ? "ja-JP" : "en-GB";
    const run = this.summary?.runs?.[0];
    const source = run ? (t(`source_${run.source}`) === `source_${run.source}` ? run.source : t(`source_${run.source}`)) : "";
    setText(element("looked"), run ? t("govLooked", { source, time: moment(run.at) }) : "");
    const notice = element("notice");
    notice.hidden = this.lostAt === null;
    setAttribute(document.body, "data-lost", this.lostAt === null ? null : "true");
    if (this.lostAt !== null) setText(notice, t("govLost", { time: new Date(this.lostAt).toLocaleTimeString(locale, { timeZoneName: "short" }) }));
  }

  /** @param {unknown} fault */
  #lost(fault) {
    const status = /** @type {any} */ (fault).status;
    if (status > 0 && !this.shown) {
      this.shown = { kind: "failed", data: /** @type {any} */ (fault).message };
      return this.show();
    }
    this.lostAt ??= Date.now();
    this.#showFrame();
  }

  /** @param {import("./governance-trend.js").Counts} open */
  #speak(open) {
    const all = open.critical + open.high + open.medium + open.low + open.info + open.unknown;
    setText(element("spoken"), t("govSaidOpen", { n: format.size(all), unknown: format.size(open.unknown) }));
  }

  // Where the focus is stays, though what is shown is built anew.

  #focused() {
    const active = document.activeElement;
    if (!active || !element("view").contains(active)) return null;
    const filter = active.getAttribute("data-filter");
    const input = active instanceof HTMLInputElement ? active : null;
    return { filter, href: active.getAttribute("href"), at: input ? input.selectionStart : null, isChart: active === this.chart.picture };
  }

  /** @param {{filter: string|null, href: string|null, at: number|null, isChart: boolean}|null} was */
  #refocus(was) {
    if (!was) return;
    const view = element("view");
    const found = was.isChart ? /** @type {any} */ (this.chart.picture)
      : was.filter ? view.querySelector(`[data-filter="${was.filter}"]`)
      : was.href ? view.querySelector(`a[href="${CSS.escape(was.href)}"]`) : null;
    if (!found || !view.contains(found)) return;
    found.focus({ preventScroll: true });
    if (found instanceof HTMLInputElement && was.at !== null) found.setSelectionRange(was.at, was.at);
  }

  // Hands

  /** @param {string} name @param {string} value */
  #filter(name, value) {
    clearTimeout(this.typing);
    const go = () => {
      const query = { ...this.query, list: "1", cursor: null, from: null, [name]: value || null };
      // A search is one step back, not one a letter.
      if (name === "q") history.replaceState(null, "", address(query));
      else history.pushState(null, "", address(query));
      void this.go().finally(() => (this.typing = 0));
    };
    if (name === "q") this.typing = window.setTimeout(go, TYPING_MS);
    else go();
  }

  /** @param {string} href */
  open(href) {
    history.pushState(null, "", href);
    void this.go();
  }

  /** @param {MouseEvent} event */
  #follow(event) {
    const link = /** @type {Element} */ (event.target).closest?.("a[href^='?']");
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.open(link.getAttribute("href") ?? "?");
  }

  #switchTheme() {
    this.settings.set("theme", this.settings.isDark ? "light" : "dark");
  }

  #showKeys() {
    const dialog = /** @type {HTMLDialogElement} */ (element("keys"));
    if (!dialog.open) dialog.showModal();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (event.key === "Escape") {
      if (target instanceof HTMLInputElement && target.value) return;
      if (this.query.finding) this.open(this.backTo);
      else if (this.query.list) this.open(address({}));
      return;
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (target instanceof HTMLSelectElement) return;
      return this.#step(event);
    }
    if (isTyping) return;
    /** @type {Record<string, () => void>} */
    const keys = { "/": () => void this.#search(), "?": () => this.#showKeys(), t: () => this.#switchTheme() };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  async #search() {
    if (!this.query.list) {
      history.pushState(null, "", address({ list: "1" }));
      await this.go();
    }
    document.getElementById("search")?.focus();
  }

  /** @param {KeyboardEvent} event */
  #step(event) {
    const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#rows a.title")]);
    if (links.length === 0) return;
    event.preventDefault();
    const at = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = links[Math.min(links.length - 1, Math.max(0, at + (event.key === "ArrowDown" ? 1 : -1)))];
    next.focus();
  }
}

const page = new GovernancePage();
/** For the browser tests and the curious. */
/** @type {any} */ (window).governance = page;
page.start();
