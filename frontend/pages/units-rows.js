// The images that move each direction most, two arms side by side.
import { className } from "../catalog.js";
import { Select } from "../components/select.js";
import { Failure, Skeletons } from "../components/states.js";
import { Thumbnail } from "../components/thumbnail.js";
import { count, number, percent } from "../format.js";
import { html } from "../html.js";
import { useSteadyResource } from "../resource.js";
import { place, setQuery, setting } from "../router.js";
import { PinnedRows, usePins } from "./units-pins.js";

const few = 12;
const most = 200;

/** @param {{job: Job}} props */
export function UnitsRows({ job }) {
  const { query } = place.value;
  const pins = usePins(job.id);
  /** @type {Values[]} */
  const arms = job.summary.arms;
  const named = (/** @type {string | null} */ name, /** @type {string} */ usual, /** @type {number} */ other) => {
    const found = [name, usual].map((each) => arms.findIndex((arm) => arm.arm === each)).find((at) => at >= 0);
    return found ?? Math.min(other, arms.length - 1);
  };
  const left = named(query.get("left"), "natural", 0);
  const right = named(query.get("right"), "random", 1);
  const all = query.get("rows") === "all";
  const options = arms.map((arm) => [arm.arm, arm.title]);
  const label = query.get("label") ?? "";
  const names = job.summary.class_names.map((/** @type {string} */ name, /** @type {number} */ each) => [each, name]);
  const larger = Math.max(arms[left]?.directions, arms[right]?.directions);
  return html`<section aria-label="Rows of images" class="units">
    <h2>Rows of images</h2>
    <p class="measure">Each row is one direction: the images with its highest scores, the highest first. The bars are its mean score on the images of each class. The directions were drawn at random; none was chosen for its looks, unless somebody pinned it.</p>
    <${PinnedRows} job=${job} pins=${pins} />
    <div class="filters">
      <${Select} id="left-arm" label="On the left" value=${arms[left]?.arm} change=${setting("left")} options=${options} />
      <${Select} id="right-arm" label="On the right" value=${arms[right]?.arm} change=${setting("right")} options=${options} />
      <${Select} id="row-label" label="Most common label" value=${label} change=${setting("label")} options=${[["", "Any"], ...names]} />
      <${Rotation} arms=${arms} shown=${arms[right]?.arm} />
    </div>
    <div class="sides">
      ${[left, right].map((arm, side) => html`<${Side} key=${side} job=${job} pins=${pins} arm=${arm} limit=${all ? most : few} label=${label} />`)}
    </div>
    ${larger > few && html`<div><button type="button" onClick=${() => setQuery({ rows: all ? null : "all" })}>${all ? `Show ${few} rows` : larger > most ? `Show ${most} rows` : "Show all rows"}</button></div>`}
  </section>`;
}

/** From single units to random directions, where the job has stops between. @param {{arms: Values[], shown: string}} props */
function Rotation({ arms, shown }) {
  const share = (/** @type {Values} */ arm) => (arm.arm === "natural" ? 0 : arm.arm === "random" ? 1 : arm.share);
  const stops = arms.filter((arm) => share(arm) !== null).sort((a, b) => share(a) - share(b));
  if (stops.length < 3) return null;
  const at = stops.findIndex((arm) => arm.arm === shown);
  const said = at < 0 ? "Rotation" : `Rotated by ${percent(share(stops[at] ?? {}))}`;
  return html`<div class="field">
    <label for="rotation">${said}</label>
    <input id="rotation" type="range" min="0" max=${stops.length - 1} step="1" value=${Math.max(at, 0)} aria-valuetext=${said}
      onInput=${(/** @type {any} */ event) => setQuery({ right: stops[Number(event.target.value)]?.arm })} />
  </div>`;
}

/** @param {{job: Job, pins: import("./units-pins.js").Pins, arm: number, limit: number, label: string}} props */
function Side({ job, pins, arm, limit, label }) {
  const only = label === "" ? "" : `&true_class=${label}`;
  const { data, error, reload, stale } = useSteadyResource(`/jobs/${job.id}/examples?row=${arm}&limit=${limit}${only}`);
  const facts = job.summary.arms[arm];
  return html`<div class="side" data-arm=${facts.arm}>
    <h3>${facts.title} <small class="muted">${data && !stale ? `${count(data.rows.length)} of ${count(data.matching)}${only && ` with that label, of ${count(facts.directions)}`}` : ""}</small></h3>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${!data && !error && html`<${Skeletons} count=${4} height="96px" />`}
    ${data?.rows.map((/** @type {UnitRow} */ row) => html`<${Row} key=${row.index} job=${job} row=${row} found=${job.summary} pinned=${pins.has(row.index)} toggle=${() => pins.toggle(row.index)} />`)}
  </div>`;
}

/** @param {{job: Job, row: UnitRow, found: Values, pinned?: boolean, toggle?: () => void, children?: View}} props */
export function Row({ job, row, found, pinned = false, toggle, children }) {
  const room = found.input_shape[2] > 64 ? 64 : 56;
  const label = row.top_classes.indexOf(Math.max(...row.top_classes));
  const name = (/** @type {number} */ each) => className(found.class_names, each);
  const said = row.constant
    ? "never changes"
    : found.class_names.length === 0
      ? `likeness ${number(row.coherence, 2)}`
      : `${count(row.top_classes[label])} of ${count(row.top_label.length)} are ${name(label)}, likeness ${number(row.coherence, 2)}`;
  return html`<article class="unit">
    <p><strong>${found.arms[row.arm].row} ${row.unit}</strong> <span class="muted">${said}</span> <a class="muted" href=${`/api/v1/jobs/${job.id}/examples/${row.index}`} download=${`direction-${row.index}.json`} title="The direction as data: its numbers, seed, images and scores">data</a>${toggle && html` <button type="button" class="plain" aria-pressed=${pinned} onClick=${toggle}>${pinned ? "Unpin" : "Pin"}</button>`}</p>
    ${children}
    <div class="images">
      ${row.image_index.map(
        (image, rank) =>
          html`<${Thumbnail} key=${image} dataset=${{ name: found.dataset, shape: found.input_shape }} split=${found.split} index=${image} room=${room} words=${name(row.top_label[rank] ?? -1)}
          title=${`${name(row.top_label[rank] ?? -1)}, image ${image}${row.score[rank] === null ? "" : `, score ${number(row.score[rank])}`}`} />`,
      )}
    </div>
    <${Profile} row=${row} name=${name} />
  </article>`;
}

/** Mean score of each class, from the lowest to the highest. @param {{row: UnitRow, name: (label: number) => string}} props */
function Profile({ row, name }) {
  const known = row.class_mean.filter((each) => each !== null);
  if (known.length < 2 || row.class_mean.length > 40) return null;
  const low = Math.min(0, ...known);
  const span = Math.max(0, ...known) - low || 1;
  const said = row.class_mean.map((each, label) => `${name(label)}: ${number(each)}`).join(", ");
  return html`<div class="profile" role="img" aria-label=${`Mean score of each class. ${said}`}>
    ${row.class_mean.map(
      (each, label) =>
        html`<span title=${`${name(label)}: mean score ${number(each)}`}><i style=${{ height: `${Math.round((24 * ((each ?? low) - low)) / span)}px` }}></i></span>`,
    )}
  </div>`;
}
