import type { Environment } from '../../../config/environment.ts';

/** `VAULT_NAME`, then `BAO_NAME`; an empty variable counts as unset, as both clients have it. */
export function fromEnvironment(
  name: string,
  env: Environment,
): { readonly name: string; readonly value: string } | undefined {
  for (const variable of [`VAULT_${name}`, `BAO_${name}`]) {
    const value = env[variable];
    if (value !== undefined && value !== '') return { name: variable, value };
  }
  return undefined;
}
