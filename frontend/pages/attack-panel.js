// Figure 5 of the paper for this attack: original, change magnified ten times about mid-grey, adversarial image.
import { useState } from "preact/hooks";

import { count, number } from "../format.js";
import { html } from "../html.js";

const COUNT = 10;
const SMALL = 480; // pixels across: narrower panels are enlarged, pixel by pixel

/** @param {{job: Job}} props */
export function AttackPanel({ job }) {
  const [width, setWidth] = useState(/** @type {number | null} */ (null));
  const found = job.summary;
  if (!found.attacked_successful || job.spec?.keep === "statistics") return null;
  const small = width !== null && width < SMALL;
  const address = (/** @type {number} */ scale) => `/api/v1/jobs/${job.id}/panel.png?count=${COUNT}&scale=${scale}`;
  const attacked = count(found.attacked);
  return html`<section data-panel="figure5"><h2>As figure 5 of the paper</h2>
    <p class="muted measure">Left: answered rightly. Middle: the change, magnified ten times about mid-grey. Right: answered as the attack wanted. The first ${COUNT} such images.</p>
    <img class=${small ? "figure5 small" : "figure5"} src=${address(1)} loading="lazy" alt="Rows of original, magnified change and adversarial image"
      onLoad=${(/** @type {any} */ event) => setWidth(event.target.naturalWidth)} />
    <p class="measure">Mean distortion <strong>${number(found.mean_distortion_attacked, 4)}</strong> over the ${attacked} images attacked, of which ${count(found.attacked_successful)} were changed as wanted; the paper has 0.006508 over 64 images of another network.
      ${found.already_wrong > 0 && html` Not attacked: ${count(found.already_wrong)} answered wrongly before.`}
      ${found.of_target_class > 0 && html` ${count(found.of_target_class)} are of the class aimed at.`}</p>
    <p class="row"><span class="muted">Take it away:</span><a href=${address(small ? 8 : 1)} download=${`figure-5-${job.id.slice(0, 8)}.png`}>PNG</a></p>
  </section>`;
}
