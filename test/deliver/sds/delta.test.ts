import { describe, expect, it } from 'vitest';
import { configOf, generic, genericText, onDemandFor, setUp } from './sds.helpers.ts';

const two = { a: generic('app', 'a'), b: generic('app', 'b') };

describe('a Delta stream', () => {
  it('answers with the secrets that were asked for, and at once says which there are not', async () => {
    const { client, secrets } = await setUp(configOf(two));
    secrets.set('app', { a: 'one', b: 'two' });
    const stream = client().delta();
    stream.ask({ subscribe: ['a', 'nothing'] });
    const { secrets: got, removed, versions } = await stream.next();
    expect([...got].map(([name, secret]) => [name, genericText(secret)])).toEqual([['a', 'one']]);
    expect(removed).toEqual(['nothing']);
    expect(versions.get('a')).toMatch(/^[0-9a-f]{32}$/);
  });

  it('waits for a secret whose first answer is still to come, and says of one that does not exist', async () => {
    const { client, secrets } = await setUp(configOf({ a: generic('app', 'a'), gone: generic('gone', 'x') }));
    secrets.fail('gone', 'SECRET_NOT_FOUND');
    const own = client();
    const stream = own.delta();
    stream.ask({ subscribe: ['a', 'gone'] });
    const first = await stream.next();
    expect([first.secrets.size, first.removed]).toEqual([0, ['gone']]);
    secrets.fail('app', 'BACKEND_UNREACHABLE'); // may come yet
    stream.ask({ nonce: first.nonce });
    expect(await stream.isQuiet(own)).toBe(true);
    secrets.set('app', { a: '1' });
    expect(genericText((await stream.next()).secrets.get('a'))).toBe('1');
  });

  it('takes a subscription and an acknowledgement in one message', async () => {
    const { client, secrets, factsOf } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '2' });
    const stream = client().delta();
    stream.ask({ subscribe: ['a'] });
    const first = await stream.next();
    stream.ask({ nonce: first.nonce, subscribe: ['b'], unsubscribe: ['a'] });
    const second = await stream.next();
    expect([...second.secrets.keys()]).toEqual(['b']);
    expect(factsOf('sds-accepted').map(({ names }) => names)).toEqual([['a']]);
    stream.ask({ nonce: second.nonce });
    secrets.set('app', { a: '9', b: '3' });
    expect([...(await stream.next()).secrets.keys()]).toEqual(['b']);
  });

  it('sends to a client that comes back what is new, and nothing for what it has', async () => {
    const { client, secrets } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '2' });
    const own = client();
    const stream = own.delta();
    stream.ask({ subscribe: ['a', 'b'] });
    const versions = Object.fromEntries((await stream.next()).versions);
    stream.cancel();
    await stream.ended;
    secrets.set('app', { a: '1', b: 'new' });
    const again = own.delta();
    again.ask({ subscribe: ['a', 'b', 'was-there'], versions: { ...versions, 'was-there': 'x' } });
    const { secrets: got, removed } = await again.next();
    expect([[...got.keys()], removed]).toEqual([['b'], ['was-there']]);
  });

  it('answers a name again that is asked for again', async () => {
    const { client, secrets } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '2' });
    const stream = client().delta();
    stream.ask({ subscribe: ['a'] });
    const first = await stream.next();
    stream.ask({ nonce: first.nonce, subscribe: ['a'] });
    expect((await stream.next()).versions.get('a')).toBe(first.versions.get('a'));
  });

  it('tells of a refusal, and sends the next value but not the refused one', async () => {
    const { client, secrets, factsOf } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '2' });
    const own = client();
    const stream = own.delta();
    stream.ask({ subscribe: ['a'] });
    const first = await stream.next();
    stream.ask({ nonce: first.nonce, error: 'no good' });
    expect(await stream.isQuiet(own)).toBe(true);
    expect(factsOf('sds-refused')[0]?.failure.seen).toBe('the client says: no good');
    secrets.set('app', { a: '2', b: '2' });
    expect(genericText((await stream.next()).secrets.get('a'))).toBe('2');
  });

  it('sends many changes in one answer, one answer at a time', async () => {
    const { client, secrets } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '1' });
    const own = client();
    const stream = own.delta();
    stream.ask({ subscribe: ['a', 'b'] });
    const first = await stream.next();
    secrets.set('app', { a: '2', b: '1' });
    secrets.set('app', { a: '3', b: '3' });
    expect(await stream.isQuiet(own)).toBe(true);
    stream.ask({ nonce: first.nonce });
    const second = await stream.next();
    expect([...second.secrets].map(([, secret]) => genericText(secret))).toEqual(['3', '3']);
  });

  it('is told of names that a new configuration adds and drops', async () => {
    const { client, secrets, apply } = await setUp(configOf({ a: generic('app', 'a') }));
    secrets.set('app', { a: '1', b: '2' });
    const stream = client().delta();
    stream.ask({ subscribe: ['a', 'b'] });
    const first = await stream.next();
    expect([[...first.secrets.keys()], first.removed]).toEqual([['a'], ['b']]);
    stream.ask({ nonce: first.nonce });
    await apply(configOf({ b: generic('app', 'b') }));
    const second = await stream.next();
    expect([[...second.secrets.keys()], second.removed]).toEqual([['b'], ['a']]);
  });

  it('gives all configured names to a client that asks for *', async () => {
    const { client, secrets } = await setUp(configOf(two));
    secrets.set('app', { a: '1', b: '2' });
    const stream = client().delta();
    stream.ask({ subscribe: ['*'] });
    expect([...(await stream.next()).secrets.keys()]).toEqual(['a', 'b']);
  });

  it('splits an answer that would be too large', async () => {
    const many = Object.fromEntries(Array.from({ length: 450 }, (_, i) => [`n${i}`, generic('app', 'a')]));
    const { client, secrets } = await setUp(configOf(many));
    secrets.set('app', { a: 'x' });
    const stream = client().delta();
    stream.ask({ subscribe: Object.keys(many) });
    const sizes: number[] = [];
    for (let left = 450; left > 0; left -= sizes.at(-1) as number) {
      const { secrets: got, nonce } = await stream.next();
      sizes.push(got.size);
      stream.ask({ nonce });
    }
    expect(sizes).toEqual([200, 200, 50]);
  });
});

describe('a name on demand', () => {
  it('is asked for once, however many streams follow it, and given to all of them', async () => {
    const { client, secrets, wanted } = await setUp(configOf({}, { onDemand: onDemandFor('*.shop.svc') }));
    const own = client();
    const streams = [own.delta(), own.delta(), own.delta()];
    for (const stream of streams) stream.ask({ subscribe: ['A.shop.svc'] });
    await own.fetch({});
    expect([...wanted.now].map(([name, { request }]) => [name, request['commonName']])).toEqual([
      ['sds a.shop.svc', 'a.shop.svc'],
    ]);
    secrets.fail('sds a.shop.svc', 'SECRET_DENIED');
    for (const stream of streams) expect((await stream.next()).removed).toEqual(['A.shop.svc']);
  });

  it('is refused at once for a while after a refusal of the backend, and asked for again later', async () => {
    const { client, secrets, wanted, clock } = await setUp(configOf({}, { onDemand: onDemandFor('*.shop.svc') }));
    const own = client();
    const refuse = async () => {
      const stream = own.delta();
      stream.ask({ subscribe: ['a.shop.svc'] });
      await own.fetch({});
      const isAsked = wanted.now.size > 0;
      if (isAsked) secrets.fail('sds a.shop.svc', 'SECRET_DENIED');
      expect((await stream.next()).removed).toEqual(['a.shop.svc']);
      stream.ask({ unsubscribe: ['a.shop.svc'] });
      await own.fetch({});
      secrets.entries.clear();
      return isAsked;
    };
    expect([await refuse(), await refuse()]).toEqual([true, false]);
    await clock.advance(10_001);
    expect([await refuse(), await refuse()]).toEqual([true, false]);
  });

  it('gives way to a newer one at the limit when nobody follows it, and is refused when all are followed', async () => {
    const { client, wanted, hub } = await setUp(configOf({}, { onDemand: onDemandFor('*.shop.svc', 2) }));
    const own = client();
    const stream = own.delta();
    stream.ask({ subscribe: ['a.shop.svc', 'b.shop.svc', 'c.shop.svc'] });
    expect((await stream.next()).removed).toEqual(['c.shop.svc']);
    expect(hub.onDemand).toEqual({ names: 2, max: 2 });
    stream.ask({ unsubscribe: ['a.shop.svc'] });
    stream.ask({ subscribe: ['d.shop.svc'] });
    await own.fetch({});
    expect([...wanted.now.keys()]).toEqual(['sds b.shop.svc', 'sds d.shop.svc']);
  });

  it('is a warning when it is refused at the limit, at most once a minute', async () => {
    const { client, clock, factsOf } = await setUp(configOf({}, { onDemand: onDemandFor('*.shop.svc', 1) }));
    const own = client();
    const refuse = async (...names: string[]) => {
      const stream = own.delta();
      stream.ask({ subscribe: names });
      expect((await stream.next()).removed).toEqual(names);
    };
    own.delta().ask({ subscribe: ['a.shop.svc'] });
    await own.fetch({});
    await refuse('b.shop.svc', 'c.shop.svc');
    expect(factsOf('agent-warning').map(({ warning }) => [warning.code, warning.place, warning.seen])).toEqual([
      ['SDS_BUSY', 'sds.onDemand.certificate', 'as many names are followed as max allows: 1'],
    ]);
    await clock.advance(60_001);
    await refuse('d.shop.svc');
    expect(factsOf('agent-warning').length).toBe(2);
  });

  it('is kept for ten minutes after its last follower', async () => {
    const { client, wanted, clock } = await setUp(configOf({}, { onDemand: onDemandFor('*.shop.svc') }));
    const own = client();
    const stream = own.delta();
    stream.ask({ subscribe: ['a.shop.svc'] });
    await own.fetch({});
    stream.cancel();
    await stream.ended;
    await own.fetch({});
    await clock.advance(599_000);
    expect(wanted.now.size).toBe(1);
    await clock.advance(2_000);
    expect(wanted.now.size).toBe(0);
  });

  it.each(['shop.svc', 'a.b.shop.svc', 'a.shop.svc.example', '-.shop.svc', `${'a'.repeat(64)}.shop.svc`, 'ä.shop.svc'])(
    'is not asked for when the pattern does not fit: %s',
    async (name) => {
      const { client, wanted } = await setUp(configOf({}, { onDemand: onDemandFor('*.shop.svc') }));
      const stream = client().delta();
      stream.ask({ subscribe: [name] });
      expect((await stream.next()).removed).toEqual([name]);
      expect(wanted.now.size).toBe(0);
    },
  );
});
