// A job's title, changed in its place.
import { useState } from "preact/hooks";

import { request } from "../api.js";
import { html, typed } from "../html.js";
import { jobTitle } from "../jobs.js";

/** @param {{job: Job, changed: () => void}} props */
export function Title({ job, changed }) {
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const [problem, setProblem] = useState("");
  if (draft === null) {
    return html`<div class="row"><h1 tabindex="-1">${jobTitle(job)}</h1><button type="button" class="plain" onClick=${() => setDraft(job.title)}>Rename</button></div>`;
  }
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      await request("PATCH", `/jobs/${job.id}`, { title: draft.trim() });
      changed();
      setDraft(null);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return html`<form class="row" onSubmit=${save}>
    <input aria-label="Title" value=${draft} maxlength="200" autofocus style=${{ width: "min(100%, 420px)" }} onInput=${typed(setDraft)} />
    <button class="primary">Save</button><button type="button" onClick=${() => setDraft(null)}>Leave it</button>
    ${problem && html`<span class="bad" role="alert">${problem}</span>`}
  </form>`;
}
