import { type Cut, cutIn } from './cut.ts';

const values = cutIn('src/lease/replaced/replaced-values.ts');
const used = cutIn('src/agent/output/used-values.ts');
const end = cutIn('src/agent/end-credentials.ts');

export const REPLACED: readonly Cut[] = [
  values('make-before-break', 'else entry.unusedSinceMonoMs ??= now;', 'entry.unusedSinceMonoMs ??= now;'),
  values('make-before-break', '(entry.unusedSinceMonoMs ?? 0) + afterMs', 'afterMs'),
  used('make-before-break', 'generation === this.#published || generation', 'generation', {
    by: 'took up last, and of the published one',
  }),
  cutIn('src/agent/output/loop.ts')(
    'make-before-break',
    'return this.used.has(wantId, version, this.#options.keepsFirst === true);',
    'return wantId === version;',
    { by: 'works with the next one, and not before' },
  ),
  cutIn('src/lease/replaced.ts')(
    'revoke-old',
    "return life.kind === 'certificate' && !life.stored && upkeep?.revokeOldAfterMs !== undefined;",
    'return upkeep === life;',
  ),
  values('held-lease-lives', 'life.ttlMs * (2 / 3 - 0.05', 'life.ttlMs * (20 / 3 - 0.05'),
  used('held-lease-lives', 'this.#byGeneration.get(earlier) ?? new Map()', 'new Map()', {
    by: 'the old ones again after a rollback',
  }),
  cutIn('src/agent/output/publisher.ts')(
    'held-lease-lives',
    'used.republished(generation, from, clock.wallMs());',
    '',
    {
      by: 'rolled back to it',
    },
  ),
  values('held-lease-told', "this.#warn(failure('LEASE_ENDS_IN_USE'", "void (failure('LEASE_ENDS_IN_USE'"),
  values(
    'held-lease-told',
    'Math.max(endsMs - life.ttlMs * TOLD_SHARE, entry.replacedMonoMs + graceMs)',
    'graceMs && endsMs - life.ttlMs * TOLD_SHARE',
    {
      by: 'is not told of while',
    },
  ),
  values('revoke-old-back', 'if (isUsed) entry.unusedSinceMonoMs = undefined;\n    else', 'if (!isUsed)'),
  values('revoke-old-shared', 'held.leaseId.equals(life.leaseId)) return true;', 'held === undefined) return true;'),
  used('revoke-old-environment', 'everHad || generation', 'generation'),
  values('revoke-old-outage', "new Set(['CANCELLED',", "new Set(['BACKEND_UNREACHABLE', 'CANCELLED',"),
  cutIn('src/agent/run.ts')('exec-revokes', '  await pipeline.endCredentials(); // before', '  // before'),
  cutIn('src/agent/pipeline.ts')('exec-revokes', 'if (backends.length === 0 ||', 'if (backends.length > 0 ||'),
  end('exec-revokes-batch', 'await backend.source.revoke?.(want, old, signal);', ''),
  cutIn('src/backend/vault/auth/revoke-login.ts')(
    'exec-revokes-bounded',
    'failure: limit.signal.aborted ? late : asFailure(error, self.place)',
    'failure: asFailure(error, self.place)',
  ),
  cutIn('src/cli/forward-signals.ts')(
    'exec-revokes-bounded',
    'if (childStatus !== undefined && received !== undefined) return void endProcess(childStatus);',
    '',
    { by: 'waits for a silent server no longer' },
  ),
  cutIn('src/backend/vault/auth/logins.ts')(
    'exit-revokes-replaced',
    'return newest === undefined ? before : [...before, newest];',
    'return newest === undefined ? [] : [newest];',
  ),
  cutIn('src/agent/output/loop.ts')('check-overtaken', 'if (changed) this.#publisher.overtake();', ''),
  cutIn('src/agent/output/candidate-check.ts')(
    'check-overtaken',
    'if (!this.#wasOvertaken) this.#checking?.abort();',
    'this.#checking?.abort();',
    { by: 'twice in a row' },
  ),
  cutIn('src/deliver/file/generations.ts')('keep-generations', '.slice(-this.#keep)', '.slice(-1)'),
  cutIn('src/deliver/file/going-back.ts')(
    'keep-generations',
    'if (wanted !== undefined && generation !== wanted) continue;',
    '',
  ),
];
