// The examples of an attack, sorted and filtered; arrows move, Enter opens one in its place.
import { useRef } from "preact/hooks";

import { className, useModels } from "../catalog.js";
import { Example } from "../components/example.js";
import { Select } from "../components/select.js";
import { Empty, Failure, Skeletons } from "../components/states.js";
import { Caption, Triptych } from "../components/tile.js";
import { count } from "../format.js";
import { html } from "../html.js";
import { useSteadyResource } from "../resource.js";
import { place, setQuery, setting } from "../router.js";
import { moveFocus } from "./gallery-keys.js";

const pageSize = 48;
const filters = ["sort", "true_class", "reached_class", "target_class", "success"];
const orders = [
  ["", "As in the job"],
  ["distortion", "Smallest change first"],
  ["-distortion", "Largest change first"],
  ["-confidence", "Most confident first"],
  ["confidence", "Least confident first"],
];

/** @param {{job: Job}} props */
export function Gallery({ job }) {
  const { query } = place.value;
  const models = useModels();
  const offset = Number(query.get("offset")) || 0;
  const wanted = new URLSearchParams({ limit: String(pageSize), offset: String(offset) });
  for (const name of filters) if (query.get(name)) wanted.set(name, String(query.get(name)));
  const { data, error, stale, reload } = useSteadyResource(`/jobs/${job.id}/examples?${wanted}`);
  const model = models.data?.items.find((each) => each.id === job.model?.id) ?? null;
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const names = model?.class_names ?? [];
  const classes = [["", "Any"], ...names.map((_, index) => [index, className(names, index)])];
  const set = (/** @type {string} */ name) => setting(name, { offset: null, open: null });
  return html`<section aria-label="Examples">
    <header class="heading"><h2>Examples</h2>${data && html`<span class="muted" role="status">${count(data.matching)} of ${count(data.total)}</span>`}</header>
    <div class="filters">
      <${Select} id="gallery-sort" label="Order" value=${query.get("sort")} change=${set("sort")} options=${orders} />
      <${Select} id="gallery-true" label="True class" value=${query.get("true_class")} change=${set("true_class")} options=${classes} />
      <${Select} id="gallery-reached" label="Reached class" value=${query.get("reached_class")} change=${set("reached_class")} options=${classes} />
      <${Select} id="gallery-target" label="Target" value=${query.get("target_class")} change=${set("target_class")} options=${classes} />
      <${Select} id="gallery-success" label="Outcome" value=${query.get("success")} change=${set("success")} options=${[
        ["", "Any"],
        ["true", "Reached"],
        ["false", "Not reached"],
      ]} />
    </div>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${!error && (!data || !model) && html`<${Skeletons} count=${4} height="120px" />`}
    ${
      data &&
      data.matching === 0 &&
      html`<${Empty} title="No example fits these filters">
      <button type="button" onClick=${() => setQuery({ ...Object.fromEntries(filters.map((name) => [name, null])), offset: null, open: null })}>Clear the filters</button>
    </${Empty}>`
    }
    ${
      data &&
      model &&
      data.matching > 0 &&
      html`<div class="wide"><div class="gallery" style=${{ gridAutoFlow: "dense", opacity: stale ? 0.6 : 1 }} ref=${list}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => moveFocus(event, list.current)}>
      ${data.rows.map((/** @type {ExampleRow} */ row) => html`<${Tile} key=${row.index} job=${job} row=${row} model=${model} open=${query.get("open") === String(row.index)} />`)}
    </div></div>`
    }
    ${
      data &&
      data.matching > pageSize &&
      html`<nav class="pager" aria-label="Pages of examples">
      <button type="button" disabled=${offset === 0} onClick=${() => setQuery({ offset: Math.max(0, offset - pageSize) || null, open: null }, { push: true })}>Previous</button>
      <span class="muted">${count(offset + 1)} to ${count(Math.min(offset + pageSize, data.matching))}</span>
      <button type="button" disabled=${offset + pageSize >= data.matching} onClick=${() => setQuery({ offset: offset + pageSize, open: null }, { push: true })}>Next</button>
    </nav>`
    }
  </section>`;
}

/** @param {{job: Job, row: ExampleRow, model: Model, open: boolean}} props */
function Tile({ job, row, model, open }) {
  return html`<button type="button" class="tile" aria-expanded=${open} onClick=${() => setQuery({ open: open ? null : row.index })}>
      <${Triptych} job=${job.id} row=${row} shape=${model.input_shape} names=${model.class_names} />
      <${Caption} row=${row} names=${model.class_names} />
    </button>
    ${
      open &&
      html`<div class="opened stack">
      <p class="row spread"><a href=${`/explore?job=${job.id}&row=${row.index}`}>Open on Explore</a><button type="button" class="plain" onClick=${() => setQuery({ open: null })}>Close</button></p>
      <${Example} job=${job.id} row=${row.index} />
    </div>`
    }`;
}
