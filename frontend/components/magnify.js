// How strongly the change is drawn: a slider that alters the colour scale of the middle panel, nothing else.
import { useEffect, useState } from "preact/hooks";

import { number } from "../format.js";
import { html } from "../html.js";
import { setQuery } from "../router.js";

/** The image's own contrast: the change is drawn as it is, added to mid-grey. */
const trueScale = 0.5;

/**
 * @param {{largest: number, value: number, drawing: {element: HTMLElement} | null}} props  `value` 1: the largest change fills the scale;
 * `drawing` is new after each drawing, which starts from the scale of the service
 */
export function Magnify({ largest, value, drawing }) {
  const [chosen, setChosen] = useState(value);
  useEffect(() => setChosen(value), [value]);
  const limit = largest > 0 ? largest / chosen : trueScale;
  useEffect(() => {
    if (drawing && window.Plotly)
      window.Plotly.relayout(drawing.element, { "coloraxis2.cmin": -limit, "coloraxis2.cmax": limit });
  }, [drawing, limit]);
  const least = Math.min(-1, Math.log2(Math.max(largest, 1e-6) / trueScale));
  const slide = (/** @type {any} */ event) => setChosen(2 ** Number(event.target.value));
  // The address follows when the slider rests: browsers limit how often it may change.
  const settle = (/** @type {any} */ event) => {
    const next = 2 ** Number(event.target.value);
    setQuery({ magnification: Math.abs(next - 1) < 0.02 ? null : next.toPrecision(3) });
  };
  return html`<div class="magnify">
    <label for="magnification">Magnify the change</label>
    <input id="magnification" type="range" min=${least} max="4" step="any" value=${Math.log2(chosen)} onInput=${slide} onChange=${settle}
      aria-valuetext=${`${number(trueScale / limit)} times, scale plus or minus ${number(limit)}`} />
    <output class="muted" for="magnification">× ${number(trueScale / limit)}, colours from −${number(limit)} to +${number(limit)}${chosen > 1.02 ? ", larger changes saturate" : ""}</output>
  </div>`;
}
