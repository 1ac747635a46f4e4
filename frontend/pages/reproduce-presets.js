// How thoroughly to measure: each choice with what it will take on this machine, asked of the service.
import { useEffect, useState } from "preact/hooks";

import { post } from "../api.js";
import { duration } from "../format.js";
import { html } from "../html.js";
import { presets } from "./reproduce-words.js";

/** @typedef {{answer: Values | null, problem: string}} Asked */

/**
 * What each preset would cost, of those whose data set is here.
 * @param {string} experiment @param {string[]} possible @returns {{[preset: string]: Asked}}
 */
export function useEstimates(experiment, possible) {
  const [found, setFound] = useState(/** @type {{of: string, answers: {[preset: string]: Asked}}} */ ({ of: "", answers: {} }));
  useEffect(() => {
    let live = true;
    for (const name of possible) {
      const keep = (/** @type {Asked} */ asked) =>
        live &&
        setFound((now) => ({ of: experiment, answers: { ...(now.of === experiment ? now.answers : {}), [name]: asked } }));
      post("/jobs/estimate", { kind: "reproduce", experiment, preset: name }).then(
        (answer) => keep({ answer, problem: "" }),
        (error) => keep({ answer: null, problem: error.message }),
      );
    }
    return () => {
      live = false;
    };
  }, [experiment, possible.join()]);
  return found.of === experiment ? found.answers : {};
}

/** @param {{preset: typeof presets[0], estimate: Asked | undefined, missing: boolean, chosen: boolean, choose: (name: string) => void}} props */
export function PresetChoice({ preset, estimate, missing, chosen, choose }) {
  return html`<label class="pick">
    <input type="radio" name="preset" value=${preset.name} checked=${chosen} onChange=${() => choose(preset.name)} />
    <span class="row spread"><strong>${preset.title}</strong><span class="muted">${missing ? "needs MNIST" : time(estimate)}</span></span>
    <span class="muted">${preset.caption}</span>
  </label>`;
}

/** @param {Asked | undefined} asked */
function time(asked) {
  if (!asked) return "…";
  if (!asked.answer) return "";
  const { seconds } = asked.answer;
  return seconds === null ? "time not known yet" : `about ${duration(seconds)}`;
}
