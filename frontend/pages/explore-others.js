// The same changed image, shown to the other networks: nothing is sent before the button is pressed.
import { useState } from "preact/hooks";

import { submit } from "../api.js";
import { className } from "../catalog.js";
import { finished, Progress } from "../components/progress.js";
import { Failure, Skeleton } from "../components/states.js";
import { number, percent, plural } from "../format.js";
import { html } from "../html.js";
import { useJob } from "../job.js";
import { architecture } from "../model-words.js";
import { useSteadyResource } from "../resource.js";
import { place, setQuery } from "../router.js";

const most = 19;

/** The attack of the shown image alone, and its answers. @param {Job} job @param {ExampleFacts} facts @param {Model[]} others @returns {Values} */
function transferOf(job, facts, others) {
  const { model, method, images, seed = 0, device = "auto" } = job.spec ?? {};
  const alone =
    images.source === "upload"
      ? { ...images, label: images.label ?? facts.label }
      : { source: "indices", dataset: images.dataset, split: images.split, indices: [facts.image_index] };
  const quiet = { noise: { sigmas: [] }, amplify: { distortions: [] }, directions: false };
  return {
    kind: "transfer",
    sources: [model],
    evaluated: others.map((each) => each.id),
    images: alone,
    method,
    seed,
    device,
    ...quiet,
  };
}

/** Whether a transfer is about the shown image. @param {Job} transfer @param {Values} wanted */
function about(transfer, wanted) {
  const { sources, images, seed } = transfer.spec ?? {};
  return (
    sources?.[0] === wanted.sources[0] &&
    seed === wanted.seed &&
    ["image", "dataset", "split"].every((name) => images[name] === wanted.images[name]) &&
    String(images.indices) === String(wanted.images.indices)
  );
}

/** @param {{job: Job, row: number, facts: ExampleFacts, models: Model[]}} props */
export function Others({ job, row, facts, models }) {
  const [problem, setProblem] = useState(/** @type {import("../api.js").Problem | null} */ (null));
  const [sending, setSending] = useState(false);
  const sent = useJob(place.value.query.get("others"));
  const source = models.find((each) => each.id === job.spec?.model);
  const alike = (/** @type {Model} */ each) =>
    String(each.input_shape) === String(source?.input_shape) && each.class_names.length === source?.class_names.length;
  const others = models.filter((each) => source && each.id !== source.id && alike(each)).slice(0, most);
  if (!source || others.length === 0) return null;
  const wanted = transferOf(job, facts, others);
  const shown = sent.data && about(sent.data, wanted) ? sent.data : null;
  const start = async () => {
    setSending(true);
    setProblem(null);
    try {
      const { id } = await submit(wanted, { lane: "interactive" });
      setQuery({ job: job.id, row, others: id });
    } catch (error) {
      setProblem(/** @type {any} */ (error));
    }
    setSending(false);
  };
  return html`<section class="others stack" aria-label="The other networks">
    ${
      !shown &&
      html`<div class="row"><button type="button" disabled=${sending} onClick=${start}>Try it on the other models</button>
      <span class="muted">Shows the changed image to ${plural(others.length, "other network")}.</span></div>`
    }
    ${problem && html`<${Failure} error=${problem} />`}
    ${shown && !finished(shown) && html`<${Progress} job=${shown} />`}
    ${shown && finished(shown) && shown.state !== "succeeded" && html`<div class="notice"><p>${shown.error?.message ?? "This was cancelled."}</p><button type="button" onClick=${start}>Try again</button></div>`}
    ${shown?.state === "succeeded" && html`<${Answers} transfer=${shown} facts=${facts} source=${source} />`}
  </section>`;
}

/** @param {{transfer: Job, facts: ExampleFacts, source: Model}} props */
function Answers({ transfer, facts, source }) {
  const row = transfer.summary.rows.findIndex((/** @type {Values} */ each) => each.kind === "attack");
  const { cells, mean_distortion: distortion } = transfer.summary.rows[row];
  const fooled = cells.filter((/** @type {Values} */ cell) => cell.wrong > 0).length;
  const again = Math.abs(distortion - facts.rms) > 0.01 * facts.rms;
  return html`<h3>The same change on the other networks</h3>
    <p>${plural(fooled, "network")} of ${cells.length} ${fooled === 1 ? "answers" : "answer"} it wrongly. <a href=${`/jobs/${transfer.id}`}>All numbers</a>${again && html`<span class="muted"> The search was made again for this image alone and found another change, of distortion ${number(distortion)}.</span>`}</p>
    <div class="scroll"><table><thead><tr><th>Network</th><th>Unchanged</th><th>Changed</th></tr></thead><tbody>
      ${transfer.summary.models.map((/** @type {any} */ model, /** @type {number} */ column) => html`<${Answer} key=${model.id} path=${`/jobs/${transfer.id}/examples?row=${row}&column=${column}&limit=1`} model=${model} names=${source.class_names} />`)}
    </tbody></table></div>`;
}

/** @param {{path: string, model: any, names: string[]}} props */
function Answer({ path, model, names }) {
  const { data, error } = useSteadyResource(path);
  const found = data?.rows[0];
  const said = (/** @type {number} */ answer, /** @type {number} */ sure) =>
    html`${answer === found.label ? className(names, answer) : html`<strong>${className(names, answer)} ✗</strong>`} <span class="muted">${percent(sure)}</span>`;
  return html`<tr><td>${model.name}<div><small class="muted">${architecture(model)}</small></div></td>
    ${error && html`<td colspan="2" class="bad">${error.message}</td>`}
    ${!error && !found && html`<td colspan="2"><${Skeleton} width="120px" /></td>`}
    ${found && html`<td>${said(found.prediction, found.confidence_before)}</td><td>${said(found.reached, found.confidence_after)}</td>`}
  </tr>`;
}
