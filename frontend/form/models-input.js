// Several trained networks: chips of the chosen ones in their order, a search, a list with what each one is, whole data sets at once.
import { useEffect, useRef, useState } from "preact/hooks";

import { shapeWords } from "../catalog.js";
import { percent } from "../format.js";
import { html, typed } from "../html.js";
import { architecture } from "../model-words.js";

const searchFrom = 7;

/** A reference is an id or a name. @param {Model[]} models @param {string} reference */
const found = (models, reference) => models.find((model) => model.id === reference || model.name === reference);

/**
 * A field that follows another (`x-follows` in the schema) holds what that one holds too, until the reader says otherwise.
 * @param {import("./pickers.js").PickerProps & {schema: Schema}} props
 */
export function ModelsInput({ id, schema, value, onChange, form, invalid, described }) {
  /** @type {string[]} */
  const chosen = (value ?? []).map((/** @type {string} */ each) => found(form.models, each)?.id ?? each);
  /** @type {string[]} */
  const leaders = (form.value?.[schema["x-follows"] ?? ""] ?? []).map(
    (/** @type {string} */ each) => found(form.models, each)?.id ?? each,
  );
  const [together, setTogether] = useState(() => Boolean(schema["x-follows"]) && leaders.every((each) => chosen.includes(each)));
  const before = useRef(leaders);
  useEffect(() => {
    const gone = before.current.filter((each) => !leaders.includes(each));
    before.current = leaders;
    if (!together) return;
    const next = [...leaders, ...chosen.filter((each) => !leaders.includes(each) && !gone.includes(each))];
    if (next.join() !== chosen.join()) onChange(next);
  }, [together, leaders.join()]);
  const locked = new Set(together ? leaders : []);
  const change = (/** @type {string[]} */ next) => onChange([...leaders.filter((each) => locked.has(each)), ...next]);
  const own = chosen.filter((each) => !locked.has(each));
  const first = found(form.models, chosen[0] ?? leaders[0] ?? "");
  return html`<div class="models-input" id=${id} role="group" tabindex="-1" aria-invalid=${invalid || undefined} aria-describedby=${described}>
    ${
      schema["x-follows"] &&
      html`<label class="follow"><input type="checkbox" checked=${together} onChange=${(/** @type {any} */ event) => setTogether(event.target.checked)} /><span>The ${schema["x-follows"]} too</span></label>`
    }
    <ul class="chips" aria-label="Chosen">
      ${[...locked].map((each) => html`<li key=${each} class="chip locked">${found(form.models, each)?.name ?? each}</li>`)}
      ${own.map((each) => {
        const name = found(form.models, each)?.name ?? `${each} (gone)`;
        return html`<li key=${each} class="chip">${name}<button type="button" aria-label=${`Leave out ${name}`} onClick=${() => change(own.filter((other) => other !== each))}>×</button></li>`;
      })}
      ${chosen.length === 0 && html`<li class="muted">None chosen yet</li>`}
    </ul>
    <${Offer} models=${form.models.filter((model) => !locked.has(model.id))} own=${own} first=${first} change=${change} id=${id} most=${schema.maxItems ?? 1000} taken=${locked.size} />
  </div>`;
}

/** @param {{models: Model[], own: string[], first: Model | undefined, change: (next: string[]) => void, id: string, most: number, taken: number}} props */
function Offer({ models, own, first, change, id, most, taken }) {
  const [text, setText] = useState("");
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const described = (/** @type {Model} */ model) => `${model.name} ${architecture(model)} ${model.dataset}`.toLowerCase();
  const shown = models.filter((model) => words.every((word) => described(model).includes(word)));
  const fits = (/** @type {Model} */ model) => !first || String(model.input_shape) === String(first.input_shape);
  const sets = [...new Set(models.filter(fits).map((model) => model.dataset))];
  const add = (/** @type {Model[]} */ more) =>
    change([...new Set([...own, ...more.map((model) => model.id)])].slice(0, most - taken));
  const toggle = (/** @type {Model} */ model) =>
    own.includes(model.id) ? change(own.filter((each) => each !== model.id)) : add([model]);
  return html`${
    models.length > 0 &&
    html`<div class="row whole-sets">
      ${models.length >= searchFrom && html`<input type="search" aria-label="Search the models" placeholder="Search" value=${text} onInput=${typed(setText)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && event.preventDefault()} />`}
      ${sets.map((set) => html`<button type="button" class="plain" key=${set} onClick=${() => add(models.filter((model) => model.dataset === set && fits(model)))}>All of ${set}</button>`)}
      ${own.length > 0 && html`<button type="button" class="plain" onClick=${() => change([])}>None</button>`}
    </div>`
  }
    <ul class="offer">
      ${shown.map((model) => {
        const choice = `${id}-${model.id}`;
        const strange = !fits(model) && !own.includes(model.id);
        return html`<li key=${model.id}><label for=${choice}>
          <input id=${choice} type="checkbox" checked=${own.includes(model.id)} disabled=${strange} onChange=${() => toggle(model)} />
          <strong>${model.name}</strong><span>${architecture(model)}</span>
          <span>${strange ? `reads ${shapeWords(model.input_shape)}` : model.dataset}</span><span class="number">${percent(model.metrics?.test_error)}<span class="muted"> error</span></span>
        </label></li>`;
      })}
      ${shown.length === 0 && models.length > 0 && html`<li class="muted">No model is called so.</li>`}
      ${models.length === 0 && taken === 0 && html`<li class="muted">No model yet: <a href="/train">train one</a>, or wait for the demo networks.</li>`}
    </ul>`;
}
