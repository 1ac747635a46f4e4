// One Plotly drawing. The library is loaded when the first one is needed; nothing is ever sent anywhere.
import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../html.js";
import { Skeleton } from "./states.js";

const config = {
  displaylogo: false,
  showSendToCloud: false,
  plotlyServerURL: "",
  responsive: true,
  scrollZoom: false,
  modeBarButtonsToRemove: ["toImage", "select2d", "lasso2d", "autoScale2d"],
};

/** @type {Promise<Plotly> | null} */
let library = null;

/** @returns {Promise<Plotly>} */
export function loadPlotly() {
  library ??= new Promise((resolve, reject) => {
    const link = /** @type {HTMLLinkElement} */ (document.getElementById("plotly"));
    const script = document.createElement("script");
    script.src = link.href;
    script.integrity = link.integrity;
    script.onload = () => resolve(/** @type {Plotly} */ (window.Plotly));
    script.onerror = () => {
      library = null;
      reject(new Error("The drawing library could not be loaded."));
    };
    document.head.append(script);
  });
  return library;
}

/**
 * @param {{figure: PlotlyFigure, label: string, height?: string, drawn?: (element: HTMLElement) => void}} props
 * `drawn` is called with the element after each drawing.
 */
export function Plot({ figure, label, height = "340px", drawn }) {
  const element = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [state, setState] = useState("loading");
  useEffect(() => {
    let live = true;
    loadPlotly()
      .then((plotly) => {
        const target = element.current;
        if (!live || !target) return null;
        const layout = { ...figure.layout, autosize: true, width: undefined, height: undefined };
        return plotly.react(target, figure.data, layout, config).then(() => {
          if (!live) return;
          setState("drawn");
          drawn?.(target);
        });
      })
      .catch((error) => live && setState(error.message));
    return () => {
      live = false;
    };
  }, [figure]);
  useEffect(() => {
    const target = element.current;
    return () => {
      if (target) window.Plotly?.purge(target);
    };
  }, []);
  const box = height === "auto" ? {} : { height };
  return html`<div class="plot" style=${box} role="img" aria-label=${label}>
    ${state === "loading" && html`<${Skeleton} height="100%" />`}
    ${state !== "loading" && state !== "drawn" && html`<p class="bad">${state}</p>`}
    <div ref=${element} style=${{ position: "absolute", inset: 0 }}></div>
  </div>`;
}
