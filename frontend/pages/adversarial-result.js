// An adversarial training: the ways of training side by side, what the tests say, the figures, what to take away.
import { JobFigure } from "../components/figure.js";
import { finished } from "../components/progress.js";
import { count, number, percent } from "../format.js";
import { html } from "../html.js";
import { Exports } from "./attack-result.js";
import { Notes } from "./reproduce-notes.js";

/** @param {{job: Job}} props */
export function AdversarialResult({ job }) {
  if (job.state !== "succeeded") {
    return finished(job)
      ? null
      : html`<section><p class="muted">The table and its figures appear here when the job is done.</p></section>`;
  }
  const found = job.summary;
  return html`<section aria-label="What was found">
      <p class="verdict measure">${found.conclusion}</p>
      <${Arms} found=${found} />
      <p class="muted measure">${found.rule}</p>
      <${Notes} notes=${found.notes} title="to read with it" />
      <${Exports} job=${job} />
    </section>
    <section><h2>Figures</h2><div class="figures">
      ${(job.figures ?? []).map((name) => html`<${JobFigure} key=${name} job=${job.id} name=${name} />`)}
    </div></section>`;
}

/** @type {{[verdict: string]: string}} */
const signs = { better: "↓ better", worse: "↑ worse", "no difference shown": "no difference shown" };

/** @param {{found: Values}} props */
function Arms({ found }) {
  /** @type {Values[]} */
  const arms = found.arms;
  const radius = [...(found.radii ?? [])].at(-1);
  const paper = arms.some((arm) => arm.paper !== null);
  return html`<div class="scroll"><table class="arms">
    <thead><tr><th>Trained with</th><th class="number">Test error</th><th class="number">95 % interval</th>
      ${paper && html`<th class="number">Paper</th>`}<th>Against weight decay only</th>
      ${radius && html`<th class="number">Wrong within L2 ${radius}</th>`}<th class="number">Distortion</th></tr></thead>
    <tbody>${arms.map(
      (arm) => html`<tr key=${arm.arm}>
        <td>${arm.title}</td>
        <td class="number"><strong>${percent(arm.test_error_mean)}</strong>${arm.test_error_sd === null ? "" : html`<div><small class="muted">± ${number(100 * arm.test_error_sd)} points over ${count(arm.runs.length)} seeds</small></div>`}</td>
        <td class="number muted">${percent(arm.pooled.low)} to ${percent(arm.pooled.high)}</td>
        ${paper && html`<td class="number">${arm.paper === null ? "" : html`${percent(arm.paper)}<div><small class="muted">${arm.paper_verdict}</small></div>`}</td>`}
        <td>${arm.versus_decay && html`<span data-arm=${arm.versus_decay.verdict}>${signs[arm.versus_decay.verdict]}</span><div><small class="muted">${points(arm.versus_decay.difference)}, p = ${number(arm.versus_decay.p_value, 2)}</small></div>`}</td>
        ${radius && html`<td class="number">${percent(arm.robust_error?.[String(radius)])}</td>`}
        <td class="number">${number(arm.mean_distortion)}</td>
      </tr>`,
    )}</tbody>
  </table></div>`;
}

/** "−0.21 points". @param {number} share */
const points = (share) => `${share > 0 ? "+" : ""}${number(100 * share, 2)} points`;
