import { createAuthorized } from '../../../../src/backend/vault/auth/authorized.ts';
import { logInAt } from '../../../../src/backend/vault/auth/log-in-at.ts';
import type { AuthMethod } from '../../../../src/backend/vault/auth/method.ts';
import { createSession, type SessionDeps } from '../../../../src/backend/vault/auth/session.ts';
import type { Fact } from '../../../../src/base/fact.ts';
import { FakeClock, settle } from '../../../fake-clock.ts';
import { FakeTokens, type TokenRules } from './fake-vault.ts';

/** A signal that never aborts; each call makes a new one, so that no test sees the listeners of another. */
export const untilDone = () => new AbortController().signal;

/** A session over a fake token server, its facts, and helpers for both. `random` is 0.5, so there is no jitter. */
export function sessionWorld(rules: Partial<TokenRules> = {}, parts: Partial<SessionDeps> = {}) {
  const clock = new FakeClock();
  const server = new FakeTokens(clock);
  Object.assign(server.rules, rules);
  const facts: Fact[] = [];
  const place = 'backends.bao.auth';
  const method: AuthMethod = {
    kind: 'kubernetes',
    login: (signal) => logInAt({ client: server, clock, place, mount: 'kubernetes', body: { role: 'shop' } }, signal),
  };
  const session = createSession({
    method,
    client: server,
    clock,
    random: () => 0.5,
    emit: (fact) => void facts.push(fact),
    revokeOnExit: false,
    backend: 'bao',
    ...parts,
  });
  const authorized = createAuthorized(server, session, clock);
  return {
    clock,
    server,
    facts,
    session,
    authorized,
    async started() {
      session.start();
      await settle();
    },
    logins: () => server.count('auth/kubernetes/login'),
    renewals: () => server.count('auth/token/renew-self'),
    lookups: () => server.count('auth/token/lookup-self'),
    kinds: () => facts.map(({ kind }) => kind),
    of: <K extends Fact['kind']>(kind: K) =>
      facts.filter((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind),
    current: () => session.current(untilDone()),
    read: (path: string) => authorized.call({ method: 'GET', path, place: 'secrets.a', idempotent: true }, untilDone()),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** Waits for a promise to fail and returns the code of its failure. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return (error as { failure?: { code: string } } | undefined)?.failure?.code;
}
