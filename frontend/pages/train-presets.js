// Starting points of the training form; the service may offer its own.

/** @param {CatalogAnswer | null} catalog @returns {{title: string, spec: Values}[]} */
export function trainPresets(catalog) {
  const offered = catalog?.defaults?.train_presets;
  return Array.isArray(offered) ? offered : [];
}
