// Single keys as shortcuts, never while somebody types.

/** @param {EventTarget | null} target */
export function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Returns the way to stop listening. @param {{[key: string]: (event: KeyboardEvent) => void}} actions */
export function listenForKeys(actions) {
  const act = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action(event);
  };
  document.addEventListener("keydown", act);
  return () => document.removeEventListener("keydown", act);
}
