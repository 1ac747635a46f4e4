// Table 5 of the paper as it is printed. It is of weights that nobody has, so it stands for itself.
import { number } from "../format.js";
import { html } from "../html.js";

/** @param {{reference: Values}} props */
export const SpectralReference = ({ reference }) => html`<details>
  <summary>The paper's table 5, for reference</summary>
  <div class="stack">
    <p class="muted measure">${reference.source}. ${reference.caution}</p>
    <div class="scroll"><table class="prefactors">
      <thead><tr><th>Layer</th><th>Size</th><th class="number">Stride</th><th class="number">Lower, as printed</th><th class="number">Upper, first edition</th><th class="number">Upper, later edition</th></tr></thead>
      <tbody>${reference.rows.map(
        (/** @type {Values} */ row) => html`<tr key=${row.layer}>
        <td>${row.layer}</td><td class="size">${row.size.join(" × ")}</td><td class="number">${row.stride ?? ""}</td>
        <td class="number">${row.lower < 1e-3 ? number(row.lower, 1) : row.lower}${row.lower_frame_bound_is_zero && html`<div><small class="muted">frame bound: 0</small></div>`}</td>
        <td class="number">${row.upper}</td><td class="number">${row.later_upper}</td>
      </tr>`,
      )}</tbody>
    </table></div>
  </div>
</details>`;
