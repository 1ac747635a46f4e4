// Who is in this project and what they may do; for admins of the service, everybody and every project.
import { useState } from "preact/hooks";

import { account, decides } from "../account.js";
import { post, request } from "../api.js";
import { Action, Text } from "../components/action.js";
import { Confirm } from "../components/confirm.js";
import { Once } from "../components/once.js";
import { Select } from "../components/select.js";
import { Failure, Heading } from "../components/states.js";
import { ago } from "../format.js";
import { html, typed } from "../html.js";
import { useResource } from "../resource.js";
import { Users } from "./users.js";

export const roles = [
  ["viewer", "Viewer: looks"],
  ["member", "Member: submits"],
  ["admin", "Admin: decides"],
];

export function People() {
  const me = account.value;
  if (!me) return null;
  if (!me.people) {
    return html`<section><${Heading} title="People" lead="This installation has one local user. Start it with BLINDSPOTS_TEAM=true, and people sign in with their own names." /></section>`;
  }
  if (!me.project) {
    return html`<section><${Heading} title="People" lead="You are in no project yet. An admin of a project can take you in." /></section>
      ${me.service_admin && html`<${Users} />`}`;
  }
  const here = me.projects.find((each) => each.name === me.project);
  return html`<${Members} key=${me.project} name=${me.project} title=${here?.title ?? me.project} />${me.service_admin && html`<${Users} />`}`;
}

/** @param {{name: string, title: string}} props */
function Members({ name, title }) {
  const members = useResource(`/projects/${name}/members`);
  const lead = decides()
    ? "Viewers look, members submit and change what is theirs, admins decide."
    : "Who works in this project.";
  return html`<section>
      <${Heading} title=${`People of ${title}`} lead=${lead} />
      ${members.error && html`<${Failure} error=${members.error} again=${members.reload} />`}
      ${
        members.data &&
        html`<div class="scroll history"><table>
        <thead><tr><th>Name</th><th>Signs in as</th><th>Role</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
        <tbody>${members.data.items.map((/** @type {Values} */ each) => html`<${Member} key=${each.name} project=${name} person=${each} changed=${members.reload} />`)}</tbody>
      </table></div>`
      }
      ${decides() && html`<${TakeIn} project=${name} changed=${members.reload} />`}
    </section>
    ${decides() && html`<${Invites} project=${name} />`}`;
}

/** @param {{project: string, person: Values, changed: () => void}} props */
function Member({ project, person, changed }) {
  const address = `/projects/${project}/members/${person.name}`;
  const set = async (/** @type {string} */ role) => {
    await request("PUT", address, { role });
    changed();
  };
  const remove = async () => {
    await request("DELETE", address);
    changed();
  };
  return html`<tr>
    <td>${person.display_name}${person.disabled ? html` <small class="muted">disabled</small>` : null}</td><td class="muted">${person.name}</td>
    <td>${
      decides()
        ? html`<select aria-label=${`Role of ${person.name}`} onChange=${typed(set)}>
          ${roles.map(([role = ""]) => html`<option key=${role} value=${role} selected=${role === person.role}>${role}</option>`)}
        </select>`
        : person.role
    }</td>
    <td>${decides() && html`<${Confirm} plain label="Take out" question="They see the project no more." confirm="Take out" act=${remove} />`}</td>
  </tr>`;
}

/** @param {{project: string, changed: () => void}} props */
function TakeIn({ project, changed }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState("member");
  const add = async () => {
    await request("PUT", `/projects/${project}/members/${encodeURIComponent(name.trim())}`, { role });
    setName("");
    changed();
  };
  return html`<${Action} label="Take in" act=${add} ready=${Boolean(name.trim())}>
    <${Text} id="take-in" label="Somebody who signs in here already" value=${name} change=${setName} most=${40} />
    <${Select} id="take-in-role" label="As" value=${role} change=${setRole} options=${roles} />
  </${Action}>`;
}

/** @param {{project: string}} props */
function Invites({ project }) {
  const { data, reload } = useResource(`/projects/${project}/invites`);
  const [role, setRole] = useState("member");
  const [made, setMade] = useState(/** @type {Values | null} */ (null));
  const make = async () => {
    setMade(await post(`/projects/${project}/invites`, { role }));
    reload();
  };
  const withdraw = (/** @type {string} */ id) => async () => {
    await request("DELETE", `/projects/${project}/invites/${id}`);
    reload();
  };
  return html`<section>
    <h2>Invite newcomers</h2>
    ${made && html`<${Once} title=${`A link for one ${made.role}`} text=${made.url} done=${() => setMade(null)}>Send it to one person. It works once, within a week, and cannot be shown again.</${Once}>`}
    <${Action} label="Make a link" act=${make}>
      <${Select} id="invite-role" label="For a" value=${role} change=${setRole} options=${roles} />
    </${Action}>
    ${
      data?.items.length > 0 &&
      html`<div class="scroll history"><table>
      <thead><tr><th>Not used yet</th><th>Made by</th><th>When</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
      <tbody>${data.items.map(
        (
          /** @type {Values} */ each,
        ) => html`<tr key=${each.id}><td>for a ${each.role}</td><td>${each.created_by}</td><td class="muted">${ago(each.created_at)}</td>
        <td><${Confirm} plain label="Withdraw" question="The link stops working." confirm="Withdraw" act=${withdraw(each.id)} /></td></tr>`,
      )}</tbody>
    </table></div>`
    }
  </section>`;
}
