// Who is signed in, and which project is meant. One read at the start; embedded mode has one local user.
import { signal } from "@preact/signals";

import { get, project } from "./api.js";

/**
 * @typedef {{name: string, title: string, role: string}} Project
 * @typedef {{user: string, display_name: string, role: string | null, service_admin: boolean, people: boolean, project: string | null, projects: Project[]}} Account
 */

/** Null until it is known. */
export const account = signal(/** @type {Account | null} */ (null));

export async function readAccount() {
  try {
    account.value = await get("/session");
  } catch (error) {
    // A project that one is no longer a member of; without one, the service chooses.
    if (!(error instanceof Error) || !("status" in error) || error.status !== 404 || !project.name) return;
    project.choose("");
    account.value = await get("/session");
  }
}

/** Look at another project: every list on the page is of that one. @param {string} name */
export function changeProject(name) {
  project.choose(name);
  location.assign("/");
}

/** Whether this person may decide who does what in the present project. */
export const decides = () => account.value?.role === "admin";
