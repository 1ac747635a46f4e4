// What a view says while it loads, when it has nothing, and when something went wrong.
import { html } from "../html.js";
import { Prose } from "./prose.js";

/** A grey block of the size of what will be there. @param {{height?: string, width?: string}} props */
export const Skeleton = ({ height = "16px", width = "100%" }) =>
  html`<div class="skeleton" style=${{ height, width }} aria-hidden="true"></div>`;

/** @param {{count: number, height: string}} props */
export const Skeletons = ({ count, height }) => html`<div class="stack" aria-busy="true">
  <span class="visually-hidden">Loading</span>
  ${Array.from({ length: count }, () => html`<${Skeleton} height=${height} />`)}
</div>`;

/** @param {{error: import("../api.js").Problem, again?: () => void, children?: View}} props */
export function Failure({ error, again, children }) {
  return html`<div class="notice failure" role="alert">
    <p><${Prose} text=${error.message} /></p>
    ${children}
    <div class="row">
      ${again && html`<button type="button" onClick=${again}>Try again</button>`}
      ${error.requestId && html`<small class="muted">Request ${error.requestId}</small>`}
    </div>
  </div>`;
}

/** @param {{title: string, children?: View}} props */
export const Empty = ({ title, children }) => html`<div class="notice empty"><h3>${title}</h3>${children}</div>`;

/** @param {{title: string, lead?: View, children?: View}} props */
export const Heading = ({ title, lead, children }) => html`<header class="heading">
  <div>
    <h1 tabindex="-1">${title}</h1>
    ${lead && html`<p class="lead">${lead}</p>`}
  </div>
  ${children && html`<div class="row">${children}</div>`}
</header>`;
