// A training run: the curve while it runs, the numbers and figures when it is done.
import { JobFigure } from "../components/figure.js";
import { LiveCurve } from "../components/live-curve.js";
import { finished } from "../components/progress.js";
import { count, duration, number, percent } from "../format.js";
import { html } from "../html.js";

/** @param {{job: Job}} props */
export function TrainResult({ job }) {
  if (job.state !== "succeeded") return finished(job) ? null : html`<section><${LiveCurve} job=${job} /></section>`;
  const found = job.summary;
  const facts = [
    ["Test error", percent(found.test_error), "on images it never saw"],
    ["Training error", percent(found.train_error), ""],
    ["Loss", number(found.loss), "with weight decay"],
    ["Final gradient norm", number(found.gradient_norm), "0 at a minimum"],
    ["Iterations", count(found.iterations), duration(found.seconds)],
  ];
  return html`<section>
      <dl class="facts">${facts.map(([name, value, unit]) => html`<div><dt>${name}</dt><dd>${value}<small>${unit}</small></dd></div>`)}</dl>
      ${found.stop_reason && html`<p>It stopped: ${found.stop_reason}</p>`}
      <div class="row">
        <a class="button primary" href=${`/explore?model=${found.model_id}`}>Attack one image</a>
        <a class="button" href=${`/attacks/new?model=${found.model_id}`}>Attack many</a>
        <a class="button" href=${`/spectral/new?model=${found.model_id}`}>Its spectra</a>
        <a href=${`/models?open=${found.model_id}`}>${found.model_name}</a>
      </div>
    </section>
    <section><h2>Figures</h2><div class="figures">
      ${(job.figures ?? []).map((name) => html`<${JobFigure} key=${name} job=${job.id} name=${name} />`)}
    </div></section>`;
}
