// What the page of findings shows: the overview, a list, one finding, and the states in which there is nothing of it.
// Each is built from what the server said and where the address says one is; text only ever enters as text.

import { h } from "./dom.js";
import * as format from "./format.js";
import { currentLanguage, t } from "./i18n.js";
import { count, moment, trendTable } from "./governance-trend.js";

/** @typedef {import("./governance-trend.js").Counts} Counts
 * @typedef {Record<string, any>} Finding */

export const FILTERS = ["q", "state", "severity", "status", "rule", "account", "region", "input", "type", "sort"];
const CHIPS = ["rule", "account", "region", "input", "type"];
const LEVELS = ["critical", "high", "medium", "low", "info"];
const GROUPS_SHOWN = 12;

/** An address within the page; the language stays. @param {Record<string, string|null|undefined>} query */
export function address(query) {
  const parameters = new URLSearchParams();
  const language = new URLSearchParams(location.search).get("lang");
  for (const [name, value] of Object.entries(query)) if (value !== null && value !== undefined && value !== "") parameters.set(name, value);
  if (language) parameters.set("lang", language);
  return `?${parameters}`;
}

/** @param {Finding|{title?: string, title_ja?: string, name?: string}} of */
const titleOf = (of) => (currentLanguage() === "ja" && of.title_ja ? of.title_ja : of.title) || /** @type {any} */ (of).name || "";
/** Whether a clause only asks a variable whether it is empty, which says nothing without the rule. @param {string} clause */
const asksVariable = (clause) => /^%\w+ (not )?empty$/.test(clause);
/** What was wanted: of such a clause, what the rule is called. @param {Finding} finding @param {{clause: string, wanted: string}} [part] */
const requirementOf = (finding, part) => {
  const { clause, wanted } = part ?? { clause: finding.clause, wanted: finding.wanted };
  return (asksVariable(clause) ? (titleOf(finding) === finding.rule ? "" : titleOf(finding)) || wanted : "") || clause || wanted;
};
/** @param {string} name */
const sourceOf = (name) => (t(`source_${name}`) === `source_${name}` ? name : t(`source_${name}`));
/** @param {string} account */
const accountOf = (account) => (account === "files" ? t("govFiles") : account);
/** @param {string} severity @param {string} [text] */
const severityMark = (severity, text) => h("span", { class: "severity", "data-severity": severity }, text ?? t(`sev_${severity}`));
/** @param {Finding} finding */
const isUntold = (finding) => finding.status === "UNKNOWN" || finding.unseen !== null;
/** @param {Finding} finding */
const tag = (finding) => {
  const word = finding.state === "fixed" ? "fixed" : isUntold(finding) && finding.state === "open" ? "UNKNOWN" : finding.status;
  return h("span", { class: "tag", "data-tag": word }, word === "fixed" ? t("state_fixed") : t(`status_${word}`));
};
/** A name whose words hang together by signs: lines end behind these, not within words. @param {string} name @returns {(Node|string)[]} */
const breakable = (name) => name.split(/(?<=[_:/.-])/).flatMap((part, i) => (i === 0 ? [part] : [h("wbr", {}), part]));
/** The end of a path, which tells files apart. @param {string} path */
const tail = (path) => {
  const parts = path.split("/");
  return parts.length > 3 ? `…/${parts.slice(-2).join("/")}` : path;
};
/** @param {string} name @param {string} text @param {...(Node|string|null|false|undefined)} more */
const nothing = (name, text, ...more) => h("div", { class: "nothing" }, h("h2", {}, name), h("p", {}, text), ...more);

// States

export const loading = () => [h("div", { class: "bones" }), h("p", { class: "unseen" }, t("govLoading"))];
/** @param {string} why */
export const failed = (why) => [nothing(t("govFailed", { why }), t("govFailedHint"))];
export const noHistory = () => [nothing(t("govNone"), t("govNoneHint"), h("p", {}, h("code", {}, "kabuto govern scan --rules rules/ --data DIR")))];

// Overview

/** @param {any} summary @param {any[]} rules @param {any[]} accounts @param {{rules: number, accounts: number}} totals
 * @param {any} trend @param {import("./governance-trend.js").TrendChart} chart @param {{days: number, table: boolean}} how */
export function overview(summary, rules, accounts, totals, trend, chart, how) {
  /** @type {Counts} */
  const open = summary.open;
  const list = (/** @type {Record<string, string>} */ query) => address({ list: "1", ...query });
  /** @type {[string, number, string, Node|string, boolean][]} */
  const figures = [
    ["critical", open.critical, list({ severity: "critical", status: "FAIL" }), "", open.critical > 0],
    ["high", open.high, list({ severity: "high", status: "FAIL" }), "", open.high > 0],
    ["medium", open.medium, list({ severity: "medium", status: "FAIL" }), "", false],
    ["low", open.low, list({ severity: "low", status: "FAIL" }), open.info > 0 ? h("a", { href: list({ severity: "info", status: "FAIL" }) }, t("govInfoUnder", { n: format.size(open.info) })) : "", false],
    ["unknown", open.unknown, list({ status: "UNKNOWN" }), t("govUnknownUnder"), false],
    ["excepted", open.excepted, list({ state: "excepted" }), t("govExceptedUnder"), false],
  ];
  const sum = [...LEVELS, "unknown"].reduce((all, name) => all + /** @type {any} */ (open)[name], 0);
  chart.show(trend, how.days);
  const here = (/** @type {Record<string, string|null>} */ query) => address({ days: how.days === 90 ? null : String(how.days), table: how.table ? "1" : null, ...query });
  const parts = [
    h("dl", { class: "figures", "aria-label": t("govFigures") }, ...figures.map(([name, value, href, under, isBad]) => h("div", {},
      h("dt", {}, severityMark(name)),
      h("dd", { class: isBad ? "bad" : null }, h("a", { href, "aria-label": `${t(`sev_${name}`)}: ${format.size(value)}` }, format.size(value)), under && h("span", { class: "under" }, under))))),
    h("section", { "aria-labelledby": "trend-title" },
      h("div", { class: "bar" }, h("h2", { id: "trend-title" }, t("govTrend")),
        h("p", { class: "hint" }, t("govWeek", { opened: format.size(summary.week.opened), fixed: format.size(summary.week.fixed) })),
        h("nav", { class: "segments push", "aria-label": t("govTrend") },
          ...[30, 90, 365].map((days) => h("a", { href: here({ days: days === 90 ? null : String(days) }), "aria-current": days === how.days ? "true" : null }, days === 365 ? t("govYear") : t("govDays", { n: days }))),
          h("a", { href: here({ table: how.table ? null : "1" }) }, how.table ? t("govChart") : t("govTable")))),
      h("div", { class: "trend" }, how.table ? trendTable(trend.points) : chart.element,
        trend.points.length === 1 && !how.table && h("p", { class: "hint" }, t("govFirst")))),
    sum === 0 ? nothing(t("govNoOpen"), t("govNoOpenHint")) : null,
    h("div", { class: "pair" },
      groups("accounts", t("govAccounts"), accounts, totals.accounts, (group) => [accountOf(group.name), group.region && group.region !== "global" ? group.region : group.name === "files" ? "" : t("govGlobal")],
        (group) => list({ account: group.name, region: group.region })),
      groups("rules", t("govRules"), rules, totals.rules, (group) => [titleOf(group), titleOf(group) === group.name ? "" : group.name], (group) => list({ rule: group.name }))),
    summary.exceptions.length > 0 && endings(summary.exceptions),
    runs(summary.runs),
  ];
  return /** @type {Node[]} */ (parts.filter(Boolean));
}

/** @param {string} id @param {string} title @param {any[]} all @param {number} total
 * @param {(group: any) => [string, string]} name @param {(group: any) => string} link */
function groups(id, title, all, total, name, link) {
  const columns = ["critical", "high", "medium", "low", "unknown"];
  const rows = all.slice(0, GROUPS_SHOWN).map((group) => {
    const [text, under] = name(group);
    return h("tr", {}, h("td", {}, h("a", { href: link(group) }, ...breakable(text), under && h("span", { class: "sub" }, ...breakable(under)))),
      ...columns.map((column) => {
        const value = count(group.open, column);
        return h("td", { class: value === 0 ? "number zero" : column === "critical" || column === "high" ? "number bad" : "number" }, format.size(value));
      }));
  });
  const rest = total - rows.length;
  return h("section", { "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), h("div", { class: "scrolls groups", tabindex: "0", role: "group", "aria-labelledby": `${id}-title` },
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, id === "rules" ? t("govRule") : t("govAccount")),
      ...columns.map((column) => h("th", { scope: "col", class: "number" }, severityMark(column, column === "low" ? t("govLowInfo") : undefined))))), h("tbody", {}, ...rows))),
  rest > 0 && h("p", { class: "hint" }, h("a", { href: address({ list: "1" }) }, t("govRest", { n: format.size(rest) }))));
}

/** @param {string} ends a day, UTC */
function daysLeft(ends) {
  const days = Math.floor((Date.parse(`${ends}T00:00:00Z`) - Math.floor(Date.now() / 86400000) * 86400000) / 86400000);
  return days < 0 ? t("govEnded") : days === 0 ? t("govToday") : t("govDaysLeft", { n: days });
}

/** @param {any[]} exceptions */
function endings(exceptions) {
  return h("section", { "aria-labelledby": "ending-title" }, h("h2", { id: "ending-title" }, t("govEnding")), h("div", { class: "scrolls", tabindex: "0", role: "group", "aria-labelledby": "ending-title" }, h("table", {},
    h("thead", {}, h("tr", {}, ...["govException", "govEnds", "govOwner", "govReason"].map((key) => h("th", { scope: "col" }, t(key))))),
    h("tbody", {}, ...exceptions.map((one) => h("tr", {}, h("td", {}, one.id), h("td", {}, `${one.ends} (${daysLeft(one.ends)})`), h("td", {}, one.owner || format.NONE), h("td", {}, one.reason || format.NONE)))))));
}

/** @param {any[]} all */
function runs(all) {
  const columns = ["govSource", "govTime", "govInputs", "govNew", "govBack", "govFixed", "govUnseen", "govFaults"];
  return h("section", { "aria-labelledby": "runs-title" }, h("h2", { id: "runs-title" }, t("govRuns")), h("div", { class: "scrolls", tabindex: "0", role: "group", "aria-labelledby": "runs-title" }, h("table", {},
    h("thead", {}, h("tr", {}, ...columns.map((key, i) => h("th", { scope: "col", class: i > 1 ? "number" : null }, t(key))))),
    h("tbody", {}, ...all.map((run) => h("tr", {}, h("td", {}, sourceOf(run.source)), h("td", {}, moment(run.at)),
      ...[run.inputs, run.opened, run.reopened, run.fixed, run.open.unknown].map((value) => h("td", { class: "number" }, format.size(value))),
      h("td", { class: run.fault_count > 0 ? "number bad" : "number", title: run.faults.slice(0, 5).join("\n") }, run.fault_count > 0 ? format.size(run.fault_count) : t("govNone0"))))))));
}

// List

/** @param {any} page @param {Record<string, string>} query @param {(name: string, value: string) => void} change */
export function list(page, query, change) {
  const without = (/** @type {string} */ name) => address({ ...query, list: "1", [name]: null, cursor: null });
  const select = (/** @type {string} */ name, /** @type {string} */ label, /** @type {[string, string][]} */ choices) => {
    const element = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": label, "data-filter": name, onchange: () => change(name, element.value) },
      ...choices.map(([value, text]) => h("option", { value }, text))));
    element.value = query[name] ?? "";
    return element;
  };
  const search = /** @type {HTMLInputElement} */ (h("input", { type: "search", id: "search", "data-filter": "q", "aria-label": t("govSearch"), placeholder: t("govSearch"), maxlength: 60, autocomplete: "off", spellcheck: "false" }));
  search.value = query.q ?? "";
  search.addEventListener("input", () => change("q", search.value));
  const chips = CHIPS.filter((name) => query[name]).map((name) => h("span", { class: "chip" }, name === "account" ? accountOf(query[name]) : query[name],
    h("a", { href: without(name), "aria-label": t("govRemove", { name: query[name] }) }, "×")));
  const filters = h("div", { class: "filters", role: "search" }, search,
    select("state", t("govState"), [["", t("state_open")], ["excepted", t("state_excepted")], ["fixed", t("state_fixed")], ["all", t("state_all")]]),
    select("severity", t("govSeverity"), [["", t("govAnySeverity")], ...LEVELS.map((name) => /** @type {[string, string]} */ ([name, t(`sev_${name}`)]))]),
    select("status", t("govStatus"), [["", t("govAnyStatus")], ["FAIL", t("status_FAIL")], ["UNKNOWN", t("status_UNKNOWN")]]),
    select("sort", t("govSort"), [["", t("govGravest")], ["newest", t("govNewest")]]), ...chips);
  const rows = page.findings.map((/** @type {Finding} */ finding) => h("tr", { "data-id": finding.id },
    h("td", {}, severityMark(finding.severity)),
    h("td", {}, h("a", { class: "title", href: address({ finding: finding.id }) }, titleOf(finding)), h("span", { class: "sub" }, finding.resource || finding.path || requirementOf(finding))),
    h("td", {}, accountOf(finding.account), h("span", { class: "sub", title: finding.input }, finding.account === "files" ? `${tail(finding.input)}${finding.line > 0 ? `:${finding.line}` : ""}` : finding.region)),
    h("td", {}, h("time", { datetime: finding.since }, format.shortDate(finding.since))),
    h("td", {}, tag(finding))));
  const isFiltered = FILTERS.some((name) => name !== "sort" && query[name]);
  const from = Number(query.from ?? 0);
  return [
    crumbs(t("govCount", { n: format.size(page.total) })), h("section", { class: "list", "aria-label": t("govTitle") }, filters,
      rows.length === 0 ? nothing(isFiltered ? t("govNoMatch") : t("govNoOpen"), isFiltered ? t("govNoMatchHint") : t("govNoOpenHint"))
        : h("div", { class: "scrolls" }, h("table", {}, h("thead", {}, h("tr", {}, ...["govSeverity", "govFinding", "govWhere", "govSince", "govStatus"].map((key) => h("th", { scope: "col" }, t(key))))), h("tbody", { id: "rows" }, ...rows))),
      h("nav", { class: "pages", "aria-label": t("govTitle") },
        query.cursor && h("a", { class: "button", href: address({ ...query, list: "1", cursor: null, from: null }) }, t("govFirstPage")),
        page.next && h("a", { class: "button", rel: "next", href: address({ ...query, list: "1", cursor: page.next, from: String(from + rows.length) }) }, t("govNext")),
        rows.length > 0 && h("span", { class: "push" }, t("govPage", { from: format.size(from + 1), to: format.size(from + rows.length), n: format.size(page.total) }))),
      h("p", { class: "hint" }, t("govListKeys"))),
  ];
}

/** @param {string} here */
const crumbs = (here) => h("nav", { class: "crumbs", "aria-label": t("govOverview") }, h("a", { href: address({}) }, t("govOverview")), "›",
  here && h("span", { id: "here" }, here));

// Detail

/** @param {any} answer @param {string} back the list that one came from */
export function detail(answer, back) {
  /** @type {Finding} */
  const finding = answer.finding;
  const mend = currentLanguage() === "ja" && finding.mend_ja ? finding.mend_ja : finding.mend;
  const file = finding.line > 0 ? `${finding.input} — ${t("govLine", { line: finding.line, column: finding.column })}` : finding.input;
  const message = finding.message.split("\n").map((/** @type {string} */ line) => line.trim()).filter(Boolean).join("\n");
  /** @type {[string, Node|string][]} */
  const facts = [
    ["govResource", finding.resource], ["govType", finding.resource_type], ["govPath", finding.path], ["govInput", file],
    ["govAccount", finding.account === "files" ? "" : finding.account], ["govRegion", finding.region],
    ["govRule", h("span", {}, h("a", { href: address({ list: "1", rule: finding.rule }) }, finding.rule), finding.rule_file && h("span", { class: "sub" }, finding.rule_line > 0 ? `${finding.rule_file}:${finding.rule_line}` : finding.rule_file))],
    ["govControls", finding.controls.join(", ")], ["govMessage", message],
    ["govFirstSeen", moment(finding.first_seen)], ["govLastSeen", moment(finding.last_seen)], ["govTimes", t("govTimesN", { n: format.size(finding.times) })],
  ];
  const exception = answer.exception;
  const parts = [
    h("nav", { class: "crumbs", "aria-label": t("govOverview") }, h("a", { href: address({}) }, t("govOverview")), "›", h("a", { href: back, id: "back" }, t("govTitle")), "›", h("span", {}, finding.id.slice(0, 12))),
    h("article", { class: "detail", "aria-labelledby": "finding-title" },
      h("div", { class: "line" }, severityMark(finding.severity), tag(finding), finding.state === "open" && h("span", { class: "hint" }, t("state_open"))),
      h("h2", { id: "finding-title" }, titleOf(finding)),
      finding.unseen !== null && h("p", { class: "untold" }, t("govUntold")),
      h("dl", { class: "against" }, h("div", {}, h("dt", {}, t("govFound")), h("dd", {}, finding.found || format.NONE)), h("div", {}, h("dt", {}, t("govWanted")), h("dd", {}, requirementOf(finding) || format.NONE))),
      finding.also.length > 0 && h("section", {}, h("h3", {}, t("govAlso")), h("ul", {}, ...finding.also.map((/** @type {any} */ other) => h("li", {}, asksVariable(other.clause) ? `${t("govWanted")}: ${requirementOf(finding, other)}` : h("code", {}, other.clause), ` — ${t("govFound")}: `, h("code", {}, other.found || format.NONE))))),
      h("section", { class: "mend" }, h("h3", {}, t("govMend")), h("p", {}, mend || t("govNoMend"))),
      finding.exception && h("section", {}, h("h3", {}, t("govException")), h("p", {}, exception
        ? `${exception.id}: ${exception.ends} (${daysLeft(exception.ends)})${exception.owner ? ` · ${t("govOwner")}: ${exception.owner}` : ""}${exception.reason ? ` · ${exception.reason}` : ""}`
        : `${finding.exception}. ${t("govExceptionUnknown")}`)),
      h("dl", { class: "facts" }, ...facts.filter(([, value]) => value).flatMap(([key, value]) => [h("dt", {}, t(key)), h("dd", {}, value)]))),
    h("section", { "aria-labelledby": "events-title" }, h("h2", { id: "events-title" }, t("govHistory")), h("ul", { class: "events detail" }, ...answer.events.map((/** @type {any} */ event) => h("li", {},
      h("time", { datetime: event.at }, moment(event.at)), h("span", {}, t(`event_${event.kind}`)),
      h("span", { class: "was" }, event.exception ? t("govUnder", { name: event.exception }) : event.found ? t("govWas", { value: event.found }) : ""))))),
  ];
  return /** @type {Node[]} */ (parts.filter(Boolean));
}

export const gone = () => [crumbs(""), nothing(t("govGone"), t("govGoneHint"))];
