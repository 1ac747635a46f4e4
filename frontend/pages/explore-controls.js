// Network, image, target, and the button.
import { className } from "../catalog.js";
import { Select } from "../components/select.js";
import { html } from "../html.js";
import { setQuery, setting } from "../router.js";
import { ImagePicker } from "./image-picker.js";
import { PicturePicker } from "./picture-picker.js";

const targets = [
  ["random", "A random wrong class"],
  ["nearest", "The nearest wrong class"],
  ["second", "The second choice"],
  ["least_likely", "The least likely class"],
  ["given", "A class I name"],
  ["untargeted", "Any wrong class"],
];
const modes = [
  ["tight", "Tight: bisect c"],
  ["paper", "As in the paper"],
  ["nearest", "Nearest of the likely targets"],
];

/**
 * @param {{state: import("./explore-state.js").ExploreChoice, models: import("../resource.js").Resource<Page<Model>>,
 *   datasets: import("../resource.js").Resource<Page<Dataset>>, attack: () => void, busy: boolean, problem: any}} props
 */
export function ExploreControls({ state, models, attack, busy }) {
  const { model, method, picture } = state;
  const items = models.data?.items ?? [];
  const own = picture !== null;
  const classes = (model?.class_names ?? []).map((_, index) => [index, className(model?.class_names, index)]);
  const aims = method.mode !== "nearest";
  return html`
    <${Select} id="model" label="Network" value=${model?.id ?? ""} change=${setting("model", { dataset: null, index: own ? null : state.index })}
      options=${items.length ? items.map((each) => [each.id, each.name]) : [["", models.loading ? "Loading" : "None yet: training"]]} />
    <div class="field">
      <span style=${{ fontWeight: 500 }}>Image</span>
      <div class="segments">
        <button type="button" aria-pressed=${!own} onClick=${() => own && setQuery({ picture: null, index: 0 })}>From the data</button>
        <button type="button" aria-pressed=${own} onClick=${() => !own && setQuery({ picture: "new" })}>My picture</button>
      </div>
    </div>
    ${own ? html`<${PicturePicker} state=${state} />` : html`<${ImagePicker} state=${state} />`}
    ${
      aims &&
      html`<${Select} id="target" label="Answer it should give" value=${method.target} options=${targets}
      change=${setting("target", { target_class: null })} />`
    }
    ${
      aims &&
      method.target === "given" &&
      html`<${Select} id="target-class" label="Class" value=${method.target_class}
      options=${classes} change=${setting("target_class")} />`
    }
    <${Select} id="mode" label="Search" value=${method.mode} options=${modes} change=${setting("mode")} />
    <button type="button" class="primary" id="attack" disabled=${busy || !model || picture === "new" || (!own && !state.dataset)} onClick=${attack}>
      ${busy ? "Attacking" : "Attack"}
    </button>`;
}
