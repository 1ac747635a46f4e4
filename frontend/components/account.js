// In the top bar, where people sign in: the project that is looked at, and one's own menu.
import { useEffect, useRef } from "preact/hooks";

import { account, changeProject, decides } from "../account.js";
import { request, signedIn } from "../api.js";
import { html, typed } from "../html.js";
import { place } from "../router.js";

/** @param {string} name */
const initials = (name) =>
  name
    .split(/[\s._-]+/)
    .slice(0, 2)
    .map((word) => word.charAt(0).toUpperCase())
    .join("");

export function Account() {
  const me = account.value;
  if (!me || !signedIn.value || (!me.people && me.projects.length < 2)) return null;
  return html`<div class="account">
    ${me.projects.length > 1 && html`<${Switcher} me=${me} />`}
    ${me.people && html`<${Menu} me=${me} />`}
  </div>`;
}

/** @param {{me: import("../account.js").Account}} props */
const Switcher = ({ me }) => html`<select class="switcher" aria-label="Project" title="Project" onChange=${typed(changeProject)}>
  ${me.projects.map((each) => html`<option key=${each.name} value=${each.name} selected=${each.name === me.project}>${each.title}</option>`)}
</select>`;

/** @param {{me: import("../account.js").Account}} props */
function Menu({ me }) {
  const menu = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  const address = place.value;
  const close = () => menu.current?.removeAttribute("open");
  useEffect(close, [address]);
  useEffect(() => {
    const outside = (/** @type {Event} */ event) => {
      const away = event.target instanceof Node && !menu.current?.contains(event.target);
      if (away || (event instanceof KeyboardEvent && event.key === "Escape")) close();
    };
    addEventListener("click", outside);
    addEventListener("keydown", outside);
    return () => {
      removeEventListener("click", outside);
      removeEventListener("keydown", outside);
    };
  }, []);
  const leave = async () => {
    await request("DELETE", "/session");
    location.assign("/login");
  };
  return html`<details class="menu" ref=${menu}>
    <summary aria-label=${`Account of ${me.display_name}`} title=${me.display_name}>${initials(me.display_name)}</summary>
    <div>
      <p><strong>${me.display_name}</strong><br /><small class="muted">${me.user}${me.role ? `, ${me.role} of this project` : ""}${me.service_admin ? ", admin of the service" : ""}</small></p>
      <a href="/account">Password and tokens</a>
      <a href="/people">People</a>
      ${(decides() || me.service_admin) && html`<a href="/audit">Audit log</a>`}
      <button type="button" onClick=${leave}>Sign out</button>
    </div>
  </details>`;
}
