// A trained network in a few words: how it is built, how it was held back, what it learned from.
import { number, percent, words } from "./format.js";

/** @typedef {{name: string, network: string, parameters: Values, dataset: string, metrics: Values}} ModelLike */

/** @type {{[network: string]: string}} */
const families = {
  softmax: "Linear",
  mlp: "Fully connected",
  autoencoder_softmax: "Autoencoder",
  conv: "Convolutional",
  onnx: "Added from ONNX",
};

/** "Fully connected". @param {ModelLike} model */
export const family = (model) => families[model.network] ?? words(model.network);

/** "fully connected 100-100". @param {ModelLike} model */
export function architecture(model) {
  const { widths, codes } = model.parameters ?? {};
  const size = Array.isArray(widths) ? widths.join("-") : (codes ?? "");
  return `${family(model).toLowerCase()} ${size}`.trim();
}

/** @param {number} value */
function power(value) {
  const exponent = Math.round(Math.log10(value));
  if (value <= 0 || Math.abs(value / 10 ** exponent - 1) > 1e-6 || exponent > -2) return number(value, 2).replace(/\.0$/, "");
  return `10⁻${[...String(-exponent)].map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(sign)]).join("")}`;
}

/** "10⁻⁵, 10⁻⁵, 10⁻⁶"; one number where all layers have the same, "" where none is known. @param {ModelLike} model */
export function penalties(model) {
  const given = model.metrics?.penalties;
  if (!Array.isArray(given) || given.length === 0) return "";
  const texts = given.map((each) => (each === 0 ? "0" : power(each)));
  return new Set(texts).size === 1 ? (texts[0] ?? "") : texts.join(", ");
}

/** Strongest first. @param {ModelLike} model */
export const strongestPenalty = (model) => Math.max(-1, ...(model.metrics?.penalties ?? []));

/** Everything that tells it from the others, for a head of a table. @param {ModelLike} model */
export function described(model) {
  const held = penalties(model);
  const error = model.metrics?.test_error;
  return [
    model.name,
    architecture(model),
    held && `penalty ${held}`,
    `trained on ${model.dataset}`,
    error === undefined ? "" : `test error ${percent(error)}`,
  ]
    .filter(Boolean)
    .join(", ");
}
