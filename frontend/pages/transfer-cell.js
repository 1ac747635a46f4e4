// The images behind one cell of a transfer: which were answered wrongly, by whom and how surely; one of them in full.
import { useEffect, useRef } from "preact/hooks";

import { className, useModels } from "../catalog.js";
import { Select } from "../components/select.js";
import { Empty, Failure, Skeletons } from "../components/states.js";
import { Triptych } from "../components/tile.js";
import { count, number, percent } from "../format.js";
import { html } from "../html.js";
import { listenForKeys } from "../keys.js";
import { useSteadyResource } from "../resource.js";
import { place, setQuery, setting } from "../router.js";
import { moveFocus } from "./gallery-keys.js";
import { TransferExample } from "./transfer-example.js";
import { cellSentence, imagesOf, own, sourceName } from "./transfer-words.js";

const pageSize = 24;
const closed = { row: null, column: null, sort: null, success: null, offset: null, open: null };
const orders = [
  ["", "As in the job"],
  ["distortion", "Smallest change first"],
  ["-distortion", "Largest change first"],
  ["-confidence", "Most confident first"],
  ["confidence", "Least confident first"],
];
const outcomes = [
  ["", "All"],
  ["true", "Answered wrongly"],
  ["false", "Not fooled"],
];

/**
 * @typedef {{index: number, image_index: number, label: number, prediction: number, reached: number, source_prediction: number | null,
 *   source_reached: number | null, success: boolean, rms: number, l2: number, confidence_before: number, confidence_after: number, kept: boolean}} CellImage
 */

/** The step that attacked a source. @param {Job} job @param {string} source */
export const attackOf = (job, source) => job.steps?.find((step) => step.name === `attack ${source}`)?.job_id ?? null;

/** @param {{job: Job, row: number, column: number}} props */
export function TransferCell({ job, row, column }) {
  const { query } = place.value;
  const found = job.summary;
  const line = found.rows[row];
  const evaluated = found.models[column].name;
  const source = sourceName(found, line);
  const attack = line.source === null ? null : attackOf(job, source);
  const offset = Number(query.get("offset")) || 0;
  const wanted = new URLSearchParams({
    row: String(row),
    column: String(column),
    limit: String(pageSize),
    offset: String(offset),
  });
  for (const name of ["sort", "success"]) if (query.get(name)) wanted.set(name, String(query.get(name)));
  const { data, error, stale, reload } = useSteadyResource(`/jobs/${job.id}/examples?${wanted}`);
  const models = useModels();
  const known = models.data?.items ?? [];
  // A network that was deleted since tells no names; another one of the matrix reads images of the same shape.
  const model = known.find((each) => each.id === found.models[column].id);
  const shape = (model ?? known.find((each) => found.models.some((/** @type {Values} */ one) => one.id === each.id)))
    ?.input_shape ?? [1, 28, 28];
  const head = useRef(/** @type {HTMLElement | null} */ (null));
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const close = () => {
    const cell = document.querySelector(`[data-cell="${row},${column}"]`);
    setQuery(closed);
    if (cell instanceof HTMLElement) cell.focus();
  };
  useEffect(() => {
    head.current?.focus({ preventScroll: true });
    head.current?.scrollIntoView({ block: "start", behavior: "smooth" });
    return listenForKeys({ Escape: close });
  }, []);
  const set = (/** @type {string} */ name) => setting(name, { offset: null, open: null });
  const title =
    line.kind === "attack"
      ? `Made for ${source}, shown to ${own(found, line, column) ? "itself" : evaluated}`
      : `${imagesOf(found, line)
          .replace(/^./, (first) => first.toUpperCase())
          .replace(/,$/, "")}, shown to ${evaluated}`;
  return html`<section aria-label="Images of the cell" class="transfer-cell">
    <header class="heading" tabindex="-1" ref=${head}><h2>${title}</h2><button type="button" class="plain" onClick=${close}>Close</button></header>
    <p class="measure">${cellSentence(found, line, column)} ${attack && html`<a href=${`/jobs/${attack}`}>The attack on ${source}</a>`}</p>
    <div class="filters">
      <${Select} id="cell-outcome" label="Outcome" value=${query.get("success")} change=${set("success")} options=${outcomes} />
      <${Select} id="cell-order" label="Order" value=${query.get("sort")} change=${set("sort")} options=${orders} />
      ${data && html`<span class="muted amount" role="status">${count(data.matching)} of ${count(data.total)} images</span>`}
    </div>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${!error && (!data || models.loading) && html`<${Skeletons} count=${3} height="150px" />`}
    ${data && data.matching === 0 && html`<${Empty} title="No image fits this filter"><button type="button" onClick=${() => setQuery({ success: null, offset: null, open: null })}>Show all</button></${Empty}>`}
    ${
      data &&
      !models.loading &&
      html`<div class="gallery" ref=${list} style=${{ gridAutoFlow: "dense", opacity: stale ? 0.6 : 1 }} onKeyDown=${(/** @type {KeyboardEvent} */ event) => moveFocus(event, list.current)}>
      ${data.rows.map((/** @type {CellImage} */ image) => html`<${Tile} key=${image.index} job=${job} image=${image} shape=${shape} names=${model?.class_names ?? []} source=${source} evaluated=${evaluated} column=${column} attack=${line.kind === "attack" ? attack : null} open=${query.get("open") === String(image.index)} />`)}
    </div>`
    }
    ${
      data &&
      data.matching > pageSize &&
      html`<nav class="pager" aria-label="Pages of images">
      <button type="button" disabled=${offset === 0} onClick=${() => setQuery({ offset: Math.max(0, offset - pageSize) || null, open: null })}>Previous</button>
      <span class="muted">${count(offset + 1)} to ${count(Math.min(offset + pageSize, data.matching))}</span>
      <button type="button" disabled=${offset + pageSize >= data.matching} onClick=${() => setQuery({ offset: offset + pageSize, open: null })}>Next</button>
    </nav>`
    }
  </section>`;
}

/** @param {{job: Job, image: CellImage, shape: [number, number, number], names: string[], source: string, evaluated: string, column: number, attack: string | null, open: boolean}} props */
function Tile({ job, image, shape, names, source, evaluated, column, attack, open }) {
  const row = /** @type {any} */ (image);
  return html`<button type="button" class="tile" aria-expanded=${open} onClick=${() => setQuery({ open: open ? null : image.index })}>
      <${Triptych} job=${job.id} row=${row} shape=${shape} names=${names} />
      <span class="answers">
        ${source && source !== evaluated && html`<${Answer} name=${source} before=${image.source_prediction} after=${image.source_reached} names=${names} label=${image.label} />`}
        <${Answer} name=${evaluated} before=${image.prediction} after=${image.reached} names=${names} label=${image.label} sure=${[image.confidence_before, image.confidence_after]} />
        <span class="muted">labelled ${className(names, image.label)}</span><span class="muted" title="Distortion: root mean square of the change per pixel">${number(image.rms)} RMS</span>
      </span>
    </button>
    ${open && html`<${TransferExample} job=${job} index=${image.index} column=${column} attack=${attack} />`}`;
}

/** What a network said before and after; a wrong answer is marked by weight and a sign, not by colour alone. @param {{name: string, before: number | null, after: number | null, names: string[], label: number, sure?: [number, number]}} props */
function Answer({ name, before, after, names, label, sure }) {
  const said = (/** @type {number | null} */ answer) =>
    answer === label ? className(names, answer) : html`<strong>${className(names, answer)} ✗</strong>`;
  return html`<span class="who" title=${name}>${name}</span>
    <span>${said(before)} → ${said(after)}${sure && html` <span class="muted">${percent(sure[1])}</span>`}</span>`;
}
