// Data that a component reads from the service: loading, present or failed; kept while it is read again.
import { useEffect, useRef, useState } from "preact/hooks";

import { get } from "./api.js";

/** @type {Map<string, any>} last answers by path, so that going back shows the page at once */
const answers = new Map();

/**
 * @template T
 * @typedef {{data: T | null, error: import("./api.js").Problem | null, loading: boolean, stale: boolean, reload: () => void}} Resource
 */

/**
 * Read a path of the API; null reads nothing. `version` reads again when it changes, the old answer stays meanwhile.
 * @param {string | null} path @param {any} [version] @returns {Resource<any>}
 */
export function useResource(path, version = 0) {
  const [state, setState] = useState(
    /** @type {{path: string | null, data: any, error: any}} */ ({ path: null, data: null, error: null }),
  );
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (path === null) return undefined;
    let live = true;
    get(path).then(
      (data) => {
        answers.set(path, data);
        if (live) setState({ path, data, error: null });
      },
      (error) => live && setState({ path, data: null, error }),
    );
    return () => {
      live = false;
    };
  }, [path, version, tries]);
  const settled = state.path === path && path !== null;
  const data = path === null ? null : settled && !state.error ? state.data : (answers.get(path) ?? null);
  return {
    data,
    error: settled ? state.error : null,
    loading: path !== null && !settled && data === null,
    stale: !settled,
    reload: () => setTries((value) => value + 1),
  };
}

/** As useResource, but shows the answer to the previous path until the next one is there. @param {string | null} path @param {any} [version] */
export function useSteadyResource(path, version = 0) {
  const resource = useResource(path, version);
  const kept = useRef(/** @type {any} */ (null));
  if (resource.data !== null) kept.current = resource.data;
  return {
    ...resource,
    data: resource.error ? null : (resource.data ?? kept.current),
    loading: resource.loading && kept.current === null,
  };
}

/** Forget an answer after a change that this tab made. @param {string} prefix */
export function forget(prefix) {
  for (const path of answers.keys()) if (path.startsWith(prefix)) answers.delete(path);
}
