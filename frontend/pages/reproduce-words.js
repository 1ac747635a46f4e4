// What of the paper can be measured again, and how thoroughly: the words of the page.

/** @typedef {{name: string, title: string, caption: string, tables: string[]}} Experiment */

/** Captions that are "" come with the printed table. @type {Experiment[]} */
export const experiments = [
  { name: "table1", title: "Table 1", caption: "", tables: ["table1"] },
  { name: "table2", title: "Table 2", caption: "", tables: ["table2"] },
  { name: "table3", title: "Table 3", caption: "", tables: ["table3"] },
  { name: "table4", title: "Table 4", caption: "", tables: ["table4"] },
  {
    name: "figure7",
    title: "Figure 7",
    caption: "Digits beside their distorted copies, and digits under noise that people still read",
    tables: [],
  },
  {
    name: "tables",
    title: "All tables",
    caption: "Tables 1 to 4 and figure 7 in one plan, each network trained once",
    tables: ["table1", "table2", "table3", "table4"],
  },
  {
    name: "adversarial_training",
    title: "Adversarial training",
    caption: "Does training on distorted digits lower the error on ordinary ones? Several ways, several seeds each",
    tables: ["adversarial_training"],
  },
];

/** `dataset` has to be on this machine. */
export const presets = [
  { name: "quick", title: "Quick", caption: "The bundled digits: the pattern, not the numbers of the paper", dataset: "digits" },
  { name: "paper", title: "Paper", caption: "MNIST, 256 images per network, as the printed numbers suggest", dataset: "mnist" },
  { name: "full", title: "Full", caption: "MNIST, every image: the narrowest intervals", dataset: "mnist" },
];

/** @param {string} name */
export const experimentTitle = (name) => experiments.find((each) => each.name === name)?.title ?? name;

/** "Table 2, quick". @param {string} experiment @param {string} preset */
export const reproductionTitle = (experiment, preset) => `${experimentTitle(experiment)}, ${preset}`;

/** How a cell compares with the paper: a sign, because colour alone is not read by everyone. @type {{[verdict: string]: {sign: string, words: string}}} */
export const verdicts = {
  consistent: { sign: "✓", words: "consistent" },
  differs: { sign: "≠", words: "differs" },
  "not printed": { sign: "", words: "not printed" },
  "not comparable": { sign: "", words: "not comparable" },
};

/** Only these are a judgement. @param {string} verdict */
export const judged = (verdict) => verdict === "consistent" || verdict === "differs";
