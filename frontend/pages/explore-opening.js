// What Explore shows first: the attack in the address, or else the newest one that this machine finished.
import { jobsVersion } from "../events.js";
import { useResource } from "../resource.js";

/** @param {URLSearchParams} query @returns {{job: string | null, row: number | null, loading: boolean, none: boolean}} */
export function useOpening(query) {
  const asked = query.get("job");
  const newest = useResource(asked ? null : "/jobs?kind=attack&state=succeeded&limit=1", asked ? 0 : jobsVersion.value);
  const job = asked ?? newest.data?.items[0]?.id ?? null;
  const row = query.get("row");
  const first = useResource(job && row === null ? `/jobs/${job}/examples?success=true&limit=20` : null);
  /** @type {ExampleRow[]} */
  const rows = first.data?.rows ?? [];
  const best = rows.find((each) => each.kept && !each.already_wrong) ?? rows[0];
  return {
    job,
    row: row !== null ? Number(row) : (best?.index ?? (first.data ? 0 : null)),
    loading: newest.loading || first.loading,
    none: !asked && newest.data !== null && newest.data.items.length === 0,
  };
}
