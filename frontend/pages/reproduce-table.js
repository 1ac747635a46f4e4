// One table of the paper, cell by cell beside what was measured. Arrow keys move, Enter opens the images of a cell.
import { useRef, useState } from "preact/hooks";

import { count, number, plural } from "../format.js";
import { html } from "../html.js";
import { CellFacts, figure, spoken } from "./reproduce-cell.js";
import { judged, verdicts } from "./reproduce-words.js";

/** @typedef {import("./reproduce-cell.js").Cell} Cell */
/** @typedef {{name: string, title: string, columns: string[], rows: {label: string, cells: Cell[]}[], figures: Values, notes: string[]}} Table */

const touch = matchMedia("(hover: none)");
/** @type {{[key: string]: [number, number]}} */
const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** @param {{table: Table, comparable: boolean, address: (cell: Cell) => string | null}} props  `address`: where the images of a cell are */
export function ComparedTable({ table, comparable, address }) {
  const [place, setPlace] = useState(/** @type {[number, number] | null} */ (null));
  const body = useRef(/** @type {HTMLTableElement | null} */ (null));
  const [chosenRow, chosenColumn] = place ?? [0, 0];
  const move = (/** @type {KeyboardEvent} */ event) => {
    const step = moves[event.key];
    if (!step) return;
    event.preventDefault();
    const next = body.current?.querySelector(`[data-cell="${chosenRow + step[0]},${chosenColumn + step[1]}"]`);
    if (next instanceof HTMLElement) next.focus();
  };
  const row = place && table.rows[chosenRow];
  const cell = row?.cells[chosenColumn];
  return html`<div class="compared">
    <div class="scroll"><table ref=${body} onKeyDown=${move}>
      <thead><tr><th scope="col"><span class="visually-hidden">Row</span></th>${table.columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
      <tbody>${table.rows.map(
        ({ label, cells }, line) => html`<tr>
          <th scope="row">${label}</th>
          ${cells.map((each, column) => {
            const here = line === chosenRow && column === chosenColumn;
            return html`<${Entry} cell=${each} label=${spoken(label, table.columns[column] ?? "", each)} comparable=${comparable}
              at=${`${line},${column}`} focusable=${here} open=${here && place !== null} address=${address(each)} choose=${() => setPlace([line, column])} />`;
          })}
        </tr>`,
      )}</tbody>
    </table></div>
    <div class="cell-place" role="status">
      ${
        row && cell
          ? html`<${CellFacts} row=${row.label} column=${table.columns[chosenColumn] ?? ""} cell=${cell} address=${address(cell)} />`
          : html`<p class="muted">Point at a cell for its intervals and images, or move with the arrow keys; a click opens the images behind it.</p>`
      }
    </div>
  </div>`;
}

/** @param {{cell: Cell, label: string, comparable: boolean, at: string, focusable: boolean, open: boolean, address: string | null, choose: () => void}} props */
function Entry({ cell, label, comparable, at, focusable, open, address, choose }) {
  const sign = verdicts[cell.verdict]?.sign ?? "";
  const content = html`<span><strong>${figure(cell.measured)}</strong>${comparable && html`<i aria-hidden="true">${sign}</i>`}</span>
    ${comparable && html`<small>${cell.paper === null ? "" : `paper ${cell.paper}`}</small>`}`;
  // Fingers cannot point: the first touch shows the numbers, and the link below them leads on.
  const click = (/** @type {MouseEvent} */ event) => {
    if (touch.matches && !open) event.preventDefault();
    choose();
  };
  const shared = {
    class: "entry",
    "data-cell": at,
    "aria-label": label,
    tabindex: focusable ? 0 : -1,
    onFocus: choose,
    onMouseEnter: choose,
  };
  return html`<td data-verdict=${cell.verdict} data-open=${open}>${
    address
      ? html`<a ...${shared} href=${address} onClick=${click}>${content}</a>`
      : html`<span ...${shared} role="img">${content}</span>`
  }</td>`;
}

/** What the table says as a whole. @param {{table: Table}} props */
export function TableFacts({ table }) {
  const cells = table.rows.flatMap((each) => each.cells).filter((cell) => judged(cell.verdict));
  const fits = cells.filter((cell) => cell.verdict === "consistent");
  const { mean_absolute_difference: difference, spearman, cells: compared, without = [] } = table.figures ?? {};
  if (cells.length === 0) return null;
  const left = without.length ? `, without ${without.join(", ")}` : "";
  return html`<dl class="facts">
    <div><dt>Consistent</dt><dd>${count(fits.length)} of ${count(cells.length)}<small>cells with a printed number</small></dd></div>
    ${Number.isFinite(difference) && html`<div><dt>Mean difference</dt><dd>${number(difference)}<small>percentage points${left}</small></dd></div>`}
    ${Number.isFinite(spearman) && html`<div><dt>Rank correlation</dt><dd>${number(spearman)}<small>Spearman, ${plural(compared, "cell")}</small></dd></div>`}
  </dl>`;
}
