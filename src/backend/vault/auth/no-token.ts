import type { RequestLogin } from './method.ts';

/** What requests without a token are sent under. */
export const NO_LOGIN: RequestLogin = {
  id: 1,
  endsMonoMs: Number.POSITIVE_INFINITY,
  usesLeft: 'unlimited',
  token: undefined,
};
