import * as z from 'zod/mini';
import type { BackendKindConfig } from './kind.ts';
import type { LoadedKind } from './kind-schemas.ts';

/** @throws TypeError when the schemas of a kind are not those of the keys that it names. */
export async function loadKinds(kinds: readonly BackendKindConfig[]): Promise<readonly LoadedKind[]> {
  return await Promise.all(
    kinds.map(async ({ kind, requestKeys, companionKeys, loadSchemas }) => {
      const schemas = await loadSchemas();
      const named = [...requestKeys, ...Object.keys(companionKeys)].sort();
      const defined = [...Object.keys(schemas.requestKeys), ...Object.keys(schemas.companionKeys)].sort();
      if (named.join() !== defined.join()) throw new TypeError(`${kind} has schemas of other keys than it names`);
      return { kind, ...schemas };
    }),
  );
}

/** The schema of one backend: the keys depend on its `kind`. @throws TypeError without any kind. */
export function backendSchema(kinds: readonly LoadedKind[]) {
  const [first, ...others] = kinds.map(({ backend }) => backend);
  if (first === undefined) throw new TypeError('there is no kind of backend');
  return z.discriminatedUnion('kind', [first, ...others]);
}
