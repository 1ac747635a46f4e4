// A blind test: one row of images after the other, without knowing whether a unit or a random direction chose them.
import { useEffect, useRef, useState } from "preact/hooks";

import { post } from "../api.js";
import { Failure, Heading, Skeletons } from "../components/states.js";
import { html, typed } from "../html.js";
import { useJob } from "../job.js";
import { listenForKeys } from "../keys.js";
import { useResource } from "../resource.js";
import { navigate, place } from "../router.js";
import { BlindBegin } from "./blind-begin.js";
import { BlindEnd } from "./blind-end.js";

/** Small images show their pixels, photographs do not. @param {Job} job */
export const rendering = (job) => ((job.summary.input_shape?.[2] ?? 0) > 64 ? "" : "pixels");

/** @typedef {{id: string, job_id: string, viewer: string, arms: string[], total: number, answered: number, finished: boolean,
 *   next: {position: number, images: number} | null, rows: Values[]}} Test */

export function BlindTest() {
  const { query } = place.value;
  const test = query.get("test");
  const known = useResource(test ? `/blind-tests/${test}` : null);
  const jobId = query.get("job") ?? known.data?.job_id ?? null;
  if (known.error)
    return html`<section><${Failure} error=${known.error}><a class="button" href="/units">All units jobs</a></${Failure}></section>`;
  if (!jobId) return html`<section><${Skeletons} count=${4} height="56px" /></section>`;
  return html`<${OfJob} key=${jobId} id=${jobId} test=${known.data} />`;
}

/** @param {{id: string, test: Test | null}} props */
function OfJob({ id, test }) {
  const { data: job, error, reload } = useJob(id);
  const [latest, setLatest] = useState(/** @type {Test | null} */ (null));
  const now = latest ?? test;
  if (error) return html`<section><${Failure} error=${error} again=${reload} /></section>`;
  if (!job?.summary?.arms) return html`<section><${Skeletons} count=${4} height="56px" /></section>`;
  const titles = Object.fromEntries(job.summary.arms.map((/** @type {Values} */ arm) => [arm.arm, arm.title]));
  const begun = (/** @type {Test} */ found) => {
    setLatest(found);
    navigate(`/blind?test=${found.id}`, { replace: true });
  };
  return html`<section class="blind">
    <${Heading} title="Blind test" lead=${`Layer ${job.summary.layer} of ${job.model?.name ?? "a model"}: do you see which rows a single unit chose?`}>
      <a class="button" href=${`/jobs/${id}`}>The job</a>
    </${Heading}>
    ${!now && html`<${BlindBegin} job=${job} begun=${begun} />`}
    ${now && !now.finished && html`<${Question} key=${now.answered} job=${job} test=${now} titles=${titles} answered=${setLatest} />`}
    ${now?.finished && html`<${BlindEnd} job=${job} test=${now} titles=${titles} />`}
  </section>`;
}

/** @param {{job: Job, test: Test, titles: {[arm: string]: string}, answered: (test: Test) => void}} props */
function Question({ job, test, titles, answered }) {
  const begun = useRef(performance.now());
  const [shares, setShares] = useState("");
  const [guess, setGuess] = useState("");
  const [concept, setConcept] = useState("");
  const [problem, setProblem] = useState("");
  const ready = shares !== "" && guess !== "";
  const position = test.next?.position ?? 0;
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!ready) return;
    const seconds = Math.min((performance.now() - begun.current) / 1000, 86_400);
    try {
      answered(await post(`/blind-tests/${test.id}/rows/${position}`, { shares, concept: concept.trim(), guess, seconds }));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const [first = "", second = ""] = test.arms;
  useEffect(
    () =>
      listenForKeys({
        y: () => setShares("yes"),
        n: () => setShares("no"),
        u: () => setShares("unsure"),
        1: () => setGuess(first),
        2: () => setGuess(second),
      }),
    [],
  );
  return html`<form class="stack" onSubmit=${send}>
    <p class="row spread"><span class="muted">Row ${position + 1} of ${test.total}, ${test.viewer}</span><progress max=${test.total} value=${test.answered} aria-label="Rows answered" /></p>
    <div class=${`blind-row ${rendering(job)}`}>${Array.from({ length: test.next?.images ?? 0 }, (_, rank) => html`<img key=${rank} src=${`/api/v1/blind-tests/${test.id}/rows/${position}/${rank}.png`} alt=${`Image ${rank + 1} of the row`} />`)}</div>
    <${Choice} legend="Do these images share something that you can name?" value=${shares} choose=${setShares} options=${[
      ["yes", "Yes", "y"],
      ["no", "No", "n"],
      ["unsure", "Not sure", "u"],
    ]} />
    <div class="field measure"><label for="concept">What is it?</label><input id="concept" type="text" maxlength="200" value=${concept} placeholder="For instance: a round upper stroke" onInput=${typed(setConcept)} /></div>
    <${Choice} legend="What chose them?" value=${guess} choose=${setGuess} options=${[
      [first, titles[first] ?? first, "1"],
      [second, titles[second] ?? second, "2"],
    ]} />
    ${problem && html`<p class="bad" role="alert">${problem}</p>`}
    <div class="row"><button class="primary" disabled=${!ready}>${position + 1 === test.total ? "Finish" : "Next row"}</button>
      <small class="muted">You can leave and come back to this address. Keys: y, n, u; 1, 2; Enter.</small></div>
  </form>`;
}

/** @param {{legend: string, value: string, choose: (value: string) => void, options: string[][]}} props */
const Choice = ({ legend, value, choose, options }) => html`<fieldset class="choice-row">
  <legend>${legend}</legend>
  <div class="row">${options.map(
    ([name = "", title, key]) =>
      html`<button type="button" key=${name} aria-pressed=${value === name} title=${`Key ${key}`} onClick=${() => choose(name)}>${title}</button>`,
  )}</div>
</fieldset>`;
