// What was done, by whom, from where. Admins of a project read what concerns it.
import { account } from "../account.js";
import { query } from "../api.js";
import { Select } from "../components/select.js";
import { Empty, Failure, Heading, Skeletons } from "../components/states.js";
import { moment, words } from "../format.js";
import { html } from "../html.js";
import { useSteadyResource } from "../resource.js";
import { place, setQuery, setting } from "../router.js";

const actions = [
  "sign_in", "sign_in_refused", "sign_out", "refused", "password_change", "password_link", "link_use", "token_create",
  "token_revoke", "job_submit", "job_cancel", "job_delete", "model_rename", "model_delete", "image_upload", "weights_upload", "archive_upload", "dataset_delete", "role_set",
  "member_remove", "invite_create", "invite_withdraw", "user_add", "user_disable", "user_enable", "project_add",
]; // prettier-ignore

export function Audit() {
  const asked = place.value.query;
  const [who, action, before] = ["who", "action", "before"].map((name) => asked.get(name) ?? "");
  const { data, error, loading, reload } = useSteadyResource(`/audit?${query({ who, action, before })}`);
  const options = [["", "Anything"], ...actions.map((name) => [name, words(name)])];
  return html`<section>
    <${Heading} title="Audit log" lead=${account.value?.service_admin ? "What was done here. Lines are only ever added." : "What was done in your projects. Lines are only ever added."} />
    <div class="filters">
      <${Select} id="action" label="What" value=${action ?? ""} change=${setting("action", { before: null })} options=${options} />
      ${who && html`<button type="button" onClick=${() => setQuery({ who: null, before: null })}>Only ${who} ×</button>`}
    </div>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${loading && html`<${Skeletons} count=${8} height="32px" />`}
    ${data?.items.length === 0 && html`<${Empty} title="Nothing of that kind" />`}
    ${
      data?.items.length > 0 &&
      html`<div class="scroll history"><table>
      <thead><tr><th>When</th><th>Who</th><th>What</th><th>On</th><th>Project</th><th>From</th></tr></thead>
      <tbody>${data.items.map((/** @type {Values} */ each) => html`<${Line} key=${each.id} line=${each} />`)}</tbody>
    </table></div>`
    }
    <div class="row">
      ${before && html`<button type="button" onClick=${() => setQuery({ before: null }, { push: true })}>Newest</button>`}
      ${data?.next && html`<button type="button" onClick=${() => setQuery({ before: data.next }, { push: true })}>Older</button>`}
    </div>
  </section>`;
}

/** @param {{line: Values}} props */
function Line({ line }) {
  const more = Object.entries(line.detail).map(([name, value]) => `${words(name)} ${value}`);
  const subject = line.action.startsWith("job_")
    ? html`<a href=${`/jobs/${line.subject}`}>${line.subject.slice(0, 8)}</a>`
    : line.subject;
  return html`<tr>
    <td class="muted">${moment(line.at)}</td>
    <td><button type="button" class="plain" onClick=${() => setQuery({ who: line.who, before: null })}>${line.who}</button></td>
    <td>${words(line.action)}<div><small class="muted">${more.join(", ")}</small></div></td>
    <td>${subject}</td><td>${line.project ?? ""}</td><td class="muted">${line.address}</td>
  </tr>`;
}
