// One data set: its images by class, page by page, and what can be done with it.
import { request } from "../api.js";
import { className, shapeWords } from "../catalog.js";
import { Confirm } from "../components/confirm.js";
import { Select } from "../components/select.js";
import { Failure, Heading, Skeletons } from "../components/states.js";
import { Thumbnail } from "../components/thumbnail.js";
import { bytes, count } from "../format.js";
import { html } from "../html.js";
import { forget, useResource, useSteadyResource } from "../resource.js";
import { navigate, place, setQuery, setting } from "../router.js";
import { sources } from "./data.js";

const pageSize = 120;

/** @param {{name: string}} props */
export function DataSet({ name }) {
  const { data: dataset, error, reload } = useResource(`/datasets/${encodeURIComponent(name)}`);
  if (error?.status === 404 || (dataset && !dataset.available)) {
    return html`<section><div class="notice"><h1>This data set is not here</h1><p>${dataset?.reason || "It was deleted, or the link is from another installation."}</p><a class="button" href="/data">All data sets</a></div></section>`;
  }
  if (error) return html`<section><${Failure} error=${error} again=${reload} /></section>`;
  if (!dataset) return html`<section><${Skeletons} count=${6} height="48px" /></section>`;
  const remove = async () => {
    await request("DELETE", `/datasets/${name}`);
    forget("/datasets");
    navigate("/data");
  };
  const sizes = Object.entries(dataset.sizes).map(([split, size]) => `${count(Number(size))} ${split}`);
  const classes = dataset.class_names.length ? `${count(dataset.class_names.length)} classes` : "no labels";
  const trainable = dataset.class_names.length > 0 && dataset.sizes.train && dataset.sizes.test;
  return html`<section>
      <${Heading} title=${dataset.title} lead=${[shapeWords(dataset.shape), ...sizes, classes].join(" · ")}>
        ${trainable && html`<a class="button primary" href=${`/train?dataset=${dataset.name}`}>Train on it</a>`}
        ${dataset.source === "imported" && html`<${Confirm} label="Delete" question="Delete this set? Its pictures are kept nowhere else here." confirm="Delete" act=${remove} />`}
      </${Heading}>
      <p class="muted">${dataset.name}, ${sources[dataset.source] ?? dataset.source}, ${bytes(dataset.bytes)}. <code title="SHA-256 of pixels and labels">${dataset.sha256.slice(0, 12)}…</code></p>
    </section>
    <${Images} dataset=${dataset} />`;
}

/** @param {{dataset: Dataset}} props */
function Images({ dataset }) {
  const { query } = place.value;
  const splits = Object.keys(dataset.sizes);
  const split = query.get("split") ?? splits.at(-1) ?? "test";
  const label = query.get("class") ?? "";
  const offset = Number(query.get("offset")) || 0;
  const only = label === "" ? "" : `class=${label}&`;
  const { data, error, stale, reload } = useSteadyResource(
    `/datasets/${dataset.name}/${split}/images?${only}offset=${offset}&limit=${pageSize}`,
  );
  const names = dataset.class_names;
  const room = (dataset.shape?.[2] ?? 0) > 64 ? 112 : 64;
  const turn = (/** @type {number} */ to) => setQuery({ offset: to || null }, { push: true });
  return html`<section aria-label="Images">
    <div class="filters">
      ${splits.length > 1 && html`<${Select} id="set-split" label="Split" value=${split} options=${splits.map((each) => [each, each])} change=${setting("split", { offset: null })} />`}
      ${names.length > 0 && html`<${Select} id="set-class" label="Class" value=${label} options=${[["", "All"], ...names.map((_, each) => [each, className(names, each)])]} change=${setting("class", { offset: null })} />`}
    </div>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${data && data.total === 0 && html`<p class="muted">There is no ${split} image of this class.</p>`}
    <div class="thumbnails captioned" style=${{ opacity: stale ? 0.6 : 1, "--room": `${room}px` }}>
      ${(data?.items ?? []).map(
        (/** @type {{index: number, label: number}} */ item) => html`<figure key=${`${split} ${item.index}`}>
        <${Thumbnail} dataset=${dataset} split=${split} index=${item.index} room=${room} words=${item.label < 0 ? `Image ${item.index}` : `${className(names, item.label)}, number ${item.index}`} />
        ${item.label >= 0 && html`<figcaption title=${className(names, item.label)}>${className(names, item.label)}</figcaption>`}
      </figure>`,
      )}
    </div>
    ${
      data &&
      data.total > pageSize &&
      html`<nav class="pager" aria-label="Pages of images">
      <button type="button" disabled=${offset === 0} onClick=${() => turn(Math.max(0, offset - pageSize))}>Previous</button>
      <span class="muted">${count(offset + 1)} to ${count(Math.min(offset + pageSize, data.total))} of ${count(data.total)}</span>
      <button type="button" disabled=${offset + pageSize >= data.total} onClick=${() => turn(offset + pageSize)}>Next</button>
    </nav>`
    }
  </section>`;
}
