// What the cells of a transfer's matrix can show: its value and interval, and in words how to read it and how it is computed.
import { number } from "../format.js";

/**
 * @typedef {{error: number | null, low: number, high: number, wrong: number, images: number}} Share
 * @typedef {Share & {excess: number, excess_low: number, excess_high: number, both_right: Share | null, equal_l2: Share | null,
 *   same_wrong: {same: number, wrong: number, rate: number | null} | null, cosine: number | null,
 *   paper: {error: number, images: number, low: number, high: number, assumed?: boolean} | null}} Cell
 * @typedef {{kind: string, source: number | null, label: string, t: number | null, sigma: number | null, clip: boolean, images: number,
 *   mean_distortion: number, distortion_low: number, distortion_high: number, paper_distortion: number | null, unchanged: number, cells: Cell[]}} MatrixRow
 * @typedef {{name: string, label: string, title: string, reading: string, formula: string, source: string, kinds: string[],
 *   value: (cell: Cell) => number | null, interval: (cell: Cell) => [number, number] | null, text: (value: number) => string,
 *   most: string}} Measure
 */

const made = ["attack", "direction", "amplified"];
const paper = "Szegedy et al. 2013, section 4.1, tables 2 and 4.";
const ours = "Ours, beside the paper's raw error.";

/** @param {number} share */
const hundredths = (share) => number(100 * share);

/** "+8.3", "−0.4". @param {number} share */
const signed = (share) => (share > 0 ? `+${hundredths(share)}` : hundredths(share));

/** @param {Share | null} share @returns {[number, number] | null} */
const ends = (share) => (share && share.error !== null ? [share.low, share.high] : null);

/** @type {Measure[]} */
export const measures = [
  {
    name: "error",
    label: "Error",
    title: "Error of each network on the images of each row, in per cent",
    reading:
      "Each row is one set of images, each column the network that answers. A number is the share of the row's images that the column's network does not give their true label.",
    formula: "error = number of images with argmax z(x′) ≠ y / number of images; interval: Wilson, 95 %",
    source: paper,
    kinds: ["clean", ...made, "noise"],
    value: (cell) => cell.error,
    interval: ends,
    text: hundredths,
    most: "100 %",
  },
  {
    name: "excess",
    label: "Excess error",
    title: "What the change added to the error, in percentage points",
    reading:
      "The error less the error of the same network on the same images unchanged: a network that errs often anyway has not been fooled by that.",
    formula: "excess = error(x′) − error(x) on the same images; interval: Newcombe for paired shares, 95 %",
    source: ours,
    kinds: [...made, "noise"],
    value: (cell) => cell.excess,
    interval: (cell) => [cell.excess_low, cell.excess_high],
    text: signed,
    most: "100 points",
  },
  {
    name: "both_right",
    label: "Where both were right",
    title: "Error where source and evaluated network both answered rightly before, in per cent",
    reading:
      "Counted are only images that the row's source network and the column's network both gave their true label unchanged; every error here was made by the change.",
    formula: "images with argmax z(x′) ≠ y, of those with argmax z_source(x) = y and argmax z(x) = y; interval: Wilson, 95 %",
    source: ours,
    kinds: made,
    value: (cell) => cell.both_right?.error ?? null,
    interval: (cell) => ends(cell.both_right),
    text: hundredths,
    most: "100 %",
  },
  {
    name: "same_wrong",
    label: "Same wrong label",
    title: "How often a fooled network gives the very answer of the source, in per cent",
    reading:
      "Counted are only images that the column's network answers wrongly; a number is the share of them to which it gives the same wrong label as the source network does.",
    formula: "images with argmax z(x′) = argmax z_source(x′) ≠ y, of those with argmax z(x′) ≠ y",
    source: ours,
    kinds: made,
    value: (cell) => cell.same_wrong?.rate ?? null,
    interval: () => null,
    text: hundredths,
    most: "100 %",
  },
  {
    name: "equal_l2",
    label: "At equal L2",
    title: "Error when every change is equally long, in per cent",
    reading:
      "Each change keeps its direction and is brought to one length. Otherwise a network that needs long changes looks as if its images transferred best.",
    formula: "error on x + L · r / ‖r‖₂ with one L for all images and sources; interval: Wilson, 95 %",
    source: ours,
    kinds: ["attack"],
    value: (cell) => cell.equal_l2?.error ?? null,
    interval: (cell) => ends(cell.equal_l2),
    text: hundredths,
    most: "100 %",
  },
  {
    name: "cosine",
    label: "Cosine",
    title: "Do two attacks change an image in the same direction? Mean cosine of their changes",
    reading:
      "1 is the same direction, 0 is none in common, as of two random directions. Blank where the column's network was not attacked itself.",
    formula: "cos = r_A · r_B / (‖r_A‖₂ ‖r_B‖₂), averaged over images where neither is 0",
    source: ours,
    kinds: ["attack"],
    value: (cell) => cell.cosine,
    interval: () => null,
    text: (value) => number(value, 2),
    most: "1",
  },
];

/** @param {string | null} name @returns {Measure} */
export const measureOf = (name) => measures.find((each) => each.name === name) ?? /** @type {Measure} */ (measures[0]);

/** An end of an interval: shorter than the number it belongs to. @param {number} share */
function end(share) {
  const value = 100 * share;
  const size = Math.abs(value);
  return (size === 0 || size > 99.95 ? String(Math.round(value)) : value.toFixed(size < 0.995 ? 2 : 1)).replace("-", "−");
}

/** "10.7–19.3"; with words between where a minus sign could be misread. @param {[number, number]} interval @param {string} [between] */
export const span = ([low, high], between = low < 0 ? " to " : "–") => `${end(low)}${between}${end(high)}`;

/**
 * Whether chance can explain the difference to the printed number: Newcombe's interval of the difference holds 0.
 * @param {Cell} cell
 */
export function agrees(cell) {
  const { error, low, high, paper: printed } = cell;
  if (error === null || !printed) return true;
  const least = error - printed.error - Math.hypot(error - low, printed.high - printed.error);
  const most = error - printed.error + Math.hypot(high - error, printed.error - printed.low);
  return least <= 0 && most >= 0;
}
