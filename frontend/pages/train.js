// Train a network: presets, all parameters, and the runs so far.
import { useMemo } from "preact/hooks";

import { useCatalog } from "../catalog.js";
import { JobTable } from "../components/job-table.js";
import { Empty, Failure, Heading, Skeletons } from "../components/states.js";
import { JobForm } from "../form/job-form.js";
import { html } from "../html.js";
import { useJobs } from "../jobs.js";
import { useResource } from "../resource.js";
import { place } from "../router.js";
import { trainPresets } from "./train-presets.js";

export function Train() {
  const from = place.value.query.get("from");
  const catalog = useCatalog();
  const original = useResource(from ? `/jobs/${from}` : null);
  const runs = useJobs("kind=train&limit=10");
  const initial = useMemo(() => (original.data ? { ...original.data.spec, title: "" } : {}), [original.data]);
  return html`
    <${Heading} title="Train" lead="The networks of the paper, or your own widths and penalties, by full-batch L-BFGS until it converges, or by Adam." />
    <section>
      <h2>${from ? "Change a training and run it" : "New network"}</h2>
      ${original.error && html`<${Failure} error=${original.error} />`}
      ${original.loading ? html`<${Skeletons} count=${6} height="56px" />` : html`<${JobForm} key=${from ?? ""} kind="train" initial=${initial} action="Start training" presets=${from ? [] : trainPresets(catalog.data)} />`}
    </section>
    <section>
      <h2>Runs</h2>
      ${runs.error && html`<${Failure} error=${runs.error} again=${runs.reload} />`}
      ${runs.loading && html`<${Skeletons} count=${3} height="44px" />`}
      ${runs.data && runs.data.items.length === 0 && html`<${Empty} title="Nothing trained yet"><p class="muted">The first run appears here with its progress.</p></${Empty}>`}
      ${runs.data && runs.data.items.length > 0 && html`<${JobTable} jobs=${runs.data.items} />
        ${runs.data.next_cursor && html`<p><a href="/history?kind=train">All runs</a></p>`}`}
    </section>`;
}
