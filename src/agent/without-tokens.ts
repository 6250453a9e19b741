import { BACKEND_KINDS } from '../backend/registry.ts';
import { Secret } from '../base/secret.ts';
import type { Config } from '../config/config.ts';
import { kindOf } from '../config/sections/backends/kind.ts';
import type { AgentContext } from './context.ts';

/** Our variables as others may inherit them: not a token that the configuration took from a variable of any name. */
export function withoutTokens({ env, kinds = BACKEND_KINDS }: AgentContext, { backends }: Config): AgentContext['env'] {
  const tokens = [...backends.values()].flatMap((backend) => kindOf(kinds, backend).credentialsIn?.(backend) ?? []);
  const isToken = (text = '') => tokens.some((token) => token.equals(Secret.text(text)));
  return Object.fromEntries(Object.entries(env).filter(([, text]) => !isToken(text)));
}
