// The address bar holds the whole state of a view; this is the only place that reads and writes it.
import { signal } from "@preact/signals";

const read = () => ({ path: location.pathname, query: new URLSearchParams(location.search) });

export const place = signal(read());
addEventListener("popstate", () => {
  place.value = read();
});

/** Go to an address of this site. @param {string} address @param {{replace?: boolean}} [options] */
export function navigate(address, { replace = false } = {}) {
  const samePage = new URL(address, location.href).pathname === location.pathname;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  place.value = read();
  if (!samePage) scrollTo(0, 0);
}

/**
 * Change some parameters of the present view; null or "" removes one.
 * @param {{[name: string]: string | number | boolean | null | undefined}} changes @param {{push?: boolean}} [options]
 */
export function setQuery(changes, { push = false } = {}) {
  navigate(withQuery(location.pathname, new URLSearchParams(location.search), changes), { replace: !push });
}

/** A listener that writes one choice into the address, and what follows from it. @param {string} name @param {Values} [also] */
export const setting =
  (name, also = {}) =>
  (/** @type {string} */ value) =>
    setQuery({ ...also, [name]: value });

/**
 * @param {string} path @param {URLSearchParams} query
 * @param {{[name: string]: string | number | boolean | null | undefined}} changes
 */
export function withQuery(path, query, changes = {}) {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") next.delete(name);
    else next.set(name, String(value));
  }
  const text = next.toString();
  return text ? `${path}?${text}` : path;
}

/** Follow links inside the site without loading the page again. @param {MouseEvent} event */
export function followLink(event) {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (link.pathname.startsWith("/api/") || link.hash) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}
