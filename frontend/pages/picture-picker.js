// The reader's own picture: chosen or dropped, sent at once, shown as it was stored.
import { useState } from "preact/hooks";

import { post } from "../api.js";
import { smoothWhereLarge } from "../components/thumbnail.js";
import { html } from "../html.js";
import { setQuery } from "../router.js";

/** @param {{state: import("./explore-state.js").ExploreChoice}} props */
export function PicturePicker({ state }) {
  const [over, setOver] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const send = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    setBusy(true);
    setProblem("");
    try {
      const stored = await post(`/images${state.model ? `?model=${encodeURIComponent(state.model.id)}` : ""}`, file);
      setQuery({ picture: stored.id });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  const drop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(false);
    send(event.dataTransfer?.files[0]);
  };
  const stored = state.picture && state.picture !== "new" ? state.picture : null;
  return html`<div class=${over ? "drop over" : "drop"} onDrop=${drop} onDragLeave=${() => setOver(false)}
    onDragOver=${(/** @type {DragEvent} */ event) => {
      event.preventDefault();
      setOver(true);
    }}>
    ${stored && html`<img onLoad=${smoothWhereLarge} src=${`/api/v1/images/${stored}.png`} alt="Your picture" width="112" height="112" style=${{ objectFit: "contain" }} />`}
    <label for="picture">${stored ? "Another picture" : "Drop a picture here, or choose one"}</label>
    <input id="picture" type="file" accept="image/png,image/jpeg,image/webp" disabled=${busy} onChange=${(/** @type {any} */ event) => send(event.target.files[0])} />
    <small class="muted">PNG, JPEG or WebP. It is cropped and resized to what the network reads, and stays on this machine. The network's own answer counts as right.</small>
    ${problem && html`<span class="bad" role="alert">${problem}</span>`}
  </div>`;
}
