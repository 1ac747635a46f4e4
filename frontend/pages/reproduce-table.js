// One table of the paper, cell by cell beside what was measured. Arrow keys move, Enter opens the images of a cell.
import { useRef, useState } from "preact/hooks";

import { number } from "../format.js";
import { html } from "../html.js";
import { CellFacts, printed, sign, spoken } from "./reproduce-cell.js";

/** @typedef {import("./reproduce-cell.js").Cell} Cell */
/** @typedef {{name: string, title: string, columns: string[], rows: {label: string, cells: Cell[]}[], figures: Values | null, notes: string[], conclusion?: string}} Table */

/** @type {{[key: string]: [number, number]}} */
const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** @param {{table: Table, address: (cell: Cell) => string | null}} props  `address`: where the images of a cell are */
export function ComparedTable({ table, address }) {
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
    <div class="scroll"><table ref=${body} onKeyDown=${move} style=${table.columns.length < 3 ? { maxWidth: "480px" } : {}}>
      <thead><tr><th scope="col"><span class="visually-hidden">Row</span></th>${table.columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
      <tbody>${table.rows.map(
        ({ label, cells }, line) => html`<tr>
          <th scope="row">${label}</th>
          ${cells.map((each, column) => {
            const here = line === chosenRow && column === chosenColumn;
            return html`<${Entry} cell=${each} label=${spoken(label, table.columns[column] ?? "", each)} at=${`${line},${column}`}
              focusable=${here} open=${here && place !== null} address=${address(each)} choose=${() => setPlace([line, column])} />`;
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

/** @param {{cell: Cell, label: string, at: string, focusable: boolean, open: boolean, address: string | null, choose: () => void}} props */
function Entry({ cell, label, at, focusable, open, address, choose }) {
  const content = html`<span><strong>${number(cell.measured)}</strong><i aria-hidden="true">${sign(cell)}</i></span>
    <small>${cell.paper === null ? "" : `paper ${printed(cell)}`}</small>`;
  // Fingers cannot point: the first touch shows the numbers, and the link below them leads on.
  const pointing = useRef(false);
  const press = (/** @type {PointerEvent} */ event) => {
    pointing.current = event.pointerType === "touch" && !open;
  };
  const click = (/** @type {MouseEvent} */ event) => {
    if (pointing.current) event.preventDefault();
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
      ? html`<a ...${shared} href=${address} onPointerDown=${press} onClick=${click}>${content}</a>`
      : html`<span ...${shared} role="img">${content}</span>`
  }</td>`;
}
