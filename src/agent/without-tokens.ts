import { BACKEND_KINDS } from '../backend/registry.ts';
import { Secret } from '../base/secret.ts';
import type { Config } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { kindOf } from '../config/sections/backends/kind.ts';
import type { AgentContext } from './context.ts';

/**
 * The agent's variables without those whose value is a token of the configuration, whatever their names: no command may
 * inherit a token.
 */
export function withoutTokens(
  { env, kinds = BACKEND_KINDS }: Pick<AgentContext, 'env' | 'kinds'>,
  { backends }: Pick<Config, 'backends'>,
): Environment {
  const tokens = [...backends.values()].flatMap((backend) => kindOf(kinds, backend).credentialsIn?.(backend) ?? []);
  const isToken = (text = '') => tokens.some((token) => token.equals(Secret.text(text)));
  return Object.fromEntries(Object.entries(env).filter(([, text]) => !isToken(text)));
}
