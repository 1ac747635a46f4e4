// The plan of a job that is made of jobs: each step with its state, what it waits for, how far it is, and why it failed.
import { duration, plural } from "../format.js";
import { html } from "../html.js";
import { kindName } from "../jobs.js";
import { runAgain } from "./job-table.js";
import { Badge, finished } from "./progress.js";
import { Prose } from "./prose.js";
import { Plan } from "./steps-plan.js";

/** @param {JobState | "planned"} state */
const ended = (state) => ["succeeded", "failed", "cancelled"].includes(state);

/** The whole plan; folded where a result is shown, because that is what matters then. @param {{job: Job, folded?: boolean}} props */
export function Steps({ job, folded = false }) {
  const steps = job.steps ?? [];
  if (steps.length === 0) return null;
  const done = steps.filter((step) => step.state === "succeeded").length;
  const list = html`<${Plan} steps=${steps} /><ol class="plan">${steps.map((step) => html`<${Row} key=${step.name} step=${step} steps=${steps} over=${finished(job)} />`)}</ol>`;
  if (folded) {
    return html`<section aria-label="Steps"><details class="steps-done"><summary>${plural(steps.length, "step")}, all done</summary><div class="stack">${list}</div></details></section>`;
  }
  return html`<section aria-label="Steps">
    <header class="heading"><h2>Steps</h2><span class="muted">${done} of ${steps.length} done</span></header>
    ${list}
  </section>`;
}

/** The way on from a job whose step failed or that was cancelled: what succeeded is not computed again. @param {{job: Job}} props */
export function Continue({ job }) {
  const done = (job.steps ?? []).filter((step) => step.state === "succeeded").length;
  if (!job.steps?.length || !finished(job) || job.state === "succeeded") return null;
  const kept =
    done > 0 ? `${plural(done, "step")} of ${job.steps.length} succeeded and will not be computed again.` : "No step succeeded.";
  return html`<div class="row"><button type="button" class="primary" onClick=${() => runAgain(job)}>Run again from here</button><span class="muted">${kept}</span></div>`;
}

/** @param {{step: JobStep, steps: JobStep[], over: boolean}} props  `over`: nothing more will be started */
function Row({ step, steps, over }) {
  const job = /** @type {Job} */ (/** @type {unknown} */ (step));
  return html`<li data-state=${step.state}>
    ${over && step.state === "planned" ? html`<span class="badge" data-state="planned">Not started</span>` : html`<${Badge} job=${job} />`}
    <span class="what">
      ${step.job_id ? html`<a href=${`/jobs/${step.job_id}`}>${step.name}</a>` : html`<span>${step.name}</span>`}
      <small class="muted">${[step.title || kindName(job).toLowerCase(), over ? "" : waiting(step, steps)].filter(Boolean).join(", ")}</small>
    </span>
    <span class="far">
      ${step.state === "running" && html`<progress max="1" value=${step.fraction ?? 0} aria-label=${`${Math.round(100 * (step.fraction ?? 0))} % done`}></progress>`}
      <span class="muted">${step.seconds ? duration(step.seconds) : ""}</span>
    </span>
    ${step.error && html`<p class="bad"><${Prose} text=${step.error.message} /></p>`}
  </li>`;
}

/** "after train softmax1 and 3 more": what has to end first. @param {JobStep} step @param {JobStep[]} steps */
function waiting(step, steps) {
  if (step.state !== "planned") return "";
  const open = step.needs.filter((need) => !ended(steps.find((other) => other.name === need)?.state ?? "planned"));
  if (open.length === 0) return "";
  return `after ${open[0]}${open.length > 1 ? ` and ${open.length - 1} more` : ""}`;
}

/** Where a step belongs. @param {{job: Job}} props */
export function PartOf({ job }) {
  if (!job.parent) return null;
  const title = job.parent.title || kindName(/** @type {any} */ (job.parent));
  return html`<span>part of <a href=${`/jobs/${job.parent.id}`}>${title}</a></span>`;
}
