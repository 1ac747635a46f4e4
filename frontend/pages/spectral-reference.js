// Table 5 of the paper: beside the layers where they have its sizes, else by itself. Its weights nobody has.
import { count, number } from "../format.js";
import { html } from "../html.js";
import { place, setQuery } from "../router.js";

/** @typedef {import("./spectral-layers.js").Line} Line */

/** Which prefactor an edition's formula gives a strided layer, and its words. @type {{[edition: string]: [string, string]}} */
const factors = { first: ["none", "no factor"], later: ["twice", "with S⁻²"] };

/** @param {{found: Values}} props */
export function SpectralReference({ found }) {
  const { reference } = found;
  const edition = place.value.query.get("edition") === "later" ? "later" : "first";
  /** @type {Line[]} */
  const layers = reference.compared ? found.layers : [];
  const body = html`<div class="stack">
    <p class="muted measure">${reference.source}. ${reference.caution}</p>
    <${Editions} edition=${edition} />
    <div class="scroll"><${Table} reference=${reference} layers=${layers} edition=${edition} product=${found.product} /></div>
  </div>`;
  if (!reference.compared) return html`<details><summary>The paper's table 5, for reference</summary>${body}</details>`;
  return html`<section data-table="table5"><h2>Beside the paper's table 5</h2>
    <p class="measure">The same layers with other weights: here <strong>${found.weights}</strong>, in the paper those of a trained network.</p>
    ${body}
  </section>`;
}

/** @param {{edition: string}} props */
function Editions({ edition }) {
  const button = (/** @type {string} */ value, /** @type {string} */ words) =>
    html`<button type="button" aria-pressed=${edition === value} onClick=${() => setQuery({ edition: value === "later" ? value : null })}>${words}</button>`;
  return html`<div class="row">
    <div class="segments" role="group" aria-label="Edition of the paper">${button("first", "First edition")}${button("later", "Later edition")}</div>
    <span class="muted">They differ in conv1 and conv4, and in the factor of strided layers.</span>
  </div>`;
}

/** @param {{reference: Values, layers: Line[], edition: string, product: number}} props */
function Table({ reference, layers, edition, product }) {
  const ours = layers.length > 0;
  return html`<table class="prefactors">
    <thead>
      <tr><th rowspan="2">Layer</th><th class="number" colspan=${ours ? 2 : 1}>Upper bound</th><th class="number" colspan=${ours ? 2 : 1}>Lower bound</th></tr>
      <tr>${ours && html`<th class="number">here</th>`}<th class="number">paper</th>${ours && html`<th class="number">here</th>`}<th class="number">paper</th></tr>
    </thead>
    <tbody>${reference.rows.map((/** @type {Values} */ row, /** @type {number} */ place) => html`<${Row} key=${row.layer} row=${row} line=${layers[place]} edition=${edition} />`)}
      <tr><td><strong>Product</strong></td>${ours && html`<td class="number"><strong>${number(product)}</strong></td>`}
        <td class="number">${count(reference.products[edition])}</td>${ours && html`<td></td>`}<td></td></tr>
    </tbody>
  </table>`;
}

/** @param {{row: Values, line: Line | undefined, edition: string}} props */
function Row({ row, line, edition }) {
  const zero = row.lower_frame_bound_is_zero && html`<div><small class="muted">frame bound: 0</small></div>`;
  const [factor, words] = factors[edition] ?? ["", ""];
  const withFactor = line?.prefactors?.[factor];
  const facts = [row.stride > 1 && `stride ${row.stride}`, line && line.groups > 1 && `here in ${line.groups} groups`].filter(
    Boolean,
  );
  return html`<tr>
    <td>${row.layer}<div><small class="muted size">${row.size.join(" × ")}</small></div>${facts.length > 0 && html`<div><small class="muted">${facts.join(", ")}</small></div>`}</td>
    ${line && html`<td class="number"><strong>${number(line.upper)}</strong>${withFactor ? html`<div><small class="muted">${words}: ${number(withFactor)}</small></div>` : null}</td>`}
    <td class="number">${edition === "later" ? row.later_upper : row.upper}</td>
    ${line && html`<td class="number">${number(line.smallest)}${zero}</td>`}
    <td class="number">${row.lower < 1e-3 ? number(row.lower, 1) : row.lower}${!line && zero}</td>
  </tr>`;
}
