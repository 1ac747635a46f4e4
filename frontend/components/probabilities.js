// What the network believes before and after, class by class, as paired bars.
import { className } from "../catalog.js";
import { percent } from "../format.js";
import { html } from "../html.js";

const shown = 12;

/** @param {{facts: ExampleFacts, title?: string}} props */
export function Probabilities({ facts, title = "What the network believes" }) {
  const { probabilities_before: before, probabilities_after: after, class_names: names } = facts;
  const order = before.map((_, index) => index);
  const many = order.length > shown;
  const classes = many
    ? order.sort((a, b) => Math.max(after[b] ?? 0, before[b] ?? 0) - Math.max(after[a] ?? 0, before[a] ?? 0)).slice(0, shown)
    : order;
  return html`<article class="figure" data-figure="probabilities">
    <h3>${title}</h3>
    <p>Probability of each class for the original and for the changed image${many ? `; the ${shown} most likely of ${order.length}` : ""}.</p>
    <div class="bars" role="table" aria-label="Probabilities before and after">
      <span class="key"></span><span></span>
      <span class="key" role="columnheader"><i class="before"></i>before</span>
      <span class="key" role="columnheader"><i class="after"></i>after</span>
      ${classes.map(
        (index) =>
          html`<${Pair} key=${index} name=${className(names, index)} before=${before[index]} after=${after[index]}
            marked=${index === facts.reached || index === facts.prediction} />`,
      )}
    </div>
  </article>`;
}

/** @param {{name: string, before: number | undefined, after: number | undefined, marked: boolean}} props */
const Pair = ({ name, before = 0, after = 0, marked }) => html`
  <span role="rowheader">${marked ? html`<strong>${name}</strong>` : name}</span>
  <span class="pair" aria-hidden="true">
    <i class="before" style=${{ width: `${100 * before}%` }}></i><i class="after" style=${{ width: `${100 * after}%` }}></i>
  </span>
  <span class="value" role="cell">${percent(before)}</span>
  <span class="value" role="cell">${percent(after)}</span>`;
