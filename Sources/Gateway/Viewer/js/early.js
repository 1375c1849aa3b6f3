// Runs before the first paint (a classic script in the head), so that neither language nor colour jumps.
// What is decided here: lang, data-theme, data-convention, data-down on the root. settings.js goes on from it.
(() => {
  const root = document.documentElement;
  /** @type {Record<string, string>} */
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem("kabuto.settings") ?? "{}") ?? {};
  } catch {
    // Storage is off or broken: the defaults do.
  }
  const asked = new URLSearchParams(location.search).get("lang");
  const browser = (navigator.language ?? "en").startsWith("ja") ? "ja" : "en";
  const language = asked === "ja" || asked === "en" ? asked : kept.language ?? browser;
  root.lang = language;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = kept.theme === "light" || kept.theme === "dark" ? kept.theme : dark ? "dark" : "light";
  root.dataset.convention =
    kept.colours === "japan" || kept.colours === "international" ? kept.colours : language === "ja" ? "japan" : "international";
  root.dataset.down = kept.down === "green" ? "green" : "blue";
})();
