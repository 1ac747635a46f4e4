// A labelled choice.
import { html, typed } from "../html.js";

/** @param {{id: string, label: string, value: string | number | null, change: (value: string) => void, options: (string | number | undefined)[][]}} props */
export const Select = ({ id, label, value, change, options }) => html`<div class="field">
  <label for=${id}>${label}</label>
  <select id=${id} onChange=${typed(change)}>
    ${options.map(([each = "", name]) => html`<option key=${each} value=${each} selected=${String(each) === String(value ?? "")}>${name}</option>`)}
  </select>
</div>`;
