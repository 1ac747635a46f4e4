// Before a blind test: who looks, at which rows, at how many.
import { useState } from "preact/hooks";

import { post } from "../api.js";
import { Select } from "../components/select.js";
import { html, typed } from "../html.js";

/** @param {{job: Job, begun: (test: any) => void}} props */
export function BlindBegin({ job, begun }) {
  /** @type {Values[]} */
  const arms = job.summary.arms;
  const usual = (/** @type {string} */ name, /** @type {number} */ other) =>
    arms.find((arm) => arm.arm === name)?.arm ?? arms[other]?.arm ?? "";
  const [viewer, setViewer] = useState("");
  const [first, setFirst] = useState(usual("natural", 0));
  const [second, setSecond] = useState(usual("random", 1));
  const [count, setCount] = useState("10");
  const [problem, setProblem] = useState("");
  const begin = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      begun(await post(`/jobs/${job.id}/blind-tests`, { viewer: viewer.trim(), arms: [first, second], count: Number(count) }));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const options = arms.map((arm) => [arm.arm, arm.title]);
  return html`<form class="stack" onSubmit=${begin}>
    <p class="measure">The paper shows rows of images that single units choose, and rows that random directions choose, and asks the reader to see that
      both share a concept. Here you are not told which is which. For every row say whether its images share something, name it, and guess what
      chose them. The order is drawn anew for you; everybody is shown the same rows, so that answers can be compared.</p>
    <div class="filters">
      <div class="field"><label for="viewer">Who looks</label><input id="viewer" type="text" maxlength="100" value=${viewer} placeholder="Name or initials" onInput=${typed(setViewer)} /></div>
      <${Select} id="first-arm" label="Rows of" value=${first} options=${options} change=${setFirst} />
      <${Select} id="second-arm" label="And of" value=${second} options=${options} change=${setSecond} />
      <div class="field"><label for="row-count">Rows of each</label><input id="row-count" type="number" min="1" max="100" value=${count} onInput=${typed(setCount)} /></div>
    </div>
    ${problem && html`<p class="bad" role="alert">${problem}</p>`}
    <div><button class="primary">Begin</button></div>
  </form>`;
}
