import { BACKEND_KINDS } from '../backend/registry.ts';
import type { Environment } from '../config/environment.ts';

/** Only Pannier may talk to the service manager: what a command sent there would count as Pannier's. */
const SERVICE_MANAGER = /^(?:NOTIFY_SOCKET|WATCHDOG_(?:USEC|PID))$/;

/**
 * Variables that hold credentials of the agent's logins. With one of these a command could log in as the agent.
 * Variables that hold addresses and paths of files are not among them: file permissions say which files a command may
 * read.
 */
const CREDENTIALS: ReadonlySet<string> = new Set(BACKEND_KINDS.flatMap((kind) => kind.credentialVariables));
const isWithheld = (name: string): boolean =>
  CREDENTIALS.has(name) || name.startsWith('PANNIER_') || SERVICE_MANAGER.test(name);

/**
 * The environment of a command that Pannier runs: the agent's variables without the credentials of its logins, its
 * settings (`PANNIER_…`) and its service manager; `added` wins over them. The object has no prototype, so that no name
 * has a value of its own.
 */
export function commandEnvironment(env: Environment, added: Readonly<Record<string, string>>): Environment {
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && !isWithheld(name));
  return Object.assign(Object.create(null), Object.fromEntries(kept), added) as Environment;
}
