// A list of numbers, typed with spaces or commas; ranges such as 0-9 for whole numbers. Or of names, typed with commas.
import { useEffect, useState } from "preact/hooks";

import { html } from "../html.js";

/** @param {any} value */
const spell = (value) => (Array.isArray(value) ? value.join(", ") : "");

/** @param {string} text @param {boolean} whole @returns {any[]} */
export function readList(text, whole) {
  return text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .flatMap((word) => {
      const range = whole && /^(\d+)[-–](\d+)$/.exec(word);
      if (!range) return [Number.isFinite(Number(word)) ? Number(word) : word];
      const [low, high] = [Number(range[1]), Number(range[2])];
      return high >= low && high - low < 100_000 ? Array.from({ length: high - low + 1 }, (_, step) => low + step) : [word];
    });
}

/** @param {{schema: Schema, optional: boolean, value: any, onChange: (value: any) => void, common: Values}} props */
export function ListInput({ schema, optional, value, onChange, common }) {
  const [text, setText] = useState(spell(value));
  const type = schema.items?.type;
  const read = (/** @type {string} */ typed) => (type === "string" ? readNames(typed) : readList(typed, type === "integer"));
  useEffect(() => {
    if (spell(read(text)) !== spell(value)) setText(spell(value));
  }, [value]);
  const take = (/** @type {any} */ event) => {
    setText(event.target.value);
    const list = read(event.target.value);
    onChange(list.length === 0 && optional ? null : list);
  };
  const hint =
    type === "string" ? "Names, separated by commas" : type === "integer" ? "0, 1, 5-9" : "Numbers, separated by commas";
  return html`<input ...${common} type="text" value=${text} onInput=${take} placeholder=${hint} />`;
}

/** @param {string} text */
const readNames = (text) =>
  text
    .split(/[,;\n]+/)
    .map((name) => name.trim())
    .filter(Boolean);
