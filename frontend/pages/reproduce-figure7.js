// Figure 7: digits beside their distorted copies, and digits under noise, each panel with what was measured.
import { JobFigure } from "../components/figure.js";
import { count, number } from "../format.js";
import { html } from "../html.js";
import { Notes } from "./reproduce-notes.js";

/** @typedef {{letter: string, step: string, model: string, caption: string, images: number, paper_distortion: number, distortion: number,
 *   paper_accuracy: number | null, accuracy: number, low: number, high: number}} Panel */

/** @param {{job: Job, found: {panels: Panel[], notes: string[]}}} props */
export const Figure7 = ({ job, found }) => html`<section data-table="figure7">
  <h2>Figure 7</h2>
  <div class="panels">${found.panels.map((panel) => html`<${PanelView} key=${panel.letter} job=${job} panel=${panel} />`)}</div>
  <${Notes} notes=${found.notes} />
</section>`;

/** @param {{job: Job, panel: Panel}} props */
function PanelView({ job, panel }) {
  const step = job.steps?.find((each) => each.name === panel.step);
  return html`<div class="panel">
    <${JobFigure} job=${job.id} name=${`figure7${panel.letter}`} height="auto" />
    <div class="stack"><dl class="facts">
      <div><dt>Distortion</dt><dd>${number(panel.distortion)}<small>paper ${panel.paper_distortion}</small></dd></div>
      <div><dt>Answered rightly</dt><dd>${number(panel.accuracy)} %<small>${number(panel.low)} to ${number(panel.high)} %${panel.paper_accuracy === null ? "" : `, paper ${panel.paper_accuracy} %`}</small></dd></div>
      <div><dt>Images</dt><dd>${count(panel.images)}<small>answered by ${panel.model}</small></dd></div>
    </dl>
    ${step?.job_id && html`<p><a href=${`/jobs/${step.job_id}`}>All ${count(panel.images)} images</a></p>`}</div>
  </div>`;
}
