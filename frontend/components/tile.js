// One adversarial example in a gallery: its three panels at whole-number scale, and what happened.
import { className } from "../catalog.js";
import { number } from "../format.js";
import { html } from "../html.js";

const room = 262;

/** Widths of a triptych PNG and its whole-number enlargement. @param {[number, number, number]} shape */
export function enlarged(shape, space = room) {
  const natural = 3 * shape[2] + 2;
  const scale = Math.max(1, Math.floor(space / natural));
  const fits = natural * scale <= space;
  const width = fits ? natural * scale : space;
  return { width, height: Math.round((width * shape[1]) / natural), pixelated: fits };
}

/** @param {{job: string, row: ExampleRow, shape: [number, number, number], names: string[]}} props */
export function Triptych({ job, row, shape, names }) {
  const { width, height, pixelated } = enlarged(shape);
  if (!row.kept)
    return html`<div class="notice" style=${{ width: `${width}px`, height: `${height}px`, padding: 0, placeItems: "center", alignContent: "center" }}><small class="muted">not kept</small></div>`;
  const words = `Original ${className(names, row.label)}, perturbation, and adversarial image answered ${className(names, row.reached)}`;
  return html`<img class=${pixelated ? "pixels" : ""} src=${`/api/v1/jobs/${job}/examples/${row.index}/triptych.png`} width=${width} height=${height}
    loading="lazy" decoding="async" alt=${words} />`;
}

/** @param {{row: ExampleRow, names: string[]}} props */
export function Caption({ row, names }) {
  const verdict = row.already_wrong ? "already wrong" : row.success ? "" : "not reached";
  return html`<span class="caption">
    <span>${className(names, row.label)} → <strong>${className(names, row.reached)}</strong>${verdict && html` <span class="muted">${verdict}</span>`}</span>
    <span class="muted" title="Distortion: root mean square of the change per pixel">${number(row.rms)} RMS</span>
  </span>`;
}
