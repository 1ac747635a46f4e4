// The networks of the paper's table 1, as starting points of the training form.

/** @param {string} name @param {number[] | null} penalties @param {Values} [parameters] */
const preset = (name, penalties, parameters = {}) => ({
  network: { name, ...parameters },
  optimiser: { name: "lbfgs", max_iterations: 600 },
  weight_decay: { mode: "half_l2_with_bias", penalties },
});

/** @type {{title: string, spec: Values}[]} */
export const trainPresets = [
  { title: "FC10, λ = 0.0001", spec: preset("softmax", [1e-4]) },
  { title: "FC10, λ = 0.01", spec: preset("softmax", [1e-2]) },
  { title: "FC10, λ = 1", spec: preset("softmax", [1]) },
  { title: "FC100-100-10", spec: preset("mlp", null, { widths: [100, 100], activation: "sigmoid" }) },
  { title: "FC200-200-10", spec: preset("mlp", null, { widths: [200, 200], activation: "sigmoid" }) },
  { title: "AE400-10", spec: preset("autoencoder_softmax", null, { codes: 400 }) },
];
