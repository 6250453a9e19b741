import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/fact.ts';
import type { BackendConfig } from '../config/config.ts';
import type { Backend } from '../source/source.ts';

/** What the outside gives the agent: time, randomness, the environment, and where facts go. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** The process environment, read by `cli/` and `config/` only; here for proxies and for what commands inherit. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ours, for the User-Agent header. */
  readonly version: string;
}

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
