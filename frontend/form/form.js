// A form drawn from a JSON Schema: the same description the service checks the job against.
import { html } from "../html.js";
import { Field } from "./field.js";
import { applies, resolve, valueAt } from "./schema.js";

/**
 * @typedef {object} FormContext
 * @property {Schema} root
 * @property {any} value the whole value of the form
 * @property {(path: string[], value: any) => void} change
 * @property {{field: string, message: string}[]} problems
 * @property {Model[]} models
 * @property {Dataset[]} datasets
 * @property {{[name: string]: string}} names titles of networks and methods
 */

/** The fields of one object; rare ones are folded away. @param {{schema: Schema, path: string[], form: FormContext, skip?: string[]}} props */
export function Fields({ schema, path, form, skip = [] }) {
  const whole = resolve(schema, form.root);
  const siblings = valueAt(form.value, path);
  const shown = (/** @type {string} */ name) => !skip.includes(name) && !hidden(whole, name, form.root, siblings);
  const names = Object.keys(whole.properties ?? {}).filter(shown);
  const rare = names.filter((name) => group(whole, name, form.root) === "advanced");
  const field = (/** @type {string} */ name) =>
    html`<${Field} key=${name} name=${name} schema=${whole.properties?.[name]} path=${[...path, name]} form=${form} required=${whole.required?.includes(name)} />`;
  const troubled = rare.some((name) => form.problems.some((problem) => problem.field.startsWith([...path, name].join("."))));
  return html`<div class="fields">
    ${names.filter((name) => !rare.includes(name)).map(field)}
    ${
      rare.length > 0 &&
      html`<details open=${troubled}>
      <summary>More settings</summary>
      <div class="fields">${rare.map(field)}</div>
    </details>`
    }
  </div>`;
}

/** @param {Schema} object @param {string} name @param {Schema} root */
function group(object, name, root) {
  const property = object.properties?.[name];
  return property?.["x-group"] ?? (property ? resolve(property, root)["x-group"] : undefined);
}

/**
 * A constant is chosen by the alternative that holds it, not typed; other fields may depend on their neighbours.
 * @param {Schema} object @param {string} name @param {Schema} root @param {any} siblings
 */
function hidden(object, name, root, siblings) {
  const property = object.properties?.[name];
  if (property === undefined) return true;
  const whole = resolve(property, root);
  return whole.const !== undefined || !applies(whole, siblings);
}

/** Problems that no field of the form shows. @param {FormContext} form @param {import("../api.js").Problem | null} failure */
export function unplaced(form, failure) {
  if (!failure) return [];
  const placed = failure.fields.filter((problem) => (problem.field.split(".")[0] ?? "") in (form.value ?? {}));
  return placed.length > 0 ? [] : [failure.message];
}
