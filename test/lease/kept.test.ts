import { describe, expect, it } from 'vitest';
import type { Fetched, Want } from '../../src/backend/backend.ts';
import type { Fact } from '../../src/base/fact.ts';
import { Secret } from '../../src/base/secret.ts';
import type { Fields } from '../../src/base/value.ts';
import type { FindKept } from '../../src/lease/attempts.ts';
import { LeaseManager } from '../../src/lease/manager.ts';
import { FakeClock, settle } from '../fake-clock.ts';
import { MemoryBackend } from '../memory-backend.ts';

const DAY_MS = 86_400_000;
const fieldsOf = (text: string): Fields => new Map([['certificate', Secret.text(text)]]);

/** A manager over a backend whose certificates live thirty days; `kept` came `ageMs` ago. */
function world({ ageMs, kept }: { ageMs: number; kept?: FindKept }) {
  const clock = new FakeClock();
  const backend = new MemoryBackend(clock);
  const facts: Fact[] = [];
  const startWallMs = clock.wallMs();
  const fetchedOf = (fields: Fields, cameWallMs: number): Fetched => ({
    fields,
    version: 'serial',
    life: { kind: 'certificate', notBeforeMs: cameWallMs, notAfterMs: cameWallMs + 30 * DAY_MS },
  });
  const cameWallMs = startWallMs - ageMs;
  const restorer = (want: Want) =>
    want.id === 'tls' ? async (fields: Fields) => fetchedOf(fields, cameWallMs) : undefined;
  Object.assign(backend.source, { restorer });
  backend.answers.set('tls', async () => fetchedOf(fieldsOf('issued'), clock.wallMs()));
  const find: FindKept = kept ?? (async () => ({ fields: fieldsOf('kept'), cameWallMs }));
  const emit = (fact: Fact) => void facts.push(fact);
  const manager = new LeaseManager({ clock, random: () => 0.5, emit, kept: find });
  const want = (id: string): Want => {
    const request = { kind: 'file', key: id } as const;
    return { id, backend: 'memory', request, place: `secrets.${id}`, refreshMs: 300_000, optional: false };
  };
  manager.reconcile(new Map([['tls', want('tls')]]), new Map([['memory', backend]]));
  const entry = () => manager.entryOf('tls');
  const text = () => {
    const now = entry();
    const value = now === undefined || now.state === 'absent' ? undefined : now.value.fields.get('certificate');
    return value instanceof Secret ? value.exposeText('file') : undefined;
  };
  return { clock, backend, facts, manager, entry, text, cameWallMs };
}

describe('a value that an earlier process kept', () => {
  it('is taken up without a fetch, and replaced when that process would have replaced it', async () => {
    await using parts = open({ ageMs: 10 * DAY_MS });
    const { clock, backend, facts, entry, text, cameWallMs } = parts;
    await settle();
    expect([text(), backend.fetches]).toEqual(['kept', []]);
    expect(entry()).toMatchObject({ state: 'fresh', fetchedWallMs: cameWallMs, changedWallMs: cameWallMs });
    expect(facts).toContainEqual(
      expect.objectContaining({ kind: 'secret-kept', secrets: ['tls'], life: 'certificate', lifeMs: 20 * DAY_MS }),
    );
    await clock.advance(9 * DAY_MS);
    expect(backend.fetches).toEqual([]);
    await clock.advance(1.1 * DAY_MS);
    expect([text(), backend.fetches]).toEqual(['issued', ['tls']]);
  });

  it('that should have been replaced meanwhile is used until its replacement comes, also while the backend is down', async () => {
    await using parts = open({ ageMs: 25 * DAY_MS });
    const { clock, backend, entry, text } = parts;
    backend.answers.set('tls', 'BACKEND_UNREACHABLE');
    await settle();
    expect([text(), entry()?.state]).toEqual(['kept', 'fresh']);
    await clock.advance(60_000);
    expect([text(), entry()?.state]).toEqual(['kept', 'stale']);
    await clock.advance(5 * DAY_MS);
    expect(entry()?.state).toBe('expired');
  });

  it.each<[string, FindKept]>([
    ['is not found', async () => undefined],
    ['cannot be read', () => Promise.reject(new Error('CANARY'))],
  ])('and %s is fetched', async (_, kept) => {
    await using parts = open({ ageMs: 0, kept });
    await settle();
    expect([parts.text(), parts.backend.fetches]).toEqual(['issued', ['tls']]);
    expect(JSON.stringify(parts.facts)).not.toContain('CANARY');
  });

  it('is asked for once, and a refresh fetches', async () => {
    let asked = 0;
    const find: FindKept = async () => {
      asked++;
      return { fields: fieldsOf('kept'), cameWallMs: Date.UTC(2026, 0, 1) };
    };
    await using parts = open({ ageMs: 0, kept: find });
    await settle();
    const refreshed = parts.manager.refresh('tls');
    await parts.clock.advance(2_000);
    await refreshed;
    expect([asked, parts.text(), parts.backend.fetches]).toEqual([1, 'issued', ['tls']]);
  });
});

describe('the time at which a kept certificate came', () => {
  const YEAR_MS = 365 * DAY_MS;
  /** What may stand in the file, as an offset from now, for a certificate of thirty days that began ten days ago. */
  it.each<[string, number]>([
    ['now', 0],
    ['when it began', -10 * DAY_MS],
    ['before it began', -11 * DAY_MS],
    ['in 1970', -60 * YEAR_MS],
    ['before all time', Number.NEGATIVE_INFINITY],
    ['the smallest number', -Number.MAX_VALUE],
    ['a moment ahead', 1],
    ['a day ahead', DAY_MS],
    ['after its end', 21 * DAY_MS],
    ['in a thousand years', 1000 * YEAR_MS],
    ['the largest number', Number.MAX_VALUE],
    ['after all time', Number.POSITIVE_INFINITY],
    ['no number', Number.NaN],
  ])('may be %s: it is replaced before its end all the same', async (_, offsetMs) => {
    const nowMs = new FakeClock().wallMs();
    const find: FindKept = async () => ({ fields: fieldsOf('kept'), cameWallMs: nowMs + offsetMs });
    await using parts = open({ ageMs: 10 * DAY_MS, kept: find });
    await settle();
    expect(parts.text()).toBe('kept');
    const { entry, cameWallMs } = parts;
    const { fetchedWallMs = 0 } = entry() as { fetchedWallMs?: number };
    expect([fetchedWallMs >= cameWallMs, fetchedWallMs <= nowMs]).toEqual([true, true]);
    await parts.clock.advance(19 * DAY_MS);
    expect([parts.text(), entry()?.state]).toEqual(['issued', 'fresh']);
  });
});

function open(options: Parameters<typeof world>[0]) {
  const parts = world(options);
  return { ...parts, [Symbol.asyncDispose]: () => parts.manager[Symbol.asyncDispose]() };
}
