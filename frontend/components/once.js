// Something that is shown once: a token, or a link for somebody else.
import { useState } from "preact/hooks";

import { html } from "../html.js";

/** @param {{title: string, text: string, children?: View, done: () => void}} props */
export function Once({ title, text, children, done }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setCopied(Boolean(navigator.clipboard));
  };
  return html`<div class="once" role="status">
    <strong>${title}</strong>
    <code>${text}</code>
    <p class="muted">${children}</p>
    <div class="row">
      <button type="button" class="primary" onClick=${copy}>${copied ? "Copied" : "Copy"}</button>
      <button type="button" onClick=${done}>I have it</button>
    </div>
  </div>`;
}
