// A new adversarial training, or a changed copy of an old one, and the runs so far.
import { useMemo } from "preact/hooks";

import { JobTable } from "../components/job-table.js";
import { Failure, Heading, Skeletons } from "../components/states.js";
import { JobForm } from "../form/job-form.js";
import { html } from "../html.js";
import { useJobs } from "../jobs.js";
import { useResource } from "../resource.js";
import { place } from "../router.js";

const lead =
  "One network, trained in several ways from several starts: with examples that fool each of its layers, and without. Do they lower the test error, and do they make it harder to fool?";

export function AdversarialNew() {
  const from = place.value.query.get("from");
  const original = useResource(from ? `/jobs/${from}` : null);
  const runs = useJobs("kind=adversarial_training&limit=10");
  const initial = useMemo(() => (original.data ? { ...original.data.spec, title: "" } : {}), [original.data]);
  const title = from ? "Change an adversarial training and run it" : "Adversarial training";
  return html`
    <${Heading} title=${title} lead=${lead} />
    <section>
      ${original.error && html`<${Failure} error=${original.error} />`}
      ${original.loading ? html`<${Skeletons} count=${6} height="56px" />` : html`<${JobForm} key=${from ?? ""} kind="adversarial_training" initial=${initial} action="Start" presets=${!from} />`}
    </section>
    ${runs.data && runs.data.items.length > 0 && html`<section><h2>Runs</h2><${JobTable} jobs=${runs.data.items} /></section>`}`;
}
