import type { Environment } from '../../../config/environment.ts';

/** Reads `VAULT_NAME`, or else `BAO_NAME`. An empty variable counts as unset, as in the clients of both servers. */
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
