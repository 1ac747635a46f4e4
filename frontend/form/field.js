// One labelled field with its note and, at the field, what is wrong with it.
import { Prose } from "../components/prose.js";
import { html } from "../html.js";
import { Input } from "./input.js";
import { labelOf, noteOf, valueAt, withoutNull, alternatives } from "./schema.js";
import { Union } from "./union.js";
import { Fields } from "./form.js";

/** @param {{name: string, schema: Schema, path: string[], form: import("./form.js").FormContext, required?: boolean}} props */
export function Field({ name, schema, path, form, required = false }) {
  const { schema: inner, optional } = withoutNull(schema, form.root);
  const label = labelOf(name, inner);
  const note = noteOf(inner);
  const id = `field-${path.join("-")}`;
  const place = path.join(".");
  if (alternatives(inner, form.root)) {
    return html`<${Union} label=${label} note=${note} schema=${inner} path=${path} form=${form} id=${id} />`;
  }
  if (inner.properties) {
    return html`<fieldset class="nested"><legend>${label}</legend>${note && html`<small class="muted">${note}</small>`}
      <${Fields} schema=${inner} path=${path} form=${form} />
    </fieldset>`;
  }
  const problem = form.problems.find((each) => each.field === place || each.field.startsWith(`${place}.`));
  const check = inner.type === "boolean";
  const described = [note && `${id}-note`, problem && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const input = html`<${Input} id=${id} schema=${inner} optional=${optional} required=${required} value=${valueAt(form.value, path)}
    onChange=${(/** @type {any} */ value) => form.change(path, value)} form=${form} path=${path} invalid=${Boolean(problem)} described=${described} />`;
  return html`<div class=${check ? "field check" : "field"} data-field=${place}>
    ${check && input}
    <label for=${id}>${label}</label>
    ${!check && input}
    ${problem && html`<span class="error" id="${id}-error" role="alert"><${Prose} text=${problem.message} /></span>`}
    ${note && html`<small id="${id}-note">${note}</small>`}
  </div>`;
}
