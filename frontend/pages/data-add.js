// Add an image set: where the pictures are, what tells their classes, what size they get.
import { useMemo } from "preact/hooks";

import { Failure, Heading, Skeletons } from "../components/states.js";
import { JobForm } from "../form/job-form.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";
import { place } from "../router.js";

export function DataAdd() {
  const from = place.value.query.get("from");
  const original = useResource(from ? `/jobs/${from}` : null);
  const initial = useMemo(() => (original.data ? { ...original.data.spec } : {}), [original.data]);
  return html`<section>
    <${Heading} title="Add an image set" lead="Pictures of your own, from a zip archive or a folder of the server, brought to one size. Every job then takes them like any other data set." />
    <p class="measure muted">Archives are looked into in a process of its own and never unpacked; only the pixels of PNG, JPEG and WebP pictures are kept.
      They stay on this machine.</p>
    ${original.error && html`<${Failure} error=${original.error} />`}
    ${original.loading ? html`<${Skeletons} count=${6} height="56px" />` : html`<${JobForm} key=${from ?? ""} kind="image_set" initial=${initial} action="Make the set" />`}
  </section>`;
}
