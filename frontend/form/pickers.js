// Fields that choose among what this installation holds: models, data sets, classes, an uploaded picture.
import { useState } from "preact/hooks";

import { post } from "../api.js";
import { className, datasetNamed, shapeWords } from "../catalog.js";
import { smoothWhereLarge } from "../components/thumbnail.js";
import { html, typed } from "../html.js";

/**
 * @typedef {{id: string, value: any, optional: boolean, onChange: (value: any) => void, form: import("./form.js").FormContext,
 *   invalid: boolean, described?: string}} PickerProps
 */

/** @param {PickerProps} props */
export function ModelInput({ id, value, onChange, form, invalid, described }) {
  const known = form.models.some((model) => model.id === value || model.name === value);
  return html`<select id=${id} aria-invalid=${invalid || undefined} aria-describedby=${described} onChange=${typed(onChange)}>
    ${!known && html`<option value=${value ?? ""} selected>${value ? `${value} (gone)` : form.models.length ? "Choose a model" : "No model yet: train one first"}</option>`}
    ${form.models.map((model) => html`<option value=${model.id} selected=${model.id === value || model.name === value}>${model.name}, ${model.dataset}</option>`)}
  </select>`;
}

/** The layers of the model that the form names, with their shapes. @param {PickerProps} props */
export function LayerInput({ id, value, onChange, form, invalid, described }) {
  const model = form.models.find((each) => each.id === form.value?.model || each.name === form.value?.model);
  const layers = model?.layers ?? [];
  const take = (/** @type {string} */ name) => onChange(name || null);
  return html`<select id=${id} aria-invalid=${invalid || undefined} aria-describedby=${described} onChange=${typed(take)}>
    <option value="" selected=${!value}>Last hidden layer</option>
    ${value && !layers.some((layer) => layer.name === value) && html`<option value=${value} selected>${value} (not in this model)</option>`}
    ${layers.map((layer) => html`<option value=${layer.name} selected=${layer.name === value}>${layer.name}, ${layer.shape.join(" × ")}</option>`)}
  </select>`;
}

/** @param {PickerProps} props */
export function DatasetInput({ id, value, optional, onChange, form, invalid, described }) {
  const present = form.datasets.filter((dataset) => dataset.available);
  const offered = present.flatMap((dataset) => [dataset.name, ...dataset.views]);
  const take = (/** @type {string} */ name) => onChange(name || null);
  return html`<select id=${id} aria-invalid=${invalid || undefined} aria-describedby=${described} onChange=${typed(take)}>
    ${optional && html`<option value="" selected=${!value}>None</option>`}
    ${(value || !optional) && !offered.includes(value) && html`<option value=${value ?? ""} selected>${value || "Choose a data set"}</option>`}
    ${offered.map((name) => html`<option value=${name} selected=${name === value}>${optionText(present, name)}</option>`)}
  </select>`;
}

/** A half stands indented under its set. @param {Dataset[]} datasets @param {string} name */
function optionText(datasets, name) {
  const dataset = datasetNamed(datasets, name);
  if (!dataset) return name;
  return name.includes(":") ? `\u2003${dataset.title}` : `${dataset.title}, ${shapeWords(dataset.shape)}`;
}

/** Names of the classes that the rest of the form speaks of. @param {import("./form.js").FormContext} form @returns {string[]} */
function classNames(form) {
  const model = form.models.find((each) => each.id === form.value?.model || each.name === form.value?.model);
  return model?.class_names ?? datasetNamed(form.datasets, form.value?.images?.dataset)?.class_names ?? [];
}

/** @param {PickerProps} props */
export function ClassInput({ id, value, optional, onChange, form, invalid, described }) {
  const names = classNames(form);
  const take = (/** @type {any} */ event) => onChange(event.target.value === "" ? null : Number(event.target.value));
  return html`<select id=${id} aria-invalid=${invalid || undefined} aria-describedby=${described} onChange=${take}>
    ${(optional || value === null || value === undefined) && html`<option value="" selected=${value === null || value === undefined}>None</option>`}
    ${names.map((_, index) => html`<option value=${index} selected=${index === value}>${className(names, index)}</option>`)}
  </select>`;
}

/** @param {PickerProps} props */
export function ClassesInput({ id, value, onChange, form }) {
  const chosen = new Set(Array.isArray(value) ? value : []);
  const toggle = (/** @type {number} */ index) => {
    if (chosen.has(index)) chosen.delete(index);
    else chosen.add(index);
    onChange(chosen.size ? [...chosen].sort((a, b) => a - b) : null);
  };
  return html`<div class="choices" id=${id} role="group">
    ${classNames(form).map((name, index) => html`<label><input type="checkbox" checked=${chosen.has(index)} onChange=${() => toggle(index)} />${name}</label>`)}
  </div>`;
}

/** Sends a picture as soon as it is chosen; the value is what the service calls it. @param {PickerProps} props */
export function UploadInput({ id, value, onChange, form, invalid, described }) {
  const [problem, setProblem] = useState("");
  const send = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    setProblem("");
    try {
      const model = form.value?.model ? `?model=${encodeURIComponent(form.value.model)}` : "";
      onChange((await post(`/images${model}`, file)).id);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return html`<div class="row">
    ${value && html`<img src="/api/v1/images/${value}.png" width="56" height="56" alt="The uploaded picture" onLoad=${smoothWhereLarge} style=${{ objectFit: "contain" }} />`}
    <input id=${id} type="file" accept="image/png,image/jpeg,image/webp" aria-invalid=${invalid || undefined} aria-describedby=${described}
      onChange=${(/** @type {any} */ event) => send(event.target.files[0])} />
    ${problem && html`<span class="error" role="alert">${problem}</span>`}
  </div>`;
}
