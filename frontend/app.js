// The frame of every page: navigation, the page of this address, help and the state of the connection.
import { useEffect, useRef } from "preact/hooks";

import { signedIn } from "./api.js";
import { Foot } from "./components/foot.js";
import { Help, toggleHelp } from "./components/help.js";
import { Top } from "./components/top.js";
import { html } from "./html.js";
import { listenForKeys } from "./keys.js";
import { place } from "./router.js";
import { AccountPage } from "./pages/account.js";
import { AdversarialNew } from "./pages/adversarial-new.js";
import { AttackNew } from "./pages/attack-new.js";
import { Attacks } from "./pages/attacks.js";
import { BlindTest } from "./pages/blind-test.js";
import { Audit } from "./pages/audit.js";
import { Data } from "./pages/data.js";
import { DataAdd } from "./pages/data-add.js";
import { DataSet } from "./pages/data-set.js";
import { Explore } from "./pages/explore.js";
import { History } from "./pages/history.js";
import { Home } from "./pages/home.js";
import { JobPage } from "./pages/job.js";
import { Missing } from "./pages/missing.js";
import { ModelPage } from "./pages/model.js";
import { Models } from "./pages/models.js";
import { ModelsAdd } from "./pages/models-add.js";
import { People } from "./pages/people.js";
import { Reproduce } from "./pages/reproduce.js";
import { SignedOut } from "./pages/signed-out.js";
import { Spectra } from "./pages/spectral.js";
import { SpectralNew } from "./pages/spectral-new.js";
import { System } from "./pages/system.js";
import { Train } from "./pages/train.js";
import { Transfers } from "./pages/transfer.js";
import { TransferNew } from "./pages/transfer-new.js";
import { UnitsJobs } from "./pages/units.js";
import { UnitsNew } from "./pages/units-new.js";

/** @type {{[path: string]: {title: string, page: any}}} */
const pages = {
  "/": { title: "Home", page: Home },
  "/explore": { title: "Explore", page: Explore },
  "/attacks": { title: "Attacks", page: Attacks },
  "/attacks/new": { title: "New attack", page: AttackNew },
  "/transfer": { title: "Transfer", page: Transfers },
  "/transfer/new": { title: "New transfer", page: TransferNew },
  "/spectral": { title: "Spectral", page: Spectra },
  "/spectral/new": { title: "New spectral job", page: SpectralNew },
  "/units": { title: "Units", page: UnitsJobs },
  "/units/new": { title: "New units job", page: UnitsNew },
  "/blind": { title: "Blind test", page: BlindTest },
  "/train": { title: "Train", page: Train },
  "/train/adversarial": { title: "Adversarial training", page: AdversarialNew },
  "/reproduce": { title: "Reproduce", page: Reproduce },
  "/history": { title: "History", page: History },
  "/models/add": { title: "Add a model", page: ModelsAdd },
  "/models": { title: "Models", page: Models },
  "/data": { title: "Data", page: Data },
  "/data/add": { title: "Add an image set", page: DataAdd },
  "/system": { title: "System", page: System },
  "/account": { title: "Account", page: AccountPage },
  "/people": { title: "People", page: People },
  "/audit": { title: "Audit log", page: Audit },
};

/** @param {string} path */
function found(path) {
  const job = /^\/jobs\/([^/]+)$/.exec(path);
  if (job) return { title: "Job", view: html`<${JobPage} key=${job[1]} id=${job[1]} />` };
  const model = /^\/models\/([^/]+)$/.exec(path);
  if (model && !pages[path]) return { title: "Model", view: html`<${ModelPage} key=${model[1]} id=${model[1]} />` };
  const set = /^\/data\/([^/]+)$/.exec(path);
  if (set && !pages[path])
    return { title: "Data set", view: html`<${DataSet} key=${set[1]} name=${decodeURIComponent(set[1] ?? "")} />` };
  const entry = pages[path] ?? pages[path.replace(/\/$/, "")];
  return entry ? { title: entry.title, view: html`<${entry.page} />` } : { title: "Not found", view: html`<${Missing} />` };
}

export function App() {
  const { path } = place.value;
  const first = useRef(true);
  const { title, view } = signedIn.value ? found(path) : { title: "Signed out", view: html`<${SignedOut} />` };
  useEffect(() => listenForKeys({ "?": toggleHelp }), []);
  useEffect(() => {
    document.title = `${title} · Blindspots`;
    if (!first.current) /** @type {HTMLElement | null} */ (document.querySelector("main h1"))?.focus({ preventScroll: true });
    first.current = false;
  }, [path, title]);
  return html`<${Top} path=${path} /><div class="frame"><main id="main" class="page" key=${path}>${view}</main></div><${Foot} /><${Help} />`;
}
