// The state of this installation: who works, what waits, which versions, how much room is left.
import { useEffect, useState } from "preact/hooks";

import { request } from "../api.js";
import { Failure, Heading, Skeletons } from "../components/states.js";
import { ago, bytes, count, plural, words } from "../format.js";
import { html } from "../html.js";
import { jobPath } from "../jobs.js";
import { useSteadyResource } from "../resource.js";

/** Read again every 5 s while it is looked at. */
export function useSystem() {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((value) => value + 1), 5000);
    return () => clearInterval(timer);
  }, []);
  return useSteadyResource("/system", tick);
}

export function System() {
  const { data, error, loading, reload } = useSystem();
  const queue = data?.queue ?? {};
  return html`<section>
      <${Heading} title="System" lead="What runs here, and what it has to work with." />
      ${error && html`<${Failure} error=${error} again=${reload} />`}
      ${loading && html`<${Skeletons} count=${5} height="32px" />`}
      ${
        data &&
        html`<dl class="facts">
        <div><dt>Waiting</dt><dd>${count(queue.waiting ?? 0)}<small>jobs</small></dd></div>
        <div><dt>Running</dt><dd>${count(queue.running ?? 0)}<small>jobs</small></dd></div>
        <div><dt>Results</dt><dd>${bytes(data.artifacts_bytes)}<small>on disk</small></dd></div>
        <div><dt>Free</dt><dd>${bytes(data.disk_free_bytes)}<small>on that disk</small></dd></div>
      </dl>`
      }
    </section>
    ${
      data &&
      html`<section><h2>Workers</h2><${Workers} workers=${data.workers ?? []} changed=${reload} /></section>
    <section><h2>Installation</h2><${Installation} data=${data} /></section>`
    }`;
}

/** @param {{workers: Values[], changed: () => void}} props */
function Workers({ workers, changed }) {
  const [problem, setProblem] = useState("");
  const drain = (/** @type {Values} */ worker) =>
    request("PATCH", `/workers/${worker.id}`, { draining: !worker.draining }).then(changed, (error) => setProblem(error.message));
  if (workers.length === 0) {
    return html`<div class="notice failure"><p>No worker is alive, so jobs wait. Restart <code>blindspots up</code>, or start one with <code>blindspots worker</code>.</p></div>`;
  }
  return html`${problem && html`<p class="bad" role="alert">${problem}</p>`}<div class="scroll history"><table>
    <thead><tr><th>Worker</th><th>Device</th><th>Doing</th><th class="number">Last hour</th><th>Heard from</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
    <tbody>${workers.map(
      (worker) => html`<tr key=${worker.id ?? worker.pid}>
      <td><strong>${worker.lane}</strong><div><small class="muted">${String(worker.host).split("/")[0]}, process ${worker.pid}</small></div></td>
      <td>${worker.device_name || worker.device}${worker.threads ? html`<div><small class="muted">${plural(worker.threads, "thread")}</small></div>` : null}</td>
      <td>${worker.job ? html`<a href=${jobPath(worker.job)}>${worker.job.title || worker.job.kind || "a job"}</a><div><small class="muted">${worker.part?.label ?? worker.part ?? ""}</small></div>` : worker.alive === false ? html`<span class="bad">silent</span>` : worker.busy ? "a job of another project" : worker.draining ? "" : "idle"}${worker.draining ? html`<div><small class="bad">${worker.busy ? "draining: ends after this part" : "drained: takes no parts"}</small></div>` : null}</td>
      <td class="number">${plural(worker.parts_last_hour ?? 0, "part")}<div><small class="muted">${count(Math.round((worker.units_last_hour ?? 0) / 60))} units/min</small></div></td>
      <td class="muted">${ago(worker.seen_at)}</td>
      <td>${worker.alive && html`<button type="button" class="plain" title=${worker.draining ? "Take parts again" : "Finish the present part and take no more"} onClick=${() => drain(worker)}>${worker.draining ? "Resume" : "Drain"}</button>`}</td>
    </tr>`,
    )}</tbody>
  </table></div>`;
}

const elsewhere = ["workers", "queue", "artifacts_bytes", "disk_free_bytes"];

/** @param {{data: Values}} props */
const Installation = ({ data }) => html`<dl class="pairs">
  ${Object.entries(data)
    .filter(([name, value]) => !elsewhere.includes(name) && value !== null && value !== "")
    .map(
      ([name, value]) => html`
    <dt>${name.charAt(0).toUpperCase() + words(name).slice(1)}</dt><dd>${typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>`,
    )}
</dl>`;
