// What a spectral job found: the bound in words, the layers, what stands against the bound, the figures.
import { JobFigure } from "../components/figure.js";
import { finished } from "../components/progress.js";
import { Skeleton } from "../components/states.js";
import { count, number } from "../format.js";
import { html } from "../html.js";
import { Exports } from "./attack-result.js";
import { SpectralLayers } from "./spectral-layers.js";
import { SpectralReference } from "./spectral-reference.js";

/** @param {{job: Job}} props */
export function SpectralResult({ job }) {
  if (job.state !== "succeeded") {
    return finished(job)
      ? null
      : html`<section aria-busy="true"><p class="muted">The layers appear here when all of them are computed.</p><${Skeleton} height="200px" /></section>`;
  }
  const found = job.summary;
  const attacked = Boolean(found.measured?.attack);
  const figures = ["bounds", "spectrum", "growth", ...(found.measured ? ["gain"] : []), ...(attacked ? ["radius"] : [])];
  return html`<section aria-label="What was found">
      <p class="verdict measure">${found.conclusion}</p>
      <p class="muted measure">Large products do not imply adversarial examples; small ones exclude them.</p>
      <${Headline} found=${found} />
      <${Exports} job=${job} />
    </section>
    <section><h2>Layers</h2><${SpectralLayers} found=${found} /></section>
    <section><h2>From the layers to the network</h2><${Product} found=${found} />${!found.reference.compared && html`<${SpectralReference} found=${found} />`}</section>
    ${found.reference.compared && html`<${SpectralReference} found=${found} />`}
    <section><h2>Figures</h2><div class="figures">
      ${figures.map((name) => html`<${JobFigure} key=${name} job=${job.id} name=${name} />`)}
    </div></section>`;
}

/** @param {{found: Values}} props */
function Headline({ found }) {
  const { measured, bound, product } = found;
  const facts = [
    ["Bound", number(bound), "times the length of a change, at most"],
    ["Product of the norms", number(product), "without pooling and activations"],
  ];
  if (measured) {
    facts.push(
      [
        "Largest local gain",
        number(measured.gain_max),
        `near ${count(measured.images)} images; median ${number(measured.gain_median)}`,
      ],
      ["Bound over gain", number(measured.bound_over_gain), "times as large as what was seen"],
      ["Certified radius, median", number(measured.radius_median), `L2, of ${count(measured.right)} images answered rightly`],
    );
  }
  if (measured?.attack?.images) {
    const { l2_median, ratio_median, images, nearer_than_radius } = measured.attack;
    facts.push(
      ["Attack's distance, median", number(l2_median), `L2, of ${count(images)} images that were fooled`],
      [
        "Distance over radius",
        number(ratio_median),
        nearer_than_radius
          ? `${count(nearer_than_radius)} lie nearer: the bound is wrong`
          : "median; none lies nearer than certified",
      ],
    );
  }
  return html`<dl class="facts spectral-facts">${facts.map(([name, value, unit]) => html`<div><dt>${name}</dt><dd>${value}<small>${unit}</small></dd></div>`)}</dl>`;
}

/** @type {{[operation: string]: string}} */
const spoken = {
  add: "sum of branches",
  cat: "branches joined",
  maxpool2d: "max pooling",
  avgpool2d: "average pooling",
  adaptiveavgpool2d: "average pooling",
  mul: "multiplication by constants",
  localresponsenorm: "contrast normalisation",
  truediv: "division of the pixels by their scale",
};

/** How the bound comes about, in words. @param {{found: Values}} props */
function Product({ found }) {
  /** @type {Values[]} */
  const factors = found.factors;
  const alone = factors.filter((each) => each.inputs === 1);
  const joins = factors.length - alone.length;
  const chain = found.layers.length <= 8 && joins === 0;
  return html`<div class="stack measure">
    <p>The norms of the ${count(found.layers.length)} ${found.layers.length === 1 ? "layer" : "layers"} multiply to <strong>${number(found.product)}</strong>${chain ? html` = ${found.layers.map((/** @type {Values} */ line) => number(line.upper)).join(" · ")}` : ""}.
      ${joins > 0 ? ` Where branches meet, ${count(joins)} times, their bounds are added or joined.` : ""}</p>
    <p>${
      alone.length === 0
        ? html`Nothing between the layers changes that: ReLU and pooling without overlap have the factor 1.`
        : html`Between the layers stand ${grouped(alone)}, which makes the bound <strong>${number(found.bound)}</strong>.`
    }</p>
  </div>`;
}

/** "2 × sigmoid (factor 0.25)". @param {Values[]} factors */
function grouped(factors) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  for (const { operation, factor } of factors) {
    const text = `${spoken[operation] ?? operation} (factor ${number(factor)})`;
    seen.set(text, (seen.get(text) ?? 0) + 1);
  }
  const texts = [...seen].map(([text, times]) => (times === 1 ? text : `${count(times)} × ${text}`));
  return texts.length > 1 ? `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}` : texts[0];
}
