// What can be reproduced, as cards that show the printed numbers small: the darker, the more images are answered wrongly.
import { html } from "../html.js";

const cell = { width: 40, height: 15 };

/** @param {{experiment: import("./reproduce-words.js").Experiment, tables: PaperTable[], chosen: boolean, choose: (name: string) => void}} props */
export function ExperimentCard({ experiment, tables, chosen, choose }) {
  const printed = tables.filter((table) => experiment.tables.includes(table.name));
  return html`<label class="pick">
    <input type="radio" name="experiment" value=${experiment.name} checked=${chosen} onChange=${() => choose(experiment.name)} />
    <strong>${experiment.title}</strong>
    <span class="thumbnail" aria-hidden="true">
      ${experiment.name === "figure7" && html`<${Digits} />`}
      ${printed.map((table) => (table.columns.length === 1 ? html`<${Bars} table=${table} />` : html`<${Matrix} key=${table.name} table=${table} numbers=${printed.length === 1} />`))}
    </span>
    <span class="muted">${experiment.caption || printed[0]?.title}</span>
  </label>`;
}

/** @param {{table: PaperTable, numbers: boolean}} props */
function Matrix({ table, numbers }) {
  const { width, height } = numbers ? cell : { width: 20, height: 15 };
  return html`<svg viewBox=${`0 0 ${width * table.columns.length} ${height * table.rows.length}`} style=${{ maxWidth: `${width * table.columns.length}px` }}>
    ${table.rows.flatMap(([, values], row) =>
      values.map((value, column) => {
        const distortion = table.units[column] === "distortion";
        const strength = distortion ? 0.06 : 0.06 + 0.54 * Math.sqrt(value / 100);
        return html`<rect x=${column * width + 1} y=${row * height + 1} width=${width - 2} height=${height - 2} rx="2"
            class=${distortion ? "length" : "error"} fill-opacity=${strength.toFixed(3)} />
          ${numbers && html`<text x=${(column + 0.5) * width} y=${(row + 0.5) * height}>${value}</text>`}`;
      }),
    )}
  </svg>`;
}

/** One number per row, as bars. @param {{table: PaperTable}} props */
function Bars({ table }) {
  const largest = Math.max(...table.rows.map(([, [value = 0]]) => value));
  return html`<svg class="bars-thumbnail" viewBox=${`0 0 280 ${26 * table.rows.length}`}>
    ${table.rows.map(
      ([label, [value = 0]], row) => html`<text x="0" y=${26 * row + 13}>${label}</text>
      <rect class="error" x="148" y=${26 * row + 5} width=${(90 * value) / largest} height="16" rx="2" fill-opacity="0.4" />
      <text x=${154 + (90 * value) / largest} y=${26 * row + 13}>${value} %</text>`,
    )}
  </svg>`;
}

/** Some of the bundled digits. */
const Digits = () =>
  html`<span class="digits">${Array.from({ length: 12 }, (_, index) => html`<img class="pixels" width="32" height="32" alt="" src=${`/api/v1/datasets/digits/test/images/${index}.png`} />`)}</span>`;
