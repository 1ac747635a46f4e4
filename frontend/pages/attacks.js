// The attack jobs of this installation.
import { JobTable } from "../components/job-table.js";
import { Empty, Failure, Heading, Skeletons } from "../components/states.js";
import { html } from "../html.js";
import { useJobs } from "../jobs.js";
import { place, withQuery } from "../router.js";

export function Attacks() {
  const { query } = place.value;
  const cursor = query.get("cursor");
  const { data, error, loading, reload } = useJobs(`kind=attack&limit=25${cursor ? `&cursor=${cursor}` : ""}`);
  return html`<section>
    <${Heading} title="Attacks" lead="Each attack searches, for every chosen image, the smallest change that makes a network answer something else.">
      <a class="button primary" href="/attacks/new">New attack</a>
    </${Heading}>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${loading && html`<${Skeletons} count=${6} height="44px" />`}
    ${
      data &&
      data.items.length === 0 &&
      html`<${Empty} title="No attack yet">
      <p class="muted">Choose a trained network and some images; a hundred digits take a few seconds.</p>
      <a class="button primary" href="/attacks/new">New attack</a>
    </${Empty}>`
    }
    ${data && data.items.length > 0 && html`<${JobTable} jobs=${data.items} />`}
    ${
      data &&
      html`<div class="row">
      ${cursor && html`<a class="button" href="/attacks">Newest</a>`}
      ${data.next_cursor && html`<a class="button" href=${withQuery("/attacks", query, { cursor: data.next_cursor })}>Older</a>`}
    </div>`
    }
  </section>`;
}
