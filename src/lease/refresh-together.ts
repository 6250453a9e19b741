import type { LeaseManager } from './manager.ts';

/** For each secret, the names of the secrets of each output that it is part of, itself included or not. */
export type Groups = ReadonlyMap<string, readonly ReadonlySet<string>[]>;

/**
 * Values that were changed together arrive together: when one secret of an output changes, the output's other polled
 * secrets are fetched again at once. A change that such an extra fetch finds causes no further ones, and each secret is
 * pulled forward once between two fetches of its own. So n secrets that change at once cost n extra fetches, and
 * secrets whose every answer differs (it holds the time, say) at most double their requests. Ends when disposed of.
 */
export function refreshTogether(manager: LeaseManager, groups: Groups): Disposable {
  return manager.onEvent((names, event, occasion) => {
    if (event !== 'changed' || occasion === 'pull') return;
    for (const name of names) {
      for (const output of groups.get(name) ?? []) {
        for (const other of output) if (!names.has(other)) manager.pullForward(other, name);
      }
    }
  });
}
