import { describe, expect, it } from 'vitest';
import { certificateFrom, configOf, generic, genericText, setUp, trustFrom } from './sds.helpers.ts';

const two = { a: generic('app', 'a'), b: generic('app', 'b') };

describe('a State-of-the-World stream', () => {
  it('answers the first request with the secrets that there are, and leaves out those that there are not', async () => {
    const { client, secrets } = await setUp(configOf(two));
    secrets.set('app', { a: 'one', b: 'two' });
    const stream = client().sotw();
    stream.ask({ names: ['a', 'nothing', 'b'] });
    const { secrets: got, nonce, version, typeUrl } = await stream.next();
    expect([...got].map(([name, secret]) => [name, genericText(secret)])).toEqual([
      ['a', 'one'],
      ['b', 'two'],
    ]);
    expect(nonce).not.toBe('');
    expect(version).not.toBe('');
    expect(typeUrl).toMatch(/v3\.Secret$/);
  });

  it('sends a secret as soon as it comes, and each later value with another version and nonce', async () => {
    const { client, secrets } = await setUp(configOf(two));
    const stream = client().sotw();
    stream.ask({ names: ['a'] });
    secrets.set('app', { a: 'one', b: 'x' });
    const first = await stream.next();
    stream.ask({ names: ['a'], version: first.version, nonce: first.nonce });
    secrets.set('app', { a: 'two', b: 'x' });
    const second = await stream.next();
    expect(genericText(second.secrets.get('a'))).toBe('two');
    expect(second.version).not.toBe(first.version);
    expect(second.nonce).not.toBe(first.nonce);
    stream.ask({ names: ['a'], version: second.version, nonce: second.nonce });
    secrets.set('app', { a: 'one', b: 'y' });
    expect((await stream.next()).version).toBe(first.version); // equal content, equal version
  });

  it('sends nothing for a change of another field, nor for an equal value', async () => {
    const { client, secrets } = await setUp(configOf(two));
    secrets.set('app', { a: 'one', b: 'x' });
    const own = client();
    const stream = own.sotw();
    stream.ask({ names: ['a'] });
    const { version, nonce } = await stream.next();
    stream.ask({ names: ['a'], version, nonce });
    secrets.set('app', { a: 'one', b: 'y' });
    secrets.set('app', { a: 'one', b: 'y' });
    expect(await stream.isQuiet(own)).toBe(true);
  });

  it('waits for the answer to its answer, and then sends the newest value alone', async () => {
    const { client, secrets } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '' });
    const own = client();
    const stream = own.sotw();
    stream.ask({ names: ['a'] });
    const first = await stream.next();
    for (const a of ['2', '3', '4']) secrets.set('app', { a, b: '' });
    expect(await stream.isQuiet(own)).toBe(true);
    stream.ask({ names: ['a'], version: first.version, nonce: first.nonce });
    expect(genericText((await stream.next()).secrets.get('a'))).toBe('4');
  });

  it('tells of a refusal, does not send what was refused again, and sends the next value', async () => {
    const { client, secrets, factsOf, hub } = await setUp(configOf(two));
    secrets.set('app', { a: 'spoilt-value', b: '' });
    const own = client();
    const stream = own.sotw();
    stream.ask({ names: ['a'], node: 'envoy-7' });
    const first = await stream.next();
    const error = 'bad\nsecret: spoilt-value\u0007';
    stream.ask({ names: ['a'], version: '', nonce: first.nonce, error, node: '' });
    expect(await stream.isQuiet(own)).toBe(true);
    const [refused] = factsOf('sds-refused');
    expect(refused).toMatchObject({ names: ['a'], node: 'envoy-7', failure: { code: 'SDS_REFUSED' } });
    expect(refused?.failure.seen).toBe('the client says: bad secret: [secret]');
    expect(hub.served()[0]?.refusal).toMatchObject({ version: first.version, node: 'envoy-7' });
    secrets.set('app', { a: 'good', b: '' });
    const second = await stream.next();
    expect(genericText(second.secrets.get('a'))).toBe('good');
    stream.ask({ names: ['a'], version: second.version, nonce: second.nonce });
    expect(await stream.isQuiet(own)).toBe(true);
    expect(hub.served()[0]?.refusal).toBeUndefined();
  });

  it('passes over a request with a nonce that is not the last one', async () => {
    const { client, secrets, factsOf } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '2' });
    const own = client();
    const stream = own.sotw();
    stream.ask({ names: ['a'] });
    await stream.next();
    stream.ask({ names: ['b'], nonce: 'made-up' });
    expect(await stream.isQuiet(own)).toBe(true);
    expect(factsOf('sds-accepted')).toEqual([]);
  });

  it('sends to a client that comes back only what it has not', async () => {
    const { client, secrets } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '2' });
    const own = client();
    const stream = own.sotw();
    stream.ask({ names: ['a', 'b'] });
    const { version } = await stream.next();
    stream.cancel();
    await stream.ended;
    const again = own.sotw();
    again.ask({ names: ['b', 'a'], version });
    expect(await again.isQuiet(own)).toBe(true);
    secrets.set('app', { a: '1', b: '3' });
    expect(genericText((await again.next()).secrets.get('b'))).toBe('3');
    const other = own.sotw();
    other.ask({ names: ['a', 'b'], version });
    expect((await other.next()).secrets.size).toBe(2);
  });

  it('gives all configured secrets to a client that names none, also those of a later configuration', async () => {
    const { client, secrets, apply } = await setUp(configOf({ a: generic('app', 'a') }));
    secrets.set('app', { a: '1', b: '2' });
    const stream = client().sotw();
    stream.ask({});
    const first = await stream.next();
    expect([...first.secrets.keys()]).toEqual(['a']);
    stream.ask({ version: first.version, nonce: first.nonce });
    await apply(configOf(two));
    expect([...(await stream.next()).secrets.keys()]).toEqual(['a', 'b']);
  });

  it('follows names that a request adds, and no more those that it leaves out', async () => {
    const { client, secrets } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '2' });
    const own = client();
    const stream = own.sotw();
    stream.ask({ names: ['a'] });
    const first = await stream.next();
    stream.ask({ names: ['b'], version: first.version, nonce: first.nonce });
    const second = await stream.next();
    expect([...second.secrets.keys()]).toEqual(['b']);
    stream.ask({ names: ['b'], version: second.version, nonce: second.nonce });
    secrets.set('app', { a: '9', b: '2' });
    expect(await stream.isQuiet(own)).toBe(true);
  });

  it('keeps what was good when the secret is gone or loses what is needed', async () => {
    const { client, secrets, factsOf } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '2' });
    const own = client();
    const stream = own.sotw();
    stream.ask({ names: ['a'] });
    const { version, nonce } = await stream.next();
    stream.ask({ names: ['a'], version, nonce });
    secrets.set('app', { b: '2' });
    expect(await stream.isQuiet(own)).toBe(true);
    expect(factsOf('sds-unusable').map(({ failure }) => failure.seen)).toEqual(['the secret app has no field a']);
    secrets.fail('app', 'SECRET_DELETED');
    expect((await own.fetch({ names: ['a'] })).version).toBe(version);
  });

  it('ends with a reason for another type of resource, and answers other streams', async () => {
    const { client, secrets } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '2' });
    const own = client();
    const wrong = own.sotw();
    wrong.ask({ names: ['a'], typeUrl: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' });
    expect(await wrong.ended).toMatchObject({ code: 3, details: expect.stringMatching(/the only type is/) });
    const stream = own.sotw();
    stream.ask({ names: ['a'], typeUrl: '' });
    expect((await stream.next()).secrets.size).toBe(1);
  });
});

describe('a fetch', () => {
  it('gives the secrets that there are now', async () => {
    const { client, secrets } = await setUp(configOf({ ...two, c: certificateFrom('none'), d: trustFrom('none') }));
    secrets.set('app', { a: '1', b: '2' });
    expect([...(await client().fetch({})).secrets.keys()]).toEqual(['a', 'b']);
    expect((await client().fetch({ names: ['nothing'] })).secrets.size).toBe(0);
  });
});
