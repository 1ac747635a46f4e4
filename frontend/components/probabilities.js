// What the network believes before and after, class by class, as paired bars.
import { className } from "../catalog.js";
import { percent } from "../format.js";
import { html } from "../html.js";

const shown = 12;

/** @param {{facts: ExampleFacts}} props */
export function Probabilities({ facts }) {
  const { probabilities_before: before, probabilities_after: after, class_names: names } = facts;
  const order = before.map((_, index) => index);
  const many = order.length > shown;
  const classes = many
    ? order.sort((a, b) => Math.max(after[b] ?? 0, before[b] ?? 0) - Math.max(after[a] ?? 0, before[a] ?? 0)).slice(0, shown)
    : order;
  return html`<article class="figure" data-figure="probabilities">
    <h3>What the network believes</h3>
    <p>Probability of each class for the original and for the changed image${many ? `; the ${shown} most likely of ${order.length}` : ""}.</p>
    <div class="key"><span><i class="before"></i>before</span><span><i class="after"></i>after</span></div>
    <div class="bars" role="table" aria-label="Probabilities before and after">
      ${classes.map(
        (index) => html`<${Pair} key=${index} name=${className(names, index)} before=${before[index]} after=${after[index]}
        mark=${index === facts.reached ? "reached" : index === facts.prediction ? "before" : ""} />`,
      )}
    </div>
  </article>`;
}

/** @param {{name: string, before: number | undefined, after: number | undefined, mark: string}} props */
const Pair = ({ name, before = 0, after = 0, mark }) => html`
  <span role="rowheader">${mark ? html`<strong>${name}</strong>` : name}</span>
  <span class="pair" title=${`${percent(before)} before, ${percent(after)} after`}>
    <i class="before" style=${{ width: `${100 * before}%` }}></i><i class="after" style=${{ width: `${100 * after}%` }}></i>
  </span>
  <span class="value">${mark === "before" ? percent(before) : percent(after)}</span>`;
