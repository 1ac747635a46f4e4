// A matrix of numbers as a table: colour and number in each cell, arrows move, Enter opens. What a cell says is told by who asks.
import { useLayoutEffect, useRef } from "preact/hooks";

import { html } from "../html.js";
import { theme } from "../plot-theme.js";
import { heat } from "./matrix-colour.js";

/**
 * @typedef {{column: number, value: number | null, text: string, interval: string, paper: {text: string, agrees: boolean} | null,
 *   own: boolean, label: string}} MatrixEntry
 * @typedef {{row: number, part: string, name: string, note: string, title: string, cells: MatrixEntry[],
 *   distance: {text: string, interval: string, paper: string}}} MatrixLine
 * @typedef {{column: number, name: string, notes: string[], title: string, group: string}} MatrixColumn
 * @typedef {{columns: MatrixColumn[], groups: {title: string, rows: MatrixLine[]}[], distances: boolean}} MatrixView
 */

/** @type {{[key: string]: [number, number]}} */
const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/**
 * @param {{view: MatrixView, intervals: boolean, chosen: string, address: (row: number, column: number) => string,
 *   point: (row: number, column: number) => void, caption: string}} props
 * `chosen`: "row,column" of the open cell; `point` hears which cell is looked at.
 */
export function Matrix({ view, intervals, chosen, address, point, caption }) {
  const table = useRef(/** @type {HTMLTableElement | null} */ (null));
  const lines = view.groups.flatMap((group) => group.rows);
  const links = () => /** @type {HTMLElement[]} */ ([...(table.current?.querySelectorAll("[data-cell]") ?? [])]);
  // One stop for the Tab key: the open cell, else the first, then the one that was last looked at.
  useLayoutEffect(() => {
    const all = links();
    const stop = all.find((each) => each.dataset.cell === chosen) ?? all[0];
    for (const each of all) each.tabIndex = each === stop ? 0 : -1;
  });
  const look = (/** @type {Event} */ event) => {
    const link = event.target instanceof Element ? event.target.closest("[data-cell]") : null;
    if (!(link instanceof HTMLElement)) return;
    const [row = 0, column = 0] = (link.dataset.cell ?? "").split(",").map(Number);
    if (event.type === "focusin") for (const each of links()) each.tabIndex = each === link ? 0 : -1;
    point(row, column);
  };
  const move = (/** @type {KeyboardEvent} */ event) => {
    const step = moves[event.key];
    const here = document.activeElement;
    if (!step || !(here instanceof HTMLElement) || !here.dataset.at) return;
    event.preventDefault();
    const [line = 0, place = 0] = here.dataset.at.split(",").map(Number);
    const next = table.current?.querySelector(`[data-at="${line + step[0]},${place + step[1]}"]`);
    if (next instanceof HTMLElement) next.focus();
  };
  const grouped = view.columns.some((column) => column.group);
  return html`<div class="scroll matrix"><table ref=${table} onKeyDown=${move} onMouseOver=${look} onfocusin=${look} data-intervals=${intervals}>
    <caption class="visually-hidden">${caption}</caption>
    <thead>
      ${grouped && html`<tr class="groups"><td></td>${runs(view.columns).map(([name, length]) => html`<th scope="colgroup" colspan=${length}>${name}</th>`)}</tr>`}
      <tr>
        <th scope="col"><span class="visually-hidden">Images</span></th>
        ${view.columns.map((column) => html`<th scope="col" key=${column.column} title=${column.title}><b>${column.name}</b>${column.notes.map((note) => html`<small>${note}</small>`)}</th>`)}
        ${view.distances && html`<th scope="col" class="distance"><b>Distortion</b><small>mean, RMS</small></th>`}
      </tr>
    </thead>
    ${view.groups.map(
      (group) => html`<tbody key=${group.title}>
        ${group.title && html`<tr class="group"><th scope="rowgroup" colspan=${view.columns.length + 1 + Number(view.distances)}><span>${group.title}</span></th></tr>`}
        ${group.rows.map(
          (
            line,
            place,
          ) => html`<tr key=${line.row} data-apart=${(place > 0 && line.part !== group.rows[place - 1]?.part) || undefined}>
            <th scope="row" title=${line.title}><b>${line.name}</b>${line.note && html`<small>${line.note}</small>`}</th>
            ${line.cells.map((cell, column) => html`<${Cell} key=${cell.column} cell=${cell} at=${`${lines.indexOf(line)},${column}`} row=${line.row} open=${chosen === `${line.row},${cell.column}`} address=${address} />`)}
            ${view.distances && html`<td class="distance"><b>${line.distance.text}</b>${line.distance.interval && html`<small class="interval">${line.distance.interval}</small>`}${line.distance.paper && html`<small>paper ${line.distance.paper}</small>`}</td>`}
          </tr>`,
        )}
      </tbody>`,
    )}
  </table></div>`;
}

/** Neighbours of one group. @param {MatrixColumn[]} columns @returns {[string, number][]} */
function runs(columns) {
  /** @type {[string, number][]} */
  const found = [];
  for (const { group } of columns) {
    const last = found.at(-1);
    if (last && last[0] === group) last[1] += 1;
    else found.push([group, 1]);
  }
  return found;
}

/** @param {{cell: MatrixEntry, at: string, row: number, open: boolean, address: (row: number, column: number) => string}} props */
function Cell({ cell, at, row, open, address }) {
  const { background, ink } = heat(cell.value, theme.value);
  return html`<td data-own=${cell.own || undefined} style=${{ background, color: ink }}>
    <a href=${address(row, cell.column)} data-cell=${`${row},${cell.column}`} data-at=${at} aria-label=${cell.label} aria-current=${open ? "true" : undefined}>
      <b>${cell.text}</b>
      ${cell.interval && html`<small class="interval">${cell.interval}</small>`}
      ${cell.paper && html`<small class="paper">paper ${cell.paper.text} <i>${cell.paper.agrees ? "✓" : "≠"}</i></small>`}
    </a>
  </td>`;
}

/** What the colours mean. @param {{most: string}} props */
export const Scale = ({ most }) => html`<span class="heat-scale" aria-hidden="true">0
  <span>${[0, 0.02, 0.08, 0.2, 0.4, 0.7, 1].map((share) => html`<i style=${{ background: heat(share, theme.value).background }}></i>`)}</span>
  ${most}</span>`;
