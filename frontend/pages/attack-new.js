// A new attack, or a changed copy of an old one.
import { useMemo } from "preact/hooks";

import { useModels } from "../catalog.js";
import { Failure, Heading, Skeletons } from "../components/states.js";
import { JobForm } from "../form/job-form.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";
import { place } from "../router.js";

export function AttackNew() {
  const { query } = place.value;
  const from = query.get("from");
  const models = useModels();
  const original = useResource(from ? `/jobs/${from}` : null);
  const wanted = query.get("model");
  const model = models.data?.items.find((each) => each.id === wanted || each.name === wanted) ?? models.data?.items[0];
  const initial = useMemo(() => {
    if (original.data) return { ...original.data.spec, title: "" };
    if (!model) return {};
    return {
      model: model.id,
      images: { source: "dataset", dataset: model.dataset, split: "test", selection: "random", count: 256, classes: null },
    };
  }, [original.data, model?.id]);
  const loading = models.loading || original.loading;
  return html`<section>
    <${Heading} title=${from ? "Change an attack and run it" : "New attack"} lead="Choose a network, the images and how to search. What it will cost is said before it is sent." />
    ${original.error && html`<${Failure} error=${original.error} />`}
    ${models.data && models.data.items.length === 0 && html`<div class="notice"><p>There is no trained network yet. The demo networks train at first start; or <a href="/train">train one</a>.</p></div>`}
    ${loading ? html`<${Skeletons} count=${6} height="56px" />` : html`<${JobForm} key=${from ?? ""} kind="attack" initial=${initial} action="Start the attack" />`}
  </section>`;
}
