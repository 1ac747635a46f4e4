// A small view of an image of a data set: small images at a whole-number scale, large ones made smaller by the service.
import { html } from "../html.js";

/** Width of a thumbnail: the largest whole multiple below the room there is. @param {number} width */
export const thumbnailSide = (width, room = 40) => (width > room ? room : width * Math.floor(room / width));

/**
 * @param {{dataset: {name: string, shape: [number, number, number] | null}, split: string, index: number, words: string, room?: number, title?: string}} props
 * `room`: pixels that it may take in both directions.
 */
export function Thumbnail({ dataset, split, index, words, room = 40, title }) {
  const [, height, width] = dataset.shape ?? [1, room, room];
  const longer = Math.max(height, width);
  const scale = longer > room ? room / longer : Math.floor(room / longer);
  const small = longer > room ? `?side=${Math.min(1024, Math.max(16, 2 * room))}` : "";
  return html`<img class=${longer > room ? "" : "pixels"} width=${Math.round(width * scale)} height=${Math.round(height * scale)} loading="lazy" decoding="async"
    src=${`/api/v1/datasets/${dataset.name}/${split}/images/${index}.png${small}`} alt=${words} title=${title ?? words} />`;
}

/** Draw whole pixels where a picture is enlarged, smoothly where it is made smaller. @param {any} event of its loading */
export const smoothWhereLarge = ({ target }) => target.classList.toggle("pixels", target.naturalWidth <= target.width);
