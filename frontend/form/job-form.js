// The form of one kind of job: fields from its schema, the cost before it is sent, the problems at their fields.
import { useEffect, useMemo, useState } from "preact/hooks";

import { post, submit } from "../api.js";
import { kindOf, useCatalog, useDatasets, useModels } from "../catalog.js";
import { Failure, Skeletons } from "../components/states.js";
import { html } from "../html.js";
import { jobPath } from "../jobs.js";
import { navigate } from "../router.js";
import { Cost } from "./cost.js";
import { Fields, unplaced } from "./form.js";
import { applicable, defaults, filled, withValue } from "./schema.js";

/** @typedef {import("../api.js").Problem | null} Trouble */

/**
 * @param {{kind: string, initial: Values, action: string, presets?: boolean, adjust?: (value: Values, path: string[]) => Values}} props
 * `initial` is laid over the defaults of the schema; `presets` offers those of the kind to start from; `adjust` brings other fields
 * into line with the one that was changed.
 */
export function JobForm({ kind, initial, action, presets = false, adjust = (changed) => changed }) {
  const catalog = useCatalog();
  const models = useModels();
  const datasets = useDatasets();
  const schema = kindOf(catalog.data, kind)?.schema ?? null;
  const [edited, setEdited] = useState(/** @type {Values | null} */ (null));
  const [failure, setFailure] = useState(/** @type {Trouble} */ (null));
  const [estimate, setEstimate] = useState(/** @type {Values | null} */ (null));
  const [busy, setBusy] = useState(false);
  const start = useMemo(() => (schema ? { ...defaults(schema, schema), ...initial } : null), [schema, initial]);
  const value = edited ?? start;
  const spec = useMemo(() => (schema && value ? applicable(value, schema, schema) : null), [schema, value]);
  const complete = Boolean(spec && schema && filled(spec, schema, schema));

  useEffect(() => {
    if (!complete) return undefined;
    const timer = setTimeout(() => {
      post("/jobs/estimate", spec).then(
        (answer) => {
          setEstimate(answer);
          setFailure(null);
        },
        (error) => {
          setEstimate(null);
          setFailure(error);
        },
      );
    }, 300);
    return () => clearTimeout(timer);
  }, [JSON.stringify(spec)]);

  if (catalog.error) return html`<${Failure} error=${catalog.error} again=${catalog.reload} />`;
  if (!schema || !value || !models.data || !datasets.data) return html`<${Skeletons} count=${6} height="56px" />`;
  const names = Object.fromEntries(
    [...(catalog.data?.networks ?? []), ...(catalog.data?.methods ?? [])].map((each) => [each.name, each.title]),
  );
  const form = {
    root: schema,
    value,
    names,
    models: models.data.items,
    datasets: datasets.data.items,
    problems: failure?.fields ?? [],
    change: (/** @type {string[]} */ path, /** @type {any} */ next) =>
      setEdited((now) => adjust(withValue(now ?? value, path, next), path)),
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    try {
      navigate(jobPath(await submit(/** @type {Values} */ (spec))));
    } catch (error) {
      setFailure(/** @type {any} */ (error));
      requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector("[aria-invalid=true]"))?.focus());
    }
    setBusy(false);
  };
  const offered = presets ? (kindOf(catalog.data, kind)?.presets ?? []) : [];
  const reset = (/** @type {Values} */ preset) => setEdited({ ...start, ...preset });
  return html`<form class="stack job-form" onSubmit=${send} novalidate>
    ${
      offered.length > 0 &&
      html`<div class="presets" role="group" aria-label="Start from">
      ${offered.map((preset) => html`<button type="button" key=${preset.title} onClick=${() => reset(preset)}>${preset.title}</button>`)}
    </div>`
    }
    <${Fields} schema=${schema} path=${[]} form=${form} />
    ${unplaced(form, failure).map((text) => html`<p class="bad" role="alert">${text}</p>`)}
    <div class="submit">
      <button class="primary" disabled=${busy || !complete}>${action}</button>
      <${Cost} estimate=${estimate} failed=${failure !== null} complete=${complete} />
    </div>
  </form>`;
}
