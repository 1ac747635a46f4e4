// Navigation, search, theme and help.
import { useEffect } from "preact/hooks";

import { html } from "../html.js";
import { listenForKeys } from "../keys.js";
import { chooseTheme, theme } from "../plot-theme.js";
import { navigate } from "../router.js";
import { Account } from "./account.js";
import { toggleHelp } from "./help.js";

const links = [
  ["/", "Home"],
  ["/explore", "Explore"],
  ["/attacks", "Attacks"],
  ["/transfer", "Transfer"],
  ["/spectral", "Spectral"],
  ["/units", "Units"],
  ["/train", "Train"],
  ["/reproduce", "Reproduce"],
  ["/history", "History"],
  ["/models", "Models"],
  ["/data", "Data"],
  ["/system", "System"],
];

/** Search is the history's search field, from wherever one is. */
function search() {
  const field = document.getElementById("search");
  if (field) return field.focus();
  navigate("/history");
  return requestAnimationFrame(() => setTimeout(() => document.getElementById("search")?.focus(), 0));
}

/** @param {{path: string}} props */
export function Top({ path }) {
  useEffect(() => listenForKeys({ "/": search }), []);
  const here = path.startsWith("/jobs/") ? "" : path;
  const current = (/** @type {string} */ address) => (address === "/" ? here === "/" : here.startsWith(address));
  const other = theme.value === "dark" ? "light" : "dark";
  return html`<header class="top"><div>
    <a class="brand" href="/"><img src="/icon.svg" alt="" width="22" height="22" />Blindspots</a>
    <nav aria-label="Pages">
      ${links.map(([address = "", name]) => html`<a href=${address} aria-current=${current(address) ? "page" : undefined}>${name}</a>`)}
    </nav>
    <${Account} />
    <div class="tools">
      <button type="button" onClick=${search} title="Search the history ( / )" aria-label="Search the history">${glass}</button>
      <button type="button" onClick=${() => chooseTheme(other)} title="Switch to the ${other} theme" aria-label="Switch to the ${other} theme">${theme.value === "dark" ? sun : moon}</button>
      <button type="button" onClick=${toggleHelp} title="Help ( ? )" aria-label="Help">?</button>
    </div>
  </div></header>`;
}

/** @param {any} inner */
const icon = (inner) =>
  html`<svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" aria-hidden="true">${inner}</svg>`;
const glass = icon(html`<circle cx="7" cy="7" r="4.5" /><path d="M10.500 10.500L14 14" />`);
const moon = icon(html`<path d="M13.500 9.500A6 6 0 0 1 6.500 2.500a5.800 5.800 0 1 0 7 7z" stroke-linejoin="round" />`);
const sun = icon(
  html`<circle cx="8" cy="8" r="3" /><path d="M8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1" />`,
);
