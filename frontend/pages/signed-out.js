// Nobody is signed in: how to get in.
import { useState } from "preact/hooks";

import { account } from "../account.js";
import { post, signedIn } from "../api.js";
import { Heading } from "../components/states.js";
import { html, typed } from "../html.js";

export function SignedOut() {
  return account.value?.people ? html`<${Again} />` : html`<${Token} />`;
}

const Again = () => html`<section class="measure">
  <${Heading} title="You are signed out" lead="Your session has ended: you signed out, or an admin ended it." />
  <div><a class="button primary" href="/login" target="_self">Sign in</a></div>
</section>`;

function Token() {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState("");
  const enter = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      await post("/session", { token: token.trim() });
      signedIn.value = true;
      location.reload();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return html`<section class="measure">
    <${Heading} title="You are signed out" lead="Open the link that blindspots up printed in its terminal: it signs this browser in. Or paste the token here." />
    <form class="stack" onSubmit=${enter}>
      <div class="field">
        <label for="token">Token</label>
        <input id="token" type="password" autocomplete="current-password" value=${token} aria-invalid=${problem ? "true" : undefined}
          onInput=${typed(setToken)} />
        ${problem && html`<span class="error" role="alert">${problem}</span>`}
      </div>
      <div><button class="primary" disabled=${!token.trim()}>Sign in</button></div>
    </form>
  </section>`;
}
