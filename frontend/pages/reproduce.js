// Reproduce the paper: choose what and how thoroughly, see what it will take, start; below, what was reproduced before.
import { useState } from "preact/hooks";

import { submit } from "../api.js";
import { useCatalog, useDatasets } from "../catalog.js";
import { Failure, Heading, Skeletons } from "../components/states.js";
import { Cost } from "../form/cost.js";
import { html } from "../html.js";
import { jobPath } from "../jobs.js";
import { navigate, place, setting } from "../router.js";
import { ExperimentCard } from "./reproduce-cards.js";
import { PastReproductions } from "./reproduce-past.js";
import { PresetChoice, useEstimates } from "./reproduce-presets.js";
import { experiments, presets, reproductionTitle } from "./reproduce-words.js";

const lead =
  "Train the networks of Szegedy et al. 2013, attack them, and lay what this machine measures beside what the paper prints, cell by cell. " +
  "Every number carries its interval, so that chance is not taken for a difference.";

export function Reproduce() {
  const { query } = place.value;
  const catalog = useCatalog();
  const datasets = useDatasets();
  const experiment = experiments.find((each) => each.name === query.get("experiment"))?.name ?? "table2";
  const preset = presets.find((each) => each.name === query.get("preset")) ?? /** @type {typeof presets[0]} */ (presets[0]);
  const here = (/** @type {string} */ name) => datasets.data?.items.some((each) => each.name === name && each.available) ?? false;
  const missing = (/** @type {string} */ name) => datasets.data !== null && !here(name);
  const estimates = useEstimates(
    experiment,
    presets.filter((each) => here(each.dataset)).map((each) => each.name),
  );
  if (catalog.error) return html`<${Failure} error=${catalog.error} again=${catalog.reload} />`;
  return html`
    <${Heading} title="Reproduce the paper" lead=${lead} />
    <section>
      <fieldset class="picks"><legend>What</legend>
        ${
          catalog.data
            ? experiments.map(
                (each) =>
                  html`<${ExperimentCard} key=${each.name} experiment=${each} tables=${catalog.data?.paper_tables ?? []} chosen=${each.name === experiment} choose=${setting("experiment")} />`,
              )
            : html`<${Skeletons} count=${2} height="180px" />`
        }
      </fieldset>
      <fieldset class="picks wide-picks"><legend>How thoroughly</legend>
        ${presets.map(
          (each) =>
            html`<${PresetChoice} key=${each.name} preset=${each} estimate=${estimates[each.name]} missing=${missing(each.dataset)} chosen=${each === preset} choose=${setting("preset")} />`,
        )}
      </fieldset>
      <${Start} experiment=${experiment} preset=${preset} estimate=${estimates[preset.name]} missing=${missing(preset.dataset)} />
    </section>
    <${PastReproductions} />`;
}

/** @param {{experiment: string, preset: typeof presets[0], estimate: import("./reproduce-presets.js").Asked | undefined, missing: boolean}} props */
function Start({ experiment, preset, estimate, missing }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  if (missing) {
    return html`<div class="notice" role="status">
      <p>This needs MNIST, which is not on this machine yet.</p>
      <a class="button primary" href="/data">Download it on the Data page</a>
    </div>`;
  }
  const go = async () => {
    setBusy(true);
    setProblem("");
    try {
      const title = reproductionTitle(experiment, preset.name);
      navigate(jobPath(await submit({ kind: "reproduce", title, experiment, preset: preset.name })));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  const said = problem || estimate?.problem;
  return html`<div class="submit">
    <button type="button" class="primary" disabled=${busy} onClick=${go}>Start</button>
    ${said ? html`<p class="cost bad" role="alert">${said}</p>` : html`<${Cost} estimate=${estimate?.answer ?? null} failed=${false} complete=${true} />`}
  </div>`;
}
