// What this is, what is running, what this machine found, and where to start.
import { useModels } from "../catalog.js";
import { Running } from "../components/running.js";
import { Empty, Failure, Skeletons } from "../components/states.js";
import { Caption, Triptych } from "../components/tile.js";
import { ago, plural } from "../format.js";
import { html } from "../html.js";
import { jobPath, jobTitle, useJobs } from "../jobs.js";
import { useResource } from "../resource.js";

export function Home() {
  return html`<section class="hero">
      <h1>Small changes that make a neural network see something else</h1>
      <p class="lead">Blindspots finds, for any image, the nearest image that a network answers wrongly, and measures how near it is.
        Everything runs and stays on your own machine.</p>
      <div class="row"><a class="button primary" href="/explore">Attack an image</a><a class="button" href="/attacks/new">Attack many</a></div>
    </section>
    <${Now} /><${Found} /><${Start} />`;
}

function Now() {
  const running = useJobs("state=running&limit=10");
  const queued = useJobs("state=queued&limit=10");
  const jobs = [...(running.data?.items ?? []), ...(queued.data?.items ?? [])];
  if (running.error) return html`<section><${Failure} error=${running.error} again=${running.reload} /></section>`;
  if (jobs.length === 0) return null;
  return html`<section aria-label="Running now"><h2>Running now</h2><${Running} jobs=${jobs} /></section>`;
}

function Found() {
  const jobs = useJobs("kind=attack&state=succeeded&limit=6");
  /** @type {Job | undefined} */
  const job = jobs.data?.items.find((/** @type {Job} */ each) => each.summary?.successful !== 0);
  if (jobs.error) return null;
  return html`<section>
    <header class="heading">
      <div>
        <h2>Found on this machine${job?.finished_at ? ` ${ago(job.finished_at)}` : ""}</h2>
        ${job && html`<p class="muted">Each strip shows the original, the change (mid-grey is none) and the image that the network answers differently.</p>`}
      </div>
      ${job && html`<a href=${jobPath(job)}>${jobTitle(job)}</a>`}
    </header>
    ${jobs.loading && html`<${Skeletons} count=${2} height="96px" />`}
    ${
      jobs.data &&
      !job &&
      html`<${Empty} title="The first attacks are on their way">
      <p class="muted">This machine trains its demo networks first, then attacks them. The examples appear here by themselves, within a minute or two.</p>
    </${Empty}>`
    }
    ${job && html`<${Examples} job=${job} />`}
  </section>`;
}

/** @param {{job: Job}} props */
function Examples({ job }) {
  const models = useModels();
  const { data, error } = useResource(`/jobs/${job.id}/examples?success=true&limit=24`);
  const model = models.data?.items.find((each) => each.id === job.model?.id);
  if (error) return html`<${Failure} error=${error} />`;
  if (!data || !model) return html`<${Skeletons} count=${2} height="120px" />`;
  /** @type {ExampleRow[]} */
  const rows = onePerClass(data.rows.filter((/** @type {ExampleRow} */ row) => row.kept && !row.already_wrong));
  return html`<div class="gallery">
    ${rows.map(
      (row) => html`<a class="tile" key=${row.index} href=${`/explore?job=${job.id}&row=${row.index}`}>
      <${Triptych} job=${job.id} row=${row} shape=${model.input_shape} names=${model.class_names} />
      <${Caption} row=${row} names=${model.class_names} />
    </a>`,
    )}
  </div>
  <p><a href=${jobPath(job)}>All ${plural(data.total, "example")} with their figures</a></p>`;
}

/** @param {ExampleRow[]} rows */
function onePerClass(rows) {
  const seen = new Set();
  const various = rows.filter((row) => !seen.has(row.label) && seen.add(row.label));
  return [...various, ...rows.filter((row) => !various.includes(row))].slice(0, 8);
}

const steps = [
  [
    "/explore",
    "Look closely",
    "Pick a network, an image and the answer it should give. See the change, the probabilities and how the search went.",
  ],
  [
    "/attacks/new",
    "Attack many",
    "Hundreds or thousands of images in one job: how small is the change, which classes fall into which?",
  ],
  ["/train", "Train your own", "The networks of the paper, until convergence. Does more weight decay make them harder to fool?"],
  [
    "/reproduce",
    "Reproduce the paper",
    "Its tables and figure 7, measured on this machine, cell by cell beside the printed numbers.",
  ],
  ["/data", "Bring data", "MNIST is one click away. A folder of IDX files appears here by itself."],
];

const Start = () => html`<section>
  <h2>Start here</h2>
  <ol class="columns steps" style=${{ gridTemplateColumns: "repeat(auto-fit, minmax(min(100%, 220px), 1fr))" }}>
    ${steps.map(([address, title, text]) => html`<li><h3><a href=${address}>${title}</a></h3><p class="muted">${text}</p></li>`)}
  </ol>
</section>`;
