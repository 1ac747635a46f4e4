// One job: what it is, how far it is, what came out, and what it was asked.
import { useState } from "preact/hooks";

import { post } from "../api.js";
import { Confirm } from "../components/confirm.js";
import { changedPath, runAgain } from "../components/job-table.js";
import { Prose } from "../components/prose.js";
import { Badge, finished, Progress } from "../components/progress.js";
import { CancelButton } from "../components/running.js";
import { Continue, PartOf, Steps } from "../components/steps.js";
import { Failure, Skeletons } from "../components/states.js";
import { Title } from "../components/title.js";
import { ago, duration, moment } from "../format.js";
import { html } from "../html.js";
import { useJob } from "../job.js";
import { deleteJob, kindName } from "../jobs.js";
import { navigate } from "../router.js";
import { AdversarialResult } from "./adversarial-result.js";
import { AttackResult } from "./attack-result.js";
import { FetchResult } from "./fetch-result.js";
import { ImageSetResult } from "./image-set-result.js";
import { ImportResult } from "./import-result.js";
import { JobParameters } from "./job-parameters.js";
import { ReproduceResult } from "./reproduce-result.js";
import { SpectralResult } from "./spectral-result.js";
import { TrainResult } from "./train-result.js";
import { TransferResult } from "./transfer-result.js";
import { UnitsResult } from "./units-result.js";

/** @type {{[kind: string]: any}} */
const results = {
  adversarial_training: AdversarialResult,
  attack: AttackResult,
  train: TrainResult,
  fetch_dataset: FetchResult,
  image_set: ImageSetResult,
  import_model: ImportResult,
  reproduce: ReproduceResult,
  spectral: SpectralResult,
  transfer: TransferResult,
  units: UnitsResult,
};

/** @param {{id: string}} props */
export function JobPage({ id }) {
  const { data: job, error, reload } = useJob(id);
  if (error?.status === 404) {
    return html`<section><div class="notice"><h1>This job is not here</h1><p>It was deleted, belongs to a project that you are not in, or the link is from another installation.</p><a class="button" href="/history">Open the history</a></div></section>`;
  }
  if (error) return html`<section><${Failure} error=${error} again=${reload} /></section>`;
  if (!job) return html`<section><${Skeletons} count=${3} height="48px" /><${Skeletons} count=${1} height="320px" /></section>`;
  const result = results[job.kind];
  return html`<section>
      <header class="heading"><${Title} job=${job} changed=${reload} /><${Actions} job=${job} reload=${reload} /></header>
      <p class="row muted">
        <${Badge} job=${job} /><span>${kindName(job)}</span><${PartOf} job=${job} />
        ${job.model && html`<span>${job.model.name}</span>`}${job.dataset && html`<span>${job.dataset}</span>`}
        <span title=${moment(job.created_at)}>${ago(job.created_at)}</span>
        ${job.duration_seconds ? html`<span>${finished(job) ? "took" : "for"} ${duration(job.duration_seconds)}</span>` : null}
        <span>by ${job.owner}</span>
      </p>
      ${!finished(job) && html`<${Progress} job=${job} />`}
      ${job.state === "failed" && html`<div class="notice failure" role="alert"><p><${Prose} text=${job.error?.message ?? "The job failed without a message."} /></p><${Continue} job=${job} /></div>`}
      ${job.state === "cancelled" && html`<div class="notice"><p>This job was cancelled. What it had finished is reused when it is run again.</p><${Continue} job=${job} /></div>`}
    </section>
    ${job.state !== "succeeded" && html`<${Steps} job=${job} />`}
    ${result && html`<${result} job=${job} />`}
    ${job.state === "succeeded" && html`<${Steps} job=${job} folded=${Boolean(result)} />`}
    <${JobParameters} job=${job} />`;
}

/** @param {{job: Job, reload: () => void}} props */
function Actions({ job, reload }) {
  const [problem, setProblem] = useState("");
  const attempt = (/** @type {() => Promise<any>} */ action) => () => action().catch((error) => setProblem(error.message));
  if (!finished(job)) return html`<div class="row"><${CancelButton} job=${job} /></div>`;
  const changed = changedPath(job);
  const remove = async () => {
    await deleteJob(job.id);
    navigate("/history");
  };
  return html`<div class="row">
    ${problem && html`<span class="bad" role="alert">${problem}</span>`}
    ${job.lane === "interactive" && !job.kept && html`<button type="button" onClick=${attempt(() => post(`/jobs/${job.id}/keep`).then(reload))}>Keep in the history</button>`}
    <button type="button" onClick=${attempt(() => runAgain(job))}>Run again</button>
    ${changed && html`<a class="button" href=${changed}>Change and run</a>`}
    ${!job.parent && html`<${Confirm} label="Delete" question="Delete this job and its results?" confirm="Delete" act=${remove} />`}
  </div>`;
}
