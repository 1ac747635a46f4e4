// A drawing with what it shows, how to read it, how it is computed, and its exports.
import { useRef } from "preact/hooks";

import { download, figureCsv, figureSeries } from "../figure-data.js";
import { html } from "../html.js";
import { theme } from "../plot-theme.js";
import { useSteadyResource } from "../resource.js";
import { loadPlotly, Plot } from "./plot.js";
import { Failure, Skeleton } from "./states.js";

/** @param {{title: string, reading?: string, formula?: string, source?: string, name: string, figure: PlotlyFigure, height?: string}} props */
export function Figure({ title, reading, formula, source, name, figure, height }) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const picture = async (/** @type {string} */ format) => {
    const plotly = await loadPlotly();
    if (element.current)
      await plotly.downloadImage(element.current, { format, filename: name, scale: 2, width: 960, height: 600 });
  };
  const drawn = (/** @type {HTMLElement} */ target) => {
    element.current = target;
  };
  return html`<article class="figure" data-figure=${name}>
    <h3>${title}</h3>
    ${reading && html`<p>${reading}</p>`}
    <${Plot} figure=${figure} label=${`${title}. ${reading ?? ""}`} height=${height} drawn=${drawn} />
    <footer>
      ${
        formula &&
        html`<details>
        <summary>How this is computed</summary>
        <div class="stack">
          <p><code>${formula}</code></p>
          ${source && html`<p class="muted">${source}</p>`}
        </div>
      </details>`
      }
      <div class="exports" role="group" aria-label=${`Save ${title}`}>
        <button type="button" class="plain" onClick=${() => picture("png")}>PNG</button>
        <button type="button" class="plain" onClick=${() => picture("svg")}>SVG</button>
        <button type="button" class="plain" onClick=${() => download(`${name}.csv`, "text/csv", figureCsv(figure))}>CSV</button>
        <button type="button" class="plain"
          onClick=${() => download(`${name}.json`, "application/json", JSON.stringify(figureSeries(figure)))}>JSON</button>
      </div>
    </footer>
  </article>`;
}

/** A figure of a finished job. @param {{job: string, name: string, version?: any, height?: string}} props */
export function JobFigure({ job, name, version, height = "340px" }) {
  const resource = useSteadyResource(`/jobs/${job}/figures/${name}?theme=${theme.value}`, version);
  if (resource.error)
    return html`<article class="figure"><${Failure} error=${resource.error} again=${resource.reload} /></article>`;
  if (!resource.data) {
    return html`<article class="figure" aria-busy="true">
      <${Skeleton} height="20px" width="60%" /><${Skeleton} height="20px" /><${Skeleton} height=${height} />
    </article>`;
  }
  return html`<${Figure} ...${resource.data} name=${name} height=${height} />`;
}
