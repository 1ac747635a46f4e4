// A finished download: what to do with the data set now.
import { html } from "../html.js";

/** @param {{job: Job}} props */
export const FetchResult = ({ job }) =>
  job.state === "succeeded"
    ? html`<section><div class="notice"><p>${job.dataset ?? "The data set"} is here, checked against its published checksums.</p>
        <div class="row"><a class="button primary" href="/train">Train on it</a><a class="button" href="/data">See the data</a></div></div></section>`
    : null;
