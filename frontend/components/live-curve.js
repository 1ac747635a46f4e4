// The loss of a training run as its progress tells it, point by point.
import { useEffect, useMemo, useState } from "preact/hooks";

import { get } from "../api.js";
import { html } from "../html.js";
import { baseLayout, colour, theme } from "../plot-theme.js";
import { Plot } from "./plot.js";

const remembered = 500;

/** @typedef {{done: number, loss: number}} Point */

/** @type {Map<string, Point[]>} kept while the tab lives, so that coming back loses nothing */
const seen = new Map();

/** "iteration 12 of at most 600, loss 0.0123" as numbers. @param {string} message */
function read(message) {
  const found = /(\d+) of at most \d+, loss ([\d.]+(?:e[-+]?\d+)?)/.exec(message);
  return found ? { done: Number(found[1]), loss: Number(found[2]) } : null;
}

/** The points with what a message adds. @param {Point[]} points @param {string} message */
function extended(points, message) {
  const point = read(message);
  const last = points[points.length - 1];
  if (!point || last?.done === point.done) return points;
  // A second phase (the softmax after its autoencoder) counts from the start again.
  return last && point.done < last.done ? [point] : [...points, point];
}

/** What the last few minutes told about a job, for who comes late. @param {string} id @returns {Promise<Point[]>} */
async function earlier(id) {
  const { latest } = await get("/events/poll");
  const { items } = await get(`/events/poll?after=${Math.max(0, latest - remembered)}`);
  const messages = items
    .filter((/** @type {any} */ event) => event.id === id)
    .map((/** @type {any} */ event) => event.progress?.message ?? "");
  return messages.reduce(extended, []);
}

/** @param {{job: Job}} props */
export function LiveCurve({ job }) {
  const [points, setPoints] = useState(seen.get(job.id) ?? []);
  const message = job.progress?.message ?? "";
  useEffect(() => {
    earlier(job.id).then(
      (past) => setPoints((now) => (past.length > now.length ? past : now)),
      () => undefined, // the curve then begins now
    );
  }, [job.id]);
  useEffect(() => setPoints((now) => extended(now, message)), [message]);
  useEffect(() => void seen.set(job.id, points), [points]);
  const figure = useMemo(() => draw(points), [points, theme.value]);
  if (points.length < 2) return html`<p class="muted">The curve appears with the first iterations.</p>`;
  return html`<article class="figure" data-figure="live-curve"><h3>Loss so far</h3><${Plot} figure=${figure} label="Loss against iterations" height="280px" /></article>`;
}

/** @param {Point[]} points @returns {PlotlyFigure} */
function draw(points) {
  const layout = /** @type {Values} */ (baseLayout());
  layout.xaxis = { ...layout.xaxis, title: { text: "iteration", font: { size: 13 } }, showgrid: false };
  layout.yaxis = { ...layout.yaxis, title: { text: "loss", font: { size: 13 } }, type: "log", tickformat: "~g" };
  const trace = {
    type: "scatter",
    mode: "lines",
    x: points.map((point) => point.done),
    y: points.map((point) => point.loss),
    line: { color: colour("accent"), width: 2 },
    hovertemplate: "iteration %{x}<br>loss %{y:.4g}<extra></extra>",
  };
  return { data: [trace], layout };
}
