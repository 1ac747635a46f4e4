// What an attack found: headline figures, the gallery, the drawings, and everything to take away.
import { JobFigure } from "../components/figure.js";
import { finished } from "../components/progress.js";
import { count, number, percent } from "../format.js";
import { html } from "../html.js";
import { AttackPanel } from "./attack-panel.js";
import { Gallery } from "./gallery.js";

/** @param {{job: Job}} props */
export function AttackResult({ job }) {
  if (job.state !== "succeeded") {
    return finished(job)
      ? null
      : html`<section><p class="muted">Examples and figures appear here when the job is done.</p></section>`;
  }
  return html`<section aria-label="Headline figures"><${Headline} job=${job} /><${Exports} job=${job} />
      <p><a href=${`/spectral/new?from=${job.id}`}>How far each layer amplifies these changes, and what its norm allows</a></p></section>
    <${Gallery} job=${job} />
    <${AttackPanel} job=${job} />
    <section><h2>Figures</h2><div class="figures">
      ${(job.figures ?? []).map((name) => html`<${JobFigure} key=${name} job=${job.id} name=${name} />`)}
    </div></section>`;
}

/** @param {number[] | null | undefined} interval */
const between = (interval) => (interval ? `95 % interval ${percent(interval[0])} to ${percent(interval[1])}` : "");

/** @param {{job: Job}} props */
function Headline({ job }) {
  const found = job.summary;
  const facts = [
    ["Changed", percent(found.success_rate), `of ${count(found.images)} images`, between(found.success_rate_interval)],
    ["Distortion, median", number(found.median_distortion), "RMS per pixel, all images"],
    [
      "Distortion, mean",
      number(found.mean_distortion),
      `${number(found.mean_distortion_correct)} over those answered rightly before`,
    ],
    [
      "Right before",
      percent(found.accuracy_clean),
      `${count(found.already_wrong)} already wrong`,
      between(found.accuracy_clean_interval),
    ],
    ["Failed", count(found.failed), found.failed ? "counted with their best attempt" : "none"],
    ["Also in 8 bits", percent(found.success_8bit_rate), "still changed after rounding"],
    ["Speed", `${number(found.images_per_second)}`, "images per second"],
  ];
  if (found.exact_mean_distortion !== null && found.exact_mean_distortion !== undefined) {
    facts.splice(3, 0, [
      "Exact optimum, mean",
      number(found.exact_mean_distortion),
      `the search is ${number(found.mean_distortion / found.exact_mean_distortion)} times as far`,
    ]);
  }
  const reasons = Object.entries(found.failed_by_reason ?? {});
  return html`<dl class="facts">
      ${facts.map(([name, value, unit, hint]) => html`<div title=${hint}><dt>${name}</dt><dd>${value}<small>${unit}</small></dd></div>`)}
    </dl>
    ${reasons.length > 0 && html`<details><summary>Why images failed</summary><ul>${reasons.map(([reason, amount]) => html`<li>${reason}: ${count(/** @type {number} */ (amount))}</li>`)}</ul></details>`}`;
}

/** @type {{[form: string]: string}} */
const contents = {
  csv: "Every image's numbers as CSV",
  json: "Every image's numbers as JSON",
  npz: "Numbers, probabilities, traces and pixels as NumPy arrays",
};

/** @param {{job: Job}} props */
export const Exports = ({ job }) => html`<p class="row">
  <span class="muted">Take it away:</span>
  ${(job.exports ?? []).map((form) => html`<a href=${`/api/v1/jobs/${job.id}/export/${form}`} download title=${contents[form] ?? form}>${form.toUpperCase()}</a>`)}
</p>`;
