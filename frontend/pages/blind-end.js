// After a blind test: how often the guess was right, and what every row was.
import { count, percent } from "../format.js";
import { html } from "../html.js";
import { rendering } from "./blind-test.js";

/** @type {{[shares: string]: string}} */
const words = { yes: "shared", no: "nothing shared", unsure: "not sure" };

/** @param {{job: Job, test: import("./blind-test.js").Test, titles: {[arm: string]: string}}} props */
export function BlindEnd({ job, test, titles }) {
  const right = test.rows.filter((row) => row.guess === row.arm).length;
  return html`<div class="stack">
    <p class="verdict measure">${right} of ${count(test.total)} guesses were right (${percent(right / test.total)}); chance is one half.</p>
    <div class="row"><a class="button primary" href=${`/jobs/${test.job_id}`}>What everybody saw</a><a class="button" href=${`/blind?job=${test.job_id}`}>Another test</a></div>
    <ol class="blind-rows">${test.rows.map(
      (row) => html`<li key=${row.position}>
      <div class=${`images ${rendering(job)}`}>${Array.from({ length: job.summary.k }, (_, rank) => html`<img src=${`/api/v1/blind-tests/${test.id}/rows/${row.position}/${rank}.png`} alt="" loading="lazy" />`)}</div>
      <p><strong>${titles[row.arm] ?? row.arm}</strong> <span class=${row.guess === row.arm ? "muted" : "bad"}>${row.guess === row.arm ? "guessed right" : `taken for ${(titles[row.guess] ?? row.guess).toLowerCase()}`}</span>
        <span class="muted">; ${words[row.shares]}${row.concept ? `: “${row.concept}”` : ""}</span></p>
    </li>`,
    )}</ol>
  </div>`;
}
