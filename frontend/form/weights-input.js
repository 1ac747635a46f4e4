// A file of weights: sent as soon as it is chosen, then described in the words of the service.
import { useState } from "preact/hooks";

import { count } from "../format.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";
import { upload } from "../upload.js";
import { Prose } from "../components/prose.js";

/** @param {import("./pickers.js").PickerProps} props */
export function WeightsInput({ id, value, onChange, form, invalid, described }) {
  const [problem, setProblem] = useState("");
  const [sent, setSent] = useState(/** @type {number | null} */ (null));
  const known = useResource(value ? `/weights/${value}` : null);
  const send = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    setProblem("");
    setSent(0);
    try {
      const stored = await upload("/weights", file, setSent);
      onChange(stored.id);
      const inFile = form.value?.network?.name === "onnx";
      if (stored.form === "onnx" && !inFile) form.change(["network"], { name: "onnx", layout: "as in the file" });
      if (stored.form === "safetensors" && inFile) form.change(["network"], { name: "softmax" });
      if (!form.value?.model_name) form.change(["model_name"], plainName(file.name));
    } catch (error) {
      onChange(null);
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setSent(null);
  };
  return html`<div class="stack tight">
    <input id=${id} type="file" accept=".onnx,.safetensors" aria-invalid=${invalid || Boolean(problem) || undefined} aria-describedby=${described}
      disabled=${sent !== null} onChange=${(/** @type {any} */ event) => send(event.target.files[0])} />
    ${sent !== null && html`<span class="row muted" role="status"><progress max="1" value=${sent < 1 ? sent : undefined} /><small>${sent < 1 ? `${Math.round(100 * sent)} % sent` : "Reading it in a sealed-off process"}</small></span>`}
    ${problem && html`<span class="error" role="alert"><${Prose} text=${problem} /></span>`}
    ${known.data && sent === null && html`<${Known} weights=${known.data} />`}
  </div>`;
}

/** "animal_or_object.onnx" as a name that a model may have. @param {string} file */
const plainName = (file) =>
  file
    .replace(/\.[^.]*$/, "")
    .replaceAll(/[^A-Za-z0-9 ._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 100);

/** @param {{weights: Values}} props */
function Known({ weights }) {
  if (weights.form === "safetensors") {
    const numbers = weights.tensors.reduce(
      (/** @type {number} */ sum, /** @type {{shape: number[]}} */ each) => sum + each.shape.reduce((a, b) => a * b, 1),
      0,
    );
    const names = weights.tensors
      .slice(0, 4)
      .map((/** @type {{name: string, shape: number[]}} */ each) => `${each.name} (${each.shape.join(" × ")})`);
    return html`<small class="muted">safetensors: ${count(weights.tensor_count)} arrays, ${count(numbers)} numbers. ${names.join(", ")}${weights.tensor_count > 4 ? " …" : ""}</small>`;
  }
  const { image_shape: shape, classes, operators, opset } = weights.graph;
  const used = Object.entries(operators ?? {}).map(([name, times]) => `${name}${times > 1 ? ` × ${times}` : ""}`);
  return html`<small class="muted">ONNX, opset ${opset}: reads ${shape ? shape.map((/** @type {number | null} */ side) => side ?? "any").join(" × ") : "images of any shape"}${classes ? `, tells ${count(classes)} classes apart` : ""}. ${used.slice(0, 12).join(", ")}${used.length > 12 ? " …" : ""}</small>`;
}
