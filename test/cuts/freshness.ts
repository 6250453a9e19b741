import { type Cut, cutIn } from './cut.ts';

const schedule = cutIn('src/lease/schedule.ts');
const manager = cutIn('src/lease/manager.ts');
const attempts = cutIn('src/lease/attempts.ts');
const disruptions = cutIn('src/lease/disruptions.ts');
const logins = cutIn('src/lease/backend-logins.ts');
const writer = cutIn('src/lease/item-writer.ts');
const deadlines = cutIn('src/lease/deadlines.ts');
const queue = cutIn('src/lease/deadline-queue.ts');
const together = cutIn('src/lease/refresh-together.ts');
const backoff = cutIn('src/base/backoff.ts');
const keeper = cutIn('src/backend/vault/auth/login-keeper.ts');
const renewal = cutIn('src/backend/vault/auth/renewal.ts');
const renewals = cutIn('src/backend/vault/auth/renewal-pacing.ts');
const authorized = cutIn('src/backend/vault/auth/authorized.ts');
const liveness = cutIn('src/backend/vault/auth/token-liveness.ts');
const vaultRead = cutIn('src/backend/vault/source/read.ts');
const vaultEnd = cutIn('src/backend/vault/source/end.ts');
const kv = cutIn('src/backend/vault/source/kv.ts');
const transport = cutIn('src/http/transport.ts');
const loop = cutIn('src/agent/output/loop.ts');

/** Code that makes the same work of all outputs wait for each other. */
const inTurn = (work: string) =>
  `((globalThis as any).turn = ((globalThis as any).turn ?? Promise.resolve()).then(() => ${work}))`;
const FETCH_ALL = 'for (const name of this.#options.renderer.wants) void this.#options.manager.refresh(name);';
const FETCH_NAMED = 'for (const name of this.#deps.names()) void this.#deps.manager.refresh(name);';
const RETRIES = "const retries = why.retry !== 'never';";
const STALE = 'if (!(error instanceof WireError && error.stale)) throw error;';
const AGAIN = 'pool.dropIdle();\n      return await run();';
const MOVED = 'item.backend === backend && logins.hasLeaseOfOldLogin(item)';

const flights = cutIn('src/deliver/api/in-flight.ts');

export const FRESHNESS: readonly Cut[] = [
  schedule('renew-at-two-thirds', 'life.renewable ? 2 / 3 : 0.9;', 'life.renewable ? 0.8 : 0.9;'),
  schedule('renew-jitter', 'latest / 2 : 0.05) * random();', 'latest / 2 : 0);'),
  renewal('renew-jitter', '(0.95 + 0.1 * random())', '1', { by: 'so that many agents spread out' }),
  schedule('fetch-before-the-end', 'after.ttlMs < before.ttlMs * 0.75', 'after.ttlMs < 0'),
  writer('fetch-before-the-end', 'return isLast;', 'return false;', {
    by: 'the lease manager',
  }),
  schedule('renewal-not-cached', 'Math.abs(movedMs) <', 'Math.abs(movedMs) <= -'),
  cutIn('src/backend/vault/client/create-client.ts')(
    'renewal-not-cached',
    'if (RENEWS.test(call.path))',
    'if (false)',
    { by: 'no two renewals' },
  ),
  schedule('replace-non-renewable', '? 2 / 3 : 0.9;', '? 2 / 3 : 1;'),
  schedule('certificate-at-two-thirds', 'lifeMs * (2 / 3', 'lifeMs * (0.9'),
  schedule('certificate-at-two-thirds', 'Math.max(life.notBeforeMs, input.fetchedWallMs)', 'life.notBeforeMs', {
    by: 'was old when it came',
  }),
  schedule('poll-at-refresh', '(intervals + POLL_JITTER', '(2 + intervals + POLL_JITTER'),
  cutIn('src/config/sections/secrets/resolve.ts')('poll-at-refresh', 'REFRESH_MS = 5 * 60_000', 'REFRESH_MS = 50_000', {
    by: 'defaults',
  }),
  kv(
    'poll-whatever-kv1-prints',
    "return settleFetch({ last, fields, life: { kind: 'none' } }",
    "return settleFetch({ last, fields, life: { kind: 'rotates', inMs: 2_764_800_000, startedMonoMs: 0 } }",
  ),
  schedule('polls-keep-spread', 'phaseMonoMs + refreshMs * (intervals', 'nowMonoMs + refreshMs * (1'),
  schedule('poll-jitter', 'POLL_JITTER = 0.025', 'POLL_JITTER = 0'),
  schedule('first-poll-spread', 'refreshMs * random();', 'refreshMs * (0.9 + 0.1 * random());'),
  deadlines('first-poll-spread', 'pollPhaseMonoMs, firstRenewal };', 'pollPhaseMonoMs: 0, firstRenewal };', {
    by: 'the moment of an attempt',
  }),
  schedule('static-role', 'life.inMs + 1000 :', 'life.inMs :'),
  schedule('static-role', 'Math.min(pollAtMs(), rotatedMs)', 'rotatedMs', { by: 'when that is earlier' }),
  vaultRead('static-role', 'lease === undefined && STATIC_ROLE.test(path) ?', 'lease !== undefined ?', {
    by: 'the life of a read',
  }),
  schedule('static-role-late', '2 ** (looks - 1)', '2 ** (looks + 20)'),
  vaultRead('static-role-late', 'startedMonoMs >= announcedMs ||', 'startedMonoMs < 0 ||', { by: 'counts the reads' }),
  vaultRead('static-role-late', '|| startedMonoMs + life.inMs > announcedMs + MOVED_MS', '', {
    by: 'starts again too early',
  }),
  vaultEnd('end-in-an-answer', 'if (ttl > 0 && jwtEnds.length > 0)', 'if (ttl < 0)'),
  vaultEnd(
    'end-in-an-answer',
    "'unix-seconds': { clock: 'wall', ms: 1000 }",
    "'unix-seconds': { clock: 'wall', ms: 1 }",
    {
      by: 'is named by the configuration',
    },
  ),
  schedule('end-in-an-answer', 'life.mints ? dueMs :', 'life.mints ? dueMs + 9e9 :', {
    by: 'names the time of its end',
  }),
  deadlines('end-is-expired', 'return { atMonoMs: validMs, why: this.#whyEnds(item) };', 'return never;'),
  schedule(
    'lease-ends-with-login',
    'Math.min(life.startedMonoMs + life.ttlMs, loginEndsMonoMs)',
    '(life.startedMonoMs + life.ttlMs)',
  ),
  deadlines(
    'lease-ends-with-login',
    'endsMonoMs(life, loginEndsMonoMs(item), this.#now())',
    'endsMonoMs(life, Number.POSITIVE_INFINITY, this.#now())',
    { by: 'the lease manager' },
  ),
  deadlines(
    'lease-ends-at-that-moment',
    'return { atMonoMs: this.endsMonoMs(item), why: this.#whyEnds(item) };',
    'return never;',
  ),
  logins('lease-ends-at-that-moment', 'backend.onLoginDead?.(() => this.#actions.died(backend))', 'undefined', {
    by: 'found dead',
  }),
  cutIn('src/backend/vault/auth/session.ts')(
    'lease-ends-at-that-moment',
    '() => this.#deathListeners.tell()',
    '() => {}',
    {
      by: 'reported as dead',
    },
  ),
  authorized('age-subtracted', 'startedMonoMs - ageMs(answer)', 'startedMonoMs'),
  cutIn('src/backend/vault/auth/log-in-at.ts')('age-subtracted', 'startedMonoMs - ageMs(answer)', 'startedMonoMs', {
    by: 'lasts shorter by the Age',
  }),
  cutIn('src/backend/vault/auth/token-self.ts')(
    'age-subtracted',
    'readAuthBlock(answer.body, startedMonoMs - ageMs(answer), place)',
    'readAuthBlock(answer.body, startedMonoMs, place)',
    { by: 'and so is a renewal' },
  ),
  cutIn('src/backend/vault/source/answer.ts')(
    'same-lease-again',
    "last.life.kind === 'lease' && last.life.leaseId.equals(life.leaseId)",
    'false',
  ),
  schedule('same-lease-again', 'if (sameLease === 0 ||', 'if (true ||', { by: 'the lease manager' }),
  keeper('same-lease-again', 'const login = isCached ? await this.#lookAt(made) : made;', 'const login = made;', {
    by: 'is looked up',
  }),
  keeper('same-lease-again', 'if (!isRefusal(error)) throw error;', 'if (isRefusal(error)) return made;', {
    by: 'with a token that has ended',
  }),
  attempts('minted-once-per-login', 'stopsExtending && !this.#deps.deadlines.endsWithLogin(item)', 'stopsExtending'),
  deadlines('minted-once-per-login', "doing === 'renew' || !this.endsWithLogin(item) ||", 'true ||'),
  attempts(
    'minted-once-per-login',
    'await item.running;\n    if (!item.isGone &&',
    "item.followUp = 'turn';\n    if (!item.isGone &&",
    {
      by: 'is not made twice',
    },
  ),
  keeper('login-replaced-before-its-end', 'if (this.#pacing.mayTry) await this.#replace();', ''),
  disruptions('leases-fetched-under-the-new-login', MOVED, 'false'),
  logins('leases-fetched-under-the-new-login', 'followed.newestLogin = next;', '', {
    by: 'while it is replaced',
  }),
  writer(
    'moved-leases-published',
    "return last === undefined ? 'first' : 'changed';",
    "return last === undefined ? 'first' : 'settled';",
  ),
  cutIn('src/backend/vault/auth/logins.ts')(
    'old-login-left-to-die',
    'if (endsMs <= now) this.#ends.delete(id);',
    'this.#ends.delete(id);',
  ),
  disruptions('old-login-left-to-die', MOVED, 'false', { by: '60 s of checks', slow: true }),
  cutIn('src/backend/vault/auth/methods/kubernetes.ts')(
    'token-file-read-again',
    'const jwt = await readCredential(',
    'const jwt = (globalThis as any).jwt ??= await readCredential(',
  ),
  cutIn('src/backend/vault/auth/token-self.ts')(
    'renewal-refused-for-good',
    'FINAL_AT_RENEWAL.has(error.phrase)',
    'false',
  ),
  renewals('jwt-checked-again', 'if (isReviewRefused(error)) this.#credentialIsChecked = true;', ''),
  renewals('jwt-checked-again', 'isLast ? Math.min(atMs, lastMs) : atMs', 'atMs', { by: 'lives longest' }),
  cutIn('src/backend/vault/auth/token-self.ts')('refused-jwt-told', '`${seen}; ${denied.seen}`', 'seen'),
  cutIn('src/backend/vault/auth/jwt-credential.ts')(
    'refused-jwt-told',
    'expiresWallMs <= nowWallMs',
    'expiresWallMs < 0',
    {
      by: 'says so and since when',
    },
  ),
  authorized('invalid-token-logs-in', 'if (!mayMeanDeadLogin(error)) throw error;', 'throw error;'),
  authorized('invalid-token-logs-in', "saysInvalid(error) ? 'invalid' : undefined", 'undefined', {
    by: 'denies lookup-self',
  }),
  liveness('denied-path-never-logs-in', "if (refused === true) return 'dead';", "return 'dead';"),
  authorized(
    'lookup-self-tells',
    '(error instanceof VaultStatusError && error.status === 403) || saysInvalid(error)',
    'saysInvalid(error)',
  ),
  backoff('backoff', 'floorMs: 250', 'floorMs: 0'),
  backoff('backoff', 'capMs: 30_000', 'capMs: 300_000'),
  backoff('backoff', 'bounds.floorMs + random() *', 'bounds.floorMs +'),
  backoff('backoff', 'bounds.baseMs * 2 **', 'bounds.baseMs * 1 **', { by: 'ceiling that doubles' }),
  attempts('never-a-hot-loop', 'if (!mustFetch) item.failures = 0;', 'item.failures = 0;', { by: 'a short lease' }),
  attempts('backoff', 'this.#deps.writer.setLife(item, { ...life, renewable: false });', '', {
    by: 'is not repeated',
  }),
  renewals('backoff', 'now + loginBackoffMs(this.#failures,', 'now + 0 * loginBackoffMs(this.#failures,', {
    by: 'without a new login',
  }),
  schedule('ended-lease-replaced', 'isOutage === true || fetchInstead === true;', 'isOutage === true;', {
    by: 'fetched anew at once',
  }),
  schedule('short-lease-outlives-faults', 'capMs: hurryMs(input),', '', { by: 'outlives faults' }),
  backoff('short-lease-outlives-faults', 'Math.min(DEFAULT_BACKOFF.capMs, Math.max(', '(Math.max(', {
    by: 'never longer than 30 s',
  }),
  backoff('retry-after', 'Math.min(RETRY_AFTER_CAP_MS, retryAfterMs)', 'retryAfterMs'),
  backoff('retry-after', ' && retryAfterMs >= RETRY_AFTER_MIN_MS', '', { by: 'later and later' }),
  attempts('retry-after', 'why.retryAfterMs,', 'undefined,', {
    by: 'is the moment that the server asked for',
  }),
  renewal('retry-after', 'const limits = { retryAfterMs, capMs', 'const limits = { capMs', { by: 'waits as long as' }),
  schedule(
    'polls-keep-spread',
    'isPoll && !isFollowed(input.retryAfterMs) ? planned.atMonoMs : retryAtMonoMs',
    'retryAtMonoMs',
    { by: 'polls have their spread again' },
  ),
  schedule('never-a-hot-loop', 'now.monoMs + retryMs(input, want.refreshMs, random)', 'now.monoMs + 250', {
    by: 'no longer extend',
  }),
  renewals('never-a-hot-loop', 'if (isFinalAtRenewal(error)) {', 'if (isFinalAtRenewal(error) && now < 0) {', {
    by: 'never hundreds',
  }),
  schedule(
    'no-minting-for-renewals',
    "atMonoMs < lastTenth ? { do: 'renew', atMonoMs }",
    "atMonoMs < lastTenth ? { do: 'fetch', atMonoMs }",
  ),
  loop('no-minting-for-renders', RETRIES, `${FETCH_ALL} ${RETRIES}`, { by: 'a render error' }),
  loop('no-minting-for-renders', RETRIES, `${FETCH_ALL} ${RETRIES}`, { by: 'a destination in trouble' }),
  cutIn('src/agent/output/take-up.ts')(
    'no-minting-for-commands',
    'await this.#round?.run(generation, signal);',
    `await this.#round?.run(generation, signal);\n    ${FETCH_NAMED}`,
  ),
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
  cutIn('src/backend/vault/source/kv-laggards.ts')(
    'standby-is-no-change-back',
    'Number(number) < Number(lastNumber) &&',
    'false &&',
  ),
  cutIn('src/backend/vault/source/kv-laggards.ts')(
    'standby-is-no-change-back',
    '&& Date.parse(time) <= Date.parse(lastTime)',
    '',
    { by: 'metadata were deleted' },
  ),
  cutIn('src/backend/vault/source/list.ts')('kv-upgrade', '!isSecondTry && mounts.doubt(found, error)', 'false'),
  kv('kv-upgrade', 'mounts.doubt(mount, refused) && !isSecondTry', 'false'),
  kv('version-1-again', 'const version = `${number} ${created}`;', 'const version = number;'),
  writer(
    'unchanged-goes-no-further',
    "this.#emit({ kind: 'secret-unchanged', secrets: [...item.names] });\n      return 'settled';",
    "return 'changed';",
  ),
  cutIn('src/agent/output/publish-timer.ts')('unchanged-goes-no-further', 'if (isChanged || isNeeded) this', 'this', {
    by: 'renders only',
  }),
  together('change-refreshes-siblings', 'if (!names.has(other)) manager', 'if (false) manager'),
  together(
    'pulled-once',
    "if (event !== 'changed' || occasion === 'pull') return;",
    "if (event !== 'changed') return;",
    {
      by: 'refresh no others',
    },
  ),
  attempts('pulled-once', 'item.pullableFromMonoMs > now', 'false', { by: 'pulled forward and had not changed' }),
  attempts('pulled-once', '!this.#deps.polls || !isPolled(item)', '!this.#deps.polls', {
    by: 'mints with each request',
  }),
  schedule(
    'pulled-once',
    'return pollMonoMs(phaseMonoMs, refreshMs, now.monoMs, random);',
    'return now.monoMs + refreshMs;',
    {
      by: 'keep their spread',
    },
  ),
  attempts('refresh-reads-after', 'const wanted = item.fetchesBegun + 1;', 'const wanted = item.fetchesEnded + 1;'),
  attempts('refresh-reads-after', 'MINT_GAP_MS = 1_000', 'MINT_GAP_MS = 0', { by: 'once a second at most' }),
  cutIn('src/deliver/api/aws-configured.ts')(
    'refresh-reads-after',
    'if (!isRefreshed) return',
    'if (isRefreshed === null) return',
    {
      by: 'takes too long',
    },
  ),
  deadlines('init-polls-nothing', 'this.#polls ? refreshMsOf(item)', 'true ? item.want.refreshMs'),
  cutIn('src/agent/init.ts')('init-polls-nothing', 'once: true', 'once: false', { by: 'however short refresh is' }),
  cutIn('src/agent/wanted-secrets.ts')(
    'change-refreshes-siblings',
    'if (polls) this.#together = refreshTogether(manager, namesTogether(needs));',
    '',
    { by: 'ten secrets' },
  ),
  attempts('absence-is-an-answer', 'if (failed !== undefined && mayBeAbsent(item, failed))', 'if (failed === null)'),
  writer('absence-is-an-answer', 'const again = entry !== undefined &&', 'const again = false &&'),
  writer('computed-goes-when-gone', "entry.state !== 'absent' && want.absentWhenGone === true", 'false'),
  schedule(
    'leases-on-the-monotonic-clock',
    'const atMonoMs = Math.max(soonest, life.startedMonoMs + life.ttlMs * share);',
    'const atMonoMs = Math.max(soonest, now.monoMs - now.wallMs + input.fetchedWallMs + life.ttlMs * share);',
  ),
  disruptions(
    'certificates-on-the-wall-clock',
    'if (item.running === undefined && item.entry !== undefined) deadlines',
    "if (item.running === undefined && item.entry !== undefined && life?.kind !== 'certificate') deadlines",
  ),
  queue('jump-recomputes', 'if (Math.abs(jumpedMs) > JUMP_MS) this.#onJump(jumpedMs);', ''),
  disruptions('jump-recomputes', 'startedMonoMs: life.startedMonoMs - byMs', 'startedMonoMs: life.startedMonoMs', {
    by: 'as it may have been a suspension',
  }),
  deadlines('jump-recomputes', 'this.#random() * AFTER_JUMP_SPREAD_MS', 'AFTER_JUMP_SPREAD_MS', {
    by: 'each at a moment of its own',
  }),
  schedule('lives-of-any-length', 'MIN_LIFE_MS = 200', 'MIN_LIFE_MS = 2_000'),
  schedule('lives-of-any-length', 'MIN_LIFE_MS = 200', 'MIN_LIFE_MS = 2_000', {
    by: 'when a lease lives for %s one second',
  }),
  schedule(
    'lives-of-any-length',
    'Math.max(soonest, life.startedMonoMs + life.ttlMs * share)',
    'Math.max(soonest, life.startedMonoMs + Math.min(life.ttlMs, 2 ** 31) * share)',
    { by: 'a lease of ten years' },
  ),
  queue(
    'lives-of-any-length',
    'return () => {\n      if (deadline.index',
    'if (atMonoMs - this.#clock.monoMs() > 2 ** 31) setImmediate(wake);\n    return () => {\n      if (deadline.index',
    { by: 'when a lease lives for %s ten years' },
  ),
  renewal('lives-of-any-length', 'MIN_RENEWAL_GAP_MS = 100', 'MIN_RENEWAL_GAP_MS = 5_000', { by: 'may live %s' }),
  queue('one-timer', '    this.#stopNap();\n    this.#napEndsMs', '    this.#napEndsMs'),
  queue('one-timer', 'Math.min(first.atMonoMs, this.#compareMs)', 'first.atMonoMs', { by: 'ten years ahead' }),
  attempts(
    'failing-secret-holds-up-nobody',
    'await this.#deps.writer.fetch(item, this.#begin(item, urgency))',
    `await ${inTurn('this.#deps.writer.fetch(item, this.#begin(item, urgency))')}`,
  ),
  manager(
    'failing-secret-holds-up-nobody',
    'return item?.running !== undefined && !item.wasNotified;',
    'return [...this.#items.values()].some(({ running, wasNotified }) => running !== undefined && !wasNotified) || !item;',
    { by: 'holds up no output but its own' },
  ),
  loop('failing-output-holds-up-nobody', 'await this.#recover(signal);', `await ${inTurn('this.#recover(signal)')};`),
  cutIn('src/agent/output/reload-round.ts')(
    'failing-command-holds-up-nobody',
    'const why = await step.run(generation, signal, progress.isAskedFor);',
    `const why = await ${inTurn('step.run(generation, signal)')};`,
  ),
  cutIn('src/deliver/api/watcher.ts')(
    'failing-reader-holds-up-nobody',
    'if (!this.#response.write(text, taken)) {',
    'if (!this.#response.write(text, taken) && text === "") {',
  ),
  flights('slow-readers-bounded', 'if (event === undefined) {', 'if (event?.receivers.has(receiver) !== true) {'),
  flights('slow-readers-bounded', 'this.#makeRoom(event.bytes.length);', '', { by: 'bounded together' }),
  cutIn('src/base/file-watch.ts')(
    'watched-again',
    'if (this.#disposed || (found.key === this.#watched?.key && !this.#isMoved)) return false;',
    'if (this.#disposed || this.#watched !== undefined) return false;',
  ),
  cutIn('src/base/file-watch.ts')('watched-again', 'CHECK_MS = 30_000', 'CHECK_MS = 3e9', { by: 'the next check' }),
  cutIn('src/backend/file/dotenv.ts')('dotenv-agreement', '/\\s#.*$/s', '/#.*$/s'),
  cutIn('src/backend/file/dotenv.ts')(
    'dotenv-agreement',
    "if (found === null) throw refuse('a quote that is not closed');",
    'if (found === null) return { value: text, length: text.length };',
    { by: 'not closed' },
  ),
];
