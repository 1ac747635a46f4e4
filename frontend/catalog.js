// What this installation offers: kinds of jobs, networks, methods, models and data sets.
import { jobsVersion } from "./events.js";
import { useResource } from "./resource.js";

/** @returns {import("./resource.js").Resource<CatalogAnswer>} */
export const useCatalog = () => useResource("/catalog");

/** @returns {import("./resource.js").Resource<Page<Model>>} */
export const useModels = () => useResource("/models", jobsVersion.value);

/** @returns {import("./resource.js").Resource<Page<Dataset>>} */
export const useDatasets = () => useResource("/datasets", jobsVersion.value);

/** @param {CatalogAnswer | null} catalog @param {string} kind */
export const kindOf = (catalog, kind) => catalog?.kinds.find((each) => each.kind === kind) ?? null;

/** "28 × 28, grey". @param {[number, number, number] | null} shape */
export function shapeWords(shape) {
  if (!shape) return "";
  const [channels, height, width] = shape;
  return `${height} × ${width} ${channels === 1 ? "grey" : channels === 3 ? "colour" : `× ${channels}`}`;
}

/** @param {string[] | undefined} names @param {number | null | undefined} index */
export const className = (names, index) =>
  index === null || index === undefined || index < 0 ? "none" : (names?.[index] ?? String(index));

/**
 * The set of that name, or the half of one that it means: "mnist:P1:0" is half P1 of the training images, cut with seed 0.
 * @param {Dataset[]} datasets @param {string | null | undefined} name @returns {Dataset | undefined}
 */
export function datasetNamed(datasets, name) {
  const found = datasets.find((each) => each.name === name);
  const [whole, half = "", seed] = (name ?? "").split(":");
  const set = datasets.find((each) => each.name === whole && each.available);
  if (found || !set || !(half === "P1" || half === "P2")) return found;
  const count = (set.sizes.train ?? 0) / 2;
  const train = half === "P1" ? Math.floor(count) : Math.ceil(count);
  return {
    ...set,
    name: name ?? "",
    title: `${set.title}, half ${half} (seed ${seed})`,
    sizes: { ...set.sizes, train },
    views: [],
  };
}
