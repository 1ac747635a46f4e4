// What a reproduction found: each table beside the paper's, its figures, its notes, and the report to take away.
import { JobFigure } from "../components/figure.js";
import { plural } from "../format.js";
import { html } from "../html.js";
import { ComparedTable, TableFacts } from "./reproduce-table.js";
import { reproductionTitle, verdicts } from "./reproduce-words.js";

/** @typedef {import("./reproduce-table.js").Table} Table */

/** @param {{job: Job}} props */
export function ReproduceResult({ job }) {
  if (job.state !== "succeeded") return null;
  const found = job.summary;
  /** @type {Table[]} */
  const tables = found.tables ?? [];
  const address = (/** @type {import("./reproduce-cell.js").Cell} */ cell) => {
    const step = job.steps?.find((each) => each.name === cell.step);
    if (!step?.job_id) return null;
    return cell.row === null || cell.column === null
      ? `/jobs/${step.job_id}`
      : `/jobs/${step.job_id}?row=${cell.row}&column=${cell.column}`;
  };
  return html`<${Downloads} job=${job} />
    ${!found.comparable && html`<${NotComparable} experiment=${found.experiment} />`}
    ${tables.map((table) => html`<${Compared} key=${table.name} table=${table} comparable=${found.comparable} address=${address} />`)}
    ${
      (job.figures ?? []).length > 0 &&
      html`<section><h2>Figures</h2><div class="figures">
      ${(job.figures ?? []).map((name) => html`<${JobFigure} key=${name} job=${job.id} name=${name} />`)}
    </div></section>`
    }`;
}

/** @param {{table: Table, comparable: boolean, address: (cell: import("./reproduce-cell.js").Cell) => string | null}} props */
function Compared({ table, comparable, address }) {
  const units = table.rows[0]?.cells.some((cell) => cell.unit === "distortion")
    ? "Errors in percent of images; distortion is the root mean square of the change per pixel."
    : "In percent of images.";
  return html`<section data-table=${table.name}>
    <header><h2>${reproductionTitle(table.name, "").replace(/, $/, "")}</h2><p class="muted measure">${table.title}. ${units}</p></header>
    ${comparable && html`<${TableFacts} table=${table} />`}
    ${comparable && html`<p class="legend muted"><span><strong>measured</strong></span><span>paper</span>${["consistent", "differs"].map((name) => html`<span data-verdict=${name}><i>${verdicts[name]?.sign}</i> ${name}</span>`)}<span>consistent: the difference may be chance, at 95 %</span></p>`}
    <${ComparedTable} table=${table} comparable=${comparable} address=${address} />
    <${Notes} notes=${table.notes ?? []} />
  </section>`;
}

/** What is contested or printed inconsistently: shown, not hidden. @param {{notes: string[]}} props */
const Notes = ({ notes }) =>
  notes.length > 0
    ? html`<details class="notes measure"><summary>${plural(notes.length, "note")} on what is printed</summary><ul>${notes.map((note) => html`<li>${note}</li>`)}</ul></details>`
    : null;

/** @param {{experiment: string}} props */
const NotComparable = ({ experiment }) => html`<section><div class="notice">
  <p>These are the bundled digits: the paper has no numbers on them. Look at the pattern; with MNIST the numbers stand beside the paper's.</p>
  <a class="button" href=${`/reproduce?experiment=${experiment}&preset=paper`}>Reproduce on MNIST</a>
</div></section>`;

/** @type {{[form: string]: string}} */
const contents = {
  csv: "Every cell as CSV",
  json: "Everything that was found, as JSON",
  npz: "Every number as NumPy arrays",
};

/** @param {{job: Job}} props */
function Downloads({ job }) {
  const forms = job.exports ?? [];
  const link = (/** @type {string} */ form) => `/api/v1/jobs/${job.id}/export/${form}`;
  return html`<section aria-label="Take it away"><p class="row">
    ${forms.includes("html") && html`<a class="button primary" href=${link("html")} download title="One file with tables, figures, parameters, seeds and versions; it opens anywhere">Download report (HTML)</a>`}
    ${forms.filter((form) => form !== "html").map((form) => html`<a class="button" href=${link(form)} download title=${contents[form] ?? form}>${form.toUpperCase()}</a>`)}
  </p></section>`;
}
