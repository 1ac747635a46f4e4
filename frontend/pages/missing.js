// An address that leads nowhere.
import { Heading } from "../components/states.js";
import { html } from "../html.js";
import { place } from "../router.js";

export const Missing = () => html`<section>
  <${Heading} title="There is no such page" lead=${`Nothing is at ${place.value.path}. The link may be old, or the object was deleted.`} />
  <div class="row"><a class="button primary" href="/">Go home</a><a class="button" href="/history">Look in the history</a></div>
</section>`;
