// What the job was asked, by which code, in which pieces: enough to do it again elsewhere.
import { plural } from "../format.js";
import { html } from "../html.js";
import { moment } from "../format.js";

/** @param {{job: Job}} props */
export function JobParameters({ job }) {
  const parts = job.parts ?? {};
  const states = Object.entries(parts).filter(([name, amount]) => name !== "total" && amount > 0);
  const times = [
    ["Created", job.created_at],
    ["Started", job.started_at],
    ["Finished", job.finished_at],
  ];
  return html`<section>
    <h2>Parameters</h2>
    <div class="columns">
      <div class="stack">
        <pre tabindex="0" aria-label="The job as JSON" style=${{ maxHeight: "480px" }}>${JSON.stringify(job.spec ?? {}, null, 2)}</pre>
        <p class="muted">Save this as <code>job.json</code>; <code>blindspots submit job.json --wait</code> runs the same.</p>
      </div>
      <dl class="pairs">
        <dt>Parts</dt><dd>${parts.total ? `${plural(parts.total, "part")}: ${states.map(([name, amount]) => `${amount} ${name}`).join(", ")}` : "–"}</dd>
        ${times.map(([name, when]) => html`<dt>${name}</dt><dd>${moment(when)}</dd>`)}
        ${Object.entries(job.versions ?? {}).map(([name, version]) => html`<dt>${name}</dt><dd>${typeof version === "object" ? JSON.stringify(version) : String(version)}</dd>`)}
        <dt>Id</dt><dd><code>${job.id}</code></dd>
      </dl>
    </div>
  </section>`;
}
