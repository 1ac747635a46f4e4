// One image, one network, one attack: pick, press, see.
import { useEffect, useRef, useState } from "preact/hooks";

import { submit } from "../api.js";
import { useDatasets, useModels } from "../catalog.js";
import { ExampleSkeleton, ExampleView, useExample } from "../components/example.js";
import { finished, Progress } from "../components/progress.js";
import { Empty, Failure, Heading } from "../components/states.js";
import { html } from "../html.js";
import { useJob } from "../job.js";
import { listenForKeys } from "../keys.js";
import { place, setQuery } from "../router.js";
import { ExploreControls } from "./explore-controls.js";
import { choicesOf, exploreState, specOf } from "./explore-state.js";
import { Origin } from "./explore-origin.js";
import { Others } from "./explore-others.js";
import { useOpening } from "./explore-opening.js";

export function Explore() {
  const { query } = place.value;
  const models = useModels();
  const datasets = useDatasets();
  const opening = useOpening(query);
  const job = useJob(opening.job);
  const [problem, setProblem] = useState(/** @type {import("../api.js").Problem | null} */ (null));
  const [sending, setSending] = useState(false);

  // While a new attack runs, the one before it stays in sight.
  const [shown, setShown] = useState(/** @type {{job: string, row: number} | null} */ (null));
  const ready = job.data?.state === "succeeded" && opening.row !== null ? { job: job.data.id, row: opening.row } : null;
  useEffect(() => {
    if (ready) setShown(ready);
  }, [ready?.job, ready?.row]);
  const busy = sending || (job.data !== null && !finished(job.data)) || (job.loading && shown !== null);
  const view = ready ?? shown;
  const example = useExample(view);

  const last = useRef(/** @type {Job | null} */ (null));
  if (job.data) last.current = job.data;
  const facts = ready ? (example.data?.facts ?? null) : null;
  const state = exploreState(query, last.current, facts, models.data?.items ?? [], datasets.data?.items ?? []);

  const attack = async () => {
    if (sending || !state.model) return;
    setSending(true);
    setProblem(null);
    try {
      const sent = await submit(specOf(state), { lane: "interactive" });
      if (innerWidth < 900) document.querySelector("section[aria-label=Result]")?.scrollIntoView({ behavior: "smooth" });
      setQuery({ ...choicesOf(state), job: sent.id, row: 0 }, { push: true });
    } catch (error) {
      setProblem(/** @type {any} */ (error));
    }
    setSending(false);
  };
  const act = useRef(attack);
  act.current = attack;
  useEffect(() => listenForKeys({ a: () => act.current() }), []);

  return html`<${Heading} title="Explore" lead="Choose an image and press Attack: the smallest change that makes the network answer something else." />
    <div class="beside explore">
      <aside aria-label="What to attack"><${ExploreControls} state=${state} models=${models} datasets=${datasets} attack=${attack} busy=${busy} problem=${problem} /></aside>
      <section class="stack" aria-label="Result" aria-busy=${busy}>
        ${problem && html`<${Failure} error=${problem} />`}
        ${job.error && html`<${Failure} error=${job.error}><p>The link may be old. <a href="/explore">Open the newest attack.</a></p></${Failure}>`}
        ${job.data?.state === "failed" && html`<div class="notice failure" role="alert"><p>${job.data.error?.message}</p></div>`}
        ${job.data?.state === "cancelled" && html`<div class="notice"><p>This attack was cancelled.</p></div>`}
        ${job.data && !finished(job.data) && html`<${Progress} job=${job.data} />`}
        ${ready && job.data && html`<${Origin} job=${job.data} facts=${facts} chosen=${state} />`}
        ${view && html`<div style=${{ opacity: ready ? 1 : 0.45 }}><${ExampleView} example=${example} /></div>`}
        ${ready && job.data?.kind === "attack" && facts && html`<${Others} key=${`${ready.job},${ready.row}`} job=${job.data} row=${ready.row} facts=${facts} models=${models.data?.items ?? []} />`}
        ${!view && (opening.loading || busy || job.loading) && html`<${ExampleSkeleton} />`}
        ${
          opening.none &&
          html`<${Empty} title="No attack here yet">
          <p class="muted">${state.model ? "Press Attack: the first one takes about a second." : "The demo networks are still training. Explore opens as soon as the first is ready."}</p>
        </${Empty}>`
        }
      </section>
    </div>`;
}
