// The reproductions so far, with the figures that say how near they came.
import { CancelButton } from "../components/running.js";
import { Badge, finished, Progress } from "../components/progress.js";
import { Empty, Failure, Skeletons } from "../components/states.js";
import { live } from "../events.js";
import { ago, moment, number } from "../format.js";
import { html } from "../html.js";
import { jobPath, jobTitle, outcome, useJobs } from "../jobs.js";

export function PastReproductions() {
  const jobs = useJobs("kind=reproduce&limit=20");
  /** @type {Job[]} */
  const items = jobs.data?.items ?? [];
  return html`<section>
    <h2>So far</h2>
    ${jobs.error && html`<${Failure} error=${jobs.error} again=${jobs.reload} />`}
    ${jobs.loading && html`<${Skeletons} count=${2} height="44px" />`}
    ${jobs.data && items.length === 0 && html`<${Empty} title="Nothing reproduced yet"><p class="muted">The first run appears here, with how near it came to the paper.</p></${Empty}>`}
    ${
      items.length > 0 &&
      html`<div class="scroll history"><table>
      <thead><tr><th>What</th><th>State</th><th>Against the paper</th><th class="number">Mean difference</th><th class="number">Rank correlation</th><th>When</th></tr></thead>
      <tbody>${items.map((job) => html`<${Row} key=${job.id} job=${live(job)} />`)}</tbody>
    </table></div>`
    }
  </section>`;
}

/** @param {{job: Job}} props */
function Row({ job }) {
  const found = job.summary ?? {};
  return html`<tr>
    <td><a class="title" href=${jobPath(job)}>${jobTitle(job)}</a></td>
    <td><${Badge} job=${job} /></td>
    ${
      finished(job)
        ? html`<td>${outcome(job)}</td>
          <td class="number" data-name="Mean difference">${found.comparable && figures(found, "mean_absolute_difference", " points")}</td>
          <td class="number" data-name="Rank correlation">${found.comparable && figures(found, "spearman", "")}</td>`
        : html`<td colspan="3"><div class="row"><span style=${{ flex: 1 }}><${Progress} job=${job} /></span><${CancelButton} job=${job} /></div></td>`
    }
    <td class="muted when" title=${moment(job.created_at)}>${ago(job.created_at)}</td>
  </tr>`;
}

/** One headline figure, over the tables that have it. @param {Values} found @param {string} name @param {string} unit */
function figures(found, name, unit) {
  /** @type {number[]} */
  const values = (found.tables ?? []).map((/** @type {Values} */ table) => table.figures?.[name]);
  const known = values.filter((value) => Number.isFinite(value));
  if (known.length === 0) return "";
  const [least, most] = [number(Math.min(...known)), number(Math.max(...known))];
  return `${least === most ? least : `${least} to ${most}`}${unit}`;
}
