// One model: how good it is, what it is made of, where it comes from.
import { shapeWords, useCatalog } from "../catalog.js";
import { Gate } from "../components/gate.js";
import { Failure, Heading, Skeletons } from "../components/states.js";
import { count, moment, percent, plural } from "../format.js";
import { html } from "../html.js";
import { family } from "../model-words.js";
import { useResource } from "../resource.js";

/** @param {{id: string}} props */
export function ModelPage({ id }) {
  const { data: model, error, reload } = useResource(`/models/${id}`);
  const catalog = useCatalog();
  if (error?.status === 404) {
    return html`<section><div class="notice"><h1>This model is not here</h1><p>It was deleted, or the link is from another installation.</p><a class="button" href="/models">All models</a></div></section>`;
  }
  if (error) return html`<section><${Failure} error=${error} again=${reload} /></section>`;
  if (!model) return html`<section><${Skeletons} count=${6} height="48px" /></section>`;
  const title = catalog.data?.networks.find((each) => each.name === model.network)?.title ?? family(model);
  const { metrics } = model;
  return html`<section>
      <${Heading} title=${model.name} lead=${`${title}; reads ${shapeWords(model.input_shape)}, tells ${count(model.class_names.length)} classes apart.`}>
        <a class="button primary" href=${`/explore?model=${model.id}`}>Explore</a>
      </${Heading}>
      ${metrics.gate ? html`<${Gate} found=${metrics} />` : html`<${Trained} model=${model} />`}
      <div class="row">
        <a class="button" href=${`/attacks/new?model=${model.id}`}>Attack many</a><a class="button" href=${`/spectral/new?model=${model.id}`}>Its spectra</a>
        <a class="button" href=${`/units/new?model=${model.id}`}>Its units</a>
        ${model.job_id && html`<a href=${`/jobs/${model.job_id}`}>${metrics.gate ? "How it was added" : "Its training"}</a>`}
      </div>
    </section>
    <section><h2>Layers</h2>
      <details open=${model.layers.length <= 12}><summary>${plural(model.layers.length, "place")} whose units can be looked at</summary><div class="scroll"><table><thead><tr><th>Layer</th><th>Shape of one image's code</th></tr></thead>
      <tbody>${model.layers.map(
        (/** @type {{name: string, shape: number[]}} */ layer) => html`<tr key=${layer.name}>
        <td>${layer.name}</td><td>${layer.shape.join(" × ")}</td></tr>`,
      )}</tbody></table></div></details>
    </section>
    <section><h2>Details</h2>
      <dl class="pairs">
        <dt>Classes</dt><dd>${model.class_names.slice(0, 50).join(", ")}${model.class_names.length > 50 ? " …" : ""}</dd>
        <dt>Data</dt><dd>${model.dataset || "not known"}</dd>
        <dt>Multiply-adds</dt><dd>${count(model.multiply_adds)}</dd>
        <dt>Gradient</dt><dd>${model.linear ? "The logits are affine in the pixels." : model.smooth ? "Continuous." : "Has kinks, as rectified networks do."}</dd>
        <dt>Weights</dt><dd><code>${model.weights_sha256.slice(0, 16)}…</code></dd>
        <dt>Added</dt><dd>${moment(model.created_at)}</dd>
      </dl>
    </section>`;
}

/** @param {{model: Model}} props */
function Trained({ model }) {
  const facts = [
    ["Test error", percent(model.metrics?.test_error), "on images it never saw"],
    ["Training error", percent(model.metrics?.train_error), ""],
    ["Trained on", model.dataset, ""],
  ].filter(([, value]) => value);
  return html`<dl class="facts">${facts.map(([name, value, unit]) => html`<div><dt>${name}</dt><dd>${value}<small>${unit}</small></dd></div>`)}</dl>`;
}
