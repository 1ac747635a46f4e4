// The data sets: what is here, what can be fetched, how to bring one's own.
import { useState } from "preact/hooks";

import { submit } from "../api.js";
import { datasetNamed, shapeWords, useDatasets } from "../catalog.js";
import { finished } from "../components/progress.js";
import { Prose } from "../components/prose.js";
import { Running } from "../components/running.js";
import { Failure, Heading, Skeletons } from "../components/states.js";
import { jobsVersion } from "../events.js";
import { bytes, count } from "../format.js";
import { html } from "../html.js";
import { useJobs } from "../jobs.js";
import { useResource } from "../resource.js";
import { useSystem } from "./system.js";
import { Thumbnail } from "../components/thumbnail.js";

/** @type {{[source: string]: string}} */
export const sources = {
  bundled: "bundled",
  downloaded: "downloaded, checksums verified",
  folder: "found in a folder",
  imported: "made of pictures here",
};

export function Data() {
  const { data, error, loading, reload } = useDatasets();
  const downloads = useJobs("kind=fetch_dataset&limit=20");
  const imports = useJobs("kind=image_set&limit=20");
  /** @type {Job[]} */
  const all = downloads.data?.items ?? [];
  const jobs = [...all, ...(imports.data?.items ?? [])].filter((job) => !finished(job));
  return html`
    <${Heading} title="Data" lead="Images to train on and to attack. They are read where they lie; nothing leaves this machine.">
      <a class="button primary" href="/data/add">Add an image set</a>
    </${Heading}>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${loading && html`<${Skeletons} count=${3} height="160px" />`}
    ${jobs.length > 0 && html`<section aria-label="Downloads and imports"><${Running} jobs=${jobs} /></section>`}
    ${data && html`<section><div class="columns">${data.items.map((dataset) => html`<${Card} key=${dataset.name} dataset=${dataset} newest=${all.find((job) => job.dataset === dataset.name)} />`)}</div></section>`}
    <${Own} />`;
}

/** @param {{dataset: Dataset, newest: Job | undefined}} props */
function Card({ dataset, newest }) {
  const sizes = Object.entries(dataset.sizes ?? {}).map(([split, size]) => `${count(size)} ${split}`);
  return html`<article class="card stack">
    <div><h2>${dataset.available ? html`<a href=${`/data/${dataset.name}`}>${dataset.title}</a>` : dataset.title}</h2><p class="muted">${[shapeWords(dataset.shape), ...sizes].filter(Boolean).join(" · ")}</p></div>
    ${dataset.available ? html`<${Thumbnails} dataset=${dataset} />` : html`<${Fetch} dataset=${dataset} newest=${newest} />`}
    ${
      dataset.available &&
      html`<p class="row spread"><small class="muted">${sources[dataset.source] ?? dataset.source}${dataset.bytes ? `, ${bytes(dataset.bytes)}` : ""}</small>
      ${dataset.sizes.train && dataset.class_names.length > 0 ? html`<a href=${`/train?dataset=${dataset.name}`}>Train on it</a>` : html`<a href=${`/data/${dataset.name}`}>See its images</a>`}</p>`
    }
    ${dataset.views.length > 0 && html`<${Halves} dataset=${dataset} />`}
  </article>`;
}

/** @param {{dataset: Dataset}} props */
function Halves({ dataset }) {
  const halves = dataset.views.map((name) => datasetNamed([dataset], name)).filter((half) => half !== undefined);
  return html`<div>
    <h3>Halves P1 and P2</h3>
    ${halves.map(
      (
        half,
      ) => html`<p key=${half.name} class="row spread"><small class="muted">${half.name.split(":")[1]}: ${count(half.sizes.train)} training images</small>
      <a href=${`/train?dataset=${encodeURIComponent(half.name)}`}>Train on ${half.name.split(":")[1]}</a></p>`,
    )}
    <p><small class="muted">Networks trained on one half tell whether its adversarial examples fool those that saw only the other, as in tables 3 and 4 of the paper.</small></p>
  </div>`;
}

/** @param {{dataset: Dataset}} props */
function Thumbnails({ dataset }) {
  const split = Object.keys(dataset.sizes)[0] ?? "test";
  const base = `/datasets/${dataset.name}/${split}/images`;
  const { data } = useResource(`${base}?limit=20`);
  return html`<div class="thumbnails" style=${{ minHeight: "40px" }}>
    ${(data?.items ?? []).map(
      (/** @type {{index: number, label: number}} */ item) =>
        html`<${Thumbnail} key=${item.index} dataset=${dataset} split=${split} index=${item.index} room=${44} words=${dataset.class_names[item.label] ?? `Image ${item.index}`} />`,
    )}
  </div>`;
}

/** @param {{dataset: Dataset, newest: Job | undefined}} props  `newest`: its last download */
function Fetch({ dataset, newest }) {
  const [problem, setProblem] = useState("");
  const [sent, setSent] = useState(false);
  const busy = sent || (newest !== undefined && !finished(newest));
  const failed = problem || (newest?.state === "failed" ? (newest.error?.message ?? "The download failed.") : "");
  const go = async () => {
    setSent(true);
    setProblem("");
    try {
      await submit({ kind: "fetch_dataset", dataset: dataset.name });
      jobsVersion.value += 1;
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setSent(false);
  };
  if (!dataset.downloadable) return html`<p class="muted">Not here, and it cannot be downloaded from here.</p>`;
  return html`<div class="stack">
    <p class="muted">Not on this machine yet. It is downloaded from its public mirror and checked against its published checksums${dataset.bytes ? `; ${bytes(dataset.bytes)}` : ""}.</p>
    <div><button type="button" class="primary" disabled=${busy} onClick=${go}>${busy ? "Downloading" : `Download ${dataset.title}`}</button></div>
    ${failed && !busy && html`<p class="bad" role="alert"><${Prose} text=${failed} /></p>`}
  </div>`;
}

function Own() {
  const { data } = useSystem();
  return html`<section class="measure">
    <h2>Bring your own</h2>
    <p>Pictures make a set: <a href="/data/add">add an image set</a> from a zip archive or a folder of the server.</p>
    <p>Any set in the IDX format of MNIST works: put its four files, plain or gzipped, into a folder named after the set.</p>
    <pre tabindex="0">${`${data?.datasets_dir ?? "BLINDSPOTS_DATASETS_DIR"}/my-letters/
  train-images-idx3-ubyte.gz
  train-labels-idx1-ubyte.gz
  t10k-images-idx3-ubyte.gz
  t10k-labels-idx1-ubyte.gz`}</pre>
    <p class="muted">Without a network, MNIST's files put into <code>mnist/</code> there appear by themselves. Set <code>BLINDSPOTS_DATASETS_DIR</code> before <code>blindspots up</code> to choose the folder.</p>
  </section>`;
}
