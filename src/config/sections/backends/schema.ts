import * as z from 'zod/mini';
import type { BackendKindConfig } from './kind.ts';

/** The schema of one backend: the keys depend on its `kind`. @throws TypeError without any kind. */
export function backendSchema(kinds: readonly BackendKindConfig[]) {
  const [first, ...others] = kinds.map(({ schema }) => schema);
  if (first === undefined) throw new TypeError('there is no kind of backend');
  return z.discriminatedUnion('kind', [first, ...others]);
}
