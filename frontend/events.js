// One stream per tab tells which jobs changed; where streams do not get through, the same is asked for every 2 s.
import { signal } from "@preact/signals";

import { get, root, signedIn } from "./api.js";

const remembered = 500;

/** Last known change of each job. */
export const changes = signal(/** @type {Map<string, any>} */ (new Map()));

/** Grows whenever a job is created, starts or ends: lists read themselves again on it. */
export const jobsVersion = signal(0);

/** Whether the stream is open; the foot of the page says so when it is not. */
export const connection = signal(/** @type {"live" | "polling" | "lost"} */ ("live"));

let lastEvent = 0;
let polling = 0;
let failures = 0;
let opened = false;
/** @type {EventSource | null} */
let source = null;

/** @param {any} change @param {number} id */
function take(change, id) {
  lastEvent = Math.max(lastEvent, id || 0);
  const before = changes.value.get(change.id);
  const next = new Map(changes.value);
  next.delete(change.id);
  next.set(change.id, { ...before, ...change });
  const oldest = next.keys().next().value;
  if (next.size > remembered && oldest) next.delete(oldest);
  changes.value = next;
  if (!before || before.state !== change.state) jobsVersion.value += 1;
}

async function poll() {
  try {
    const answer = await get(`/events/poll?after=${lastEvent}`);
    for (const event of answer.items) take(event, event.event_id);
    lastEvent = Math.max(lastEvent, answer.latest);
    connection.value = "polling";
  } catch {
    connection.value = "lost";
  }
}

function heard() {
  failures = 0;
  connection.value = "live";
  clearInterval(polling);
  polling = 0;
  // What happened while nobody listened is read from the lists themselves.
  if (opened) jobsVersion.value += 1;
  opened = true;
}

function missed() {
  failures += 1;
  if (source?.readyState === EventSource.CLOSED) {
    close();
    if (signedIn.value) setTimeout(open, 5000);
  }
  if (failures >= 2 && !polling && signedIn.value) polling = setInterval(poll, 2000);
}

function open() {
  if (source || document.hidden) return;
  source = new EventSource(`${root}/events`);
  source.onopen = heard;
  source.onerror = missed;
  source.addEventListener("job", (event) => take(JSON.parse(event.data), Number(event.lastEventId)));
}

function close() {
  source?.close();
  source = null;
}

/** Start listening; call once. A hidden tab lets go: browsers allow few connections to one server. */
export function listen() {
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();
}

/** A job with the newest known state and progress. @template {{id: string}} T @param {T} job @returns {T} */
export function live(job) {
  const change = changes.value.get(job.id);
  const finished = "finished_at" in job && job.finished_at;
  return change && !finished ? { ...job, ...change, id: job.id } : job;
}
