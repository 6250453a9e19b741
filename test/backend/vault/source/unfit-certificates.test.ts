import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Want } from '../../../../src/backend/backend.ts';
import type { CertificateRequest } from '../../../../src/backend/vault/config/request.ts';
import { makeServerCertificate, type ServerCertificate } from '../../../../src/certificate/make-certificate.ts';
import { LeaseManager } from '../../../../src/lease/manager.ts';
import { settle } from '../../../fake-clock.ts';
import { answer } from '../auth/fake-vault.ts';
import { never, sourceWorld, wantOf } from './vault.helpers.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const STARTED_MS = Date.UTC(2026, 0, 1);
const REQUEST: CertificateRequest = {
  kind: 'vault-certificate',
  issuer: 'pki',
  role: 'shop',
  commonName: 'shop.svc',
  altNames: [],
  ipSans: [],
  uriSans: [],
};

let good: ServerCertificate;
let other: ServerCertificate;
beforeAll(async () => {
  const options = { name: 'test', dnsNames: ['shop.svc'], nowMs: STARTED_MS };
  good = await makeServerCertificate({ ...options, lifeMs: 24 * HOUR });
  other = await makeServerCertificate({ ...options, lifeMs: 2400 * HOUR });
});

const managers: LeaseManager[] = [];
afterEach(async () => {
  for (const manager of managers.splice(0)) await manager[Symbol.asyncDispose]();
});

/** An agent that wants a certificate, and a mount that issues one which fits, or one for another key. */
async function setUp(random = 0.5) {
  const { server, backend, clock } = sourceWorld(STARTED_MS, random);
  const state = { fits: false, refuses: false };
  const issuedMs: number[] = [];
  let refusals = 0;
  server.on('POST pki/issue/shop', () => {
    if (state.refuses) {
      refusals++;
      return answer({ errors: ['not allowed'] }, 403);
    }
    issuedMs.push(clock.monoMs());
    const { certificate, key, ca } = state.fits ? good : { ...other, key: good.key };
    return answer({ data: { certificate, private_key: key, issuing_ca: ca, ca_chain: [ca] } });
  });
  await backend.source.fetch(wantOf(REQUEST, 'secrets.first'), undefined, never).catch(() => {}); // loads the code
  issuedMs.length = 0;
  const manager = new LeaseManager({ clock, random: () => random, emit: () => {} });
  managers.push(manager);
  const want = (more: Partial<CertificateRequest> = {}): void => {
    const request = { ...REQUEST, ...more };
    const wanted: Want = { ...wantOf(request, 'secrets.tls.certificate'), id: JSON.stringify(request) };
    manager.reconcile(new Map([['tls', wanted]]), new Map([['bao', backend]]));
  };
  const why = () => {
    const entry = manager.entryOf('tls');
    return entry === undefined || entry.state === 'fresh' ? undefined : entry.why;
  };
  return { state, clock, manager, issuedMs, refusals: () => refusals, want, why };
}

/** The waits before the second to the tenth, in minutes. */
const gaps = (atMs: readonly number[]) =>
  atMs.slice(1, 10).map((ms, i) => Math.round((ms - (atMs[i] ?? Number.NaN)) / MINUTE));

describe('certificates of a mount that are unfit', () => {
  it.each([
    ['shortest', 0, [1, 1, 1, 1, 1, 1, 1, 1, 1]],
    ['middle', 0.5, [2, 3, 5, 9, 17, 31, 31, 31, 31]],
    ['longest', 0.999, [2, 4, 8, 16, 32, 60, 60, 60, 60]],
  ])('are issued ever more rarely: the %s waits before ten of them', async (_, random, minutes) => {
    const { clock, issuedMs, want } = await setUp(random);
    want();
    await clock.advance(12 * HOUR);
    expect(gaps(issuedMs)).toEqual(minutes);
  });

  it('are some fifty a day, in the place of a thousand', async () => {
    const { clock, issuedMs, want } = await setUp();
    want();
    await clock.advance(24 * HOUR);
    expect(issuedMs.length).toBeLessThan(60);
    expect(issuedMs.length).toBeGreaterThan(24);
  });

  it('say why, when the next one is issued, and how a person has it issued at once', async () => {
    const { clock, issuedMs, want, why } = await setUp();
    want();
    await clock.advance(20 * MINUTE);
    const { code, seen = '', hint } = why() ?? {};
    expect(code).toBe('CERTIFICATE_UNFIT');
    const words =
      /^the private key does not belong to the certificate; after 5 failures in a row the next certificate is/;
    expect(seen).toMatch(words);
    expect(hint).toContain('POST /v1/secrets/NAME/refresh');
    const saidMs = Date.parse(seen.slice(-20)) - STARTED_MS;
    await clock.advance(HOUR);
    const lateMs = (issuedMs[5] ?? Number.NaN) - saidMs;
    expect(lateMs).toBeGreaterThanOrEqual(-SECOND);
    expect(lateMs).toBeLessThan(MINUTE);
  });

  it('are issued at once when a person asks or the request is another one', async () => {
    const { clock, manager, issuedMs, want } = await setUp(0.999);
    want();
    await clock.advance(3 * HOUR);
    const before = issuedMs.length;
    const refreshed = manager.refresh('tls');
    await clock.advance(SECOND);
    await refreshed;
    expect(issuedMs).toHaveLength(before + 1);
    await clock.advance(30 * MINUTE);
    expect(issuedMs).toHaveLength(before + 1);
    want({ altNames: ['new.svc'] });
    await settle();
    expect(issuedMs).toHaveLength(before + 2);
  });

  it('leave a certificate in use its last tries, ever closer to its end', async () => {
    const { state, clock, issuedMs, want, manager } = await setUp(0.999);
    state.fits = true;
    want();
    await settle();
    expect(manager.entryOf('tls')?.state).toBe('fresh');
    state.fits = false;
    await clock.advance(24 * HOUR - SECOND);
    const leftMs = issuedMs.slice(1).map((ms) => 24 * HOUR - ms);
    const waitsMs = leftMs.slice(1).map((ms, i) => (leftMs[i] ?? Number.NaN) - ms);
    expect(leftMs[0]).toBeGreaterThan(7 * HOUR);
    expect(Math.max(...waitsMs)).toBeLessThan(1.2 * HOUR);
    for (const bound of [HOUR, 10 * MINUTE, 2 * MINUTE, 30 * SECOND]) {
      expect(leftMs.filter((ms) => ms < bound).length).toBeGreaterThan(0);
    }
    expect(leftMs.length).toBeLessThan(40);
  });

  it('are not what a refusal is, which issues nothing and is tried again at its usual pace', async () => {
    const { state, clock, issuedMs, refusals, want } = await setUp();
    state.refuses = true;
    want();
    await clock.advance(HOUR);
    expect(refusals()).toBeGreaterThan(100);
    expect(issuedMs).toEqual([]);
    state.refuses = false;
    await clock.advance(10 * MINUTE);
    expect(gaps(issuedMs).slice(0, 2)).toEqual([2, 3]);
  });
});
