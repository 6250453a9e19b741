import type { Environment } from '../config/environment.ts';

/** Ours alone: a command that spoke to the service manager would speak for us. */
const MANAGER = /^(?:NOTIFY_SOCKET|WATCHDOG_(?:USEC|PID))$/;

/**
 * The agent's own logins: with one of these a command would be the agent towards a backend. Addresses and paths of
 * files stay; a command that may open the file needs no variable to.
 */
const LOGIN =
  /^(?:(?:VAULT|BAO)_(?:TOKEN|ROLE_ID|SECRET_ID|USERNAME|PASSWORD)|AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|CONTAINER_AUTHORIZATION_TOKEN)|PANNIER_.*)$/;

/**
 * What a command of ours gets: the agent's variables without its logins, its own settings and its service manager, and
 * `added` on top.
 * Has no prototype, so that no name means anything by itself.
 */
export function commandEnvironment(of: Environment, added: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(of).filter(
    ([name, value]) => value !== undefined && !LOGIN.test(name) && !MANAGER.test(name),
  );
  return Object.assign(Object.create(null), Object.fromEntries(kept), added) as NodeJS.ProcessEnv;
}
