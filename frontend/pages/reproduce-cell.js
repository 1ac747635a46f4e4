// One cell in full: both numbers with their intervals, how many images, and why they differ where that is known.
import { count } from "../format.js";
import { html } from "../html.js";
import { judged, verdicts } from "./reproduce-words.js";

/** @typedef {{paper: number | null, paper_low: number | null, paper_high: number | null, paper_images: number | null,
 *   measured: number | null, low: number | null, high: number | null, images: number | null, unit: "percent" | "distortion",
 *   verdict: string, reason: string | null, step: string | null, row: number | null, column: number | null}} Cell */

/** "11.7", without its unit: that stands at the column. @param {number | null} value */
export function figure(value) {
  if (value === null || !Number.isFinite(value)) return "–";
  return String(Number(value.toPrecision(3)));
}

/** "11.7 %". @param {Cell} cell @param {number | null} value */
const withUnit = (cell, value) => `${figure(value)}${cell.unit === "percent" && value !== null ? "\u00a0%" : ""}`;

/** @param {number | null} low @param {number | null} high */
const between = (low, high) =>
  low === null || high === null || low === undefined || high === undefined ? "" : `${figure(low)} to ${figure(high)}`;

/** All of it in one sentence, for who does not see the colours. @param {string} row @param {string} column @param {Cell} cell */
export function spoken(row, column, cell) {
  const paper = cell.paper === null ? "not printed" : `paper ${withUnit(cell, cell.paper)}`;
  const verdict = judged(cell.verdict) ? `, ${cell.verdict}` : "";
  return `${row}, ${column}: measured ${withUnit(cell, cell.measured)}, ${paper}${verdict}`;
}

/** @param {{row: string, column: string, cell: Cell, address: string | null}} props */
export function CellFacts({ row, column, cell, address }) {
  const { sign, words } = verdicts[cell.verdict] ?? { sign: "", words: cell.verdict };
  return html`<div class="cell-facts" data-verdict=${cell.verdict}>
    <p><strong>${row}</strong> · ${column}<br /><span class="verdict-words">${sign} ${words}</span>${cell.reason && html`<span class="muted">: ${cell.reason}</span>`}
      ${address && html`<br /><a href=${address}>See its images</a>`}</p>
    <table class="intervals">
      <thead class="visually-hidden"><tr><th></th><th>Value</th><th>95 % interval</th><th>Images</th><th></th></tr></thead>
      <tbody>
        <${Line} name="measured" cell=${cell} value=${cell.measured} low=${cell.low} high=${cell.high} images=${cell.images} />
        ${cell.paper !== null && html`<${Line} name="paper" cell=${cell} value=${cell.paper} low=${cell.paper_low} high=${cell.paper_high} images=${cell.paper_images} />`}
      </tbody>
    </table>
  </div>`;
}

/** @param {{name: string, cell: Cell, value: number | null, low: number | null, high: number | null, images: number | null}} props */
function Line({ name, cell, value, low, high, images }) {
  const range = between(low, high);
  return html`<tr data-line=${name}>
    <th scope="row">${name}</th><td class="number"><strong>${withUnit(cell, value)}</strong></td>
    <td class="number muted">${range}</td>
    <td class="number muted">${images ? `${count(images)}${name === "paper" ? " assumed" : ""}` : ""}</td>
    <td class="drawn">${drawn(cell, value, low, high)}</td>
  </tr>`;
}

/** The interval on an axis that both lines share. @param {Cell} cell @param {number | null} value @param {number | null} low @param {number | null} high */
function drawn(cell, value, low, high) {
  const all = [cell.measured, cell.low, cell.high, cell.paper, cell.paper_low, cell.paper_high];
  const known = /** @type {number[]} */ (all.filter((each) => Number.isFinite(each)));
  if (value === null || known.length < 2) return null;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const at = (/** @type {number} */ number) => 8 + (184 * (number - least)) / (most - least || 1);
  return html`<svg width="200" height="16" viewBox="0 0 200 16" aria-hidden="true">
    ${Number.isFinite(low) && Number.isFinite(high) && html`<path d=${`M${at(/** @type {number} */ (low))} 8H${at(/** @type {number} */ (high))}`} />`}
    <circle cx=${at(value)} cy="8" r="4" />
  </svg>`;
}
