import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Fetched } from '../../../../src/backend/backend.ts';
import { createAuthority } from '../../../servers/index.ts';
import { answer, refuse } from '../auth/fake-vault.ts';
import { failureOf, held, plain, sourceWorld } from './vault.helpers.ts';

const HOUR = 3_600_000;
const request = { kind: 'vault-trust-bundle', issuer: 'pki', overlapMs: 24 * HOUR } as const;

const pemOf = (name: string) => createAuthority(name).certificatePem.trim();
const [old, next, third] = [pemOf('Old'), pemOf('Next'), pemOf('Third')] as const;

/** A mount whose issuers a test sets by id. */
function mount() {
  const { server, clock, fetch, paths } = sourceWorld();
  clock.jumpWall(Date.now() - clock.wallMs()); // the certificates below are valid now
  return {
    clock,
    server,
    paths,
    fetch: (last?: Fetched, more: object = {}) => fetch({ ...request, ...more }, last),
    has(issuers: Readonly<Record<string, { certificate?: unknown; ca_chain?: unknown; revoked?: true }>>): void {
      server.routes.clear();
      const keys = Object.keys(issuers);
      const key_info = Object.fromEntries(keys.map((id) => [id, { serial_number: `serial-${id}` }]));
      server.on('LIST pki/issuers', () => (keys.length === 0 ? refuse(404) : answer({ data: { keys, key_info } })));
      for (const [id, { revoked, ...data }] of Object.entries(issuers)) {
        server.on(`GET pki/issuer/${encodeURIComponent(id)}/json`, () => answer({ data }));
        const revocation_time = revoked === true ? 1_700_000_000 : 0;
        server.on(`GET pki/cert/serial-${id}`, () => answer({ data: { revocation_time } }));
      }
    },
  };
}

const bundleOf = ({ fields }: Fetched): string[] => (plain(fields) as { caChain: string[] }).caChain;
const names = (value: Fetched) => bundleOf(value).map((pem) => new X509Certificate(pem).subject);

describe('a trust bundle', () => {
  it('holds the certificates of all issuers of the mount', async () => {
    const pki = mount();
    pki.has({ a: { certificate: `${old}\n`, ca_chain: [old] }, 'b b': { certificate: next } });
    pki.server.routes.delete('GET pki/cert/serial-b b'); // an imported authority
    const value = held(await pki.fetch());
    expect(bundleOf(value).sort()).toEqual([old, next].sort());
    expect(plain(value.fields)).toMatchObject({ bundle: `${bundleOf(value).join('\n')}\n`, leaving: {} });
    expect(value.life).toEqual({ kind: 'none' });
    expect(pki.paths().toSorted()).toEqual([
      'pki/cert/serial-a',
      'pki/cert/serial-b b',
      'pki/issuer/a/json',
      'pki/issuer/b%20b/json',
      'pki/issuers',
    ]);
    expect((await pki.fetch(value)).state).toBe('unchanged');
  });

  it('is the same in whatever order the issuers are listed', async () => {
    const pki = mount();
    pki.has({ a: { certificate: old }, b: { certificate: next }, c: { certificate: third } });
    const value = held(await pki.fetch());
    pki.has({ x: { certificate: third }, y: { certificate: old }, z: { certificate: next } });
    expect((await pki.fetch(value)).state).toBe('unchanged');
  });

  it('keeps an authority that was deleted from the mount for the overlap, and no longer', async () => {
    const pki = mount();
    pki.has({ a: { certificate: old } });
    let value = held(await pki.fetch(undefined, { overlapMs: 2 * HOUR }));
    pki.has({ b: { certificate: next } });
    value = held(await pki.fetch(value, { overlapMs: 2 * HOUR }));
    expect(names(value).sort()).toEqual(['CN=Next', 'CN=Old']);
    const leaves = new Date(pki.clock.wallMs() + 2 * HOUR).toISOString();
    expect(Object.values((plain(value.fields) as { leaving: object }).leaving)).toEqual([leaves]);
    await pki.clock.advance(2 * HOUR - 1);
    expect((await pki.fetch(value, { overlapMs: 2 * HOUR })).state).toBe('unchanged'); // the overlap counts once
    await pki.clock.advance(1);
    value = held(await pki.fetch(value, { overlapMs: 2 * HOUR }));
    expect(names(value)).toEqual(['CN=Next']);
    expect(plain(value.fields)).toMatchObject({ leaving: {} });
  });

  it('forgets that an authority leaves when the mount has it again', async () => {
    const pki = mount();
    pki.has({ a: { certificate: old }, b: { certificate: next } });
    let value = held(await pki.fetch());
    pki.has({ b: { certificate: next } });
    value = held(await pki.fetch(value));
    pki.has({ c: { certificate: old }, b: { certificate: next } });
    value = held(await pki.fetch(value));
    expect(plain(value.fields)).toMatchObject({ leaving: {} });
    expect(bundleOf(value)).toHaveLength(2);
  });

  it('drops an authority at once that was revoked, that ends, or without an overlap', async () => {
    const pki = mount();
    pki.has({ a: { certificate: old }, b: { certificate: next } });
    const value = held(await pki.fetch());
    pki.has({ a: { certificate: old, revoked: true }, b: { certificate: next } });
    expect(names(held(await pki.fetch(value)))).toEqual(['CN=Next']);
    pki.has({ b: { certificate: next } });
    expect(names(held(await pki.fetch(value, { overlapMs: 0 })))).toEqual(['CN=Next']);
    const ended = createAuthority('Ends').issue({ commonName: 'x', lifetimeMs: HOUR }).certificatePem;
    pki.has({ a: { certificate: ended }, b: { certificate: next } });
    const both = held(await pki.fetch());
    expect(bundleOf(both)).toHaveLength(2);
    await pki.clock.advance(HOUR + 1000);
    expect(names(held(await pki.fetch(both)))).toEqual(['CN=Next']);
  });

  it('fails, and so keeps its value, when the mount has no issuer, none that is valid, or one that is broken', async () => {
    const pki = mount();
    pki.has({});
    expect(await failureOf(pki.fetch())).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    pki.has({ a: { certificate: old, revoked: true } });
    expect(await failureOf(pki.fetch())).toMatchObject({ code: 'SECRET_EMPTY' });
    for (const data of [{}, { certificate: 'CANARY' }, { certificate: 7 }]) {
      pki.has({ a: { certificate: next }, b: data });
      const failed = await failureOf(pki.fetch());
      expect(failed).toMatchObject({ code: 'BACKEND_MALFORMED' });
      expect(JSON.stringify(failed)).not.toContain('CANARY');
    }
    pki.has(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`i${i}`, { certificate: next }])));
    expect(await failureOf(pki.fetch())).toMatchObject({ code: 'BACKEND_MALFORMED' });
  });
});
