// What a figure shows, as rows of numbers: for the CSV and JSON buttons under it.

/** @type {{[dtype: string]: any}} */
const arrays = {
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  f4: Float32Array,
  f8: Float64Array,
};

/** Plotly's typed arrays travel as base64. @param {any} value @returns {any} */
export function plain(value) {
  if (!value || typeof value !== "object" || !("bdata" in value)) return value;
  const text = atob(value.bdata);
  const raw = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const flat = Array.from(new arrays[value.dtype](raw.buffer));
  const columns = value.shape ? Number(String(value.shape).split(",")[1]) : 0;
  if (!columns) return flat;
  return Array.from({ length: flat.length / columns }, (_, row) => flat.slice(row * columns, (row + 1) * columns));
}

/** @param {PlotlyFigure} figure */
export function figureSeries(figure) {
  return figure.data
    .filter((trace) => trace.visible !== false)
    .map((trace, index) => {
      /** @type {Values} */
      const series = { name: trace.name ?? `series ${index + 1}`, type: trace.type ?? "scatter" };
      for (const key of ["x", "y", "z", "text"]) if (trace[key] !== undefined) series[key] = plain(trace[key]);
      return series;
    });
}

/** Long form: one row per point. @param {PlotlyFigure} figure */
export function figureCsv(figure) {
  const rows = [["series", "x", "y", "z"]];
  for (const { name, x, y, z } of figureSeries(figure)) {
    if (Array.isArray(z) && Array.isArray(z[0])) {
      z.forEach((line, row) =>
        line.forEach((/** @type {any} */ value, /** @type {number} */ column) => {
          rows.push([name, x?.[column] ?? column, y?.[row] ?? row, value]);
        }),
      );
    } else {
      const length = Math.max(x?.length ?? 0, y?.length ?? 0);
      for (let place = 0; place < length; place += 1) rows.push([name, x?.[place] ?? place, y?.[place] ?? place, ""]);
    }
  }
  return rows.map((row) => row.map(cell).join(",")).join("\r\n");
}

/** @param {any} value */
function cell(value) {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Hand a file to the reader. @param {string} name @param {string} type @param {string} content */
export function download(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
