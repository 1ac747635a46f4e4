// Jobs as rows: what, with which model, how it went, when.
import { live } from "../events.js";
import { ago, moment, plural } from "../format.js";
import { html } from "../html.js";
import { deleteJob, jobPath, jobTitle, kindName, outcome, rerunJob } from "../jobs.js";
import { navigate } from "../router.js";
import { Confirm } from "./confirm.js";
import { Badge, finished, Progress } from "./progress.js";
import { Prose } from "./prose.js";
import { CancelButton } from "./running.js";

/** @param {{jobs: Job[], actions?: boolean, kind?: boolean}} props */
export const JobTable = ({ jobs, actions = false, kind = false }) => html`<div class="scroll history">
  <table>
    <thead><tr><th>Job</th><th>Model</th><th>State</th><th>Result</th><th>When</th>${actions && html`<th><span class="visually-hidden">Actions</span></th>`}</tr></thead>
    <tbody>${jobs.map((job) => html`<${Row} key=${job.id} job=${live(job)} actions=${actions} kind=${kind} />`)}</tbody>
  </table>
</div>`;

/** Where the form for a changed copy of a job is. @param {Job} job */
export function changedPath(job) {
  const asked = job.spec ?? job.summary;
  if (job.kind === "reproduce" && asked.experiment) return `/reproduce?experiment=${asked.experiment}&preset=${asked.preset}`;
  if (job.kind === "adversarial_training") return `/train/adversarial?from=${job.id}`;
  if (job.kind === "spectral") return `/spectral/new?from=${job.id}`;
  if (job.kind === "units") return `/units/new?from=${job.id}`;
  if (job.kind === "image_set") return `/data/add?from=${job.id}`;
  if (job.kind === "import_model") return `/models/add?from=${job.id}`;
  if (job.kind === "transfer") return `/transfer/new?from=${job.id}`;
  return job.kind === "attack" ? `/attacks/new?from=${job.id}` : job.kind === "train" ? `/train?from=${job.id}` : null;
}

/** @param {Job} job */
export async function runAgain(job) {
  navigate(jobPath(await rerunJob(job.id)));
}

/** @param {{job: Job, actions: boolean, kind: boolean}} props */
function Row({ job, actions, kind }) {
  const changed = changedPath(job);
  return html`<tr>
    <td><a class="title" href=${jobPath(job)}>${jobTitle(job)}</a>${kind && html`<div><small class="muted">${kindName(job)}${job.step_count ? `, ${plural(job.step_count, "step")}` : ""}${job.lane === "interactive" ? ", from Explore" : ""}</small></div>`}</td>
    <td class="muted">${job.model?.name ?? ""}${job.model && job.dataset ? ", " : ""}${job.dataset ?? ""}</td>
    <td><${Badge} job=${job} /></td>
    <td>${finished(job) ? html`<${Prose} text=${outcome(job)} />` : html`<${Progress} job=${job} />`}</td>
    <td class="muted" title=${moment(job.created_at)}>${ago(job.created_at)}</td>
    ${
      actions &&
      html`<td><div class="row">
      ${
        finished(job)
          ? html`<button type="button" class="plain" onClick=${() => runAgain(job)}>Run again</button>
            ${changed && html`<a href=${changed} title="Run it with changed parameters">Change</a>`}
            <${Confirm} plain label="Delete" question="Delete for good?" confirm="Delete" act=${() => deleteJob(job.id)} />`
          : html`<${CancelButton} job=${job} />`
      }
    </div></td>`
    }
  </tr>`;
}
