// The trained networks: how good they are, where they come from, what to do with them.
import { useState } from "preact/hooks";

import { request } from "../api.js";
import { shapeWords, useCatalog, useModels } from "../catalog.js";
import { Confirm } from "../components/confirm.js";
import { Empty, Failure, Heading, Skeletons } from "../components/states.js";
import { ago, count, moment, percent, plural } from "../format.js";
import { html, typed } from "../html.js";
import { family } from "../model-words.js";
import { forget } from "../resource.js";

export function Models() {
  const { data, error, loading, reload } = useModels();
  const catalog = useCatalog();
  const titles = Object.fromEntries((catalog.data?.networks ?? []).map((each) => [each.name, each.title]));
  const again = () => {
    forget("/models");
    reload();
  };
  return html`<section>
    <${Heading} title="Models" lead="The networks that can be attacked: trained here, or brought from elsewhere."><a class="button" href="/models/add">Add one</a><a class="button primary" href="/train">Train one</a></${Heading}>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${loading && html`<${Skeletons} count=${4} height="44px" />`}
    ${data && data.items.length === 0 && html`<${Empty} title="No model yet"><p class="muted">The demo networks train at first start. You can also train your own.</p><div class="row"><a class="button primary" href="/train">Train one</a><a class="button" href="/models/add">Add one from a file</a></div></${Empty}>`}
    ${
      data &&
      data.items.length > 0 &&
      html`<div class="scroll history"><table>
      <thead><tr><th>Name</th><th>Network</th><th>Data</th><th class="number">Test error</th><th class="number">Multiply-adds</th><th>When</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
      <tbody>${data.items.map((model) => html`<${Row} key=${model.id} model=${model} title=${titles[model.network] ?? family(model)} changed=${again} />`)}</tbody>
    </table></div>`
    }
  </section>`;
}

/** "widths 100, 100". @param {Values} parameters */
const settings = (parameters) =>
  Object.entries(parameters)
    .filter(
      ([name, value]) => name !== "name" && (typeof value !== "object" || (Array.isArray(value) && typeof value[0] !== "object")),
    )
    .slice(0, 3)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${Array.isArray(value) ? value.join(", ") : value}`)
    .join("; ");

/** @param {{model: Model, title: string, changed: () => void}} props */
function Row({ model, title, changed }) {
  const remove = async () => {
    await request("DELETE", `/models/${model.id}`);
    changed();
  };
  return html`<tr>
    <td><${Name} model=${model} changed=${changed} /></td>
    <td>${title}<div><small class="muted">${model.network === "onnx" ? plural(model.layers.length, "layer") : settings(model.parameters)}</small></div></td>
    <td>${model.dataset || html`<span class="muted">not known</span>`}<div><small class="muted">${shapeWords(model.input_shape)}</small></div></td>
    <td class="number">${percent(model.metrics?.test_error)}<${Warned} model=${model} /></td>
    <td class="number">${count(model.multiply_adds)}</td>
    <td class="muted" title=${moment(model.created_at)}>${ago(model.created_at)}</td>
    <td><div class="row">
      <a href=${`/explore?model=${model.id}`}>Explore</a><a href=${`/attacks/new?model=${model.id}`}>Attack many</a>
      ${model.job_id && html`<a href=${`/jobs/${model.job_id}`}>${model.metrics?.gate ? "Gate" : "Training"}</a>`}
      <${Confirm} plain label="Delete" question="Delete for good?" confirm="Delete" act=${remove} />
    </div></td>
  </tr>`;
}

/** That the gate found something. @param {{model: Model}} props */
function Warned({ model }) {
  const warnings = model.metrics?.warnings ?? [];
  if (warnings.length === 0) return null;
  return html`<div><small class="bad" title=${warnings.join(" ")}>${warnings.length} ${warnings.length === 1 ? "warning" : "warnings"}</small></div>`;
}

/** @param {{model: Model, changed: () => void}} props */
function Name({ model, changed }) {
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const [problem, setProblem] = useState("");
  if (draft === null) {
    return html`<a href=${`/models/${model.id}`}><strong>${model.name}</strong></a> <button type="button" class="plain" onClick=${() => setDraft(model.name)}><small>Rename</small></button>`;
  }
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      await request("PATCH", `/models/${model.id}`, { name: draft.trim() });
      setDraft(null);
      changed();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return html`<form class="stack" onSubmit=${save}>
    <input aria-label="Name" value=${draft} maxlength="100" autofocus aria-invalid=${problem ? "true" : undefined} onInput=${typed(setDraft)} />
    <span class="row"><button class="plain">Save</button><button type="button" class="plain" onClick=${() => setDraft(null)}>Leave it</button></span>
    ${problem && html`<span class="bad" role="alert">${problem}</span>`}
  </form>`;
}
