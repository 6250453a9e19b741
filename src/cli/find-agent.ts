import type { LocalPlace } from '../client/local-api.ts';
import type { ApiListenerConfig } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { parseHostPort } from '../config/host-port.ts';
import { readToken } from '../deliver/http/token-file.ts';

export interface AgentOptions {
  /** From `--socket`: a path, `unix:///PATH`, or `HOST:PORT`. */
  readonly socket?: string;
  /** From `-c`, repeatable; PANNIER_CONFIG when empty. */
  readonly config: readonly string[];
}

const DEFAULT_SOCKET = '/run/pannier/api.sock';

/**
 * Where the running agent is asked: `--socket`, PANNIER_SOCKET, the first listener of the configuration when there is
 * one with an API (a socket before a port), and else /run/pannier/api.sock. A token comes from the configuration, or
 * from the file that PANNIER_TOKEN_FILE names.
 * @throws ProblemsError when the configuration is not good, PannierError when a token file cannot be read.
 */
export async function findAgent({ socket, config }: AgentOptions): Promise<LocalPlace> {
  const env = readEnvironment();
  const named = socket ?? env['PANNIER_SOCKET'];
  const tokenFile = env['PANNIER_TOKEN_FILE'];
  const token =
    tokenFile === undefined || tokenFile === '' ? {} : { token: readToken(tokenFile, 'PANNIER_TOKEN_FILE') };
  if (named !== undefined && named !== '') return { ...parsePlace(named), ...token };
  if (config.length > 0 || (env['PANNIER_CONFIG'] ?? '') !== '') {
    const { loadConfig } = await import('../config/load.ts');
    const { api } = await loadConfig({ paths: config, env, cwd: process.cwd() });
    const listeners = api?.listeners ?? [];
    const best = listeners.find(({ where }) => where.kind === 'unix') ?? listeners[0];
    if (best !== undefined) return { ...placeOf(best), ...token };
  }
  return { kind: 'unix', path: DEFAULT_SOCKET, ...token };
}

function placeOf({ where, place, tokenFile }: ApiListenerConfig): LocalPlace {
  const token = tokenFile === undefined ? {} : { token: readToken(tokenFile, `${place}.tokenFile`) };
  return where.kind === 'unix'
    ? { kind: 'unix', path: where.path, ...token }
    : { kind: 'tcp', host: where.host, port: where.port, ...token };
}

function parsePlace(named: string): LocalPlace {
  if (named.startsWith('unix://')) return { kind: 'unix', path: named.slice('unix://'.length) };
  const tcp = named.includes('/') ? undefined : parseHostPort(named);
  return tcp === undefined ? { kind: 'unix', path: named } : { kind: 'tcp', ...tcp };
}
