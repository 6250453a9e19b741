import { Secret } from '../base/secret.ts';
import type { Config } from '../config/config.ts';
import type { Surroundings } from './context.ts';

/** Our variables as others may inherit them: not a token that the configuration took from a variable of any name. */
export function withoutTokens(env: Surroundings['env'], { backends }: Config): Surroundings['env'] {
  const tokens = [...backends.values()].flatMap((backend) =>
    backend.kind === 'vault' && backend.auth.method === 'token' && backend.auth.token !== undefined
      ? [backend.auth.token]
      : [],
  );
  const isToken = (text = '') => tokens.some((token) => token.equals(Secret.text(text)));
  return Object.fromEntries(Object.entries(env).filter(([, text]) => !isToken(text)));
}
