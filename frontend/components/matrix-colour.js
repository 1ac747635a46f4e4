// The colour of a cell of a matrix: one hue from the page's background to its strongest, with a number on it that can be read.

/** From nothing to most. @type {{[theme: string]: string[]}} */
const scales = {
  light: ["#ffffff", "#e4eafe", "#bccafb", "#8ea4f5", "#5c78e6", "#2846b8"],
  dark: ["#17181c", "#202b50", "#2f4589", "#4c66c6", "#7d95f3", "#b9c7ff"],
};
/** @type {{[theme: string]: string}} */
const inks = { light: "#17181c", dark: "#eceef2" };

/** @param {string} hex */
const parts = (hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));

/** Relative luminance, WCAG 2. @param {number[]} colour */
function luminance(colour) {
  const [red = 0, green = 0, blue = 0] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {number[]} one @param {number[]} other */
function contrast(one, other) {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** Small numbers get more than their share of the scale: most of a matrix is made of them. @param {number} share */
const strength = (share) => Math.min(Math.max(share, 0), 1) ** 0.6;

/**
 * The colour of a share from 0 to 1, and that of a number on it: always a contrast of 4.5 to 1 at least.
 * @param {number | null} share @param {string} theme
 */
export function heat(share, theme) {
  const scale = /** @type {string[]} */ (scales[theme] ?? scales.light);
  const place = strength(share ?? 0) * (scale.length - 1);
  const below = Math.min(Math.floor(place), scale.length - 2);
  const [from, to] = [parts(scale[below] ?? ""), parts(scale[below + 1] ?? "")];
  const colour = from.map((value, channel) => Math.round(value + (place - below) * ((to[channel] ?? 0) - value)));
  // The page's own ink where it can be read; between, black or white: one of them always can.
  const candidates = [inks[theme] ?? "", "#17181c", "#ffffff", "#000000"];
  const ink = candidates.find((each) => each && contrast(parts(each), colour) >= 4.5) ?? "#000000";
  return { background: `rgb(${colour.join(" ")})`, ink };
}
