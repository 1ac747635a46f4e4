// One cell in full: both numbers with their intervals, how many images, and why they differ where that is known.
import { count, number } from "../format.js";
import { html } from "../html.js";
import { judged, verdicts } from "./reproduce-words.js";

/** @typedef {{measured: number, low: number, high: number, images: number, verdict: string | null, step: string | null, row: number | null, column: number | null}} Measurement */
/** @typedef {Measurement & {verdict: string, paper: number | null, paper_decimals: number | null, paper_below?: boolean, paper_low: number | null, paper_high: number | null,
 *   paper_images: number | null, unit: "percent" | "distortion", given: boolean, reason: string | null, coarse: Measurement | null}} Cell */

/** The cell as the coarse search for c has it; what does not depend on the search stays. @param {Cell} cell @returns {Cell} */
export const withCoarse = (cell) =>
  cell.coarse ? { ...cell, reason: null, ...cell.coarse, verdict: cell.coarse.verdict ?? cell.verdict } : cell;

/** As many digits as the paper prints. @param {Cell} cell */
export const printed = (cell) =>
  cell.paper === null ? "–" : `${cell.paper_below ? "< " : ""}${cell.paper.toFixed(cell.paper_decimals ?? 2)}`;

/** A sign, where the cell says something: what the experiment itself sets always agrees. @param {Cell} cell */
export const sign = (cell) => (cell.given && cell.verdict === "consistent" ? "" : (verdicts[cell.verdict]?.sign ?? ""));

/** @param {Cell} cell @param {string} value */
const withUnit = (cell, value) => (cell.unit === "percent" ? `${value}\u00a0%` : value);

/** All of it in one sentence, for who does not see the colours. @param {string} row @param {string} column @param {Cell} cell */
export function spoken(row, column, cell) {
  const verdict = judged(cell.verdict) ? `, ${cell.verdict}` : "";
  return `${row}, ${column}: measured ${withUnit(cell, number(cell.measured))}, paper ${withUnit(cell, printed(cell))}${verdict}`;
}

/** @param {{row: string, column: string, cell: Cell, address: string | null}} props */
export function CellFacts({ row, column, cell, address }) {
  const words = verdicts[cell.verdict]?.words ?? cell.verdict;
  const why = cell.reason ?? (cell.given ? "the experiment sets this number" : "");
  return html`<div class="cell-facts" data-verdict=${cell.verdict}>
    <div>
      <p><strong>${row}</strong> · ${column}${address && html` · <a href=${address}>${cell.row === null ? "how it was made" : "its images"}</a>`}</p>
      <p class="why"><span class="verdict-words">${sign(cell)} ${words}</span>${why && html`<span class="muted">: ${why}</span>`}</p>
    </div>
    <table class="intervals">
      <thead class="visually-hidden"><tr><th></th><th>Value</th><th>95 % interval</th><th>Images</th><th></th></tr></thead>
      <tbody>
        <${Line} name="measured" cell=${cell} text=${number(cell.measured)} value=${cell.measured} low=${cell.low} high=${cell.high} images=${cell.images} />
        ${cell.paper !== null && html`<${Line} name="paper" cell=${cell} text=${printed(cell)} value=${cell.paper} low=${judged(cell.verdict) ? cell.paper_low : null} high=${judged(cell.verdict) ? cell.paper_high : null} images=${judged(cell.verdict) ? cell.paper_images : null} />`}
      </tbody>
    </table>
  </div>`;
}

/** @param {{name: string, cell: Cell, text: string, value: number, low: number | null, high: number | null, images: number | null}} props */
function Line({ name, cell, text, value, low, high, images }) {
  return html`<tr data-line=${name}>
    <th scope="row">${name}</th><td class="number"><strong>${withUnit(cell, text)}</strong></td>
    <td class="number muted">${low !== null && high !== null ? `${number(low)} to ${number(high)}` : ""}</td>
    <td class="number muted">${images ? `${count(images)}${name === "paper" ? " assumed" : " images"}` : ""}</td>
    <td class="drawn">${drawn(cell, value, low, high)}</td>
  </tr>`;
}

/** The interval on an axis that both lines share. @param {Cell} cell @param {number} value @param {number | null} low @param {number | null} high */
function drawn(cell, value, low, high) {
  const all = [cell.measured, cell.low, cell.high, cell.paper, cell.paper_low, cell.paper_high];
  const known = all.filter((each) => each !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const at = (/** @type {number} */ each) => 8 + (184 * (each - least)) / (most - least || 1);
  return html`<svg width="200" height="16" viewBox="0 0 200 16" aria-hidden="true">
    ${low !== null && high !== null && html`<path d=${`M${at(low)} 8H${at(high)}`} />`}
    <circle cx=${at(value)} cy="8" r="4" />
  </svg>`;
}
