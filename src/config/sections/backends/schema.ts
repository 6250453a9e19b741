import * as z from 'zod/mini';
import type { BackendKindConfig } from './kind.ts';

/** One place secrets come from, with its login: what any of the kinds may say. */
export function backendSchema(kinds: readonly BackendKindConfig[]) {
  const [first, ...others] = kinds.map(({ schema }) => schema);
  if (first === undefined) throw new TypeError('there is no kind of backend');
  return z.discriminatedUnion('kind', [first, ...others]);
}
