// A question in the place of the button that raised it, for what cannot be undone.
import { useState } from "preact/hooks";

import { html } from "../html.js";

/**
 * @param {{label: string, question: string, confirm: string, act: () => Promise<any>, plain?: boolean}} props
 */
export function Confirm({ label, question, confirm, act, plain = false }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const style = plain ? "plain danger" : "danger";
  if (!asking) return html`<button type="button" class=${style} onClick=${() => setAsking(true)}>${label}</button>`;
  const go = async () => {
    setBusy(true);
    setFailure("");
    try {
      await act();
      setAsking(false);
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return html`<span class="confirm" role="group" aria-label=${question}>
    <span>${failure || question}</span>
    <button type="button" class=${style} disabled=${busy} onClick=${go}>${confirm}</button>
    <button type="button" class=${plain ? "plain" : ""} autofocus onClick=${() => setAsking(false)}>Keep</button>
  </span>`;
}
