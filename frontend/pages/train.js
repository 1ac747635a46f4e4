// Train a network: presets, all parameters, and the runs so far.
import { useMemo } from "preact/hooks";

import { JobTable } from "../components/job-table.js";
import { Empty, Failure, Heading, Skeletons } from "../components/states.js";
import { JobForm } from "../form/job-form.js";
import { html } from "../html.js";
import { useJobs } from "../jobs.js";
import { useResource } from "../resource.js";
import { place } from "../router.js";

export function Train() {
  const from = place.value.query.get("from");
  const original = useResource(from ? `/jobs/${from}` : null);
  const runs = useJobs("kind=train&limit=10");
  const dataset = place.value.query.get("dataset");
  const initial = useMemo(() => {
    if (original.data) return { ...original.data.spec, title: "", model_name: "" };
    return dataset ? { dataset } : {};
  }, [original.data, dataset]);
  return html`
    <${Heading} title="Train" lead="The networks of the paper, or your own widths and penalties, by full-batch L-BFGS until it converges, or by Adam." />
    <p><a href="/train/adversarial">Adversarial training</a>: the same network trained in several ways and compared.</p>
    <section>
      <h2>${from ? "Change a training and run it" : "New network"}</h2>
      ${original.error && html`<${Failure} error=${original.error} />`}
      ${original.loading ? html`<${Skeletons} count=${6} height="56px" />` : html`<${JobForm} key=${from ?? ""} kind="train" initial=${initial} action="Start training" presets=${!from} />`}
    </section>
    <section>
      <h2>Runs</h2>
      ${runs.error && html`<${Failure} error=${runs.error} again=${runs.reload} />`}
      ${runs.loading && html`<${Skeletons} count=${3} height="44px" />`}
      ${runs.data && runs.data.items.length === 0 && html`<${Empty} title="Nothing trained yet"><p class="muted">The first run appears here with its progress.</p></${Empty}>`}
      ${
        runs.data &&
        runs.data.items.length > 0 &&
        html`<${JobTable} jobs=${runs.data.items} />
        ${runs.data.next_cursor && html`<p><a href="/history?kind=train">All runs</a></p>`}`
      }
    </section>`;
}
