// Everything about one image: the triptych, the answers before and after, the search, the size of the change.
import { useMemo, useState } from "preact/hooks";

import { className } from "../catalog.js";
import { percent } from "../format.js";
import { html } from "../html.js";
import { theme } from "../plot-theme.js";
import { useSteadyResource } from "../resource.js";
import { place } from "../router.js";
import { useNarrow } from "../viewport.js";
import { Magnify } from "./magnify.js";
import { Norms } from "./norms.js";
import { Plot } from "./plot.js";
import { Probabilities } from "./probabilities.js";
import { Failure, Skeleton } from "./states.js";
import { Trace } from "./trace.js";

/** @param {ExampleFacts} facts */
function verdict(facts) {
  const name = (/** @type {number} */ index) => html`<strong>${className(facts.class_names, index)}</strong>`;
  const before = html`The network answered ${name(facts.prediction)} (${percent(facts.confidence_before)})`;
  if (facts.already_wrong)
    return html`${before}, though the image is labelled ${name(facts.label)}: it was wrong without any attack.`;
  if (!facts.success)
    return html`${before} and could not be brought to ${facts.target >= 0 ? name(facts.target) : "another answer"}. ${facts.reason ?? ""}`;
  const lost = facts.success_8bit ? "" : " Rounded to 8 bits, the image no longer fools it.";
  return html`${before}. After the change it answers ${name(facts.reached)} (${percent(facts.confidence_after)}).${lost}`;
}

/** @param {PlotlyFigure} figure @returns {PlotlyFigure} */
const withoutScale = ({ data, layout }) => ({
  data,
  layout: { ...layout, coloraxis2: { ...layout.coloraxis2, showscale: false } },
});

/** @param {{answer: {facts: Values, figure: PlotlyFigure | null}}} props */
export function TriptychFigure({ answer }) {
  const narrow = useNarrow();
  const [drawing, setDrawing] = useState(/** @type {{element: HTMLElement} | null} */ (null));
  const meta = answer.figure?.layout.meta ?? {};
  const scalar = Boolean(answer.figure?.layout.coloraxis2?.showscale);
  const magnification = Number(place.value.query.get("magnification")) || 1;
  const [, height = 1, width = 1] = meta.shape ?? [];
  // On a small screen the scale is said in words beside the slider, and the panels take its room.
  const figure = useMemo(() => (narrow && answer.figure ? withoutScale(answer.figure) : answer.figure), [answer, narrow]);
  if (!figure) {
    return html`<div class="notice"><p>The picture was not kept: this job stored only the numbers of this image. Run it again with more kept to see it.</p></div>`;
  }
  return html`<div class="triptych stack" data-figure="triptych" style=${{ "--proportion": height / width }}>
    <${Plot} figure=${figure} height="auto" drawn=${(/** @type {HTMLElement} */ element) => setDrawing({ element })}
      label=${`Original ${className(answer.facts.class_names, answer.facts.label)}, the change, and the adversarial image`} />
    ${scalar && html`<${Magnify} largest=${meta.max_abs_perturbation ?? 0} value=${magnification} drawing=${drawing} />`}
  </div>`;
}

/** One image's record, with the triptych in the theme in force; null reads nothing. @param {{job: string, row: number} | null} place */
export const useExample = (place) => useSteadyResource(place && `/jobs/${place.job}/examples/${place.row}?theme=${theme.value}`);

/** @param {{job: string, row: number}} props */
export const Example = ({ job, row }) => html`<${ExampleView} example=${useExample({ job, row })} />`;

/** @param {{example: import("../resource.js").Resource<ExampleAnswer>}} props */
export function ExampleView({ example }) {
  const { data: answer, error, stale, reload } = example;
  if (error) return html`<${Failure} error=${error} again=${reload} />`;
  if (!answer) return html`<${ExampleSkeleton} />`;
  const shape = answer.figure?.layout.meta?.shape;
  return html`<div class=${stale ? "example stale" : "example"}>
    <p class="verdict" role="status">${verdict(answer.facts)}</p>
    <${TriptychFigure} answer=${answer} />
    <${Norms} facts=${answer.facts} pixels=${shape ? shape[0] * shape[1] * shape[2] : null} />
    <div class="columns">
      <${Probabilities} facts=${answer.facts} />
      <${Trace} facts=${answer.facts} />
    </div>
  </div>`;
}

export const ExampleSkeleton = () => html`<div class="example" aria-busy="true">
  <${Skeleton} height="28px" width="70%" />
  <div class="triptych"><div class="plot"><${Skeleton} height="100%" /></div></div>
  <${Skeleton} height="24px" width="60%" />
  <${Skeleton} height="72px" />
  <div class="columns"><${Skeleton} height="360px" /><${Skeleton} height="360px" /></div>
</div>`;
