import type { Surroundings } from '../agent/context.ts';
import type { BackendConfig } from '../config/config.ts';
import type { Backend } from './backend.ts';
import type { KeptSecretIds } from './vault/auth/secret-id.ts';

/** What a backend is opened with. */
export interface Opening extends Surroundings {
  /** Outlives the backend, so that one that is opened anew with another configuration can log in. */
  readonly kept: KeptSecretIds;
}

type Make<C> = (config: C, around: Opening) => Promise<Backend>;
export type MakeBackend = Make<BackendConfig>;

/** One line per kind of backend. Each loads its client on first use, so an unused kind costs nothing. */
const BACKENDS: { readonly [K in BackendConfig['kind']]: Make<Extract<BackendConfig, { kind: K }>> } = {
  vault: async (config, around) => (await import('./vault/open.ts')).openVaultBackend(config, around),
  'aws-secrets-manager': async (config, around) => (await import('./aws/open.ts')).openAwsBackend(config, around),
  file: async (config, around) => (await import('./file/backend.ts')).createFileBackend(config, around),
};

/** Opens a backend; nothing is sent yet. */
export function openBackend(config: BackendConfig, around: Opening): Promise<Backend> {
  const make = around.kinds?.[config.kind] ?? (BACKENDS[config.kind] as MakeBackend);
  return make(config, around);
}
