// A model that was added: what the gate found, and what to do with it.
import { JobFigure } from "../components/figure.js";
import { Gate } from "../components/gate.js";
import { html } from "../html.js";

/** @param {{job: Job}} props */
export function ImportResult({ job }) {
  if (job.state !== "succeeded") return null;
  const found = job.summary;
  const measured = found.test_error !== undefined;
  return html`<section>
      <h2>The gate</h2>
      <${Gate} found=${found} />
      <div class="row">
        <a class="button primary" href=${`/explore?model=${found.model_id}`}>Attack one image</a>
        <a class="button" href=${`/attacks/new?model=${found.model_id}`}>Attack many</a>
        <a class="button" href=${`/spectral/new?model=${found.model_id}`}>Its spectra</a>
        <a class="button" href=${`/units/new?model=${found.model_id}`}>Its units</a>
        <a href=${`/models/${found.model_id}`}>${found.model_name}</a>
      </div>
    </section>
    ${
      measured &&
      html`<section><h2>Figures</h2><div class="figures">
      ${(job.figures ?? []).map((name) => html`<${JobFigure} key=${name} job=${job.id} name=${name} />`)}
    </div></section>`
    }`;
}
