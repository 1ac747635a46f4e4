// The colours of the style sheet, for drawings that are made in the browser.
import { signal } from "@preact/signals";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** What the reader chose; "" follows the system. */
export const chosenTheme = signal(document.documentElement.dataset.theme ?? "");

/** The theme in force: "light" or "dark". */
export const theme = signal(current());

function current() {
  return document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
}

dark.addEventListener("change", () => {
  theme.value = current();
});

/** @param {"" | "light" | "dark"} name */
export function chooseTheme(name) {
  if (name) {
    document.documentElement.dataset.theme = name;
    localStorage.setItem("theme", name);
  } else {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem("theme");
  }
  chosenTheme.value = name;
  theme.value = current();
}

/** A token of the style sheet as a colour that Plotly understands. @param {string} token */
export function colour(token) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** The base layout of drawings made here, as experiments/drawing.py lays out the service's. */
export function baseLayout() {
  const axis = {
    gridcolor: colour("line"),
    linecolor: colour("edge"),
    zeroline: false,
    tickcolor: colour("edge"),
    automargin: true,
  };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 13, color: colour("ink") },
    margin: { l: 56, r: 16, t: 16, b: 44 },
    xaxis: { ...axis },
    yaxis: { ...axis },
    hoverlabel: { bgcolor: colour("raised"), bordercolor: colour("line"), font: { color: colour("ink") } },
    showlegend: false,
  };
}
