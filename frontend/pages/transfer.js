// The transfer jobs of this installation, and what a transfer is.
import { JobTable } from "../components/job-table.js";
import { Empty, Failure, Heading, Skeletons } from "../components/states.js";
import { html } from "../html.js";
import { useJobs } from "../jobs.js";
import { place, withQuery } from "../router.js";

export function Transfers() {
  const { query } = place.value;
  const cursor = query.get("cursor");
  const { data, error, loading, reload } = useJobs(`kind=transfer&limit=25${cursor ? `&cursor=${cursor}` : ""}`);
  const start = html`<a class="button primary" href="/transfer/new">New transfer</a>`;
  return html`<section>
    <${Heading} title="Transfer" lead="Do images that were made to fool one network fool others too? Each transfer attacks some networks and shows the images to many, beside noise and random changes of the same size.">${start}</${Heading}>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${loading && html`<${Skeletons} count=${6} height="44px" />`}
    ${
      data &&
      data.items.length === 0 &&
      html`<${Empty} title="No transfer yet">
      <p class="muted">Choose two or more trained networks and some images; three demo networks and sixty digits take about a minute.</p>
      ${start}
      <p class="muted">The transfers of the paper's tables 2 and 4 are made by <a href="/reproduce">Reproduce</a>.</p>
    </${Empty}>`
    }
    ${data && data.items.length > 0 && html`<${JobTable} jobs=${data.items} />`}
    ${
      data &&
      html`<div class="row">
      ${cursor && html`<a class="button" href="/transfer">Newest</a>`}
      ${data.next_cursor && html`<a class="button" href=${withQuery("/transfer", query, { cursor: data.next_cursor })}>Older</a>`}
    </div>`
    }
  </section>`;
}
