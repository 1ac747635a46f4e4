// Start: the address decides the page, one stream tells what changes, clicks on links stay inside.
import { render } from "preact";

import { readAccount } from "./account.js";
import { App } from "./app.js";
import { listen } from "./events.js";
import { html } from "./html.js";
import { followLink } from "./router.js";

document.addEventListener("click", followLink);
listen();
void readAccount();
const target = /** @type {HTMLElement} */ (document.getElementById("app"));
target.replaceChildren();
render(html`<${App} />`, target);
