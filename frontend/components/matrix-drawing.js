// The matrix as a picture to take away, drawn as it is shown: the same order, numbers and colours, on a light ground.
import { heat } from "./matrix-colour.js";

/** @typedef {import("./matrix.js").MatrixView} MatrixView */

const cell = { width: 84, height: 40 };
const head = 96;
const font = "font-family='system-ui, sans-serif'";

/** @param {string} text */
const safe = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** @param {string} text @param {number} length */
const short = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/** Of a long note its number: "fully connected 100-100" is 100-100. @param {string} note */
function brief(note) {
  const last = note.split(" ").at(-1) ?? "";
  return note.length > 17 && /\d/.test(last) ? last : short(note, 17);
}

/** @param {number} x @param {number} y @param {string} content @param {{size?: number, anchor?: string, fill?: string, weight?: number}} [look] */
const text = (x, y, content, { size = 12, anchor = "middle", fill = "#17181c", weight = 400 } = {}) =>
  `<text x="${x}" y="${y}" font-size="${size}" text-anchor="${anchor}" fill="${fill}" font-weight="${weight}">${safe(content)}</text>`;

/** @param {MatrixView} view @param {string} title @returns {{svg: string, width: number, height: number}} */
export function matrixSvg(view, title) {
  const names = view.groups.flatMap((group) => group.rows.map((row) => row.name.length));
  const left = Math.min(240, Math.max(120, 24 + 7 * Math.max(...names)));
  const across = view.columns.length + Number(view.distances);
  const width = Math.max(left + across * cell.width + 16, 560);
  /** @type {string[]} */
  const drawn = [text(16, 28, short(title, Math.floor(width / 7.4)), { size: 14, anchor: "start", weight: 600 })];
  view.columns.forEach((column, place) => {
    const x = left + (place + 0.5) * cell.width;
    drawn.push(text(x, head - 26, short(column.name, 14), { size: 11, weight: 600 }));
    column.notes.forEach((note, line) => drawn.push(text(x, head - 13 + 11 * line, brief(note), { size: 9, fill: "#63666f" })));
  });
  if (view.distances) drawn.push(text(left + (across - 0.5) * cell.width, head - 26, "Distortion", { size: 11, weight: 600 }));
  let y = head + 8;
  for (const group of view.groups) {
    if (group.title) {
      drawn.push(text(16, y + 20, group.title, { size: 11, anchor: "start", fill: "#63666f" }));
      y += 28;
    }
    for (const row of group.rows) {
      drawn.push(text(16, y + 24, short(row.name, 32), { anchor: "start" }));
      row.cells.forEach((each, place) => {
        const { background, ink } = heat(each.value, "light");
        const x = left + place * cell.width;
        const frame = each.own ? ' stroke="#17181c" stroke-width="1.5"' : "";
        drawn.push(
          `<rect x="${x + 1}" y="${y + 1}" width="${cell.width - 2}" height="${cell.height - 2}" rx="3" fill="${background}"${frame}/>`,
        );
        const small = each.paper ? `paper ${each.paper.text} ${each.paper.agrees ? "✓" : "≠"}` : each.interval;
        drawn.push(text(x + cell.width / 2, y + (small ? 18 : 24), each.text, { size: 13, fill: ink }));
        drawn.push(text(x + cell.width / 2, y + 32, small, { size: 9, fill: ink }));
      });
      if (view.distances) drawn.push(text(left + (across - 0.5) * cell.width, y + 24, row.distance.text, { size: 13 }));
      y += cell.height;
    }
  }
  const height = y + 16;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ${font}><rect width="100%" height="100%" fill="#ffffff"/>${drawn.join("")}</svg>`;
  return { svg, width, height };
}

/** Hand the picture to the reader. @param {string} name @param {Blob} content */
function save(name, content) {
  const address = URL.createObjectURL(content);
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** @param {MatrixView} view @param {string} title @param {string} name */
export function saveSvg(view, title, name) {
  save(`${name}.svg`, new Blob([matrixSvg(view, title).svg], { type: "image/svg+xml" }));
}

/** @param {MatrixView} view @param {string} title @param {string} name */
export async function savePng(view, title, name) {
  const { svg, width, height } = matrixSvg(view, title);
  const image = new Image(width, height);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => blob && save(`${name}.png`, blob), "image/png");
}
