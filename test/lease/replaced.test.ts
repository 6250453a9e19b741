import { describe, expect, it, onTestFinished } from 'vitest';
import type { Want } from '../../src/backend/backend.ts';
import { Secret } from '../../src/base/secret.ts';
import { LeaseManager } from '../../src/lease/manager.ts';
import { ReplacedValues } from '../../src/lease/replaced/replaced-values.ts';
import { FakeClock } from '../fake-clock.ts';
import { MemoryBackend, wantOf } from '../memory-backend.ts';

const TTL = 60_000;

/** One secret `db`, minted anew by each refresh; the test says which versions the application uses. */
async function replacedWorld(revokeOldAfterMs?: number, renewable = true) {
  const clock = new FakeClock();
  const backend = new MemoryBackend(clock);
  const warnings: string[] = [];
  const revoked: string[] = [];
  const used = new Set<string>();
  const values: { now?: ReplacedValues } = {};
  const manager = new LeaseManager({
    clock,
    random: () => 0.5,
    emit: () => {},
    onReplaced: (replaced) => values.now?.add(replaced),
  });
  const replaced = new ReplacedValues({
    clock,
    random: () => 0.5,
    emit: (fact) => {
      if (fact.kind === 'agent-warning') warnings.push(fact.warning.code);
      if (fact.kind === 'secret-revoked') revoked.push(fact.secrets.join());
    },
    manager,
    uses: (id, version) => used.has(`${id} ${version}`),
  });
  values.now = replaced;
  onTestFinished(async () => {
    replaced[Symbol.dispose]();
    await manager[Symbol.asyncDispose]();
  });
  const wantedAs = (name: string): Want => {
    const upkeep = revokeOldAfterMs === undefined ? {} : { upkeep: { revokeOldAfterMs } };
    return wantOf(name, { request: { kind: 'file', key: name, ...upkeep } });
  };
  const reconcile = (...names: string[]) =>
    manager.reconcile(new Map(names.map((name) => [name, wantedAs(name)])), new Map([['memory', backend]]));
  backend.mint('db', TTL, renewable);
  reconcile('db');
  await clock.advance(0);
  const use = (...versions: string[]) => {
    used.clear();
    for (const version of versions) used.add(`db ${version}`);
    replaced.look();
  };
  use('1');
  const replace = async () => {
    const done = manager.refresh('db');
    await clock.advance(1_000);
    await done;
  };
  return { clock, backend, manager, warnings, revoked, use, replace, replaced, reconcile };
}

describe('a lease that was replaced', () => {
  it('is revoked after the grace, which begins when no output uses it any more', async () => {
    const { clock, backend, use, replace, revoked } = await replacedWorld(30_000);
    await replace();
    await clock.advance(2 * TTL);
    expect(backend.revokes).toEqual([]);
    use('2');
    await clock.advance(29_000);
    expect(backend.revokes).toEqual([]);
    await clock.advance(2_000);
    expect([backend.revokes, revoked]).toEqual([['db 1'], ['db']]);
    await clock.advance(2 * TTL);
    expect(backend.revokes).toEqual(['db 1']);
  });

  it('is not revoked when an output goes back to it within the grace', async () => {
    const { clock, backend, use, replace } = await replacedWorld(30_000);
    await replace();
    use('2');
    await clock.advance(20_000);
    use('1');
    await clock.advance(3 * TTL);
    expect(backend.revokes).toEqual([]);
    use('2');
    await clock.advance(29_000);
    expect(backend.revokes).toEqual([]);
    await clock.advance(2_000);
    expect(backend.revokes).toEqual(['db 1']);
  });

  it('is renewed for as long as an output uses it, and not longer', async () => {
    const { clock, backend, use, replace, warnings } = await replacedWorld();
    await replace();
    backend.renews.length = 0;
    await clock.advance(10 * TTL);
    // The lease in use, and the one before it: each at about two thirds of its life.
    expect(backend.renews.length).toBeGreaterThanOrEqual(28);
    use('2');
    backend.renews.length = 0;
    await clock.advance(10 * TTL);
    expect(backend.renews.length).toBeLessThan(18);
    expect([warnings, backend.revokes]).toEqual([[], []]);
  });

  it('is told of before it ends in use, where it cannot be renewed', async () => {
    const { clock, replace, use, warnings, backend } = await replacedWorld(0, false);
    await replace();
    await clock.advance(0.85 * TTL);
    expect(warnings).toEqual([]);
    await clock.advance(0.1 * TTL);
    expect(warnings).toEqual(['LEASE_ENDS_IN_USE']);
    await clock.advance(TTL);
    use('2');
    await clock.advance(TTL / 2);
    expect(backend.revokes).not.toContain('db 1'); // it has ended by itself
  });

  it('is revoked again after an outage, and told of once', async () => {
    const { clock, backend, use, replace, warnings, revoked } = await replacedWorld(0);
    backend.revocations.set('db', 'BACKEND_UNREACHABLE');
    await replace();
    use('2');
    await clock.advance(10_000);
    expect(backend.revokes.length).toBeGreaterThan(2);
    expect(warnings).toEqual(['LEASE_NOT_REVOKED']);
    backend.revocations.clear();
    await clock.advance(30_000);
    expect(revoked).toEqual(['db']);
  });

  it('is left to end when the policy does not allow to revoke it', async () => {
    const { clock, backend, use, replace, warnings } = await replacedWorld(0);
    backend.revocations.set('db', 'SECRET_DENIED');
    await replace();
    use('2');
    await clock.advance(50_000);
    expect([backend.revokes, warnings]).toEqual([['db 1'], ['LEASE_NOT_REVOKED']]);
  });

  it('is left to end without revokeOld', async () => {
    const { clock, backend, use, replace } = await replacedWorld();
    await replace();
    use('2');
    await clock.advance(3 * TTL);
    expect(backend.revokes).toEqual([]);
  });

  it('is never revoked while another secret has the same lease', async () => {
    const { clock, backend, manager, use, replace, reconcile } = await replacedWorld(0);
    const entry = manager.entryOf('db');
    if (entry === undefined || entry.state === 'absent') throw new Error('no value yet');
    backend.set('twin', { password: 'minted-1' }, entry.value.life); // a cache on the way gave the lease out twice
    reconcile('db', 'twin');
    await clock.advance(0);
    await replace();
    use('2');
    await clock.advance(TTL / 2);
    expect(backend.revokes).toEqual([]);
  });
});

describe('a certificate that was replaced', () => {
  it('is revoked by the same rule: after the grace that begins when it is not used any more', async () => {
    const { clock, backend, manager, replaced, use } = await replacedWorld(1_000);
    const life = { kind: 'certificate', notBeforeMs: clock.wallMs(), notAfterMs: clock.wallMs() + 1e9 } as const;
    backend.answers.set('db', async () => ({
      fields: new Map([['certificate', Secret.text(`${clock.monoMs()}`)]]),
      version: `serial-${backend.fetches.length}`,
      life,
    }));
    const refresh = async () => {
      const done = manager.refresh('db');
      await clock.advance(1_000);
      await done;
    };
    await refresh();
    use('serial-2');
    await refresh();
    await clock.advance(100_000);
    expect(backend.revokes).not.toContain('db serial-2');
    use('serial-3');
    replaced.look();
    await clock.advance(1_100);
    expect(backend.revokes).toContain('db serial-2');
    expect(backend.revokes).not.toContain('db serial-3');
  });
});
