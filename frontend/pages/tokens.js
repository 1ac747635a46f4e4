// Keys for one's own programs: each shown once, with a scope and an end.
import { useState } from "preact/hooks";

import { account } from "../account.js";
import { post, request } from "../api.js";
import { Action, Text } from "../components/action.js";
import { Confirm } from "../components/confirm.js";
import { Once } from "../components/once.js";
import { Select } from "../components/select.js";
import { Failure } from "../components/states.js";
import { ago, moment } from "../format.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";

const scopes = [
  ["read", "Read"],
  ["submit", "Read and submit"],
  ["admin", "All that I may do"],
];

export function Tokens() {
  const { data, error, reload } = useResource("/tokens");
  const [made, setMade] = useState(/** @type {Values | null} */ (null));
  const [name, setName] = useState("");
  const [scope, setScope] = useState("submit");
  const [where, setWhere] = useState("");
  const [days, setDays] = useState("90");
  const make = async () => {
    setMade(await post("/tokens", { name: name.trim(), scope, project: where || null, days: Number(days) }));
    setName("");
    reload();
  };
  const projects = account.value?.projects ?? [];
  return html`<section>
    <h2>Tokens</h2>
    <p class="muted measure">A program sends a token instead of a password: set <code>BLINDSPOTS_TOKEN</code>, and the Python client and the command line use it.</p>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${
      made &&
      html`<${Once} title="Your new token" text=${made.token} done=${() => setMade(null)}>Copy it now: it is stored as a hash only, and nobody can show it again.</${Once}>`
    }
    <${Action} label="Make a token" act=${make} ready=${Boolean(name.trim())}>
      <${Text} id="token-name" label="What it is for" value=${name} change=${setName} grow />
      <${Select} id="scope" label="It may" value=${scope} change=${setScope} options=${scopes} />
      <${Select} id="where" label="In" value=${where} change=${setWhere} options=${[["", "All my projects"], ...projects.map((each) => [each.name, each.title])]} />
      <${Select} id="days" label="For" value=${days} change=${setDays} options=${[
        ["7", "a week"],
        ["30", "30 days"],
        ["90", "90 days"],
        ["365", "a year"],
      ]} />
    </${Action}>
    ${data?.items.length > 0 && html`<${Table} tokens=${data.items} changed=${reload} />`}
  </section>`;
}

/** @param {{tokens: Values[], changed: () => void}} props */
const Table = ({ tokens, changed }) => html`<div class="scroll history"><table>
  <thead><tr><th>For</th><th>Begins with</th><th>May</th><th>In</th><th>Last used</th><th>Ends</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
  <tbody>${tokens.map((each) => html`<${Row} key=${each.id} token=${each} changed=${changed} />`)}</tbody>
</table></div>`;

/** @param {{token: Values, changed: () => void}} props */
function Row({ token, changed }) {
  const revoke = async () => {
    await request("DELETE", `/tokens/${token.id}`);
    changed();
  };
  return html`<tr class=${token.state === "good" ? "" : "muted"}>
    <td>${token.name}</td><td><code>bs_${token.prefix}…</code></td><td>${token.scope}</td><td>${token.project ?? "all"}</td>
    <td title=${token.last_used_at ? moment(token.last_used_at) : ""}>${token.last_used_at ? ago(token.last_used_at) : "never"}</td>
    <td>${token.state === "good" ? moment(token.expires_at).split(",")[0] : token.state}</td>
    <td>${token.state === "good" && html`<${Confirm} plain label="Revoke" question="It stops working at once." confirm="Revoke" act=${revoke} />`}</td>
  </tr>`;
}
