// What runs, where its interface is, and whether this page still hears from it.
import { useCatalog } from "../catalog.js";
import { connection } from "../events.js";
import { html } from "../html.js";

const spoken = { live: "Live", polling: "Live updates every 2 seconds", lost: "The service does not answer; trying again" };

export function Foot() {
  const { data } = useCatalog();
  return html`<footer class="foot"><div class="row spread">
    <span>Blindspots ${data?.version ?? ""}</span>
    <span class="row"><span role="status">${spoken[connection.value]}</span><a href="/api/docs">REST interface</a></span>
  </div></footer>`;
}
