import { BACKEND_KINDS, SCHEMA_TABLES } from '../backend/registry.ts';
import { fail } from '../base/errors.ts';
import type { ApiConfig, ApiListenerConfig, Config, ListenConfig } from '../config/config.ts';
import { type Environment, readEnvironment } from '../config/environment.ts';
import { readToken } from '../deliver/http/token-file.ts';
import type { LocalPlace } from '../http/local-api.ts';
import { DEFAULT_PLACE, namedPlace } from './named-place.ts';

export interface AgentOptions {
  /** From `--socket`: a path, `unix:///PATH`, or `HOST:PORT`. */
  readonly socket?: string;
  /** From `-c`, repeatable; PANNIER_CONFIG when empty, and then `pannier.yaml`. */
  readonly config: readonly string[];
}

/**
 * The address of the running agent's API: `--socket`, PANNIER_SOCKET, the first listener of the configuration's API
 * when there is a configuration (a socket before a port; `pannier.yaml` when none is named), and otherwise
 * /run/pannier/api.sock. The token comes from the configuration, or from the file that PANNIER_TOKEN_FILE names.
 * @throws ProblemsError when the configuration is not good, PannierError when a named one has no section `api`
 * (CONFIG_MISSING), or when a token file cannot be read.
 */
export async function findAgent(options: AgentOptions): Promise<LocalPlace> {
  const env = readEnvironment();
  const tokenFile = env['PANNIER_TOKEN_FILE'];
  const token =
    tokenFile === undefined || tokenFile === '' ? {} : { token: await readToken(tokenFile, 'PANNIER_TOKEN_FILE') };
  const named = namedPlace(options.socket, env);
  if (named !== undefined) return { ...named, ...token };
  const isNamed = isConfigNamed(options, env);
  const hasDefault = !isNamed && (await hasDefaultFile());
  const config = isNamed || hasDefault ? await load(options, env) : undefined;
  if (isNamed && config?.api === undefined) {
    const hint =
      'Add api: { socket: /run/pannier/api.sock }, or name an agent with --socket, or fetch with get --direct. The section admin answers pannier probe only.';
    throw fail('CONFIG_MISSING', 'api', 'the configuration has no section api', { hint });
  }
  const best = preferredListener(config?.api);
  return best === undefined ? { ...DEFAULT_PLACE, ...token } : { ...(await placeOf(best)), ...token };
}

/**
 * The address at which the running agent answers health: as `findAgent` finds it, but in a configuration the admin
 * listener comes first. Health needs no token. What this finds without reading a configuration, `quickProbe` finds too.
 * @throws ProblemsError when the configuration is not good.
 */
export async function findHealth(options: AgentOptions): Promise<LocalPlace> {
  const env = readEnvironment();
  const named = namedPlace(options.socket, env);
  if (named !== undefined) return named;
  const hasConfig = isConfigNamed(options, env) || (await hasDefaultFile());
  const config = hasConfig ? await load(options, env) : undefined;
  const best = config?.admin ?? preferredListener(config?.api);
  return best === undefined ? DEFAULT_PLACE : addressFromHere(best.where, best.place);
}

async function hasDefaultFile(): Promise<boolean> {
  const { lookForDefaultFile } = await import('../config/load/default-file.ts');
  return (await lookForDefaultFile(process.cwd())) === 'own';
}

const isConfigNamed = ({ config }: AgentOptions, env: Environment): boolean =>
  config.length > 0 || (env['PANNIER_CONFIG'] ?? '') !== '';

async function load({ config }: AgentOptions, env: Environment): Promise<Config> {
  const { loadConfig } = await import('../config/load.ts');
  return await loadConfig({ kinds: BACKEND_KINDS, tables: SCHEMA_TABLES, paths: config, env, cwd: process.cwd() });
}

function preferredListener(api: ApiConfig | undefined): ApiListenerConfig | undefined {
  const own = api?.listeners.filter(({ aws }) => aws === undefined);
  return own?.find(({ where }) => where.kind === 'unix') ?? own?.[0];
}

async function placeOf({ where, place, tokenFile }: ApiListenerConfig): Promise<LocalPlace> {
  const token = tokenFile === undefined ? {} : { token: await readToken(tokenFile, `${place}.tokenFile`) };
  return { ...addressFromHere(where, place), ...token };
}

/** The address by which this machine reaches a listener: loopback for one that listens on all interfaces. */
function addressFromHere(where: ListenConfig, place: string): LocalPlace {
  const from = `${place} of the configuration`;
  if (where.kind === 'unix') return { kind: 'unix', path: where.path, from };
  const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return { kind: 'tcp', host: everywhere[where.host] ?? where.host, port: where.port, from };
}
