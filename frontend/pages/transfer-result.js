// What a transfer found: the conclusion in words, the matrix with its measures and orders, the images behind a cell, the distances.
import { useEffect, useState } from "preact/hooks";

import { JobFigure } from "../components/figure.js";
import { Matrix, Scale } from "../components/matrix.js";
import { savePng, saveSvg } from "../components/matrix-drawing.js";
import { finished } from "../components/progress.js";
import { Select } from "../components/select.js";
import { Skeleton } from "../components/states.js";
import { number } from "../format.js";
import { html } from "../html.js";
import { place, setQuery, setting, withQuery } from "../router.js";
import { Exports } from "./attack-result.js";
import { TransferCell } from "./transfer-cell.js";
import { columnOrders, layOut, rowOrders } from "./transfer-layout.js";
import { measureOf, measures } from "./transfer-measures.js";
import { cellSentence, conclusion, measureSentence } from "./transfer-words.js";

/** Choices about the images of a cell, which start anew in another one. */
const fresh = { sort: null, success: null, offset: null, open: null };

/** @param {{job: Job}} props */
export function TransferResult({ job }) {
  if (job.state !== "succeeded") {
    return finished(job)
      ? null
      : html`<section aria-busy="true"><p class="muted">The matrix appears here when every attack is done and its images were shown to all networks.</p><${Skeleton} height="280px" /></section>`;
  }
  const { query } = place.value;
  const { row, column } = openCell(query, job.summary);
  return html`<section aria-label="What was found">
      <p class="verdict measure">${conclusion(job.summary)}</p>
      <${Shown} job=${job} chosen=${row === null ? "" : `${row},${column}`} />
      <${Exports} job=${job} />
    </section>
    ${row !== null && html`<${TransferCell} key=${`${row},${column}`} job=${job} row=${row} column=${column} />`}
    <section aria-label="How far the images are"><${JobFigure} job=${job.id} name="distortion" height=${`${22 * job.summary.rows.length + 120}px`} /></section>`;
}

/** The cell that the address names, where the matrix has it. @param {URLSearchParams} query @param {Values} summary */
function openCell(query, summary) {
  const [row, column] = [query.get("row"), query.get("column") ?? "0"].map((each) => (each === null ? -1 : Number(each)));
  const found = summary.rows[row ?? -1]?.cells[column ?? -1] !== undefined;
  return found ? { row: Number(row), column: Number(column) } : { row: null, column: 0 };
}

/** @param {{job: Job, chosen: string}} props */
function Shown({ job, chosen }) {
  const { query } = place.value;
  const found = job.summary;
  const filled = measures.filter((each) =>
    found.rows.some(
      (/** @type {any} */ row) =>
        each.kinds.includes(row.kind) && row.cells.some((/** @type {any} */ cell) => each.value(cell) !== null),
    ),
  );
  const wanted = measureOf(query.get("measure"));
  const measure = filled.includes(wanted) ? wanted : measureOf(null);
  const view = layOut(found, measure, { rows: query.get("rows") ?? "", columns: query.get("columns") ?? "" });
  const printed = view.groups.some((group) => group.rows.some((line) => line.cells.some((cell) => cell.paper)));
  const intervals = (query.get("intervals") ?? (printed ? "0" : "1")) === "1";
  const [looked, setLooked] = useState(/** @type {[number, number] | null} */ (null));
  useEffect(() => setLooked(null), [measure.name]);
  const address = (/** @type {number} */ row, /** @type {number} */ column) =>
    withQuery(place.value.path, query, { ...fresh, row, column });
  const name = `${measure.name}_matrix`;
  return html`<article class="figure transfer" data-figure="matrix">
    <div class="segments wrapping" role="group" aria-label="What the cells show">
      ${filled.map((each) => html`<button type="button" key=${each.name} aria-pressed=${each === measure} onClick=${() => setQuery({ measure: each.name === "error" ? null : each.name })}>${each.label}</button>`)}
    </div>
    <h2>${measure.title}${measure.name === "equal_l2" ? ` (L2 norm ${number(found.equal_l2_norm)})` : ""}</h2>
    <p class="measure">${measure.reading} ${view.groups.some((group) => group.rows.some((line) => line.cells.some((cell) => cell.own))) && "Framed: the images that were made for the network itself."}</p>
    <div class="filters">
      <${Select} id="order-rows" label="Rows" value=${query.get("rows")} change=${setting("rows")} options=${rowOrders} />
      <${Select} id="order-columns" label="Columns" value=${query.get("columns")} change=${setting("columns")} options=${columnOrders} />
      <label class="follow"><input type="checkbox" checked=${intervals} onChange=${() => setQuery({ intervals: intervals ? 0 : 1 })} /><span>95 % intervals</span></label>
      <${Scale} most=${measure.most} />
    </div>
    <${Matrix} view=${view} intervals=${intervals} chosen=${chosen} address=${address} caption=${measure.title} point=${(/** @type {number} */ row, /** @type {number} */ column) => setLooked([row, column])} />
    <${Readout} found=${found} at=${looked} measure=${measure.name} printed=${printed} />
    <footer>
      <details><summary>How this is computed</summary><div class="stack"><p><code>${measure.formula}</code></p><p class="muted">${measure.source}</p></div></details>
      <div class="exports" role="group" aria-label="Save the matrix as it is shown">
        <button type="button" class="plain" onClick=${() => savePng(view, measure.title, name)}>PNG</button>
        <button type="button" class="plain" onClick=${() => saveSvg(view, measure.title, name)}>SVG</button>
      </div>
    </footer>
  </article>`;
}

/** The cell that is looked at, in words. @param {{found: Values, at: [number, number] | null, measure: string, printed: boolean}} props */
function Readout({ found, at, measure, printed }) {
  const row = at ? found.rows[at[0]] : null;
  if (!row || !at) {
    const signs = printed ? " ✓: chance can explain the difference to the paper's number at 95 %; ≠: it cannot." : "";
    return html`<div class="readout muted"><p>Point at a cell, or move with the arrow keys, to read it in words; a click or Enter shows its images.${signs}</p></div>`;
  }
  const cell = row.cells[at[1]];
  return html`<div class="readout" role="status"><p>
    ${cellSentence(found, row, at[1])} ${measureSentence(found, row, at[1], measure)}
    ${cell.paper && measure === "error" && html`<span class="muted"> The paper prints ${number(100 * cell.paper.error)} %${cell.paper.assumed ? `, taken to be of ${cell.paper.images} images` : ""}.</span>`}
  </p></div>`;
}
