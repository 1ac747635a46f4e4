// The units jobs of this installation, and what they ask.
import { JobTable } from "../components/job-table.js";
import { Empty, Failure, Heading, Skeletons } from "../components/states.js";
import { html } from "../html.js";
import { useJobs } from "../jobs.js";
import { place, withQuery } from "../router.js";

export function UnitsJobs() {
  const { query } = place.value;
  const cursor = query.get("cursor");
  const { data, error, loading, reload } = useJobs(`kind=units&limit=25${cursor ? `&cursor=${cursor}` : ""}`);
  const start = html`<a class="button primary" href="/units/new">New units job</a>`;
  return html`<section>
    <${Heading} title="Units" lead="Does a single unit of a network stand for something that a random direction does not? Each job shows the images that move a direction most, for single units and for others, and compares what they share.">${start}</${Heading}>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${loading && html`<${Skeletons} count=${6} height="44px" />`}
    ${
      data &&
      data.items.length === 0 &&
      html`<${Empty} title="No units job yet">
      <p class="muted">Choose a trained network and a layer; a thousand digits take a few seconds.</p>
      ${start}
    </${Empty}>`
    }
    ${data && data.items.length > 0 && html`<${JobTable} jobs=${data.items} />`}
    ${
      data &&
      html`<div class="row">
      ${cursor && html`<a class="button" href="/units">Newest</a>`}
      ${data.next_cursor && html`<a class="button" href=${withQuery("/units", query, { cursor: data.next_cursor })}>Older</a>`}
    </div>`
    }
  </section>`;
}
