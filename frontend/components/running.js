// The jobs that wait or run, with live progress and a way to stop them.
import { useState } from "preact/hooks";

import { live } from "../events.js";
import { html } from "../html.js";
import { cancelJob, jobPath, jobTitle, kindName } from "../jobs.js";
import { finished, Progress } from "./progress.js";

/** @param {{job: Job}} props */
export function CancelButton({ job }) {
  const [problem, setProblem] = useState("");
  const [asked, setAsked] = useState(false);
  const stop = async () => {
    setAsked(true);
    try {
      await cancelJob(job.id);
    } catch (error) {
      setAsked(false);
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  if (problem) return html`<span class="bad">${problem}</span>`;
  const waits = asked || job.cancel_requested;
  return html`<button type="button" disabled=${waits} onClick=${stop}>${waits ? "Cancelling" : "Cancel"}</button>`;
}

/** @param {{jobs: Job[]}} props */
export function Running({ jobs }) {
  const shown = jobs.map(live).filter((job) => !finished(job));
  return html`<ul class="running">
    ${shown.map(
      (job) => html`<li key=${job.id}>
      <div><a href=${jobPath(job)}>${jobTitle(job)}</a><small class="muted">${kindName(job)}</small></div>
      <${Progress} job=${job} />
      <${CancelButton} job=${job} />
    </li>`,
    )}
  </ul>`;
}
