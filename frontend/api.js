// Every request to the service: JSON in, JSON out, problems as errors that name the field.
import { signal } from "@preact/signals";

export const root = "/api/v1";

/** The project that lists and new jobs are meant for; each tab remembers its own, and a new tab takes the last one. */
export const project = {
  name: sessionStorage.getItem("project") ?? localStorage.getItem("project") ?? "",
  /** @param {string} name */
  choose(name) {
    project.name = name;
    sessionStorage.setItem("project", name);
    localStorage.setItem("project", name);
  },
};

/** 128 random bits; crypto.randomUUID is missing where a page came without https. */
const randomKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** False once the service has said that nobody is signed in. */
export const signedIn = signal(true);

/** What went wrong, in the words of the service. */
export class Problem extends Error {
  /** @param {Values} body @param {number} status */
  constructor(body, status) {
    super(body.detail ?? body.title ?? `The service answered ${status}.`);
    this.status = status;
    /** @type {string} */
    this.code = body.code ?? "";
    /** @type {{field: string, message: string}[]} */
    this.fields = body.errors?.length ? body.errors : body.field ? [{ field: body.field, message: this.message }] : [];
    /** @type {string} */
    this.requestId = body.request_id ?? "";
  }
}

/**
 * @param {string} method @param {string} path @param {any} [body] @param {{[name: string]: string}} [headers]
 * @returns {Promise<any>}
 */
export async function request(method, path, body, headers = {}) {
  const raw = body instanceof Blob;
  /** @type {RequestInit} */
  const options = { method, headers: { Accept: "application/json", ...headers } };
  if (project.name) options.headers = { ...options.headers, "Blindspots-Project": project.name };
  if (body !== undefined) {
    options.body = raw ? body : JSON.stringify(body);
    options.headers = { ...options.headers, "Content-Type": raw ? body.type || "application/octet-stream" : "application/json" };
  }
  let response;
  try {
    response = await fetch(root + path, options);
  } catch {
    throw new Problem({ detail: "The service does not answer. Is it still running? Start it again with `blindspots up`." }, 0);
  }
  if (response.status === 401) signedIn.value = false;
  if (response.status === 204) return null;
  const text = await response.text();
  const answer = text && response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : {};
  if (!response.ok) throw new Problem(answer, response.status);
  return answer;
}

/** @param {string} path @returns {Promise<any>} */
export const get = (path) => request("GET", path);

/** @param {string} path @param {any} [body] @param {{[name: string]: string}} [headers] */
export const post = (path, body, headers) => request("POST", path, body, headers);

/**
 * Send a job once, however often the button is pressed.
 * @param {Values} spec @param {{lane?: string, fresh?: boolean}} [options] @returns {Promise<Job>}
 */
export function submit(spec, { lane = "batch", fresh = false } = {}) {
  return post(`/jobs?${query({ lane, fresh: fresh || null })}`, spec, { "Idempotency-Key": randomKey() });
}

/** @param {{[name: string]: any}} values */
export function query(values) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") parameters.set(name, String(value));
  }
  return parameters.toString();
}
