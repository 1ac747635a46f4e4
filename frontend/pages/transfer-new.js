// A new transfer, or a changed copy of an old one.
import { useMemo } from "preact/hooks";

import { useModels } from "../catalog.js";
import { Failure, Heading, Skeletons } from "../components/states.js";
import { JobForm } from "../form/job-form.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";
import { place } from "../router.js";

/** Those that can be compared with the first one, the oldest first: the demo networks stand in the order of their size. @param {Model[]} models */
function alike(models) {
  const first = models[0];
  return models
    .filter((each) => each.dataset === first?.dataset && String(each.input_shape) === String(first?.input_shape))
    .reverse();
}

/** The images follow the chosen networks to their data set. @param {Model[]} models @returns {(value: Values, path: string[]) => Values} */
const following = (models) => (value, path) => {
  const model = models.find((each) => each.id === (value.sources?.[0] ?? value.evaluated?.[0]));
  const shown = models.find((each) => each.dataset === value.images?.dataset);
  if (!["sources", "evaluated"].includes(path[0] ?? "") || !model || !value.images?.dataset) return value;
  if (String(shown?.input_shape) === String(model.input_shape)) return value;
  return { ...value, images: { ...value.images, dataset: model.dataset } };
};

export function TransferNew() {
  const from = place.value.query.get("from");
  const models = useModels();
  const original = useResource(from ? `/jobs/${from}` : null);
  const items = models.data?.items ?? [];
  const names = items.map((each) => each.id).join();
  const initial = useMemo(() => {
    if (original.data) return { ...original.data.spec, title: "" };
    const chosen = alike(items).slice(0, 6);
    if (chosen.length === 0) return {};
    const references = chosen.map((each) => each.id);
    const images = {
      source: "dataset",
      dataset: chosen[0]?.dataset,
      split: "test",
      selection: "random",
      count: 128,
      classes: null,
    };
    return { sources: references, evaluated: references, images };
  }, [original.data, names]);
  const loading = models.loading || original.loading;
  return html`<section>
    <${Heading} title=${from ? "Change a transfer and run it" : "New transfer"} lead="Choose whose images and who is shown them. What it will cost is said before it is sent." />
    ${original.error && html`<${Failure} error=${original.error} />`}
    ${models.error && html`<${Failure} error=${models.error} again=${models.reload} />`}
    ${models.data && items.length < 2 && html`<div class="notice"><p>A transfer needs two trained networks to say anything. The demo networks train at first start; or <a href="/train">train one</a>.</p></div>`}
    ${loading ? html`<${Skeletons} count=${6} height="56px" />` : html`<${JobForm} key=${from ?? ""} kind="transfer" initial=${initial} adjust=${following(items)} action="Start the transfer" />`}
  </section>`;
}
