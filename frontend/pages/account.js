// One's own password, tokens and browsers.
import { useState } from "preact/hooks";

import { account } from "../account.js";
import { request } from "../api.js";
import { Action, Text } from "../components/action.js";
import { Confirm } from "../components/confirm.js";
import { Heading } from "../components/states.js";
import { html } from "../html.js";
import { Tokens } from "./tokens.js";

export function AccountPage() {
  const me = account.value;
  if (!me) return null;
  if (!me.people) {
    return html`<section><${Heading} title="Account" lead="This installation has one local user, who needs neither a password nor tokens of their own." /></section>`;
  }
  return html`<section><${Heading} title="Account" lead=${`You are signed in as ${me.display_name} (${me.user}).`} /></section>
    <${Tokens} />
    <section><h2>Password</h2><${Password} /></section>
    <section><h2>Browsers</h2>
      <p class="muted measure">Signed in on a machine that you no longer use? This ends every session of yours, here too. Tokens stay.</p>
      <div><${Confirm} label="Sign out everywhere" question="Sign out every browser?" confirm="Sign out" act=${leaveEverywhere} /></div>
    </section>`;
}

async function leaveEverywhere() {
  await request("DELETE", "/sessions");
  location.assign("/login");
}

function Password() {
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [done, setDone] = useState(false);
  const change = async () => {
    await request("PUT", "/account/password", { old, new: next });
    setOld("");
    setNext("");
    setDone(true);
  };
  return html`<${Action} label="Change it" act=${change} ready=${Boolean(old && next)}>
      <${Text} id="old" label="Present password" type="password" complete="current-password" most=${200} value=${old} change=${setOld} />
      <${Text} id="new" label="New password, 12 characters or more" type="password" complete="new-password" most=${200} value=${next} change=${setNext} />
    </${Action}>
    ${done && html`<p role="status">The password is changed, and your other browsers are signed out.</p>`}`;
}
