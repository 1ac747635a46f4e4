// One job, read again as it moves: on events of the stream, and quickly by itself while it is young.
import { useEffect, useState } from "preact/hooks";

import { changes } from "./events.js";
import { useSteadyResource } from "./resource.js";

/** @param {string | null} id @returns {import("./resource.js").Resource<Job>} */
export function useJob(id) {
  const change = id ? changes.value.get(id) : null;
  const [tick, setTick] = useState(0);
  const resource = useSteadyResource(id ? `/jobs/${id}` : null, `${change?.state} ${tick}`);
  const read = resource.data?.id === id ? resource.data : null;
  const open = read !== null && ["queued", "running"].includes(read.state);
  useEffect(() => {
    if (!open) return undefined;
    const wait = Math.min(120 * 1.25 ** tick, 2500);
    const timer = setTimeout(() => setTick((value) => value + 1), wait);
    return () => clearTimeout(timer);
  }, [id, open, tick]);
  useEffect(() => setTick(0), [id]);
  const data =
    read && open && change
      ? {
          ...read,
          progress: change.progress ?? read.progress,
          cancel_requested: read.cancel_requested || change.cancel_requested,
        }
      : read;
  return { ...resource, data, loading: id !== null && data === null && !resource.error };
}
