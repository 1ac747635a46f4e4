// The search for c: every value that was tried, in order, with the distortion and loss it gave.
import { useMemo } from "preact/hooks";

import { html } from "../html.js";
import { baseLayout, colour, theme } from "../plot-theme.js";
import { Figure } from "./figure.js";

const rows = /** @type {const} */ ([
  ["weight", "c", "log"],
  ["distortion", "distortion", "linear"],
  ["loss", "loss", "log"],
]);

/** @param {ExampleFacts["trace"]} trace @returns {PlotlyFigure} */
function draw(trace) {
  const steps = trace.map((_, index) => index + 1);
  const [accent, background] = [colour("accent"), colour("background")];
  const inside = trace.map((step) => (step.success ? accent : background));
  const layout = /** @type {Values} */ (baseLayout());
  layout.margin = { l: 56, r: 12, t: 20, b: 40 };
  layout.annotations = rows.map(([, name], place) => ({
    text: name,
    x: 0,
    y: 1 - place * 0.36,
    xref: "paper",
    yref: "paper",
    xanchor: "left",
    yanchor: "bottom",
    showarrow: false,
    font: { color: colour("muted") },
  }));
  layout.xaxis = {
    ...layout.xaxis,
    title: { text: "values of c, in the order tried", font: { color: colour("muted"), size: 13 } },
    anchor: "y3",
    showgrid: false,
    range: [0.5, steps.length + 0.5],
    nticks: Math.min(steps.length, 12),
    tickformat: "d",
  };
  const axis = layout.yaxis;
  const data = rows.map(([key, name, type], place) => {
    const top = 1 - place * 0.36;
    layout[place ? `yaxis${place + 1}` : "yaxis"] = {
      ...axis,
      type,
      domain: [top - 0.26, top],
      nticks: 4,
      tickformat: "~g",
      rangemode: type === "linear" ? "tozero" : "normal",
    };
    return {
      type: "scatter",
      mode: "lines+markers",
      name,
      x: steps,
      y: trace.map((step) => step[key]),
      yaxis: place ? `y${place + 1}` : "y",
      line: { color: colour("line"), width: 1.5 },
      marker: { color: inside, size: 8, line: { color: accent, width: 1.5 } },
      customdata: trace.map((step) => (step.success ? "reached" : "not reached")),
      hovertemplate: `try %{x}<br>${name} %{y:.4g}<br>%{customdata}<extra></extra>`,
    };
  });
  return { data, layout };
}

/** @param {{facts: ExampleFacts}} props */
export function Trace({ facts }) {
  const figure = useMemo(() => draw(facts.trace), [facts, theme.value]);
  if (!facts.trace?.length)
    return html`<article class="figure"><h3>The search</h3><p>This method tries one change only: there is no path to show.</p></article>`;
  return html`<${Figure} name="trace-of-c" title="How the search went" figure=${figure} height="320px"
    reading="Each point is one c, the weight of the change against the loss. Filled: the target was reached. The smallest filled distortion wins."
    formula="minimise c·‖r‖² + loss(x + r, target) over r with 0 ≤ x + r ≤ 1, for falling or bisected c"
    source="Szegedy et al. 2013, section 4.1" />`;
}
