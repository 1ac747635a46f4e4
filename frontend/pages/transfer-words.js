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

/** Errors of the rows of one kind, but for networks on the images that were made for them. @param {Values} summary @param {string} kind @returns {number[]} */
function others(summary, kind) {
  /** @type {Row[]} */
  const rows = summary.rows.filter((/** @type {Row} */ row) => row.kind === kind);
  return rows.flatMap((row) => row.cells.filter((_, column) => !own(summary, row, column))).map((cell) => cell.error ?? 0);
}

/** "15.0 % to 46.7 %", or the one number. @param {number[]} values */
const range = (values) =>
  values.length === 1 ? percent(values[0]) : `${percent(Math.min(...values))} to ${percent(Math.max(...values))}`;

/** The matrix in a few words, for lists. @param {Values} summary */
export function brief(summary) {
  const passed = others(summary, "attack");
  return passed.length > 0 ? `${range(passed)} wrong on another's images` : `${range(others(summary, "clean"))} wrong unchanged`;
}

/** The whole matrix in two sentences. @param {Values} summary */
export function conclusion(summary) {
  const clean = percent(mean(others(summary, "clean")));
  const [passed, random] = [others(summary, "attack"), others(summary, "direction")];
  if (passed.length === 0) return `On the unchanged images the networks err in ${clean} of cases on average.`;
  const average = passed.length > 1 ? `, ${percent(mean(passed))} on average` : "";
  const control = random.length > 0 ? `, after random changes of the same size ${percent(mean(random))}` : "";
  return `Images made to fool one network are answered wrongly by another in ${range(passed)} of cases${average}. Unchanged it is ${clean}${control}.`;
}
