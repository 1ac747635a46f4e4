// Where the shown example comes from, and what to do with it.
import { useState } from "preact/hooks";

import { post } from "../api.js";
import { html } from "../html.js";
import { differs } from "./explore-state.js";
import { jobPath, jobTitle } from "../jobs.js";

/** @param {{job: Job, facts: ExampleFacts | null, chosen: import("./explore-state.js").ExploreChoice}} props */
export function Origin({ job, facts, chosen }) {
  const [kept, setKept] = useState("");
  const images = job.spec?.images ?? {};
  const what =
    images.source === "upload" ? "Your picture" : `Image ${facts?.image_index ?? "…"} of ${images.dataset}, ${images.split}`;
  const keep = async () => {
    await post(`/jobs/${job.id}/keep`);
    setKept(job.id);
  };
  const interactive = job.lane === "interactive";
  return html`<p class="row muted">
    <span>${what}, ${job.model?.name}</span>
    ${!interactive && html`<a href=${jobPath(job)}>${jobTitle(job)}</a>`}
    ${interactive && (job.kept || kept === job.id ? html`<a href=${jobPath(job)}>In the history</a>` : html`<button type="button" class="plain" onClick=${keep}>Keep in the history</button>`)}
    ${facts && differs(chosen, job, facts) && html`<span>You have chosen another: press Attack.</span>`}
  </p>`;
}
