// An image of a data set: by class, by number, at random, or by pointing at it.
import { useEffect } from "preact/hooks";

import { get } from "../api.js";
import { className } from "../catalog.js";
import { Select } from "../components/select.js";
import { Skeleton } from "../components/states.js";
import { Thumbnail, thumbnailSide } from "../components/thumbnail.js";
import { html, typed } from "../html.js";
import { listenForKeys } from "../keys.js";
import { useSteadyResource } from "../resource.js";
import { setQuery, setting } from "../router.js";

const shownAtOnce = 24;

/** @param {{state: import("./explore-state.js").ExploreChoice}} props */
export function ImagePicker({ state }) {
  const { dataset, split, index, pickClass } = state;
  const base = dataset ? `/datasets/${dataset.name}/${split}/images` : null;
  const chosenClass = pickClass === null ? "" : `class=${pickClass}&`;
  const start = pickClass === null ? Math.max(0, Math.floor(index / shownAtOnce) * shownAtOnce) : 0;
  const { data } = useSteadyResource(base && `${base}?${chosenClass}offset=${start}&limit=${shownAtOnce}`);
  const size = dataset?.sizes[split] ?? 0;
  const pick = (/** @type {number} */ next) => setQuery({ index: next, picture: null });
  const random = async () => {
    if (!dataset) return;
    if (pickClass === null) return pick(Math.floor(Math.random() * size));
    const total = data?.total ?? 1;
    const answer = await get(`${base}?class=${pickClass}&offset=${Math.floor(Math.random() * total)}&limit=1`);
    return answer.items[0] && pick(answer.items[0].index);
  };
  useEffect(() => listenForKeys({ r: random }), [base, pickClass, size, data?.total]);
  const room = (dataset?.shape?.[2] ?? 0) > 64 ? 64 : 40;
  const side = thumbnailSide(dataset?.shape?.[2] ?? 40, room);
  return html`<div class="picker">
    ${
      state.fitting.length > 1 &&
      html`<${Select} id="dataset" label="Data set" value=${dataset?.name ?? ""} options=${state.fitting.map((each) => [each.name, each.title])}
      change=${setting("dataset", { index: 0, class: null })} />`
    }
    <div class="row" style=${{ flexWrap: "nowrap", alignItems: "end" }}>
      <${Select} id="class" label="Class" value=${pickClass ?? ""} options=${[["", "All"], ...(dataset?.class_names ?? []).map((_, each) => [each, className(dataset?.class_names, each)])]}
        change=${setting("class")} />
      <div class="field"><label for="index">Number</label>
        <input id="index" type="number" min="0" max=${size - 1} value=${index} onChange=${typed((text) => pick(Number(text)))} /></div>
      <button type="button" onClick=${random} title="Another random image ( r )">Random</button>
    </div>
    <div class="thumbnails" role="group" aria-label="Images">
      ${data === null && Array.from({ length: 12 }, () => html`<${Skeleton} width=${`${side}px`} height=${`${side}px`} />`)}
      ${(base ? (data?.items ?? []) : []).map(
        (
          /** @type {{index: number, label: number}} */ item,
        ) => html`<button type="button" key=${item.index} aria-pressed=${item.index === index}
        title=${`Number ${item.index}, ${className(dataset?.class_names, item.label)}`} onClick=${() => pick(item.index)}>
        ${dataset && html`<${Thumbnail} dataset=${dataset} split=${split} index=${item.index} room=${room} words=${`${className(dataset.class_names, item.label)}, number ${item.index}`} />`}
      </button>`,
      )}
    </div>
  </div>`;
}
