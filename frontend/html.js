// Markup without a build step: htm bound to Preact.
import htm from "htm";
import { h } from "preact";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(/** @type {any} */ (h));

/** A listener that hands on what a field holds. @param {(text: string) => void} take */
export const typed = (take) => (/** @type {any} */ event) => take(event.target.value);
