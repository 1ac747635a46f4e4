// How far a job is, and when it will be done.
import { count, duration } from "../format.js";
import { html } from "../html.js";
import { Prose } from "./prose.js";

/** @type {{[state: string]: string}} */
const spoken = {
  planned: "Planned",
  queued: "Waiting",
  running: "Running",
  succeeded: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

/** @param {{job: Job}} props */
export const Badge = ({ job }) => html`<span class="badge" data-state=${job.state}>
  ${job.cancel_requested && job.state === "running" ? "Cancelling" : spoken[job.state]}
</span>`;

/** @param {Job} job */
export const finished = (job) => !["queued", "running"].includes(job.state);

/** @param {{job: Job}} props */
export function Progress({ job }) {
  const { done = 0, total = 0, eta_seconds: left = null, message = "" } = job.progress ?? {};
  const share = job.progress?.fraction ?? (total > 0 ? done / total : 0);
  const amount = total > 1 ? `${count(done)} of ${count(total)}` : "";
  const words = job.state === "queued" ? (job.waiting_for ?? "Waiting for a worker") : message || amount;
  const remaining = left !== null && job.state === "running" ? `about ${duration(left)} left` : "";
  return html`<div class="progress">
    <progress max="1" value=${share} aria-label=${`${Math.round(share * 100)} % done`}></progress>
    <div class="row" data-state=${job.state}>
      <span title=${words}><${Prose} text=${words || "Starting"} /></span>
      <span>${job.state === "running" ? [`${Math.floor(100 * share)} %`, remaining].filter(Boolean).join(" · ") : ""}</span>
    </div>
  </div>`;
}
