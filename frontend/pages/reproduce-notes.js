// What is contested or printed inconsistently in the paper: folded, with its number in sight, never hidden.
import { plural } from "../format.js";
import { html } from "../html.js";

/** @param {{notes: string[] | undefined, title?: string}} props */
export const Notes = ({ notes, title = "on what the paper prints and does not print" }) =>
  notes?.length
    ? html`<details class="notes measure"><summary>${plural(notes.length, "note")} ${title}</summary><ul>${notes.map((note) => html`<li>${note}</li>`)}</ul></details>`
    : null;
