// A sentence of the service: what stands between backticks is a command or a name.
import { html } from "../html.js";

/** @param {{text: string | null | undefined}} props */
export const Prose = ({ text }) =>
  (text ?? "").split("`").map((piece, place) => (place % 2 ? html`<code>${piece}</code>` : piece));
