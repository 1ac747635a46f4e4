// How strongly the change is drawn: a slider that alters the colour scale of the middle panel, nothing else.
import { useEffect } from "preact/hooks";

import { number } from "../format.js";
import { html } from "../html.js";
import { setQuery } from "../router.js";

/** The image's own contrast: the change is drawn as it is, added to mid-grey. */
const trueScale = 0.5;

/** @param {{largest: number, value: number, element: HTMLElement | null}} props  `value` 1: the largest change fills the scale */
export function Magnify({ largest, value, element }) {
  const limit = largest > 0 ? largest / value : trueScale;
  useEffect(() => {
    if (element && window.Plotly) window.Plotly.relayout(element, { "coloraxis2.cmin": -limit, "coloraxis2.cmax": limit });
  }, [element, limit]);
  const least = Math.min(-1, Math.log2(Math.max(largest, 1e-6) / trueScale));
  const set = (/** @type {any} */ event) => {
    const next = 2 ** Number(event.target.value);
    setQuery({ magnification: Math.abs(next - 1) < 0.02 ? null : next.toPrecision(3) });
  };
  return html`<div class="magnify">
    <label for="magnification">Magnify the change</label>
    <input id="magnification" type="range" min=${least} max="4" step="any" value=${Math.log2(value)} onInput=${set}
      aria-valuetext=${`${number(trueScale / limit)} times, scale plus or minus ${number(limit)}`} />
    <output class="muted" for="magnification">× ${number(trueScale / limit)}, colours from −${number(limit)} to +${number(limit)}${value > 1.02 ? ", larger changes saturate" : ""}</output>
  </div>`;
}
