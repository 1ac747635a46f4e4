// One stream per tab tells which jobs changed; where streams do not get through, the same is asked for every 2 s.
import { signal } from "@preact/signals";

import { get, root, signedIn } from "./api.js";

/** Last known change of each job. */
export const changes = signal(/** @type {Map<string, any>} */ (new Map()));

/** Grows whenever a job is created, starts or ends: lists read themselves again on it. */
export const jobsVersion = signal(0);

/** Whether the stream is open; the footer says so when it is not. */
export const connection = signal(/** @type {"live" | "polling" | "lost"} */ ("live"));

let lastEvent = 0;
let polling = 0;

/** @param {any} change @param {number} id */
function take(change, id) {
  lastEvent = Math.max(lastEvent, id || 0);
  const before = changes.value.get(change.id);
  changes.value = new Map(changes.value).set(change.id, { ...before, ...change });
  if (!before || before.state !== change.state) jobsVersion.value += 1;
}

async function poll() {
  try {
    const answer = await get(`/events/poll?after=${lastEvent}`);
    for (const event of answer.items ?? answer.events ?? []) take(event.data ?? event, Number(event.event_id ?? event.id));
    lastEvent = Math.max(lastEvent, Number(answer.latest ?? answer.last ?? 0));
    connection.value = "polling";
  } catch {
    connection.value = "lost";
  }
}

/** Start listening; call once. */
export function listen() {
  let failures = 0;
  const source = new EventSource(`${root}/events`);
  source.onopen = () => {
    failures = 0;
    connection.value = "live";
    jobsVersion.value += 1;
    clearInterval(polling);
    polling = 0;
  };
  source.addEventListener("job", (event) => take(JSON.parse(event.data), Number(event.lastEventId)));
  source.onerror = () => {
    failures += 1;
    if (!signedIn.value) source.close();
    else if (source.readyState === EventSource.CLOSED) {
      source.close();
      setTimeout(listen, 5000);
    }
    if (failures >= 2 && !polling && signedIn.value) polling = setInterval(poll, 2000);
  };
}

/** A job with the newest known state and progress. @template {{id: string}} T @param {T} job @returns {T} */
export function live(job) {
  const change = changes.value.get(job.id);
  const finished = "finished_at" in job && job.finished_at;
  return change && !finished ? { ...job, ...change, id: job.id } : job;
}
