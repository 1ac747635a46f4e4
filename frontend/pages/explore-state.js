// The choices of Explore: what the address says, else what the shown attack used, else the first that fits.

import { datasetNamed } from "../catalog.js";

/**
 * @typedef {object} ExploreChoice
 * @property {Model | null} model
 * @property {Dataset | null} dataset
 * @property {Dataset[]} fitting data sets of the model's shape
 * @property {string} split
 * @property {number} index
 * @property {string | null} picture an uploaded image
 * @property {number | null} pickClass only images of this class are offered
 * @property {Values} method
 */

/**
 * @param {URLSearchParams} query @param {Job | null} job @param {ExampleFacts | null} facts of the shown example
 * @param {Model[]} models @param {Dataset[]} datasets @returns {ExploreChoice}
 */
export function exploreState(query, job, facts, models, datasets) {
  const spec = job?.kind === "attack" ? (job.spec ?? {}) : {};
  const used = spec.images ?? {};
  const wanted = query.get("model") || spec.model;
  const model =
    models.find((each) => each.id === wanted || each.name === wanted) ??
    (query.get("model") || !job ? (models[0] ?? null) : null);
  const name = query.get("dataset") ?? used.dataset ?? model?.dataset;
  const half = name?.includes(":") ? datasetNamed(datasets, name) : undefined;
  const fitting = [...datasets, ...(half ? [half] : [])].filter(
    (each) =>
      each.available &&
      String(each.shape) === String(model?.input_shape) &&
      each.class_names.length === model?.class_names.length,
  );
  const dataset =
    fitting.find((each) => each.name === name) ?? fitting.find((each) => each.name === model?.dataset) ?? fitting[0] ?? null;
  const asked = query.get("split") ?? used.split ?? "test";
  const split = dataset && !(asked in dataset.sizes) ? (Object.keys(dataset.sizes)[0] ?? "test") : asked;
  const size = dataset?.sizes[split] ?? 1;
  const index = Math.min(Math.max(Number(query.get("index") ?? facts?.image_index ?? 0) || 0, 0), size - 1);
  const pick = query.get("class");
  return {
    model,
    dataset,
    fitting,
    split,
    index,
    picture: query.get("picture") ?? (query.has("index") ? null : (used.image ?? null)),
    pickClass: pick === null ? null : Number(pick),
    method: methodOf(query, spec.method),
  };
}

/** @param {URLSearchParams} query @param {Values | undefined} used @returns {Values} */
function methodOf(query, used) {
  const base = used?.name === "minimum_distortion" ? used : { name: "minimum_distortion", mode: "tight", target: "random" };
  /** @type {Values} */
  const method = { ...base, mode: query.get("mode") ?? base.mode, target: query.get("target") ?? base.target };
  const given = query.get("target_class") ?? base.target_class;
  method.target_class = method.target === "given" ? Number(given ?? 0) : null;
  if (method.mode === "nearest") {
    method.target = "random";
    method.target_class = null;
  }
  return method;
}

/** The choices as parameters of the address. @param {ExploreChoice} state @returns {Values} */
export function choicesOf({ model, dataset, split, index, picture, method }) {
  const image = picture
    ? { picture, dataset: null, split: null, index: null }
    : { picture: null, dataset: dataset?.name, split, index };
  return { model: model?.id, ...image, target: method.target, target_class: method.target_class, mode: method.mode };
}

/** Whether the shown example is of another network or image than the chosen one. @param {ExploreChoice} state @param {Job} job @param {ExampleFacts} facts */
export function differs(state, job, facts) {
  const used = job.spec?.images ?? {};
  if (state.model?.id !== job.spec?.model) return true;
  if (state.picture || used.source === "upload") return state.picture !== used.image;
  return state.index !== facts.image_index || state.split !== used.split || state.dataset?.name !== used.dataset;
}

/** The job that the Attack button sends. @param {ExploreChoice} state @returns {Values} */
export function specOf(state) {
  const images = state.picture
    ? { source: "upload", image: state.picture, label: null }
    : { source: "indices", dataset: state.dataset?.name, split: state.split, indices: [state.index] };
  // A random target is drawn from the seed: pressing again may well find another class.
  const seed = state.method.target === "random" && state.method.mode !== "nearest" ? Math.floor(Math.random() * 2 ** 32) : 0;
  return { kind: "attack", seed, model: state.model?.id, images, method: state.method, keep: "all" };
}
