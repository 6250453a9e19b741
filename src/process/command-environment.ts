import { BACKEND_KINDS } from '../backend/registry.ts';
import type { Environment } from '../config/environment.ts';

/** Ours alone: a command that spoke to the service manager would speak for us. */
const MANAGER = /^(?:NOTIFY_SOCKET|WATCHDOG_(?:USEC|PID))$/;

/**
 * The agent's own logins, and its own settings: with one of these a command would be the agent towards a backend.
 * Addresses and paths of files stay; a command that may open the file needs no variable to do so.
 */
const CREDENTIALS: ReadonlySet<string> = new Set(BACKEND_KINDS.flatMap((kind) => kind.credentialVariables));
const isOurs = (name: string): boolean => CREDENTIALS.has(name) || name.startsWith('PANNIER_') || MANAGER.test(name);

/**
 * What a command of ours gets: the agent's variables without its logins, its own settings and its service manager, and
 * `added` on top.
 * Has no prototype, so that no name means anything by itself.
 */
export function commandEnvironment(of: Environment, added: Readonly<Record<string, string>>): Environment {
  const kept = Object.entries(of).filter(([name, value]) => value !== undefined && !isOurs(name));
  return Object.assign(Object.create(null), Object.fromEntries(kept), added) as Environment;
}
