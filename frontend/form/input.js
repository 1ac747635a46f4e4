// The control that fits one value of the schema.
import { words } from "../format.js";
import { html, typed } from "../html.js";
import { ListInput } from "./list-input.js";
import { ModelsInput } from "./models-input.js";
import { ArchiveInput, FolderInput } from "./archive-input.js";
import { WeightsInput } from "./weights-input.js";
import { ClassInput, ClassesInput, DatasetInput, LayerInput, ModelInput, UploadInput } from "./pickers.js";

/** @type {{[widget: string]: any}} */
const pickers = {
  model: ModelInput,
  models: ModelsInput,
  dataset: DatasetInput,
  class: ClassInput,
  layer: LayerInput,
  classes: ClassesInput,
  upload: UploadInput,
  weights: WeightsInput,
  archive: ArchiveInput,
  server_folder: FolderInput,
};

/**
 * @param {{id: string, schema: Schema, optional: boolean, required: boolean, value: any, onChange: (value: any) => void,
 *   form: import("./form.js").FormContext, path: string[], invalid: boolean, described?: string}} props
 */
export function Input(props) {
  const { id, schema, optional, value, onChange, invalid, described } = props;
  const picker = pickers[schema["x-widget"] ?? ""];
  if (picker) return html`<${picker} ...${props} />`;
  const common = { id, name: id, "aria-invalid": invalid || undefined, "aria-describedby": described };
  if (schema.enum) {
    return html`<select ...${common} value=${value ?? ""} onChange=${typed((text) => onChange(text || null))}>
      ${optional && html`<option value="" selected=${value === null}>Any</option>`}
      ${schema.enum.map((each) => html`<option value=${each} selected=${each === value}>${choiceName(schema, each)}</option>`)}
    </select>`;
  }
  if (schema.type === "boolean") {
    return html`<input ...${common} type="checkbox" checked=${value === true} onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} />`;
  }
  if (schema.type === "array" && schema.items?.enum) return html`<${NamesInput} ...${props} />`;
  if (schema.type === "array") return html`<${ListInput} ...${props} common=${common} />`;
  if (schema.type === "integer" || schema.type === "number") return html`<${NumberInput} ...${props} common=${common} />`;
  return html`<input ...${common} type="text" value=${value ?? ""} maxlength=${schema.maxLength} placeholder=${optional ? "Automatic" : ""}
    onInput=${(/** @type {any} */ event) => onChange(event.target.value === "" && optional ? null : event.target.value)} />`;
}

/** @param {{schema: Schema, optional: boolean, value: any, onChange: (value: any) => void, common: Values}} props */
function NumberInput({ schema, optional, value, onChange, common }) {
  const whole = schema.type === "integer";
  const take = (/** @type {any} */ event) => {
    const text = event.target.value.trim();
    if (text === "") onChange(optional ? null : undefined);
    else onChange(Number.isFinite(Number(text)) ? Number(text) : text);
  };
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  return html`<input ...${common} type="number" inputmode=${whole ? "numeric" : "decimal"} step=${whole ? 1 : "any"} min=${low} max=${high}
    placeholder=${optional ? "Automatic" : ""} value=${value ?? ""} onInput=${take} />`;
}

/** Some of a few names, in the order in which the schema has them. @param {{id: string, schema: Schema, value: any, onChange: (value: any) => void}} props */
function NamesInput({ id, schema, value, onChange }) {
  const chosen = new Set(Array.isArray(value) ? value : []);
  const toggle = (/** @type {string} */ name) => {
    if (chosen.has(name)) chosen.delete(name);
    else chosen.add(name);
    onChange(schema.items?.enum?.filter((each) => chosen.has(each)) ?? []);
  };
  return html`<div class="choices" id=${id} role="group">
    ${schema.items?.enum?.map((name) => html`<label><input type="checkbox" checked=${chosen.has(name)} onChange=${() => toggle(name)} />${choiceName(schema, name)}</label>`)}
  </div>`;
}

/** @param {Schema} schema @param {any} value */
function choiceName(schema, value) {
  const named = schema["x-names"]?.[value];
  if (named) return named;
  const text = words(String(value));
  return text.charAt(0).toUpperCase() + text.slice(1);
}
