// Every job: filter, search, sort, page; open, repeat, change, delete. The address holds the view.
import { useEffect, useState } from "preact/hooks";

import { useCatalog, useModels } from "../catalog.js";
import { JobTable } from "../components/job-table.js";
import { Select } from "../components/select.js";
import { Empty, Failure, Heading, Skeletons } from "../components/states.js";
import { jobsVersion } from "../events.js";
import { html, typed } from "../html.js";
import { useSteadyResource } from "../resource.js";
import { place, setQuery, setting } from "../router.js";

const states = [
  ["queued", "Waiting"],
  ["running", "Running"],
  ["succeeded", "Done"],
  ["failed", "Failed"],
  ["cancelled", "Cancelled"],
];
const orders = [
  ["", "Newest first"],
  ["created_at", "Oldest first"],
  ["-finished_at", "Last finished"],
  ["kind", "Kind"],
  ["state", "State"],
];

export function History() {
  const { query } = place.value;
  const catalog = useCatalog();
  const models = useModels();
  const filter = new URLSearchParams(query);
  if (!filter.get("lane")) filter.delete("lane");
  filter.set("limit", "25");
  const { data, error, loading, stale, reload } = useSteadyResource(`/jobs?${filter}`, jobsVersion.value);
  const filtered = ["kind", "state", "model", "search", "lane"].some((name) => query.get(name));
  const set = (/** @type {string} */ name) => setting(name, { cursor: null });
  return html`<section>
    <${Heading} title="History" lead="Every job on this machine, with its parameters and results." />
    <div class="filters" role="search">
      <${Search} value=${query.get("search") ?? ""} change=${set("search")} />
      <${Select} id="kind" label="Kind" value=${query.get("kind")} change=${set("kind")} options=${[["", "Any"], ...(catalog.data?.kinds ?? []).map((kind) => [kind.kind, kind.heading || kind.kind])]} />
      <${Select} id="state" label="State" value=${query.get("state")} change=${set("state")} options=${[["", "Any"], ...states]} />
      <${Select} id="model" label="Model" value=${query.get("model")} change=${set("model")} options=${[["", "Any"], ...(models.data?.items ?? []).map((model) => [model.id, model.name])]} />
      <${Select} id="sort" label="Order" value=${query.get("sort")} change=${set("sort")} options=${orders} />
    </div>
    ${error && html`<${Failure} error=${error} again=${reload} />`}
    ${loading && html`<${Skeletons} count=${8} height="44px" />`}
    ${
      data &&
      data.items.length === 0 &&
      html`<${Empty} title=${filtered ? "No job fits these filters" : "No job yet"}>
      ${
        filtered
          ? html`<button type="button" onClick=${() => setQuery({ kind: null, state: null, model: null, search: null, lane: null, cursor: null })}>Clear the filters</button>`
          : html`<a class="button primary" href="/attacks/new">Start with an attack</a>`
      }
    </${Empty}>`
    }
    ${data && data.items.length > 0 && html`<div style=${{ opacity: stale && loading ? 0.6 : 1 }}><${JobTable} jobs=${data.items} actions kind /></div>`}
    ${
      data &&
      html`<div class="row">
      ${query.get("cursor") && html`<button type="button" onClick=${() => setQuery({ cursor: null }, { push: true })}>First page</button>`}
      ${
        data.next_cursor &&
        html`<button type="button" onClick=${() => {
          setQuery({ cursor: data.next_cursor }, { push: true });
          scrollTo(0, 0);
        }}>Next page</button>`
      }
    </div>`
    }
  </section>`;
}

/** Waits for a pause in typing. @param {{value: string, change: (text: string) => void}} props */
function Search({ value, change }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => change(text), 250);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<div class="field grow"><label for="search">Search</label>
    <input id="search" type="search" placeholder="Title, model, kind" value=${text} onInput=${typed(setText)} /></div>`;
}
