// For admins of the service: everybody who can sign in, and the projects.
import { useState } from "preact/hooks";

import { account, changeProject } from "../account.js";
import { post, request } from "../api.js";
import { Action, Text } from "../components/action.js";
import { Confirm } from "../components/confirm.js";
import { Once } from "../components/once.js";
import { Failure } from "../components/states.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";

export function Users() {
  const { data, error, reload } = useResource("/users");
  const [made, setMade] = useState(/** @type {Values | null} */ (null));
  const [name, setName] = useState("");
  const [full, setFull] = useState("");
  const add = async () => {
    setMade(await post("/users", { name: name.trim(), display_name: full.trim() }));
    setName("");
    setFull("");
    reload();
  };
  return html`<section>
      <h2>Everybody</h2>
      ${error && html`<${Failure} error=${error} again=${reload} />`}
      ${made && html`<${Once} title=${`A link for ${made.name}`} text=${made.url} done=${() => setMade(null)}>With it, ${made.name} chooses a password. It works once, within two days.</${Once}>`}
      ${
        data &&
        html`<div class="scroll history"><table>
        <thead><tr><th>Name</th><th>Signs in as</th><th>Projects</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
        <tbody>${data.items.map((/** @type {Values} */ each) => html`<${Person} key=${each.name} person=${each} changed=${reload} show=${setMade} />`)}</tbody>
      </table></div>`
      }
      <${Action} label="Add" act=${add} ready=${Boolean(name.trim())}>
        <${Text} id="user-name" label="Name to sign in with" value=${name} change=${setName} most=${40} />
        <${Text} id="user-full" label="Full name" value=${full} change=${setFull} />
      </${Action}>
    </section>
    <${Projects} />`;
}

/** @param {{person: Values, changed: () => void, show: (made: Values) => void}} props */
function Person({ person, changed, show }) {
  const address = `/users/${person.name}`;
  const set = (/** @type {Values} */ change) => async () => {
    await request("PATCH", address, change);
    changed();
  };
  const reset = async () => show(await post(`${address}/reset`));
  const state = person.disabled ? "disabled" : person.has_password ? "" : "has not chosen a password yet";
  const belongs = Object.entries(person.roles).map(([project, role]) => `${project}: ${role}`);
  return html`<tr class=${person.disabled ? "muted" : ""}>
    <td>${person.display_name}<div><small class="muted">${[person.service_admin ? "admin of the service" : "", state].filter(Boolean).join(", ")}</small></div></td>
    <td>${person.name}</td><td>${belongs.join(", ") || "–"}</td>
    <td><div class="row">
      <button type="button" class="plain" onClick=${reset}>Password link</button>
      ${
        person.disabled
          ? html`<button type="button" class="plain" onClick=${set({ disabled: false })}>Let in again</button>`
          : html`<${Confirm} plain label="Disable" question="Signs them out and revokes their tokens." confirm="Disable" act=${set({ disabled: true })} />`
      }
      <${Confirm} plain label=${person.service_admin ? "No service admin" : "Service admin"} question="Are you sure?" confirm="Yes" act=${set({ service_admin: !person.service_admin })} />
    </div></td>
  </tr>`;
}

function Projects() {
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const add = async () => {
    const made = await post("/projects", { name: name.trim(), title: title.trim() });
    changeProject(made.name);
  };
  return html`<section>
    <h2>Projects</h2>
    <p class="muted measure">Jobs and models belong to a project, and are seen by its people only. Data sets and uploaded images are everybody's.</p>
    <p>${account.value?.projects.map((each) => each.title).join(", ")}</p>
    <${Action} label="Make a project" act=${add} ready=${Boolean(name.trim())}>
      <${Text} id="project-name" label="Short name" value=${name} change=${setName} most=${40} />
      <${Text} id="project-title" label="Title" value=${title} change=${setTitle} />
    </${Action}>
  </section>`;
}
