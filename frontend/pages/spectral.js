// The spectral jobs of this installation, and what they are about.
import { JobTable } from "../components/job-table.js";
import { Empty, Failure, Heading, Skeletons } from "../components/states.js";
import { html } from "../html.js";
import { useJobs } from "../jobs.js";
import { place, withQuery } from "../router.js";

export function Spectra() {
  const { query } = place.value;
  const cursor = query.get("cursor");
  const { data, error, loading, reload } = useJobs(`kind=spectral&limit=25${cursor ? `&cursor=${cursor}` : ""}`);
  const start = html`<a class="button primary" href="/spectral/new">New spectral job</a>`;
  return html`<section>
    <${Heading} title="Spectral" lead="How far can a network drive two images apart, at most? Each layer's exact singular values, their product, and beside it what the network does near real images.">${start}</${Heading}>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${loading && html`<${Skeletons} count=${6} height="44px" />`}
    ${
      data &&
      data.items.length === 0 &&
      html`<${Empty} title="No spectral job yet">
      <p class="muted">Choose a trained network; the spectra of a demo network take a second.</p>
      ${start}
    </${Empty}>`
    }
    ${data && data.items.length > 0 && html`<${JobTable} jobs=${data.items} />`}
    ${
      data &&
      html`<div class="row">
      ${cursor && html`<a class="button" href="/spectral">Newest</a>`}
      ${data.next_cursor && html`<a class="button" href=${withQuery("/spectral", query, { cursor: data.next_cursor })}>Older</a>`}
    </div>`
    }
  </section>`;
}
