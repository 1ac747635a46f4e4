// A new units job, or a changed copy of an old one.
import { useMemo } from "preact/hooks";

import { useDatasets, useModels } from "../catalog.js";
import { Failure, Heading, Skeletons } from "../components/states.js";
import { JobForm } from "../form/job-form.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";
import { place } from "../router.js";

/** The images and the layer follow the chosen network. @param {Model[]} models @returns {(value: Values, path: string[]) => Values} */
const following = (models) => (value, path) => {
  const model = models.find((each) => each.id === value.model);
  if (path[0] !== "model" || !model) return value;
  const layer = model.layers.some((each) => each.name === value.layer) ? value.layer : null;
  return { ...value, layer, images: { ...value.images, dataset: model.dataset } };
};

export function UnitsNew() {
  const { query } = place.value;
  const from = query.get("from");
  const models = useModels();
  const datasets = useDatasets();
  const original = useResource(from ? `/jobs/${from}` : null);
  const items = models.data?.items ?? [];
  const wanted = query.get("model");
  const model =
    items.find((each) => each.id === wanted || each.name === wanted) ?? items.find((each) => !each.linear) ?? items[0];
  const held = datasets.data?.items.find((each) => each.name === model?.dataset)?.sizes.test;
  const initial = useMemo(() => {
    if (original.data) return { ...original.data.spec, title: "" };
    if (!model) return {};
    const images = { source: "dataset", dataset: model.dataset, split: "test", selection: "random", classes: null };
    return { model: model.id, images: { ...images, count: Math.min(held ?? 500, 10_000) } };
  }, [original.data, model?.id, held]);
  const loading = models.loading || original.loading || datasets.loading;
  return html`<section>
    <${Heading} title=${from ? "Change a units job and run it" : "New units job"} lead="Choose a network, one of its layers, the images to search, and the directions to compare. What it will cost is said before it is sent." />
    ${original.error && html`<${Failure} error=${original.error} />`}
    ${models.error && html`<${Failure} error=${models.error} again=${models.reload} />`}
    ${models.data && items.length === 0 && html`<div class="notice"><p>There is no trained network yet. The demo networks train at first start; or <a href="/train">train one</a>.</p></div>`}
    ${loading ? html`<${Skeletons} count=${6} height="56px" />` : html`<${JobForm} key=${from ?? ""} kind="units" initial=${initial} adjust=${following(items)} action="Start" />`}
  </section>`;
}
