// What the team saw in blind tests of a job: accuracy against chance, shared concepts arm by arm, agreement.
import { Failure } from "../components/states.js";
import { count, number, percent } from "../format.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";

/** @param {{job: Job}} props */
export function BlindResults({ job }) {
  const { data, error, reload } = useResource(`/jobs/${job.id}/blind-tests`);
  const unfinished = (data?.tests ?? []).filter((/** @type {Values} */ test) => test.mine && test.answered < test.total);
  return html`<section aria-label="Blind test">
    <h2>Blind test</h2>
    <p class="measure">The figures of the paper ask the reader to look. A blind test asks without saying which row is which, and keeps the answers.</p>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${data?.results.map((/** @type {Values} */ found) => found.answers > 0 && html`<${Pair} key=${found.arms.join()} found=${found} />`)}
    <div class="row"><a class="button primary" href=${`/blind?job=${job.id}`}>Take the test</a>
      ${unfinished.slice(0, 3).map((/** @type {Values} */ test) => html`<a key=${test.id} href=${`/blind?test=${test.id}`}>Go on as ${test.viewer} (${test.answered} of ${test.total})</a>`)}</div>
  </section>`;
}

/** @param {{found: Values}} props */
function Pair({ found }) {
  const interval = (/** @type {Values} */ each) => `${percent(each.low)} to ${percent(each.high)}`;
  const named = found.rows.filter((/** @type {Values} */ row) => row.concepts.length > 0);
  const titles = Object.fromEntries(found.shares.map((/** @type {Values} */ each) => [each.arm, each.title]));
  return html`<div class="stack">
    <p class="verdict measure">${found.conclusion}</p>
    <dl class="facts">
      <div><dt>Guessed right</dt><dd>${percent(found.accuracy)}<small>${interval(found)}; chance 50 %, p ${number(found.p_value, 2)}</small></dd></div>
      ${found.shares.map((/** @type {Values} */ each) => html`<div key=${each.arm}><dt>${each.title}: something shared</dt><dd>${percent(each.share)}<small>${interval(each)}, ${count(each.answers)} answers</small></dd></div>`)}
      <div><dt>Agreement on the guess</dt><dd>${found.agreement.guess.alpha === null ? "–" : number(found.agreement.guess.alpha, 2)}<small>${agreed(found.agreement.guess, found.viewers)}</small></dd></div>
      <div><dt>Agreement on what is shared</dt><dd>${found.agreement.shares.alpha === null ? "–" : number(found.agreement.shares.alpha, 2)}<small>${agreed(found.agreement.shares, found.viewers)}</small></dd></div>
    </dl>
    ${
      named.length > 0 &&
      html`<details><summary>What was named, row by row</summary><ul>${named.map(
        (/** @type {Values} */ row) => html`<li key=${row.row}>${titles[row.arm] ?? row.arm}: ${row.concepts.join("; ")}</li>`,
      )}</ul></details>`
    }
  </div>`;
}

/** @param {Values} each @param {number} viewers */
const agreed = (each, viewers) =>
  each.alpha === null
    ? `needs two viewers; there ${viewers === 1 ? "is 1" : `are ${viewers}`}`
    : `Krippendorff's alpha${each.low === null ? "" : `, ${number(each.low, 2)} to ${number(each.high, 2)}`}`;
