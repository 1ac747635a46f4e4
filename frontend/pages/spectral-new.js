// A new spectral job, a changed copy of an old one, or one about the images of an attack.
import { useMemo } from "preact/hooks";

import { useModels } from "../catalog.js";
import { Failure, Heading, Skeletons } from "../components/states.js";
import { JobForm } from "../form/job-form.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";
import { place } from "../router.js";

/** The images follow the chosen network to its data set. @param {Model[]} models @returns {(value: Values, path: string[]) => Values} */
const following = (models) => (value, path) => {
  const model = models.find((each) => each.id === value.model);
  if (path[0] !== "model" || !model || !value.images?.dataset) return value;
  return { ...value, images: { ...value.images, dataset: model.dataset } };
};

/** What to start from: an old job of this kind, or an attack, whose images are then used again. @param {Job} job */
function startedFrom({ kind, spec = {} }) {
  if (kind !== "attack") return { ...spec, title: "", model: spec.model || undefined };
  const { model, images, method, seed } = spec;
  return { model, images, method, seed, measured: "attack" };
}

export function SpectralNew() {
  const { query } = place.value;
  const from = query.get("from");
  const models = useModels();
  const original = useResource(from ? `/jobs/${from}` : null);
  const items = models.data?.items ?? [];
  const wanted = query.get("model");
  const model = items.find((each) => each.id === wanted || each.name === wanted) ?? items[0];
  const initial = useMemo(() => {
    if (original.data) return startedFrom(original.data);
    if (!model) return { weights: "random" };
    return {
      model: model.id,
      measured: "attack",
      images: { source: "dataset", dataset: model.dataset, split: "test", selection: "random", count: 64, classes: null },
    };
  }, [original.data, model?.id]);
  const loading = models.loading || original.loading;
  return html`<section>
    <${Heading} title=${original.data?.kind === "spectral" ? "Change a spectral job and run it" : "New spectral job"} lead="Choose a network, and whether to hold its bound against what it does near images." />
    ${original.error && html`<${Failure} error=${original.error} />`}
    ${models.error && html`<${Failure} error=${models.error} again=${models.reload} />`}
    ${models.data && items.length === 0 && html`<div class="notice"><p>There is no trained network yet. The demo networks train at first start; or <a href="/train">train one</a>. Random weights need none.</p></div>`}
    ${loading ? html`<${Skeletons} count=${6} height="56px" />` : html`<${JobForm} key=${from ?? ""} kind="spectral" presets initial=${initial} adjust=${following(items)} action="Compute the spectra" />`}
  </section>`;
}
