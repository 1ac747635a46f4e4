// Add a model that was trained elsewhere: its file, what it reads, and images to see whether it is right.
import { useMemo } from "preact/hooks";

import { Failure, Heading, Skeletons } from "../components/states.js";
import { JobForm } from "../form/job-form.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";
import { place } from "../router.js";

export function ModelsAdd() {
  const from = place.value.query.get("from");
  const original = useResource(from ? `/jobs/${from}` : null);
  const initial = useMemo(() => (original.data ? { ...original.data.spec, title: "" } : {}), [original.data]);
  return html`<section>
    <${Heading} title="Add a model" lead="A classifier that was trained elsewhere, from an ONNX file of any framework, or from safetensors for one of the networks here." />
    <p class="measure muted">The file is data, never code: pickles, .pt, .pth, .h5 and TorchScript are not opened. Before anybody can attack the
      model it passes a gate: it must answer, its gradient must agree with finite differences, and its error on clean images is measured.</p>
    ${original.error && html`<${Failure} error=${original.error} />`}
    ${original.loading ? html`<${Skeletons} count=${6} height="56px" />` : html`<${JobForm} key=${from ?? ""} kind="import_model" initial=${initial} action="Add it" />`}
  </section>`;
}
