// The layers of a network as lines of a table: sizes, proven bounds, and a small picture of all singular values.
import { count, number, plural } from "../format.js";
import { html } from "../html.js";

/** @typedef {Values} Line one layer of the summary, as docs/science.md names its columns */

/** @param {{found: Values}} props */
export function SpectralLayers({ found }) {
  /** @type {Line[]} */
  const layers = found.layers;
  const convolutions = layers.some((line) => line.kernel);
  const grown = layers.some((line) => line.amplification);
  return html`<div class="scroll"><table class="layers">
    <thead><tr><th>Layer</th><th class="number">Norm, at most</th>
      ${convolutions && html`<th class="number" title="The layer at its own size with its padding, from below">At its own size</th>`}
      <th class="number">Smallest</th><th class="number">Lower frame bound</th>
      <th>All singular values</th><th class="number">Product so far</th>${grown && html`<th class="number">The attack's change has grown</th>`}</tr></thead>
    <tbody>${layers.map((line) => html`<${Row} key=${line.name} line=${line} convolutions=${convolutions} grown=${grown} />`)}</tbody>
  </table></div>
  <${Prefactors} layers=${layers} />`;
}

/** @param {{line: Line, convolutions: boolean, grown: boolean}} props */
function Row({ line, convolutions, grown }) {
  const exact = line.upper - line.lower <= 1e-6 * line.upper;
  return html`<tr>
    <td><strong>${line.name}</strong><div><small class="muted">${line.kind} ${line.size.join(" × ")}</small></div>${line.kernel && html`<div><small class="muted">${facts(line)}</small></div>`}</td>
    <td class="number"><strong>${number(line.upper, 4)}</strong>${!exact && html`<div><small class="muted" title="Proven: the norm lies between these, between all frequencies too">≥ ${number(line.lower, 5)}</small></div>`}</td>
    ${convolutions && html`<td class="number">${line.padded_norm === null ? "" : `≥ ${number(line.padded_norm, 4)}`}</td>`}
    <td class="number">${number(line.smallest)}</td>
    <td class="number">${number(line.lower_frame_bound)}${line.lower_frame_bound === 0 && line.smallest > 0 ? html`<div><small class="muted">fewer outputs than inputs</small></div>` : null}</td>
    <td><${Histogram} line=${line} /></td>
    <td class="number">${number(line.product)}${line.bound !== line.product ? html`<div><small class="muted" title="With pooling, activations and normalisation">all: ${number(line.bound)}</small></div>` : null}</td>
    ${grown && html`<td class="number">${line.amplification ? html`${number(line.amplification.median)}<div><small class="muted">at most ${number(line.amplification.max)}</small></div>` : ""}</td>`}
  </tr>`;
}

/** "stride 1, padding 0"; the kernel is the end of the size. @param {Line} line */
function facts(line) {
  const pair = (/** @type {number[]} */ [first, second]) => (first === second ? `${first}` : `${first} × ${second}`);
  const found = [
    `stride ${pair(line.stride)}`,
    `padding ${pair(line.padding)}`,
    line.dilation.some((/** @type {number} */ each) => each > 1) && `dilation ${pair(line.dilation)}`,
    line.groups > 1 && `${count(line.groups)} groups`,
    line.folded && "normalisation folded in",
  ];
  return found.filter(Boolean).join(", ");
}

/** Bars from 0 to the norm; their height is the root of the share, so that a single value is seen. @param {{line: Line}} props */
function Histogram({ line }) {
  /** @type {number[]} */
  const shares = line.histogram;
  const top = Math.max(...shares);
  const words = `${count(line.values)} singular values from ${number(line.smallest)} to ${number(line.upper)}`;
  return html`<figure class="spectrum" title=${words}>
    <svg viewBox="0 0 ${shares.length} 20" width="144" height="32" preserveAspectRatio="none" role="img" aria-label=${words}>
      ${shares.map((share, place) => {
        const height = 20 * Math.sqrt(share / top);
        return share > 0 ? html`<rect x=${place} y=${20 - height} width="0.85" height=${height} />` : null;
      })}
    </svg>
    <figcaption><span>0</span><span>${plural(line.values, "value")}</span><span>${number(line.upper)}</span></figcaption>
  </figure>`;
}

/** Strided layers with the factor of each edition. @param {{layers: Line[]}} props */
function Prefactors({ layers }) {
  const strided = layers.filter((line) => line.prefactors);
  if (strided.length === 0) return null;
  return html`<details>
    <summary>Strided layers with the factors that the two editions print</summary>
    <div class="stack">
      <p class="muted measure">The symbol of a layer with stride S has the factor S⁻¹ in two dimensions. The first edition prints none and so overstates by S; the later one S⁻², which understates by S.</p>
      <div class="scroll"><table class="prefactors">
        <thead><tr><th>Layer</th><th>Stride</th><th class="number">No factor (first edition)</th><th class="number">S⁻¹ (right)</th><th class="number">S⁻² (later edition)</th></tr></thead>
        <tbody>${strided.map(({ name, stride, prefactors }) => html`<tr key=${name}><td>${name}</td><td>${stride.join(" × ")}</td><td class="number muted">${number(prefactors.none)}</td><td class="number"><strong>${number(prefactors.right)}</strong></td><td class="number muted">${number(prefactors.twice)}</td></tr>`)}</tbody>
      </table></div>
    </div>
  </details>`;
}
