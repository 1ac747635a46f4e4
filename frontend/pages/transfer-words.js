// Sentences about a transfer: the whole of it, one of its rows, one of its cells.
import { count, number, percent } from "../format.js";
import { span } from "./transfer-measures.js";

/** @typedef {import("./transfer-measures.js").Cell} Cell */
/** @typedef {import("./transfer-measures.js").MatrixRow} Row */

/** Whose images a row shows. @param {Values} summary @param {Row} row @returns {string} */
export const sourceName = (summary, row) => (row.source === null ? "" : summary.sources[row.source].name);

/** Whether a cell shows a network the images that were made for it. @param {Values} summary @param {Row} row @param {number} column */
export const own = (summary, row, column) => row.source !== null && summary.sources[row.source].id === summary.models[column].id;

/** Head of the rows of one kind. @param {Row} row */
export function groupTitle(row) {
  const clipped = row.clip ? ", clipped to 0 to 1" : "";
  switch (row.kind) {
    case "attack":
      return "Images made to fool";
    case "direction":
      return "Random directions, each as long as the change made to fool";
    case "amplified":
      return `The changes brought to distortion ${row.t}${clipped}, made to fool`;
    case "noise":
      return `Normal noise${clipped}`;
    default:
      return "";
  }
}

/** "softmax1", "σ = 0.1". @param {Values} summary @param {Row} row */
export function rowName(summary, row) {
  if (row.kind === "noise") return `σ = ${row.sigma}`;
  return row.kind === "clean" ? "Unchanged images" : sourceName(summary, row);
}

/** What the images of a row are, in the middle of a sentence. @param {Values} summary @param {Row} row */
export function imagesOf(summary, row) {
  const name = sourceName(summary, row);
  switch (row.kind) {
    case "attack":
      return `images made for ${name}`;
    case "direction":
      return `images moved in a random direction, as far as the attack on ${name} does,`;
    case "amplified":
      return `images made for ${name} and brought to distortion ${row.t}`;
    case "noise":
      return `images with noise of standard deviation ${row.sigma}`;
    default:
      return "unchanged images";
  }
}

/** "14.5 % (10.7–19.3)". @param {number | null} share @param {[number, number]} interval */
const withInterval = (share, interval) => `${percent(share)} (${span(interval)})`;

/** @param {string} text @param {string} ending @returns {string} */
const sentence = (text, ending) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${ending}`;

/**
 * "37 of 256 images made for softmax1 also fool N100-100-10: 14.5 % (10.7–19.3)."
 * @param {Values} summary @param {Row} row @param {number} column
 */
export function cellSentence(summary, row, column) {
  const cell = /** @type {Cell} */ (row.cells[column]);
  const model = summary.models[column].name;
  const amount = `${count(cell.wrong)} of ${count(cell.images)} ${imagesOf(summary, row)}`;
  const fooling = ["attack", "amplified"].includes(row.kind);
  const verb = fooling
    ? own(summary, row, column)
      ? `fool ${model} itself`
      : `also fool ${model}`
    : `are answered wrongly by ${model}`;
  return `${amount} ${verb}: ${withInterval(cell.error, [cell.low, cell.high])}.`;
}

/** What the chosen measure says of a cell; "" for the error, which is said anyway. @param {Values} summary @param {Row} row @param {number} column @param {string} measure */
export function measureSentence(summary, row, column, measure) {
  const cell = /** @type {Cell} */ (row.cells[column]);
  const model = summary.models[column].name;
  const source = sourceName(summary, row);
  if (measure === "excess" && row.kind !== "clean") {
    const interval = span([cell.excess_low, cell.excess_high], " to ");
    return `Unchanged, ${model} errs on ${percent((cell.error ?? 0) - cell.excess)} of the same images: ${number(100 * cell.excess)} points are added (${interval}).`;
  }
  if (measure === "both_right" && cell.both_right) {
    const { wrong, images, error, low, high } = cell.both_right;
    return `Of the ${count(images)} images that ${source} and ${model} both answer rightly unchanged, ${count(wrong)} are answered wrongly now: ${withInterval(error, [low, high])}.`;
  }
  if (measure === "same_wrong" && cell.same_wrong) {
    const { same, wrong, rate } = cell.same_wrong;
    return wrong ? `Of those ${count(wrong)}, ${count(same)} get the same wrong label from both networks: ${percent(rate)}.` : "";
  }
  if (measure === "equal_l2" && cell.equal_l2) {
    const { wrong, images, error, low, high } = cell.equal_l2;
    return `With every change brought to an L2 norm of ${number(summary.equal_l2_norm)}, ${count(wrong)} of ${count(images)} fool it: ${withInterval(error, [low, high])}.`;
  }
  if (measure === "cosine" && cell.cosine !== null) {
    return `The changes made for ${source} and for ${model} have a mean cosine of ${number(cell.cosine, 2)}.`;
  }
  return "";
}

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The whole matrix in two sentences. @param {Values} summary */
export function conclusion(summary) {
  /** @type {Row[]} */
  const rows = summary.rows;
  const others = (/** @type {string} */ kind) =>
    rows
      .filter((row) => row.kind === kind)
      .flatMap((row) => row.cells.filter((_, column) => !own(summary, row, column)))
      .map((cell) => cell.error ?? 0);
  const clean = percent(mean((rows.find((row) => row.kind === "clean")?.cells ?? []).map((cell) => cell.error ?? 0)));
  const passed = others("attack");
  const random = others("direction");
  if (passed.length === 0) return `On the unchanged images the networks err in ${clean} of cases on average.`;
  const range =
    passed.length === 1
      ? `are answered wrongly by the other in ${percent(passed[0])} of cases`
      : `are answered wrongly by another in ${percent(Math.min(...passed))} to ${percent(Math.max(...passed))} of cases, ${percent(mean(passed))} on average`;
  const control = random.length > 0 ? `, after random changes of the same size ${percent(mean(random))}` : "";
  return sentence(`images made to fool one network ${range}`, `. Unchanged it is ${clean}${control}.`);
}
