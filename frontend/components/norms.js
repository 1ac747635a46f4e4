// How far the image was moved, in every norm, with its unit.
import { count, number, percent } from "../format.js";
import { html } from "../html.js";

/** @param {{facts: ExampleFacts, pixels: number | null}} props */
export function Norms({ facts, pixels }) {
  const share = pixels && facts.l0 !== null ? facts.l0 / pixels : null;
  const rows = [
    ["Distortion", number(facts.rms), "root mean square per pixel"],
    ["L2", number(facts.l2), "pixel range 0 to 1"],
    ["L1", number(facts.l1), "sum of changes"],
    ["L∞", number(facts.linf), `largest change, ${number(255 * facts.linf)} of 255`],
    ["L0", count(facts.l0), share === null ? "pixels changed" : `pixels changed, ${percent(share)}`],
    ["Gradients", count(facts.backwards), "backward passes"],
  ];
  return html`<dl class="facts" aria-label="Size of the change">
    ${rows.map(([name, value, unit]) => html`<div><dt>${name}</dt><dd>${value}<small>${unit}</small></dd></div>`)}
  </dl>`;
}
