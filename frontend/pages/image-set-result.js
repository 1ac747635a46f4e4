// A finished image set: what it holds, what was left out, and what to do with it now.
import { JobFigure } from "../components/figure.js";
import { Thumbnail } from "../components/thumbnail.js";
import { count, plural } from "../format.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";

/** @param {{job: Job}} props */
export function ImageSetResult({ job }) {
  const found = job.summary;
  const set = useResource(job.state === "succeeded" ? `/datasets/${found.dataset}` : null);
  if (job.state !== "succeeded") return null;
  if (set.error)
    return html`<section><div class="notice"><p>The set ${found.dataset} was deleted. “Run again” makes it anew, if its pictures are still there.</p></div></section>`;
  return html`<section>
      <${ImageSetFacts} found=${found} />
      ${set.data?.available && html`<${Sample} dataset=${set.data} />`}
      <div class="row"><a class="button primary" href=${`/data/${found.dataset}`}>See all images</a>
        ${found.sizes.train && found.sizes.test ? html`<a class="button" href=${`/train?dataset=${found.dataset}`}>Train on it</a>` : null}</div>
      ${Object.keys(found.broken).length > 0 && html`<${Broken} found=${found} />`}
    </section>
    ${found.class_names.length > 0 && html`<section><h2>Figures</h2><div class="figures">${(job.figures ?? []).map((name) => html`<${JobFigure} key=${name} job=${job.id} name=${name} />`)}</div></section>`}`;
}

/** @param {{found: Values}} props */
function ImageSetFacts({ found }) {
  const facts = [
    [
      "Images",
      count(found.images),
      found.sizes.train ? `${count(found.sizes.train)} train, ${count(found.sizes.test)} test` : "test",
    ],
    ["Classes", found.class_names.length ? count(found.class_names.length) : "none", found.class_names.slice(0, 3).join(", ")],
    ["Size", `${found.shape[1]} × ${found.shape[2]}`, found.shape[0] === 3 ? "colour" : "grey"],
    [
      "Left out",
      count(found.skipped + found.left_out),
      found.left_out ? `${count(found.left_out)} without a label` : "could not be read",
    ],
  ];
  return html`<dl class="facts">${facts.map(([name, value, unit]) => html`<div><dt>${name}</dt><dd>${value}<small>${unit}</small></dd></div>`)}</dl>`;
}

/** @param {{dataset: Dataset}} props */
function Sample({ dataset }) {
  const split = Object.keys(dataset.sizes)[0] ?? "test";
  const shown = Math.min(dataset.sizes[split] ?? 0, 12);
  const step = Math.max(1, Math.floor((dataset.sizes[split] ?? 0) / shown));
  return html`<div class="thumbnails">${Array.from({ length: shown }, (_, each) => html`<${Thumbnail} key=${each} dataset=${dataset} split=${split} index=${each * step} room=${96} words=${`Image ${each * step}`} />`)}</div>`;
}

/** @param {{found: Values}} props */
function Broken({ found }) {
  const shown = Object.entries(found.broken);
  return html`<details><summary>${plural(found.skipped, "picture")} could not be read</summary>
    <ul>${shown.map(([path, reason]) => html`<li>${path} ${reason}</li>`)}</ul>
    ${found.skipped > shown.length && html`<p class="muted">These are the first ones.</p>`}</details>`;
}
