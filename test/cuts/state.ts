import { type Cut, cutIn } from './cut.ts';

const values = cutIn('src/lease/earlier-values.ts');
const seal = cutIn('src/state/seal.ts');
const keeper = cutIn('src/agent/state/keeper.ts');
const POLLED = { by: 'another value replaces it' } as const;

export const STATE: readonly Cut[] = [
  values('state', 'return this.#isDown ? this.#serve() : undefined;', 'return undefined;'),
  values('state', 'const event = isOutage(why) ? this.#serve() : undefined;', 'const event = undefined;', POLLED),
  cutIn('src/state/earlier-state.ts')('state', "life.kind !== 'lease' && ageMs > maxStaleMs", 'ageMs > 1e15', {
    by: 'is used up to the maxStale',
  }),
  cutIn('src/agent/state/open-kept.ts')('state', 'else if (keeper !== undefined) late(keeper);', '', {
    by: 'as on a machine that boots',
  }),
  values('state-no-refusal', 'return this.#isDown ? this.#serve() : undefined;', 'return this.#serve();', {
    by: 'SECRET_DENIED',
  }),
  cutIn('src/agent/state/collect.ts')('state-no-refusal', 'if (!isOutage(entry.why)) known.add(id);', '', {
    by: 'drops what',
  }),
  cutIn('src/backend/vault/auth/login-keeper.ts')(
    'state-handover',
    'earlier === undefined ? undefined : await this.#resume(earlier)',
    'undefined',
  ),
  values(
    'state-handover',
    "if (life.kind !== 'lease') return {",
    "if (life.kind === 'lease') return undefined;\n      return {",
    {
      by: 'without a fetch',
    },
  ),
  values('state-proven', "if (why.code !== 'SECRET_DENIED') return undefined;", '', { by: 'does not know it' }),
  cutIn('src/backend/vault/auth/resume-login.ts')(
    'state-proven',
    "if (stop.aborted || isRefusal(error) || why.code.startsWith('AUTH_')) return undefined;",
    '',
  ),
  cutIn('src/base/aes-gcm.ts')('state-sealed', ', decipher.final()]);', ']);'),
  seal('state-sealed', "if (!file.subarray(KEY_ID_AT, NONCE_AT).equals(id)) return { why: 'has another key' };", '', {
    by: 'is refused as such',
  }),
  cutIn('src/state/open-state.ts')(
    'state-not-lost',
    'contents: NOTHING, setAside: true',
    'contents: NOTHING, setAside: false',
  ),
  cutIn('src/state/state-file.ts')('state-refused-taken-up', 'free ?? smallest?.name ?? REFUSED[0]', 'REFUSED[0]', {
    by: 'is not lost to keys',
  }),
  cutIn('src/state/open-state.ts')(
    'state-refused-taken-up',
    'holdsNothing(found)) continue;',
    'found.savedWallMs > 0) continue;',
  ),
  cutIn('src/lease/attempts.ts')('state-transit', 'isFirst || (lease === undefined && isUnanswered(item))', 'isFirst', {
    by: 'BACKEND_UNREACHABLE',
  }),
  cutIn('src/backend/vault/open.ts')(
    'inline-no-token',
    'config.auth.inline === undefined || askedOnce === undefined',
    'config.auth.inline !== undefined || askedOnce === undefined',
  ),
  cutIn('src/backend/vault/inline/server-can.ts')(
    'inline-openbao-only',
    "if (isNewer && !body.has('enterprise')) return undefined;",
    'if (isNewer) return undefined;',
  ),
  keeper('state-written-rarely', 'startedMonoMs + Math.max(MIN_GAP_MS, tookMs * GAP_PER_WRITE)', 'startedMonoMs'),
  keeper('state-written-rarely', 'if (this.#told !== warning.seen) emit', 'emit', { by: 'tells once' }),
  cutIn('src/state/state-file.ts')(
    'state-no-key-on-disk',
    'if (tmpfs !== true) throw noKeyOnDisk',
    'if (tmpfs === undefined) throw noKeyOnDisk',
  ),
];
