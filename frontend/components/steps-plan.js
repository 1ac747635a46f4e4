// The plan as a drawing: what runs side by side stands in one column, lines lead to what waits for it.
import { html } from "../html.js";

const row = 26;
const reach = 7;

/** The column of each step: one more than that of the last step it needs. @param {JobStep[]} steps @returns {Map<string, number>} */
export function layers(steps) {
  /** @type {Map<string, number>} */
  const found = new Map();
  // Each pass settles at least one more layer; a plan has no cycle.
  for (let pass = 0; pass < steps.length && found.size < steps.length; pass += 1) {
    for (const step of steps) {
      const before = step.needs.map((need) => found.get(need));
      if (!found.has(step.name) && before.every((each) => each !== undefined)) {
        found.set(step.name, 1 + Math.max(-1, .../** @type {number[]} */ (before)));
      }
    }
  }
  return found;
}

/** @param {{steps: JobStep[]}} props */
export function Plan({ steps }) {
  const depth = layers(steps);
  const columns = 1 + Math.max(...depth.values());
  if (columns < 2 || columns > 5 || steps.length > 40) return null;
  const places = placed(steps, depth);
  const tallest = Math.max(...[...depth.values()].map((layer) => steps.filter((step) => depth.get(step.name) === layer).length));
  const width = Math.min(1000 / columns, 330);
  const at = (/** @type {string} */ name) => {
    const { column, line, lines } = /** @type {{column: number, line: number, lines: number}} */ (places.get(name));
    return [column * width + 12, row * (line + (tallest - lines) / 2 + 0.5)];
  };
  const edges = steps.flatMap((step) =>
    step.needs.map((need) => ({ from: at(need), to: at(step.name), key: `${need}>${step.name}` })),
  );
  // The list below says the same in words.
  return html`<svg class="plan-drawing" viewBox=${`0 0 1000 ${row * tallest}`} aria-hidden="true">
    ${edges.map(({ from: [x = 0, y = 0], to: [u = 0, v = 0], key }) => {
      const middle = u - width * 0.32;
      return html`<path key=${key} d=${`M${x + reach} ${y}H${middle - 40}C${middle} ${y} ${middle} ${v} ${u - reach} ${v}`} />`;
    })}
    ${steps.map((step) => {
      const [x = 0, y = 0] = at(step.name);
      return html`<g key=${step.name} data-state=${step.state}><circle cx=${x} cy=${y} r="5" /><text x=${x + 12} y=${y}>${shortened(step.name)}</text></g>`;
    })}
  </svg>`;
}

/** @param {string} name */
const shortened = (name) => (name.length > 24 ? `${name.slice(0, 23)}…` : name);

/** Column and line of each step. @param {JobStep[]} steps @param {Map<string, number>} depth */
function placed(steps, depth) {
  /** @type {Map<string, {column: number, line: number, lines: number}>} */
  const places = new Map();
  for (const column of new Set(depth.values())) {
    const here = steps.filter((step) => depth.get(step.name) === column);
    here.forEach((step, line) => places.set(step.name, { column, line, lines: here.length }));
  }
  return places;
}
