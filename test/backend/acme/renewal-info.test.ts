import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { watchRenewalInfo } from '../../../src/backend/acme/renewal-info.ts';
import { renewalId } from '../../../src/certificate/renewal-id.ts';
import { FakeClock } from '../../fake-clock.ts';
import { wantOf } from './acme.helpers.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function setUp() {
  const clock = new FakeClock();
  const asked: string[] = [];
  const wanted: number[] = [];
  const state = {
    id: undefined as string | undefined,
    retryAfter: '7200',
    window: { start: '', end: '' },
    fails: false,
  };
  const client = {
    directory: async () => ({ renewalInfo: 'https://ca/info' }),
    get: async ({ url }: { url: string }) => {
      asked.push(url);
      if (state.fails) throw new Error('down');
      return { headers: { 'retry-after': state.retryAfter }, json: { suggestedWindow: state.window } };
    },
  } as never;
  const deps = {
    client,
    clock,
    random: () => 0.5,
    held: () => (state.id === undefined ? undefined : ({ id: state.id } as never)),
  };
  const watching = watchRenewalInfo(deps, wantOf(['shop.test'], {}, 5 * MINUTE), (atMs) => wanted.push(atMs));
  const window = (startMs: number, endMs: number) => {
    state.window = { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
  };
  return { clock, asked, wanted, state, window, watching };
}

describe('the renewal information of an issuer', () => {
  it('is asked for once there is a certificate, within a refresh, and then as often as the issuer says', async () => {
    const { clock, asked, state, watching } = setUp();
    await clock.advance(2 * HOUR);
    expect(asked).toEqual([]);
    state.id = 'one';
    await clock.advance(6 * MINUTE);
    expect(asked).toEqual(['https://ca/info/one']);
    await clock.advance(HOUR);
    expect(asked).toHaveLength(1);
    await clock.advance(70 * MINUTE);
    expect(asked).toHaveLength(2);
    watching[Symbol.dispose]();
    await clock.advance(24 * HOUR);
    expect([asked.length, clock.waiting]).toEqual([2, 0]);
  });

  it('is looked for by another refresh once the configuration has another one', async () => {
    const { clock, asked, state, watching } = setUp();
    state.id = 'one';
    watching.follow?.(wantOf(['shop.test'], {}, 24 * HOUR));
    await clock.advance(6 * MINUTE);
    expect(asked).toEqual([]);
    watching.follow?.(wantOf(['shop.test'], {}, 2 * MINUTE));
    await clock.advance(1 * MINUTE);
    expect(asked).toHaveLength(1);
    watching[Symbol.dispose]();
    expect(clock.waiting).toBe(0);
  });

  it('is asked for every six hours where the issuer does not say, or cannot be asked', async () => {
    const { clock, asked, state } = setUp();
    state.id = 'one';
    state.fails = true;
    await clock.advance(5 * HOUR);
    expect(asked).toHaveLength(1);
    await clock.advance(90 * MINUTE);
    expect(asked).toHaveLength(2);
  });

  it('of the next certificate is asked for soon after it came', async () => {
    const { clock, asked, state } = setUp();
    state.id = 'one';
    await clock.advance(10 * MINUTE);
    state.id = 'two';
    await clock.advance(10 * MINUTE);
    expect(asked).toEqual(['https://ca/info/one', 'https://ca/info/two']);
  });

  it('gives a moment within the window, the same one for the same window', async () => {
    const { clock, wanted, state, window } = setUp();
    state.id = 'one';
    const nowMs = clock.wallMs();
    window(nowMs + 10 * HOUR, nowMs + 20 * HOUR);
    await clock.advance(5 * HOUR);
    expect(new Set(wanted)).toEqual(new Set([nowMs + 15 * HOUR]));
    window(nowMs - 2 * HOUR, nowMs - HOUR);
    await clock.advance(3 * HOUR);
    expect(wanted.at(-1)).toBe(nowMs - 1.5 * HOUR);
  });

  it.each([
    ['no dates', { start: 'soon', end: 'later' }],
    ['an end before its start', { start: '2026-02-02T00:00:00Z', end: '2026-01-01T00:00:00Z' }],
  ])('with %s says nothing', async (_, given) => {
    const { clock, wanted, state } = setUp();
    state.id = 'one';
    state.window = given;
    await clock.advance(HOUR);
    expect(wanted).toEqual([]);
  });
});

describe('the id of a certificate for renewal information', () => {
  it('is the one of the example of RFC 9773', () => {
    expect(renewalId(new X509Certificate(EXAMPLE))).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
  });
});

/** The certificate of RFC 9773, appendix A. */
const EXAMPLE = `-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----`;
