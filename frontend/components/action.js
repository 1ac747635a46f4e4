// A form of one line: what it does when sent, and what the service says against it.
import { useState } from "preact/hooks";

import { html } from "../html.js";

/** @param {unknown} error */
const said = (error) => (error instanceof Error ? error.message : String(error));

/** @param {{label: string, act: () => Promise<any>, ready?: boolean, children?: View}} props */
export function Action({ label, act, ready = true, children }) {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await act();
    } catch (error) {
      setProblem(said(error));
    }
    setBusy(false);
  };
  return html`<form class="stack" onSubmit=${send}>
    <div class="line">${children}<button disabled=${busy || !ready}>${label}</button></div>
    ${problem && html`<span class="bad" role="alert">${problem}</span>`}
  </form>`;
}

/** @param {{id: string, label: string, value: string, change: (text: string) => void, type?: string, complete?: string, most?: number, grow?: boolean}} props */
export const Text = ({ id, label, value, change, type = "text", complete = "off", most = 100, grow = false }) =>
  html`<div class=${grow ? "field grow" : "field"}><label for=${id}>${label}</label>
    <input id=${id} type=${type} autocomplete=${complete} autocapitalize="none" spellcheck=${false} maxlength=${most} value=${value}
      onInput=${(/** @type {any} */ event) => change(event.target.value)} /></div>`;
