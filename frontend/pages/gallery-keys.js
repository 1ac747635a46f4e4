// Arrow keys in a grid of buttons, however many fit in a row.

/** @param {KeyboardEvent} event @param {HTMLElement | null} list */
export function moveFocus(event, list) {
  const tiles = /** @type {HTMLElement[]} */ ([...(list?.querySelectorAll(".tile") ?? [])]);
  const here = tiles.indexOf(/** @type {HTMLElement} */ (event.target));
  if (here < 0) return;
  const left = tiles[0]?.offsetLeft;
  const perRow = Math.max(1, tiles.slice(1).findIndex((tile) => tile.offsetLeft === left) + 1 || tiles.length);
  /** @type {{[key: string]: number}} */
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perRow, ArrowDown: perRow };
  const step = steps[event.key];
  if (event.key === "Escape")
    return void list?.querySelector(`.tile[aria-expanded="true"]`)?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  const next = step === undefined ? undefined : tiles[here + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}
