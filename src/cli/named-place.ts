import type { Environment } from '../config/environment.ts';
import { parseHostPort } from '../config/host-port.ts';
import type { LocalPlace } from '../http/local-api.ts';

export const DEFAULT_SOCKET = '/run/pannier/api.sock';

/** Where an agent is looked for when nothing says where it is. */
export const DEFAULT_PLACE: LocalPlace = {
  kind: 'unix',
  path: DEFAULT_SOCKET,
  from: 'the default, since neither --socket nor PANNIER_SOCKET nor a configuration names one',
};

/**
 * The address that `--socket` or PANNIER_SOCKET names: a path, `unix:///PATH`, or `HOST:PORT`. Undefined when neither
 * is set.
 */
export function namedPlace(socket: string | undefined, env: Environment): LocalPlace | undefined {
  const named = socket ?? env['PANNIER_SOCKET'] ?? '';
  if (named === '') return undefined;
  const from = socket === undefined ? 'PANNIER_SOCKET' : '--socket';
  if (named.startsWith('unix://')) return { kind: 'unix', path: named.slice('unix://'.length), from };
  const tcp = named.includes('/') ? undefined : parseHostPort(named);
  return tcp === undefined ? { kind: 'unix', path: named, from } : { kind: 'tcp', ...tcp, from };
}
