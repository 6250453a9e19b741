import type { BackendConfig } from '../config/config.ts';
import type { Backend } from '../source/source.ts';
import type { Surroundings } from './surroundings.ts';

type Make<C> = (config: C, around: Surroundings) => Promise<Backend>;

/** One line per kind of backend. Each loads its client on first use, so an unused kind costs nothing. */
const BACKENDS: { readonly [K in BackendConfig['kind']]: Make<Extract<BackendConfig, { kind: K }>> } = {
  vault: async (config, around) => (await import('./open-vault.ts')).openVaultBackend(config, around),
  file: async (config, around) => (await import('../source/file.ts')).createFileBackend(config, around),
};

/** Opens a backend; nothing is sent yet. */
export function openBackend(config: BackendConfig, around: Surroundings): Promise<Backend> {
  return (BACKENDS[config.kind] as Make<BackendConfig>)(config, around);
}
