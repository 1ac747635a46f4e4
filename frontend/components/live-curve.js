// The loss of a training run as its progress tells it, point by point.
import { useEffect, useMemo, useState } from "preact/hooks";

import { html } from "../html.js";
import { baseLayout, colour, theme } from "../plot-theme.js";
import { Plot } from "./plot.js";

/** @type {Map<string, {done: number, loss: number}[]>} kept while the tab lives, so that coming back loses nothing */
const seen = new Map();

/** "loss 0.0123" in a progress message. @param {string} message */
const lossIn = (message) => Number(/loss\s*[:=]?\s*([\d.]+(?:e[-+]?\d+)?)/i.exec(message)?.[1] ?? NaN);

/** @param {{job: Job}} props */
export function LiveCurve({ job }) {
  const [points, setPoints] = useState(seen.get(job.id) ?? []);
  const { done = 0, message = "" } = job.progress ?? {};
  useEffect(() => {
    const loss = lossIn(message);
    const last = points[points.length - 1];
    if (!(loss > 0) || (last && last.done >= done)) return;
    const next = [...points, { done, loss }];
    seen.set(job.id, next);
    setPoints(next);
  }, [done, message]);
  const figure = useMemo(() => draw(points), [points, theme.value]);
  if (points.length < 2) return html`<p class="muted">The curve appears with the first iterations.</p>`;
  return html`<article class="figure" data-figure="live-curve"><h3>Loss so far</h3><${Plot} figure=${figure} label="Loss against iterations" height="280px" /></article>`;
}

/** @param {{done: number, loss: number}[]} points @returns {PlotlyFigure} */
function draw(points) {
  const layout = /** @type {Values} */ (baseLayout());
  layout.xaxis = { ...layout.xaxis, title: { text: "iteration" }, showgrid: false };
  layout.yaxis = { ...layout.yaxis, title: { text: "loss" }, type: "log", exponentformat: "power" };
  const trace = { type: "scatter", mode: "lines", x: points.map((point) => point.done), y: points.map((point) => point.loss), line: { color: colour("accent"), width: 2 }, hovertemplate: "iteration %{x}<br>loss %{y:.4g}<extra></extra>" };
  return { data: [trace], layout };
}
