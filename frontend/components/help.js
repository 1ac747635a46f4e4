// The keys, and the words this tool uses; beside the page, not over it.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { html } from "../html.js";
import { listenForKeys } from "../keys.js";

const open = signal(false);

export function toggleHelp() {
  open.value = !open.value;
}

const keys = [
  ["a", "attack, on Explore"],
  ["r", "another random image, on Explore"],
  ["← → ↑ ↓", "move through a gallery or a matrix"],
  ["Enter", "open the example or the cell"],
  ["Esc", "close what is open"],
  ["/", "search the history"],
  ["?", "this help"],
];

const vocabulary = [
  [
    "Distortion",
    "how much an image was changed: the root mean square of the change per pixel, with pixels from 0 to 1. 0.06 is hard to see.",
  ],
  ["Perturbation", "the change itself, adversarial minus original. Mid-grey is no change."],
  ["Target", "the class the attack wants the network to answer. The reached class is what it answered."],
  ["Step", "a job that another job is made of. It starts when the steps it needs are done."],
  ["Trace of c", "the search weighs distortion against error by c; the trace shows each c that was tried."],
];

export function Help() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = open.value;
  useEffect(() => {
    if (!shown) return undefined;
    box.current?.focus();
    return listenForKeys({ Escape: toggleHelp });
  }, [shown]);
  if (!shown) return null;
  return html`<aside class="card overlay" ref=${box} tabindex="-1" aria-label="Help">
    <div class="row spread"><h2>Help</h2><button type="button" class="plain" onClick=${toggleHelp}>Close</button></div>
    <dl class="keys">${keys.map(([key, meaning]) => html`<dt><kbd>${key}</kbd></dt><dd>${meaning}</dd>`)}</dl>
    <h3>Words</h3>
    <dl class="stack">${vocabulary.map(([word, meaning]) => html`<div><dt>${word}</dt><dd>${meaning}</dd></div>`)}</dl>
  </aside>`;
}
