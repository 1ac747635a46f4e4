// A choice between alternatives that each have fields of their own: a select and, under it, those fields.
import { words } from "../format.js";
import { html, typed } from "../html.js";
import { Fields } from "./form.js";
import { alternatives, defaults, noteOf, valueAt } from "./schema.js";

/** @type {{[value: string]: string}} names that read better than their words */
const spoken = {
  dataset: "From a data set",
  indices: "By their numbers",
  upload: "My own picture",
  lbfgs: "L-BFGS",
  adam: "Adam",
  onnx: "In the file (ONNX)",
};

/** @param {{label: string, note: string, schema: Schema, path: string[], form: import("./form.js").FormContext, id: string}} props */
export function Union({ label, note, schema, path, form, id }) {
  const union = alternatives(schema, form.root);
  if (!union) return null;
  const value = valueAt(form.value, path);
  const chosen = union.choices.find((choice) => choice.value === value?.[union.tag]) ?? union.choices[0];
  const choose = (/** @type {string} */ next) => {
    const choice = union.choices.find((each) => each.value === next);
    if (!choice) return;
    const fresh = defaults(choice.schema, form.root);
    const kept = Object.fromEntries(
      Object.entries(value ?? {}).filter(([name]) => name !== union.tag && name in (choice.schema.properties ?? {})),
    );
    form.change(path, { ...fresh, ...kept });
  };
  const place = path.join(".");
  const problem = form.problems.find((each) => each.field === place);
  return html`<fieldset class="nested" data-field=${place}>
    <legend>${label}</legend>
    <div class="field choice">
      <label class="visually-hidden" for=${id}>${label}</label>
      <select id=${id} value=${chosen?.value} onChange=${typed(choose)}>
        ${union.choices.map((choice) => html`<option value=${choice.value} selected=${choice === chosen}>${title(choice, form.names)}</option>`)}
      </select>
      ${problem && html`<span class="error" role="alert">${problem.message}</span>`}
      <small>${(chosen && noteOf(chosen.schema)) || note}</small>
    </div>
    ${chosen && html`<${Fields} key=${chosen.value} schema=${chosen.schema} path=${path} form=${form} />`}
  </fieldset>`;
}

/** @param {{value: string, schema: Schema}} choice @param {{[name: string]: string}} names */
function title({ value, schema }, names) {
  const text = schema["x-title"] ?? names[value] ?? spoken[value] ?? words(value);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
