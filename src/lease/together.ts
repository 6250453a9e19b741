import type { LeaseManager } from './manager.ts';

/**
 * Values that were changed together arrive together: when one secret of a group changes, the group's other polled
 * secrets are asked again at once. A change found by such an extra read asks nobody else, so n secrets changed at once
 * cost n extra reads, not n².
 *
 * @param groups for each secret the names that share an output with it.
 */
export function refreshTogether(manager: LeaseManager, groups: ReadonlyMap<string, ReadonlySet<string>>): Disposable {
  const extra = new Set<string>();
  return manager.onEvent((names, what) => {
    let found = false;
    for (const name of names) if (extra.delete(name)) found = true;
    if (what !== 'changed' || found) return;
    for (const name of names) {
      for (const other of groups.get(name) ?? []) {
        if (!names.has(other) && manager.refreshIfPolled(other)) extra.add(other);
      }
    }
  });
}
