// What a job is called, where it is shown, and what can be done with it.
import { forget, useResource } from "./resource.js";
import { jobsVersion } from "./events.js";
import { post, request } from "./api.js";
import { count, number, percent, plural } from "./format.js";
import { reproductionTitle } from "./pages/reproduce-words.js";
import { brief } from "./pages/transfer-words.js";

/** @type {{[kind: string]: string}} */
const kindWords = {
  attack: "Attack",
  train: "Training",
  fetch_dataset: "Download",
  image_set: "Image set",
  import_model: "Added model",
  adversarial_training: "Adversarial training",
  plan: "Plan",
  reproduce: "Reproduction",
  spectral: "Spectra",
  transfer: "Transfer",
  units: "Units",
};

/** @param {Job} job */
export const kindName = (job) => kindWords[job.kind] ?? job.kind;

/** @param {Job} job */
export function jobTitle(job) {
  if (job.title) return job.title;
  const asked = job.spec ?? job.summary;
  if (job.kind === "reproduce" && asked.experiment) return reproductionTitle(asked.experiment, asked.preset);
  const shown = asked.evaluated ?? asked.models;
  if (job.kind === "transfer" && shown)
    return `Transfer among ${plural(shown.length, "network")}${job.dataset ? ` on ${job.dataset}` : ""}`;
  const parts = [kindName(job), job.model?.name, job.model && job.dataset ? `on ${job.dataset}` : job.dataset];
  return parts.filter(Boolean).join(" ");
}

/** @param {{id: string}} job */
export const jobPath = (job) => `/jobs/${job.id}`;

/** The result in one line. @param {Job} job */
export function outcome(job) {
  const found = job.summary ?? {};
  if (job.state === "failed") return job.error?.message ?? "Failed";
  if (job.state !== "succeeded") return "";
  if (job.kind === "attack" && found.images) {
    return `${percent(found.success_rate)} of ${count(found.images)}, distortion ${number(found.median_distortion)}`;
  }
  if (job.kind === "train" && found.model_name) {
    return `${found.model_name}${found.test_error === undefined ? "" : `, test error ${percent(found.test_error)}`}`;
  }
  if (job.kind === "import_model" && found.model_name) {
    const doubts = found.warnings?.length ? `, ${plural(found.warnings.length, "warning")}` : "";
    return `${found.model_name}${found.test_error === undefined ? "" : `, clean error ${percent(found.test_error)}`}${doubts}`;
  }
  if (job.kind === "reproduce" && found.tables) return agreement(found);
  if (job.kind === "transfer" && found.rows) return brief(found);
  if (job.kind === "image_set" && found.images) {
    return `${plural(found.images, "image")} as ${found.dataset}${found.skipped ? `, ${count(found.skipped)} left out` : ""}`;
  }
  if (job.kind === "spectral" && found.bound !== undefined) {
    const seen = found.gain_max === undefined ? "" : `, largest gain seen ${number(found.gain_max)}`;
    return `Bound ${number(found.bound)}${seen}`;
  }
  if (job.kind === "units" && found.conclusion) return `${found.layer}: ${found.conclusion.split(". ")[0]}.`.replace("..", ".");
  if (job.kind === "adversarial_training" && found.conclusion) return `${found.conclusion.split(". ")[0]}.`;
  return "";
}

/** "38 of 41 numbers agree with the paper". @param {Values} found */
function agreement({ tables, comparable }) {
  if (!comparable) return "not judged: other images than the paper's";
  const sum = (/** @type {string} */ name) =>
    tables.reduce((/** @type {number} */ all, /** @type {Values} */ table) => all + (table.figures?.[name] ?? 0), 0);
  return tables.length ? `${count(sum("consistent"))} of ${count(sum("judged"))} numbers agree with the paper` : "";
}

/** @param {string} id */
export async function cancelJob(id) {
  await post(`/jobs/${id}/cancel`);
  jobsVersion.value += 1;
}

/** @param {string} id */
export async function deleteJob(id) {
  await request("DELETE", `/jobs/${id}`);
  forget("/jobs");
  jobsVersion.value += 1;
}

/** @param {string} id @param {Values} [changes] @returns {Promise<Job>} */
export const rerunJob = (id, changes = {}) => post(`/jobs/${id}/rerun`, { changes });

/** A page of jobs that reads itself again when one starts or ends. @param {string} filter */
export const useJobs = (filter) => useResource(`/jobs?${filter}`, jobsVersion.value);
