// Pictures for an image set: an archive that is sent as soon as it is chosen, or a folder that the server may read.
import { useState } from "preact/hooks";

import { Prose } from "../components/prose.js";
import { bytes, count, plural } from "../format.js";
import { html } from "../html.js";
import { useResource } from "../resource.js";
import { upload } from "../upload.js";

/** @param {import("./pickers.js").PickerProps} props */
export function ArchiveInput({ id, value, onChange, form, invalid, described }) {
  const [problem, setProblem] = useState("");
  const [sent, setSent] = useState(/** @type {number | null} */ (null));
  const known = useResource(value ? `/archives/${value}` : null);
  const send = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    setProblem("");
    setSent(0);
    try {
      const stored = await upload("/archives", file, setSent, "application/zip");
      onChange(stored.id);
      suggest(stored, file, form);
    } catch (error) {
      onChange(undefined);
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setSent(null);
  };
  return html`<div class="stack tight">
    <input id=${id} type="file" accept=".zip,application/zip" aria-invalid=${invalid || Boolean(problem) || undefined} aria-describedby=${described}
      disabled=${sent !== null} onChange=${(/** @type {any} */ event) => send(event.target.files[0])} />
    ${sent !== null && html`<span class="row muted" role="status"><progress max="1" value=${sent < 1 ? sent : undefined} /><small>${sent < 1 ? `${Math.round(100 * sent)} % sent` : "Reading it in a sealed-off process"}</small></span>`}
    ${problem && html`<span class="error" role="alert"><${Prose} text=${problem} /></span>`}
    ${known.data && sent === null && html`<${Known} archive=${known.data} />`}
  </div>`;
}

/** What the archive makes likely: its own name, and where the labels are. @param {Values} stored @param {File} file @param {import("./form.js").FormContext} form */
function suggest(stored, file, form) {
  if (!form.value?.name) form.change(["name"], plainName(file.name));
  if (form.value?.labels?.source !== "folders" || stored.folder_count > 1) return;
  const table = stored.tables[0];
  form.change(["labels"], table ? { source: "csv", file: table.name, ...columns(table.columns) } : { source: "none" });
}

/** Which column is likely what: "file, label", or "index, name" where a class is a number. @param {string[]} names */
function columns(names) {
  const like = (/** @type {RegExp} */ pattern) => names.find((name) => pattern.test(name));
  const number = like(/^(index|id|number)$/i);
  const called = like(/^(name|class_name)$/i);
  const label = like(/^(label|class|category|target)$/i);
  const numbered = !label && number && called;
  return {
    image_column: like(/^(file|file_?name|path|image)$/i) ?? number ?? names[0] ?? "file",
    label_column: label ?? (numbered ? number : (names[1] ?? "label")),
    name_column: numbered ? called : null,
  };
}

/** "My photos.zip" as a name that a set may have. @param {string} file */
const plainName = (file) =>
  file
    .replace(/\.[^.]*$/, "")
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 100);

/** @param {{archive: Values}} props */
function Known({ archive }) {
  const tables = archive.tables.map(
    (/** @type {{name: string, columns: string[]}} */ table) => ` Table ${table.name}: ${table.columns.join(", ")}.`,
  );
  const folders = archive.folder_count
    ? ` in ${plural(archive.folder_count, "folder")}: ${archive.folders.slice(0, 8).join(", ")}${archive.folder_count > 8 ? " …" : ""}`
    : ", in no folder";
  return html`<small class="muted">${plural(archive.images, "picture")}, ${bytes(archive.bytes)}${folders}.${tables}${archive.broken > 0 && ` ${count(archive.broken)} of them cannot be read.`}</small>`;
}

/** A path below the folders that the server may read; those directly below are offered. @param {import("./pickers.js").PickerProps} props */
export function FolderInput({ id, value, onChange, invalid, described }) {
  const { data } = useResource("/image-roots");
  const roots = data?.items ?? [];
  const none = data && roots.length === 0;
  return html`<input id=${id} type="text" list="${id}-list" value=${value ?? ""} placeholder="photos/cats" aria-invalid=${invalid || undefined} aria-describedby=${described}
      onInput=${(/** @type {any} */ event) => onChange(event.target.value || undefined)} />
    <datalist id="${id}-list">${roots.map((/** @type {{folder: string, path: string}} */ each) => html`<option value=${each.folder}>${each.path}</option>`)}</datalist>
    ${none && html`<small class="bad">This installation lets no folder be read: set BLINDSPOTS_IMAGE_ROOTS before it starts, or upload an archive.</small>`}`;
}
