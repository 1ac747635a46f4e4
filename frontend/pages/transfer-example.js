// One image of a cell in full: original, change and changed image, and what both networks believe before and after.
import { className } from "../catalog.js";
import { TriptychFigure } from "../components/example.js";
import { Probabilities } from "../components/probabilities.js";
import { Failure, Skeleton } from "../components/states.js";
import { number, percent } from "../format.js";
import { html } from "../html.js";
import { theme } from "../plot-theme.js";
import { useSteadyResource } from "../resource.js";
import { setQuery } from "../router.js";

/** @param {{job: Job, index: number, column: number, attack: string | null}} props  `attack`: the job that made the image, where one did */
export function TransferExample({ job, index, column, attack }) {
  const { data, error, reload } = useSteadyResource(`/jobs/${job.id}/examples/${index}?column=${column}&theme=${theme.value}`);
  const stride = Math.max(job.summary.images, job.summary.split_images);
  return html`<div class="opened stack">
    <p class="row spread">
      ${attack ? html`<a href=${`/explore?job=${attack}&row=${index % stride}`}>How it was found, on Explore</a>` : html`<span></span>`}
      <button type="button" class="plain" onClick=${() => setQuery({ open: null })}>Close</button>
    </p>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${!error && !data && html`<div class="stack" aria-busy="true"><${Skeleton} height="28px" width="70%" /><${Skeleton} height="260px" /><${Skeleton} height="240px" /></div>`}
    ${data && html`<${Shown} answer=${data} />`}
  </div>`;
}

/** @param {{answer: {facts: Values, figure: PlotlyFigure | null}}} props */
function Shown({ answer }) {
  const { facts } = answer;
  const same = facts.source === facts.evaluated;
  const seen = (/** @type {Values} */ changes) => ({ ...facts, ...changes });
  const source = seen({
    prediction: facts.source_prediction,
    reached: facts.source_reached,
    probabilities_before: facts.source_probabilities_before,
    probabilities_after: facts.source_probabilities_after,
  });
  return html`<p class="verdict" role="status">${verdict(facts)}</p>
    <${TriptychFigure} answer=${answer} />
    <p class="muted">Image ${facts.image_index}, distortion ${number(facts.rms)} (root mean square per pixel), L2 ${number(facts.l2)}.</p>
    <div class="columns">
      ${facts.source && !same && html`<${Beliefs} facts=${source} name=${facts.source} />`}
      <${Beliefs} facts=${facts} name=${facts.evaluated} />
    </div>`;
}

/** @param {{facts: Values, name: string}} props */
function Beliefs({ facts, name }) {
  if (!facts.probabilities_before || !facts.probabilities_after)
    return html`<article class="figure"><h3>What ${name} believes</h3><p>Of this many images only the answers and confidences were kept.</p></article>`;
  return html`<${Probabilities} facts=${/** @type {any} */ (facts)} title=${`What ${name} believes`} />`;
}

/** @param {Values} facts */
function verdict(facts) {
  const name = (/** @type {number} */ index) => html`<strong>${className(facts.class_names, index)}</strong>`;
  const right = facts.reached === facts.label;
  const rightBefore = facts.prediction === facts.label;
  const sure = percent(facts.confidence_after);
  const said = right
    ? html`${facts.evaluated} ${rightBefore ? "still answers" : "answers"} ${name(facts.reached)} (${sure}), which is right`
    : html`${facts.evaluated} takes this ${name(facts.label)} for ${name(facts.reached)} (${sure})`;
  const before = rightBefore || facts.kind === "clean" ? "" : html`; unchanged, it took it for ${name(facts.prediction)}`;
  const own =
    facts.source && facts.source !== facts.evaluated ? html`. ${facts.source} answers ${name(facts.source_reached)}` : "";
  return html`${said}${before}${own}.`;
}
