// What the gate found of a network that was made elsewhere: shown to everybody who uses it.
import { count, number, percent } from "../format.js";
import { html } from "../html.js";

/** @param {{found: Values}} props `found`: the metrics of the model, or the summary of the job that added it */
export function Gate({ found }) {
  const { gate, warnings = [] } = found;
  if (!gate) return null;
  const measured = found.test_error !== undefined;
  const facts = [
    [
      "Clean error",
      measured ? percent(found.test_error) : "not measured",
      measured ? `${percent(found.error_low)} to ${percent(found.error_high)}, of ${count(found.images)} images` : "",
    ],
    [
      "Without looking",
      measured ? percent(found.chance_error) : "",
      measured ? "error of always giving the commonest answer" : "",
    ],
    [
      "Gradient",
      `${number(gate.gradient_error)}`,
      `relative difference from finite differences, ${gate.double ? "float64" : "float32"}`,
    ],
    ["Alone or in a batch", number(gate.batch_difference), "largest difference, in spreads of the logits"],
    ["Multiply-adds", count(found.multiply_adds), "of one image"],
  ];
  return html`<div class="stack">
    ${warnings.map((/** @type {string} */ text) => html`<div class="notice failure" key=${text}><p>${text}</p></div>`)}
    ${warnings.length === 0 && html`<p>It passed the gate: it answers, its gradient is right, and it knows its images.</p>`}
    <dl class="facts">${facts.filter(([, value]) => value !== "").map(([name, value, unit]) => html`<div><dt>${name}</dt><dd>${value}<small>${unit}</small></dd></div>`)}</dl>
  </div>`;
}
