// From the summary of a transfer to the matrix as it is shown: which rows and columns, in which order and groups, with which words.
import { family, described, penalties, strongestPenalty, architecture } from "../model-words.js";
import { number } from "../format.js";
import { agrees, span } from "./transfer-measures.js";
import { cellSentence, groupTitle, own, rowName } from "./transfer-words.js";

/** @typedef {import("./transfer-measures.js").Measure} Measure */
/** @typedef {import("./transfer-measures.js").MatrixRow} Row */
/** @typedef {import("../components/matrix.js").MatrixView} MatrixView */

export const rowOrders = [
  ["", "As in the job"],
  ["architecture", "By architecture"],
  ["penalty", "By penalty"],
  ["dataset", "By training set"],
  ["distortion", "Shortest change first"],
  ["value", "Lowest mean first"],
];
export const columnOrders = rowOrders.filter(([name]) => name !== "distortion");

/** The group of a model under an order, and what it sorts by. @param {Values} model @param {string} order @returns {[string, string | number]} */
function groupOf(model, order) {
  const like = /** @type {import("../model-words.js").ModelLike} */ (model);
  if (order === "architecture") return [family(like), `${family(like)} ${architecture(like)}`];
  if (order === "penalty") return [penalties(like) ? `penalty ${penalties(like)}` : "penalty not known", -strongestPenalty(like)];
  if (order === "dataset") return [`trained on ${model.dataset}`, model.dataset];
  return ["", 0];
}

/** @param {(number | null)[]} values */
function mean(values) {
  const known = /** @type {number[]} */ (values.filter((each) => each !== null));
  return known.length ? known.reduce((sum, each) => sum + each, 0) / known.length : Infinity;
}

/** @param {string | number} a @param {string | number} b */
const compare = (a, b) =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });

/**
 * @param {Values} summary @param {Measure} measure @param {{rows: string, columns: string}} orders
 * @returns {MatrixView}
 */
export function layOut(summary, measure, orders) {
  /** @type {Row[]} */
  const rows = summary.rows;
  /** @type {Values[]} */
  const models = summary.models;
  const shown = rows.map((row, index) => ({ row, index })).filter(({ row }) => measure.kinds.includes(row.kind));
  const values = (/** @type {Row} */ row) =>
    row.cells.map((cell, column) => (own(summary, row, column) ? null : measure.value(cell)));
  const weight = (/** @type {number} */ column) =>
    mean(shown.filter(({ row }) => row.kind === "attack").map(({ row }) => values(row)[column] ?? null));
  const places = models
    .map((model, column) => ({ column, group: groupOf(model, orders.columns) }))
    .map((each) => ({ ...each, key: orders.columns === "value" ? weight(each.column) : each.group[1] }))
    .sort((a, b) => compare(a.key, b.key));
  const columns = places.map(({ column, group }) => {
    const model = /** @type {any} */ (models[column]);
    return { column, name: model.name, notes: [architecture(model), model.dataset], title: described(model), group: group[0] };
  });
  /** @type {Map<string, {title: string, rows: Values[]}>} */
  const groups = new Map();
  for (const { row, index } of shown) {
    const title = groupTitle(row);
    const group = groups.get(title) ?? { title, rows: [] };
    groups.set(title, group);
    const source = row.source === null ? null : summary.sources[row.source];
    const [part, first] = source ? groupOf(source, orders.rows) : ["", 0];
    const key = { distortion: row.mean_distortion, value: mean(values(row)) }[orders.rows] ?? first;
    const cells = places.map(({ column }) => entry(summary, measure, row, column));
    const note = source ? [architecture(source), source.dataset].join(" · ") : "";
    group.rows.push({
      row: index,
      key,
      part,
      name: rowName(summary, row),
      note,
      title: source ? described(source) : "",
      cells,
      distance: distance(row),
    });
  }
  for (const group of groups.values()) group.rows.sort((a, b) => compare(a.key, b.key));
  return /** @type {MatrixView} */ ({
    columns,
    groups: [...groups.values()],
    distances: measure.name !== "equal_l2" && measure.name !== "cosine",
  });
}

/** @param {Values} summary @param {Measure} measure @param {Row} row @param {number} column */
function entry(summary, measure, row, column) {
  const cell = /** @type {import("./transfer-measures.js").Cell} */ (row.cells[column]);
  const value = measure.value(cell);
  const interval = measure.interval(cell);
  const printed = measure.name === "error" ? cell.paper : null;
  return {
    column,
    value,
    text: value === null ? "" : measure.text(value),
    interval: value === null || !interval ? "" : span(interval),
    paper: printed ? { text: number(100 * printed.error), agrees: agrees(cell) } : null,
    own: own(summary, row, column),
    label: `${cellSentence(summary, row, column)}${value !== null && measure.name !== "error" ? ` ${measure.label}: ${measure.text(value)}.` : ""}`,
  };
}

/** Rounded first: 0.09999 is 0.100, not 0.1000. @param {number} value */
const length = (value) => number(Number(value.toPrecision(3)));

/** @param {Row} row */
const distance = (row) =>
  row.kind === "clean"
    ? { text: "0", interval: "", paper: "" }
    : {
        text: length(row.mean_distortion),
        interval: `${length(row.distortion_low)}–${length(row.distortion_high)}`,
        paper: row.paper_distortion === null || row.paper_distortion === undefined ? "" : number(row.paper_distortion),
      };
