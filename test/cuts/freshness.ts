import { type Cut, cutIn } from './cut.ts';

const schedule = cutIn('src/lease/schedule.ts');
const manager = cutIn('src/lease/manager.ts');
const writer = cutIn('src/lease/item-writer.ts');
const deadlines = cutIn('src/lease/deadlines.ts');
const wheel = cutIn('src/lease/wheel.ts');
const together = cutIn('src/lease/together.ts');
const backoff = cutIn('src/base/backoff.ts');
const keeper = cutIn('src/auth/login-keeper.ts');
const renewal = cutIn('src/auth/renewal.ts');
const authorized = cutIn('src/auth/authorized.ts');
const suspicion = cutIn('src/auth/suspicion.ts');
const kv = cutIn('src/source/vault-kv.ts');
const transport = cutIn('src/client/transport.ts');
const loop = cutIn('src/agent/output-loop.ts');

/** Has the same work of all outputs wait for each other. */
const inTurn = (work: string) =>
  `((globalThis as any).turn = ((globalThis as any).turn ?? Promise.resolve()).then(() => ${work}))`;
const FETCH_ALL = 'for (const name of this.#o.renderer.wants) void this.#o.manager.refresh(name);';
const RETRIES = "const retries = why.retry !== 'never';";
const FOR_GOOD = 'if (!mustFetch) item.failures = 0;';
const STALE = 'if (!(error instanceof WireError && error.stale)) throw error;';
const AGAIN = 'this.#way.pool.dropIdle();\n      return await run();';
const MOVED = 'if (item.backend !== backend || !this.#hangsOnOldLogin(item)) continue;';

export const FRESHNESS: readonly Cut[] = [
  schedule('renew-at-two-thirds', 'life.renewable ? 2 / 3 -', 'life.renewable ? 0.8 -'),
  schedule('renew-jitter', '2 / 3 - 0.05 * random() : 0.85', '2 / 3 : 0.85'),
  renewal('renew-jitter', '(0.95 + 0.1 * random())', '1', { by: 'so that a fleet drifts apart' }),
  schedule('fetch-before-the-end', 'after.ttlMs < before.ttlMs * 0.75', 'after.ttlMs < 0'),
  writer('fetch-before-the-end', 'return isLast;', 'return false;', {
    by: 'the lease manager',
  }),
  schedule('replace-non-renewable', '0.85 + 0.05 * random();', '0.95 + 0.05 * random();'),
  schedule('certificate-at-two-thirds', '(life.notAfterMs - startMs) * (2 / 3', '(life.notAfterMs - startMs) * (0.9'),
  schedule('certificate-at-two-thirds', 'Math.max(life.notBeforeMs, situation.fetchedWallMs)', 'life.notBeforeMs', {
    by: 'already old when it came',
  }),
  schedule('poll-at-refresh', 'now.monoMs + refreshMs * share', 'now.monoMs + 3 * refreshMs * share'),
  cutIn('src/config/resolve-secret.ts')('poll-at-refresh', 'REFRESH_MS = 5 * 60_000', 'REFRESH_MS = 50_000', {
    by: 'defaults',
  }),
  kv(
    'poll-whatever-kv1-prints',
    "return settleFetch({ last, fields, life: { kind: 'none' } }",
    "return settleFetch({ last, fields, life: { kind: 'rotates', inMs: 2_764_800_000, startedMonoMs: 0 } }",
  ),
  schedule('poll-jitter', '0.9 + 0.2 * random()', '1'),
  schedule('first-poll-spread', 'situation.firstPoll ? random()', 'situation.firstPoll ? 0.9 + 0.1 * random()'),
  deadlines('first-poll-spread', 'firstPoll: !polledBefore', 'firstPoll: false', { by: 'the moment of an attempt' }),
  schedule('static-role', 'life.inMs + 1000', 'life.inMs'),
  cutIn('src/source/vault-read.ts')('static-role', 'if (!STATIC_ROLE.test(path) || !rotates ||', 'if (rotates ||', {
    by: 'the life of a read',
  }),
  schedule(
    'lease-ends-with-login',
    'Math.min(life.startedMonoMs + life.ttlMs, loginEndsMonoMs)',
    'life.startedMonoMs + life.ttlMs',
  ),
  deadlines(
    'lease-ends-with-login',
    'endsMonoMs(life, loginEndsMonoMs(item), this.#now())',
    'endsMonoMs(life, Number.POSITIVE_INFINITY, this.#now())',
    { by: 'the lease manager' },
  ),
  keeper('login-replaced-before-its-end', 'if (this.#pacing.mayTry) await this.#replace();', ''),
  manager('leases-fetched-under-the-new-login', MOVED, 'continue;'),
  manager('leases-fetched-under-the-new-login', '(fetchNow || this.#hangsOnOldLogin(item))', 'fetchNow', {
    by: 'while it is replaced',
  }),
  writer(
    'moved-leases-published',
    "return last === undefined ? 'came' : 'changed';",
    "return last === undefined ? 'came' : 'settled';",
  ),
  cutIn('src/auth/login-book.ts')(
    'old-login-left-to-die',
    'if (endsMs <= now) this.#ends.delete(id);',
    'this.#ends.delete(id);',
  ),
  manager('old-login-left-to-die', MOVED, 'continue;', { by: '60 s of checks', slow: true }),
  cutIn('src/auth/vault-kubernetes.ts')(
    'token-file-read-again',
    'const jwt = await readCredential(',
    'const jwt = (globalThis as any).jwt ??= await readCredential(',
  ),
  authorized('invalid-token-logs-in', 'if (!mayMeanDeadLogin(error)) throw error;', 'throw error;'),
  authorized('invalid-token-logs-in', "saysInvalid(error) ? 'invalid' : undefined", 'undefined', {
    by: 'denies lookup-self',
  }),
  suspicion('denied-path-never-logs-in', "if (refused === true) return 'dead';", "return 'dead';"),
  authorized(
    'lookup-self-tells',
    '(error instanceof VaultStatusError && error.status === 403) || saysInvalid(error)',
    'saysInvalid(error)',
  ),
  backoff('backoff', 'floorMs: 250', 'floorMs: 0'),
  backoff('backoff', 'capMs: 30_000', 'capMs: 300_000'),
  backoff('backoff', 'bounds.floorMs + random() *', 'bounds.floorMs +'),
  backoff('backoff', 'bounds.baseMs * 2 **', 'bounds.baseMs * 1 **', { by: 'doubling ceiling' }),
  manager('backoff', 'this.#writer.setLife(item, { ...life, renewable: false });', '', { by: 'is not asked again' }),
  keeper('backoff', 'now + backoffMs(this.#renewFailures,', 'now + 0 * backoffMs(this.#renewFailures,', {
    by: 'without a new login',
  }),
  backoff('retry-after', 'Math.min(RETRY_AFTER_CAP_MS, retryAfterMs)', 'retryAfterMs'),
  manager('retry-after', 'why.retryAfterMs,', 'undefined,', { by: 'the moment of an attempt' }),
  keeper(
    'retry-after',
    'backoffMs(this.#renewFailures, this.#parts.random, failed.retryAfterMs)',
    'backoffMs(this.#renewFailures, this.#parts.random)',
    { by: 'waits as long as' },
  ),
  schedule('never-a-hot-loop', 'now.monoMs + backoffMs(failures, random, situation.retryAfterMs)', 'now.monoMs + 250', {
    by: 'no longer extend',
  }),
  manager('never-a-hot-loop', FOR_GOOD, 'item.failures = 0;', { by: 'of an older login' }),
  keeper('never-a-hot-loop', 'if (isRefusal(error)) {', 'if (isRefusal(error) && now < 0) {', {
    by: 'never hundreds',
  }),
  schedule(
    'no-minting-for-renewals',
    "atMonoMs < lastTenth ? { do: 'renew', atMonoMs }",
    "atMonoMs < lastTenth ? { do: 'fetch', atMonoMs }",
  ),
  loop('no-minting-for-renders', RETRIES, `${FETCH_ALL} ${RETRIES}`, { by: 'a render error' }),
  loop('no-minting-for-renders', RETRIES, `${FETCH_ALL} ${RETRIES}`, { by: 'a destination in trouble' }),
  loop('no-minting-for-commands', "emit({ kind: 'reload-failed',", `${FETCH_ALL} emit({ kind: 'reload-failed',`),
  transport('minting-sent-again-once', AGAIN, 'throw error;'),
  transport('minting-sent-again-once', AGAIN, `${AGAIN.slice(0, -1)}.catch(run);`, { by: 'tried twice' }),
  transport('minting-sent-again-once', STALE, 'if (!(error instanceof WireError)) throw error;', {
    by: 'after the first byte',
  }),
  transport('minting-sent-again-once', STALE, 'if (!(error instanceof WireError)) throw error;', {
    by: 'of a new connection',
  }),
  kv('unchanged-version', 'if (last?.version === version &&', 'if (last === null &&'),
  kv('unchanged-version', 'if (last?.version === version &&', 'if (last !== undefined &&', { by: 'the next version' }),
  kv('version-1-again', 'const version = `${number} ${created}`;', 'const version = number;'),
  writer(
    'unchanged-goes-no-further',
    "this.#emit({ kind: 'secret-unchanged', secrets: [...item.names] });\n      return 'settled';",
    "return 'changed';",
  ),
  loop('unchanged-goes-no-further', "if (changed || this.#state.kind === 'waiting')", 'if (true)', {
    by: 'renders only',
  }),
  together('change-refreshes-siblings', '!names.has(other) && manager.refreshIfPolled(other)', 'false'),
  together('change-refreshes-siblings', "if (what !== 'changed' || found) return;", "if (what !== 'changed') return;"),
  cutIn('src/agent/pipeline.ts')(
    'change-refreshes-siblings',
    'this.#together = refreshTogether(this.#manager, namesTogether(needs));',
    '',
    { by: 'ten secrets' },
  ),
  schedule(
    'leases-on-the-monotonic-clock',
    'const atMonoMs = Math.max(soonest, life.startedMonoMs + life.ttlMs * share);',
    'const atMonoMs = Math.max(soonest, now.monoMs - now.wallMs + situation.fetchedWallMs + life.ttlMs * share);',
  ),
  manager(
    'certificates-on-the-wall-clock',
    'if (item.running !== undefined || item.entry === undefined) continue;',
    "if (item.running !== undefined || item.entry === undefined || life?.kind === 'certificate') continue;",
  ),
  wheel('jump-recomputes', 'if (Math.abs(jumpedMs) > JUMP_MS) this.#onJump(jumpedMs);', ''),
  manager('jump-recomputes', 'startedMonoMs: life.startedMonoMs - byMs', 'startedMonoMs: life.startedMonoMs', {
    by: 'for it may have been a suspension',
  }),
  deadlines('jump-recomputes', 'this.#random() * AFTER_JUMP_SPREAD_MS', 'AFTER_JUMP_SPREAD_MS', {
    by: 'each at a moment of its own',
  }),
  schedule('lives-of-any-length', 'SHORTEST_MS = 200', 'SHORTEST_MS = 2_000'),
  schedule('lives-of-any-length', 'SHORTEST_MS = 200', 'SHORTEST_MS = 2_000', {
    by: 'when a lease lives for %s one second',
  }),
  schedule(
    'lives-of-any-length',
    'Math.max(soonest, life.startedMonoMs + life.ttlMs * share)',
    'Math.max(soonest, life.startedMonoMs + Math.min(life.ttlMs, 2 ** 31) * share)',
    { by: 'a lease of ten years' },
  ),
  wheel(
    'lives-of-any-length',
    'return () => {\n      if (slot.index',
    'if (atMonoMs - this.#clock.monoMs() > 2 ** 31) setImmediate(wake);\n    return () => {\n      if (slot.index',
    { by: 'when a lease lives for %s ten years' },
  ),
  renewal('lives-of-any-length', 'MIN_RENEWAL_GAP_MS = 100', 'MIN_RENEWAL_GAP_MS = 5_000', { by: 'may live %s' }),
  wheel('one-timer', '    this.#stopNap();\n    const napMs', '    const napMs'),
  wheel(
    'one-timer',
    'Math.min(LONGEST_NAP_MS, Math.max(0, first.atMonoMs - this.#clock.monoMs()))',
    'Math.max(0, first.atMonoMs - this.#clock.monoMs())',
    { by: 'ten years ahead' },
  ),
  manager(
    'failing-secret-holds-up-nobody',
    '    await gate?.enter();\n',
    '    await gate?.enter();\n    for (const other of this.#items.values()) if (other !== item) await other.running;\n',
  ),
  manager(
    'failing-secret-holds-up-nobody',
    'return item?.running !== undefined && !item.isTold;',
    'return [...this.#items.values()].some(({ running, isTold }) => running !== undefined && !isTold) || !item;',
    { by: 'holds up no output but its own' },
  ),
  loop('failing-output-holds-up-nobody', 'await this.#recover(signal);', `await ${inTurn('this.#recover(signal)')};`),
  loop(
    'failing-command-holds-up-nobody',
    'const why = await step.run(generation, signal, this.progress.isAskedFor);',
    `const why = await ${inTurn('step.run(generation, signal)')};`,
  ),
  cutIn('src/deliver/api/watcher.ts')(
    'failing-reader-holds-up-nobody',
    'if (!this.#response.write(text)) {',
    'if (!this.#response.write(text) && text === "") {',
  ),
  cutIn('src/source/file-watch.ts')(
    'watched-again',
    'if (this.#over || (found.key === this.#watched?.key && !this.#isMoved)) return false;',
    'if (this.#over || this.#watched !== undefined) return false;',
  ),
  cutIn('src/source/file-watch.ts')('watched-again', 'LOOK_MS = 30_000', 'LOOK_MS = 3e9', { by: 'the next look' }),
  cutIn('src/source/file-dotenv.ts')('dotenv-agreement', '/\\s#.*$/s', '/#.*$/s'),
  cutIn('src/source/file-dotenv.ts')(
    'dotenv-agreement',
    "if (found === null) throw refuse('a quote that is not closed');",
    'if (found === null) return { value: text, length: text.length };',
    { by: 'not closed' },
  ),
];
