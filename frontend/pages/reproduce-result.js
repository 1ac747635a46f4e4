// What a reproduction found: each table beside the paper's, its figures, its notes, and the report to take away.
import { JobFigure } from "../components/figure.js";
import { html } from "../html.js";
import { place, setQuery } from "../router.js";
import { Agreement } from "./reproduce-agreement.js";
import { withCoarse } from "./reproduce-cell.js";
import { Figure7 } from "./reproduce-figure7.js";
import { Notes } from "./reproduce-notes.js";
import { ComparedTable } from "./reproduce-table.js";
import { experimentTitle, verdicts } from "./reproduce-words.js";

/** @typedef {import("./reproduce-table.js").Table} Table */
/** @typedef {import("./reproduce-cell.js").Cell} Cell */

/** @param {{job: Job}} props */
export function ReproduceResult({ job }) {
  if (job.state !== "succeeded") return null;
  const found = job.summary;
  /** @type {Table[]} */
  const tables = found.tables ?? [];
  const coarse = place.value.query.get("search") === "coarse";
  const searched = tables.some((table) => table.rows.some((row) => row.cells.some((cell) => cell.coarse)));
  const address = (/** @type {Cell} */ cell) => {
    const step = job.steps?.find((each) => each.name === cell.step);
    if (!step?.job_id) return null;
    return `/jobs/${step.job_id}${cell.row === null || cell.column === null ? "" : `?row=${cell.row}&column=${cell.column}`}`;
  };
  const drawn = ["agreement", ...tables.map((table) => table.name)].filter((name) => job.figures?.includes(name));
  const figures = found.experiment === "adversarial_training" ? [] : drawn; // its own job draws better ones
  return html`<section aria-label="What was found">
      ${(found.conclusion ?? []).map((/** @type {string} */ sentence) => html`<p class="verdict measure">${sentence}</p>`)}
      <${Downloads} job=${job} />
      ${found.comparable === false && html`<p class="row"><a href=${`/reproduce?experiment=${found.experiment}&preset=paper`}>Reproduce it on MNIST, to be held against the paper</a></p>`}
      ${searched && html`<${SearchSwitch} coarse=${coarse} />`}
    </section>
    ${tables.map((table) => html`<${Compared} key=${table.name} table=${table} comparable=${found.comparable} coarse=${coarse} address=${address} />`)}
    ${found.figure7 && html`<${Figure7} job=${job} found=${found.figure7} />`}
    ${
      figures.length > 0 &&
      tables.length > 0 &&
      html`<section><h2>Figures</h2><div class="figures">
      ${figures.map((name) => html`<${JobFigure} key=${name} job=${job.id} name=${name} height="400px" />`)}
    </div></section>`
    }`;
}

/** @param {{table: Table, comparable: boolean, coarse: boolean, address: (cell: Cell) => string | null}} props */
function Compared({ table, comparable, coarse, address }) {
  const rows = coarse ? table.rows.map((row) => ({ ...row, cells: row.cells.map(withCoarse) })) : table.rows;
  const sign = (/** @type {string} */ name) =>
    html`<span data-verdict=${name}><i>${verdicts[name]?.sign}</i>${verdicts[name]?.words}</span>`;
  const lengths = rows.some((row) => row.cells.some((cell) => cell.unit === "distortion"));
  return html`<section data-table=${table.name}>
    <header>
      <h2>${experimentTitle(table.name)}</h2>
      <p class="muted measure">${table.title}. Errors in percent of images${lengths && "; distortion is the root mean square of the change per pixel"}.</p>
    </header>
    ${table.conclusion && html`<p class="measure">${table.conclusion} <a href=${address(/** @type {Cell} */ (rows[0]?.cells[0]))}>Its curves, tests and robustness</a></p>`}
    <${Agreement} figures=${table.figures} coarse=${coarse} />
    ${comparable && html`<p class="legend muted"><span>${sign("consistent")}: chance and rounding can explain the difference, at 95 %</span><span>${sign("differs")}: they cannot</span></p>`}
    <${ComparedTable} table=${{ ...table, rows }} address=${address} />
    <${Notes} notes=${table.notes} />
  </section>`;
}

/** Which search for c the numbers are of: the paper does not print its own. @param {{coarse: boolean}} props */
function SearchSwitch({ coarse }) {
  const button = (/** @type {boolean} */ value, /** @type {string} */ words) =>
    html`<button type="button" aria-pressed=${coarse === value} onClick=${() => setQuery({ search: value ? "coarse" : null })}>${words}</button>`;
  return html`<div class="row">
    <div class="segments" role="group" aria-label="Search for c">${button(false, "Bisected c")}${button(true, "Coarse c")}</div>
    <span class="muted">How the weight c was searched: bisected finds shorter changes; the paper’s search is not printed, and seems coarse.</span>
  </div>`;
}

/** @type {{[form: string]: string}} */
const contents = {
  csv: "Every cell as CSV",
  json: "Every cell as JSON",
  npz: "Every cell, and the pictures, as NumPy arrays",
};

/** @param {{job: Job}} props */
function Downloads({ job }) {
  const forms = job.exports ?? [];
  const link = (/** @type {string} */ form) => `/api/v1/jobs/${job.id}/export/${form}`;
  return html`<p class="row" aria-label="Take it away">
    ${forms.includes("html") && html`<a class="button primary" href=${link("html")} download title="One file with tables, figures, parameters, seeds and versions; it opens anywhere">Download report (HTML)</a>`}
    ${forms.filter((form) => form !== "html").map((form) => html`<a class="button" href=${link(form)} download title=${contents[form] ?? form}>${form.toUpperCase()}</a>`)}
  </p>`;
}
