// Rows that somebody chose and named, as the paper's figures do; shown first, with who chose them.
import { useState } from "preact/hooks";

import { request } from "../api.js";
import { ago, count } from "../format.js";
import { html, typed } from "../html.js";
import { useResource } from "../resource.js";
import { Row } from "./units-rows.js";

/** @typedef {{items: Values[], problem: string, has: (row: number) => boolean, toggle: (row: number) => void,
 *   name: (row: number, caption: string) => Promise<void>}} Pins */

/** @param {string} job @returns {Pins} */
export function usePins(job) {
  const { data, reload } = useResource(`/jobs/${job}/pins`);
  const [problem, setProblem] = useState("");
  const items = data?.items ?? [];
  const change = async (/** @type {() => Promise<any>} */ act) => {
    try {
      await act();
      setProblem("");
      reload();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const has = (/** @type {number} */ row) => items.some((/** @type {Values} */ pin) => pin.row === row);
  return {
    items,
    problem,
    has,
    toggle: (row) =>
      change(() =>
        has(row) ? request("DELETE", `/jobs/${job}/pins/${row}`) : request("PUT", `/jobs/${job}/pins/${row}`, { caption: "" }),
      ),
    name: (row, caption) => change(() => request("PUT", `/jobs/${job}/pins/${row}`, { caption })),
  };
}

/** @param {{job: Job, pins: Pins}} props */
export function PinnedRows({ job, pins }) {
  if (pins.items.length === 0) return pins.problem ? html`<p class="bad" role="alert">${pins.problem}</p>` : null;
  return html`<div class="pinned">
    <h3>Pinned <small class="muted">${count(pins.items.length)} of ${count(job.summary.inspected)} inspected, chosen by hand</small></h3>
    ${pins.problem && html`<p class="bad" role="alert">${pins.problem}</p>`}
    ${pins.items.map(
      (
        pin,
      ) => html`<${Row} key=${pin.row} job=${job} row=${pin.facts} found=${job.summary} pinned=${true} toggle=${() => pins.toggle(pin.row)}>
      <${Caption} pin=${pin} save=${(/** @type {string} */ caption) => pins.name(pin.row, caption)} />
    </${Row}>`,
    )}
  </div>`;
}

/** @param {{pin: Values, save: (caption: string) => void}} props */
function Caption({ pin, save }) {
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    save((draft ?? "").trim());
    setDraft(null);
  };
  if (draft === null) {
    return html`<p><em>${pin.caption || "What do these images share?"}</em> <button type="button" class="plain" onClick=${() => setDraft(pin.caption)}><small>${pin.caption ? "Change" : "Name it"}</small></button>${" "}<small class="muted">${pin.owner}, ${ago(pin.created_at)}</small></p>`;
  }
  return html`<form class="row" onSubmit=${send}><input aria-label="What these images share" value=${draft} maxlength="200" autofocus onInput=${typed(setDraft)} />
    <button class="primary">Save</button><button type="button" onClick=${() => setDraft(null)}>Leave it</button></form>`;
}
