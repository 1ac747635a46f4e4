// What a units job found: the verdict, the tests between the arms, their rows side by side, the figures.
import { JobFigure } from "../components/figure.js";
import { finished } from "../components/progress.js";
import { count, number, percent } from "../format.js";
import { html } from "../html.js";
import { Exports } from "./attack-result.js";
import { BlindResults } from "./blind-results.js";
import { Notes } from "./reproduce-notes.js";
import { UnitsRows } from "./units-rows.js";

/** @param {{job: Job}} props */
export function UnitsResult({ job }) {
  if (job.state !== "succeeded") {
    return finished(job)
      ? null
      : html`<section><p class="muted">The rows of images appear here when all images have been seen.</p></section>`;
  }
  const found = job.summary;
  const stops = found.arms.some((/** @type {Values} */ arm) => arm.share !== null);
  return html`<section aria-label="What was found">
      <p class="verdict measure">${found.conclusion}</p>
      <p>${count(found.inspected)} directions of the layer <strong>${found.layer}</strong> (${found.layer_shape.join(" × ")}), each with its top ${count(found.k)} of ${count(found.images)} images; seed ${found.seed}.</p>
      <${Arms} arms=${found.arms} />
      ${found.tests.length > 0 && html`<${Tests} found=${found} />`}
      <p class="muted measure">${found.rule}</p>
      ${found.ica_converged === false && html`<p class="measure">The search for independent components did not converge; take its directions as they are.</p>`}
      <${Notes} notes=${found.notes} title="to read with it" />
      <${Exports} job=${job} />
    </section>
    <${UnitsRows} job=${job} />
    ${found.arms.length > 1 && html`<${BlindResults} job=${job} />`}
    <section><h2>Figures</h2><div class="figures">
      ${(job.figures ?? []).filter((name) => stops || name !== "rotation").map((name) => html`<${JobFigure} key=${name} job=${job.id} name=${name} />`)}
    </div></section>`;
}

/** @param {{arms: Values[]}} props */
function Arms({ arms }) {
  const selective = arms.some((arm) => arm.selectivity);
  const judged = arms.some((arm) => arm.likeness);
  return html`<div class="scroll"><table>
    <caption class="visually-hidden">Mean scores of each arm</caption>
    <thead><tr><th>Directions</th><th class="number">How many</th><th class="number">Label purity</th><th class="number">Likeness of pixels</th>${judged && html`<th class="number">To the judging network</th>`}
      ${selective && html`<th class="number">Class selectivity</th>`}</tr></thead>
    <tbody>${arms.map(
      (arm) => html`<tr key=${arm.arm}>
        <td>${arm.title}</td>
        <td class="number">${count(arm.directions)}${arm.constant > 0 && html`<div><small class="muted">${count(arm.constant)} never change</small></div>`}</td>
        <td class="number">${percent(arm.purity?.mean)}</td>
        <td class="number">${number(arm.coherence?.mean)}</td>
        ${judged && html`<td class="number">${number(arm.likeness?.mean)}</td>`}
        ${selective && html`<td class="number">${number(arm.selectivity?.mean)}</td>`}
      </tr>`,
    )}</tbody>
  </table></div>`;
}

/** @type {{[score: string]: string}} */
const scores = {
  purity: "label purity",
  coherence: "likeness of pixels",
  likeness: "likeness to the judging network",
  selectivity: "class selectivity",
};

/** @param {number | undefined} p */
const small = (p) => (p === undefined ? "" : p < 1e-4 ? "< 0.0001" : number(p, 2));

/** @param {{found: Values}} props */
function Tests({ found }) {
  const title = (/** @type {string} */ name) => found.arms.find((/** @type {Values} */ arm) => arm.arm === name)?.title ?? name;
  return html`<div class="scroll"><table class="tests">
    <caption class="visually-hidden">Tests between the arms</caption>
    <thead><tr><th>Compared</th><th>In</th><th class="number">Cliff's delta</th><th class="number">95 % interval</th><th class="number">p, Mann–Whitney</th><th class="number">corrected (Holm)</th><th>The first is</th></tr></thead>
    <tbody>${found.tests.map(
      (/** @type {Values} */ test) => html`<tr key=${`${test.a} ${test.b} ${test.score}`}>
        <td>${title(test.a)} against ${title(test.b).toLowerCase()}</td>
        <td>${scores[test.score]}</td>
        <td class="number"><strong>${number(test.delta, 2)}</strong></td>
        <td class="number muted">${number(test.low, 2)} to ${number(test.high, 2)}</td>
        <td class="number">${small(test.p_value)}</td><td class="number">${small(test.p_holm)}</td>
        <td>${test.verdict}</td>
      </tr>`,
    )}</tbody>
  </table></div>`;
}
