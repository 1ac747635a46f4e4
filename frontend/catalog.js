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
