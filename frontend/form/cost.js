// What a job will take, said before it is sent.
import { Prose } from "../components/prose.js";
import { bytes, duration, plural } from "../format.js";
import { html } from "../html.js";

/** @param {{estimate: Values | null, failed: boolean, complete: boolean}} props */
export function Cost({ estimate, failed, complete }) {
  if (failed) return html`<p class="cost" role="status">See the marked field.</p>`;
  if (!complete) return html`<p class="cost" role="status">Fill in the required fields.</p>`;
  if (!estimate) return html`<p class="cost" role="status">Estimating…</p>`;
  const pieces = [
    estimate.images > 1 ? plural(estimate.images, "image") : "",
    estimate.steps ? plural(estimate.steps, "step") : "",
    plural(estimate.parts, "part") + (estimate.reused_parts ? `, ${estimate.reused_parts} already computed` : ""),
    estimate.seconds === null ? "time not known yet on this machine" : `about ${duration(estimate.seconds)}`,
    `${bytes(estimate.bytes_kept)} kept`,
  ].filter(Boolean);
  return html`<p class="cost" role="status">
    ${pieces.join(" · ")}
    ${estimate.seconds !== null && estimate.seconds_basis && html`<small class="muted"> (${estimate.seconds_basis})</small>`}
    ${estimate.waiting_for && html`<br /><span>It will wait: <${Prose} text=${estimate.waiting_for} /></span>`}
  </p>`;
}
