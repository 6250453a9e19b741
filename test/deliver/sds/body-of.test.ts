import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SdsConfig } from '../../../src/config/config.ts';
import { ReadMessage } from '../../../src/deliver/sds/protobuf.ts';
import { encodeSecret } from '../../../src/deliver/sds/secret-message.ts';
import { createAuthority } from '../../servers/index.ts';
import {
  certificateFrom,
  certificateText,
  configOf,
  generic,
  keyText,
  setUpHub,
  trustFrom,
  type World,
} from './sds.helpers.ts';

const root = createAuthority('root');
const other = createAuthority('other');
const pair = root.issue({ commonName: 'shop', altNames: ['shop.svc'] });

function served(config: SdsConfig, { hub }: World, name: string): ReadMessage | undefined {
  hub.serve(config);
  const found = hub.look(name);
  return found.state === 'ready' ? new ReadMessage(encodeSecret(name, found.body)) : undefined;
}

const subjects = (pem: string): string[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (one) => new X509Certificate(one).subject,
  );

describe('a certificate for Envoy', () => {
  it('is the leaf without the root, with the key as the backend gave it', () => {
    const world = setUpHub();
    world.secrets.set('tls', {
      certificate: pair.certificatePem,
      privateKey: pair.keyPem,
      caChain: [other.certificatePem, root.certificatePem],
    });
    const secret = served(configOf({ cert: certificateFrom('tls') }), world, 'cert');
    expect(subjects(certificateText(secret))).toEqual(['CN=shop']);
    expect(keyText(secret)).toBe(pair.keyPem);
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['without a key', { certificate: pair.certificatePem }, 'the secret tls has no field privateKey in PEM'],
    ['without a certificate', { password: 'x' }, 'the secret tls has no field certificate in PEM'],
    [
      'with the key of another',
      { certificate: pair.certificatePem, privateKey: other.issue({ commonName: 'x' }).keyPem },
      'the private key of tls does not belong to its certificate',
    ],
    [
      'that is none',
      { certificate: '-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----', privateKey: pair.keyPem },
      'a certificate cannot be read',
    ],
    [
      'with a key that is none',
      { certificate: pair.certificatePem, privateKey: 'hunter2' },
      'the private key of tls does not belong to its certificate',
    ],
  ])('is not made of a secret %s, and the status says why', (_, fields, seen) => {
    const world = setUpHub();
    world.secrets.set('tls', fields);
    expect(served(configOf({ cert: certificateFrom('tls') }), world, 'cert')).toBeUndefined();
    expect(world.hub.served()).toMatchObject([{ name: 'cert', state: 'missing', why: { code: 'SDS_UNUSABLE', seen } }]);
    expect(world.factsOf('sds-unusable').length).toBe(1);
    expect(JSON.stringify(world.facts)).not.toContain('hunter2');
  });

  it('has the version of its public part, so that it outlives a restart of the agent', () => {
    const versions = [1, 2].map(() => {
      const world = setUpHub();
      world.secrets.set('tls', { certificate: pair.certificatePem, privateKey: pair.keyPem });
      world.hub.serve(configOf({ cert: certificateFrom('tls') }));
      const found = world.hub.look('cert');
      return found.state === 'ready' ? found.version : '';
    });
    expect(versions[0]).toBe(versions[1]);
  });

  it('of a value has a version that only this process can make', () => {
    const versions = [1, 2].map((process) => {
      const { hub, secrets } = setUpHub(process);
      secrets.set('app', { token: 'hunter2' });
      hub.serve(configOf({ token: generic('app', 'token') }));
      const found = hub.look('token');
      return found.state === 'ready' ? found.version : '';
    });
    expect(versions[0]).not.toBe(versions[1]);
  });
});

describe('a trust bundle for Envoy', () => {
  const fields = { issuingCa: root.certificatePem, caChain: [root.certificatePem] };

  it('holds each authority of a certificate once', () => {
    const world = setUpHub();
    world.secrets.set('tls', fields);
    const secret = served(configOf({ ca: trustFrom('tls') }), world, 'ca');
    expect(subjects(secret?.message(4)?.message(1)?.text(2) ?? '')).toEqual(['CN=root']);
    expect(world.factsOf('sds-unusable')).toEqual([]);
  });

  it('is served without a root too, and the status says so', () => {
    const world = setUpHub();
    world.secrets.set('tls', { issuingCa: pair.certificatePem });
    world.hub.serve(configOf({ ca: trustFrom('tls') }));
    expect(world.hub.served()).toMatchObject([
      { state: 'ready', why: { seen: expect.stringMatching(/hold no root/) } },
    ]);
  });

  it("is taken from a field with a bundle of one's own", () => {
    const world = setUpHub();
    world.secrets.set('ca', { bundle: `${root.certificatePem}\n${other.certificatePem}` });
    const secret = served(configOf({ ca: trustFrom('ca', 'bundle') }), world, 'ca');
    expect(subjects(secret?.message(4)?.message(1)?.text(2) ?? '')).toEqual(['CN=root', 'CN=other']);
  });
});

describe('the names of other meshes', () => {
  const both = configOf({ cert: certificateFrom('tls') });

  it.each<[string, 'certificate' | 'trust' | 'unknown']>([
    ['cert', 'certificate'],
    ['sds://cert', 'certificate'],
    ['default', 'certificate'],
    ['ROOTCA', 'trust'],
    ['cert-cacert', 'trust'],
    ['sds://cert-cacert', 'trust'],
    ['other-cacert', 'unknown'],
    ['Default', 'unknown'],
    ['kubernetes://cert', 'unknown'],
  ])('%s is %s', (name, kind) => {
    const world = setUpHub();
    world.secrets.set('tls', {
      certificate: pair.certificatePem,
      privateKey: pair.keyPem,
      issuingCa: root.certificatePem,
    });
    world.hub.serve(both);
    const found = world.hub.look(name);
    expect(found.state === 'ready' ? found.body.kind : 'unknown').toBe(kind);
  });

  it('stand for nothing when several could be meant, and for what is configured before anything else', () => {
    const world = setUpHub();
    world.secrets.set('tls', { certificate: pair.certificatePem, privateKey: pair.keyPem });
    world.secrets.set('ca', { bundle: other.certificatePem });
    world.hub.serve(
      configOf({ a: certificateFrom('tls'), b: certificateFrom('tls'), ROOTCA: trustFrom('ca', 'bundle') }),
    );
    expect(world.hub.look('default').state).toBe('missing');
    expect(world.hub.look('ROOTCA')).toMatchObject({ state: 'ready', body: { kind: 'trust' } });
  });
});

describe('keys of session tickets', () => {
  const tickets = (rotateMs: number, keep: number) =>
    configOf({ t: { kind: 'session-tickets', rotateMs, keep, place: 'sds.secrets.t' } });
  const keysOf = ({ hub }: World): number[] => {
    const found = hub.look('t');
    if (found.state !== 'ready' || found.body.kind !== 'session-tickets') return [];
    return found.body.keys.map((key) => (key.length === 80 ? (key[0] as number) : -1));
  };

  it('rotate, the newest first, and each stays for as many rotations as are kept', async () => {
    const world = setUpHub();
    world.hub.serve(tickets(60_000, 3));
    const [first] = keysOf(world) as [number];
    const seen: number[][] = [];
    for (let times = 0; times < 4; times++) {
      await world.clock.advance(60_000);
      seen.push(keysOf(world).map((key) => key - first));
    }
    expect(seen).toEqual([
      [1, 0],
      [2, 1, 0],
      [3, 2, 1],
      [4, 3, 2],
    ]);
  });

  it('outlive a configuration, also one that rotates them in another way', async () => {
    const world = setUpHub();
    const before = world.hub.serve(tickets(60_000, 3));
    await world.clock.advance(120_000);
    const keys = keysOf(world);
    const next = world.hub.serve(tickets(30_000, 2));
    before[Symbol.dispose]();
    expect(keysOf(world)).toEqual(keys.slice(0, 2));
    await world.clock.advance(30_000);
    expect(keysOf(world)[1]).toBe(keys[0]);
    next[Symbol.dispose]();
    await world.clock.advance(60_000);
    expect(world.clock.waiting).toBe(0);
  });
});
