// How near a whole table comes to the paper: the headline figures, and the same over other choices of cells.
import { count, number, plural } from "../format.js";
import { html } from "../html.js";

/** " without AE400-10 and the diagonal", or nothing. @param {string[]} groups */
function without(groups) {
  if (!groups?.length) return "";
  const last = groups[groups.length - 1];
  return ` without ${groups.length > 1 ? `${groups.slice(0, -1).join(", ")} and ` : ""}${last}`;
}

/** @param {{figures: Values | null, coarse: boolean}} props  `coarse`: of the coarse search for c */
export function Agreement({ figures, coarse }) {
  if (!figures) return null;
  const found = (coarse && figures.coarse) || figures;
  const cells = `${plural(figures.cells, "error")}${without(figures.without)}`;
  return html`<dl class="facts agreement">
      ${!coarse && html`<div><dt>Consistent</dt><dd>${count(figures.consistent)} of ${count(figures.judged)}<small>numbers, without those that the experiment sets</small></dd></div>`}
      <div><dt>Mean difference</dt><dd>${number(found.mean_absolute_difference)} points<small>${cells}</small></dd></div>
      ${found.spearman !== null && html`<div><dt>Rank correlation</dt><dd>${number(found.spearman)}<small>Spearman’s, of the same</small></dd></div>`}
    </dl>
    ${
      figures.choices?.length > 1 &&
      html`<details><summary>The same over other cells</summary><div class="scroll"><table class="choices-of-cells">
      <thead><tr><th>Errors${figures.coarse ? ", and search for c" : ""}</th><th class="number">Cells</th><th class="number">Mean difference</th><th class="number">Rank correlation</th></tr></thead>
      <tbody>${figures.choices.flatMap((/** @type {Values} */ choice) => [line(choice, choice, choice.coarse ? ", bisected" : ""), choice.coarse && line(choice, choice.coarse, ", coarse")])}</tbody>
    </table></div></details>`
    }`;
}

/** @param {Values} choice @param {Values} found @param {string} search */
const line = (choice, found, search) => html`<tr>
  <td>${without(choice.without).trim() || "all"}${search}</td><td class="number">${count(choice.cells)}</td>
  <td class="number">${number(found.mean_absolute_difference)} points</td><td class="number">${number(found.spearman)}</td>
</tr>`;
