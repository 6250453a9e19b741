import { afterEach, describe, expect, it } from 'vitest';
import type { Backend, Fetch, Fetched, Want } from '../../src/backend/backend.ts';
import { PannierError } from '../../src/base/errors.ts';
import type { Secret } from '../../src/base/secret.ts';
import { type Fields, isSecret } from '../../src/base/value.ts';

/** A test server with its backend, and the states that tests can put it into. */
export interface Place extends AsyncDisposable {
  readonly backend: Backend;
  want(name: string): Want;
  /** Writes one secret: a text, or bytes. */
  put(name: string, value: string | Uint8Array): Promise<void>;
  /** The field that `put` wrote, in the fields of the secret. */
  valueOf(fields: Fields): unknown;
  remove(name: string): Promise<void>;
  /** From now on this secret may not be read. */
  refuse?(name: string): Promise<void>;
  /** From now on the backend asks to slow down. */
  throttle?(name: string): Promise<void>;
  /** From now on the server does not answer; `backend` fails after its deadline. */
  stall?(): Promise<void>;
  /** Ends the server as a crash would. */
  kill?(): Promise<void>;
  /** Starts the server again, with the values that were written before. */
  start?(): Promise<void>;
  /** Ends the effects of `refuse`, `throttle` and `stall`. */
  heal?(name: string): Promise<void>;
}

/** The cases that a backend may not be able to produce. */
export type Rare = 'denied' | 'binary' | 'slow' | 'throttled' | 'restarted';

export interface Contract {
  readonly name: string;
  /** A fresh place for a test. */
  readonly open: () => Promise<Place>;
  /** The reasons why this backend cannot produce some cases; all other cases must pass. */
  readonly cannot: Readonly<Partial<Record<Rare, string>>>;
}

/** The largest value of AWS Secrets Manager, less the room for the JSON around it. */
const LARGE = 'x'.repeat(64 * 1024 - 20);

/** Tests the promises of every source, see src/backend/backend.ts. To be called outside of tests. */
export function describeContract({ name: kind, open, cannot }: Contract): void {
  describe(`the contract of a source, kept by ${kind}:`, () => {
    let places: Place[] = [];
    afterEach(async () => {
      for (const place of places) await place[Symbol.asyncDispose]();
      places = [];
    });
    const fresh = async () => {
      const place = await open();
      places.push(place);
      return asked(place);
    };
    /** A case that not every backend has; the reason shows in the report. */
    const rare = (which: Rare, title: string, check: (world: Asked) => Promise<void>) =>
      it(title, async ({ skip }) => {
        const why = cannot[which];
        if (why !== undefined) skip(why);
        await check(await fresh());
      });

    it('fetch: what was written comes, with a version and no other life than it has', async () => {
      const { put, fetch, value } = await fresh();
      await put('a', 'hunter2');
      const fetched = changed(await fetch('a'));
      expect(value(fetched)).toBe('hunter2');
      expect(fetched.version).not.toBe('');
      expect(fetched.version).not.toContain('hunter2');
      expect(fetched.life).toEqual({ kind: 'none' });
    });

    it('missing: SECRET_NOT_FOUND at the place of the want', async () => {
      const { code, want } = await fresh();
      expect(await code('missing')).toEqual(['SECRET_NOT_FOUND', want('missing').place]);
    });

    rare(
      'denied',
      'denied: SECRET_DENIED for this one, and good again when it is allowed',
      async ({ put, refuse, heal, code, fetch, want }) => {
        await put('a', '1');
        await refuse('a');
        expect(await code('a')).toEqual(['SECRET_DENIED', want('a').place]);
        await heal('a');
        expect(await fetch('a')).toMatchObject({ state: 'changed' });
      },
    );

    it('unchanged: says so, as often as it is asked', async () => {
      const { put, fetch } = await fresh();
      await put('a', '1');
      const last = changed(await fetch('a'));
      for (let poll = 0; poll < 3; poll++) {
        const { version, ...rest } = { version: undefined, ...(await fetch('a', last)) };
        expect(rest).toEqual({ state: 'unchanged', life: { kind: 'none' } });
        // A source whose versions grow without a change of the value says the newest one.
        expect([undefined, last.version]).toContain(version);
      }
    });

    it('changed: another value comes with another version', async () => {
      const { put, fetch, value } = await fresh();
      await put('a', '1');
      const last = changed(await fetch('a'));
      await put('a', '2');
      const next = changed(await fetch('a', last));
      expect(value(next)).toBe('2');
      expect(next.version).not.toBe(last.version);
    });

    it('deleted: SECRET_DELETED or SECRET_NOT_FOUND, and changed when it comes back with another value', async () => {
      const { put, remove, fetch, code, value } = await fresh();
      await put('a', '1');
      const last = changed(await fetch('a'));
      await remove('a');
      expect((await code('a', last))[0]).toMatch(/^SECRET_(DELETED|NOT_FOUND)$/);
      await put('a', '2');
      expect(value(changed(await fetch('a', last)))).toBe('2');
    });

    rare('binary', 'binary: bytes that are no text come as they are', async ({ put, fetch, bytes }) => {
      const written = Uint8Array.from({ length: 256 }, (_, i) => i);
      await put('a', written);
      expect(bytes(changed(await fetch('a')))).toEqual(written);
    });

    it('large: 64 KiB', async () => {
      const { put, fetch, value } = await fresh();
      await put('a', LARGE);
      expect(value(changed(await fetch('a')))).toBe(LARGE);
    });

    rare(
      'slow',
      'slow: a backend that says nothing is given up (BACKEND_TIMEOUT), can be cancelled, and is asked again',
      async (world) => {
        const { put, stall, heal, fetch, code, cancelled } = world;
        await put('a', '1');
        await fetch('a'); // by now it is logged in: a login has a patience of its own
        await stall('a');
        expect((await code('a'))[0]).toBe('BACKEND_TIMEOUT');
        expect(await cancelled('a')).toBe('CANCELLED');
        await heal('a');
        expect(await fetch('a')).toMatchObject({ state: 'changed' });
      },
    );

    rare(
      'throttled',
      'throttled: BACKEND_THROTTLED, and good again later',
      async ({ put, throttle, heal, fetch, code }) => {
        await put('a', '1');
        await throttle('a');
        expect((await code('a'))[0]).toBe('BACKEND_THROTTLED');
        await heal('a');
        expect(await fetch('a')).toMatchObject({ state: 'changed' });
      },
    );

    rare(
      'restarted',
      'restarted: BACKEND_UNREACHABLE while it is down, and what is there is asked for again',
      async (world) => {
        const { put, kill, start, fetch, code, value } = world;
        await put('a', '1');
        const last = changed(await fetch('a'));
        await kill();
        expect((await code('a', last))[0]).toBe('BACKEND_UNREACHABLE');
        await start();
        await put('a', '2');
        expect(value(changed(await fetch('a', last)))).toBe('2');
      },
    );

    it('cancelled: CANCELLED when the signal aborts, before and during the call', async () => {
      const { put, cancelled, fetch } = await fresh();
      await put('a', '1');
      expect(await cancelled('a')).toBe('CANCELLED');
      expect(await cancelled('a', AbortSignal.abort())).toBe('CANCELLED');
      expect(await fetch('a')).toMatchObject({ state: 'changed' });
    });

    it('many at once: each has its own answer, and the one that is missing fails alone', async () => {
      const { put, fetch, value, code } = await fresh();
      const names = Array.from({ length: 60 }, (_, i) => `many${i}`);
      for (const name of names) await put(name, `value of ${name}`);
      const [missing, ...fetched] = await Promise.all([code('missing'), ...names.map((name) => fetch(name))]);
      expect(missing[0]).toBe('SECRET_NOT_FOUND');
      expect(fetched.map((one) => value(changed(one)))).toEqual(names.map((name) => `value of ${name}`));
    });
  });
}

type Asked = ReturnType<typeof asked>;

/** Helpers for a place; a missing function of the place must have a reason in `cannot`. */
function asked(place: Place) {
  const never = new AbortController().signal;
  const fetch = (name: string, last?: Fetched, signal = never): Promise<Fetch> =>
    place.backend.source.fetch(place.want(name), last, signal);
  const failure = async (running: Promise<unknown>) => {
    const error = await running.then(
      () => new Error('it should have failed'),
      (caught: unknown) => caught,
    );
    if (error instanceof PannierError) return error.failure;
    throw error;
  };
  const can = <K extends 'refuse' | 'throttle' | 'stall' | 'kill' | 'start' | 'heal'>(what: K) => {
    return async (name = ''): Promise<void> => {
      if (place[what] === undefined) throw new TypeError(`the place has no ${what}, and no reason why not`);
      await place[what](name);
    };
  };
  const leaf = ({ fields }: Fetched): Secret => {
    const found = place.valueOf(fields) as Secret | undefined;
    if (!isSecret(found)) throw new Error('no leaf where the value should be');
    return found;
  };
  return {
    want: (name: string) => place.want(name),
    put: (name: string, value: string | Uint8Array) => place.put(name, value),
    remove: (name: string) => place.remove(name),
    refuse: can('refuse'),
    throttle: can('throttle'),
    stall: can('stall'),
    kill: can('kill'),
    start: can('start'),
    heal: can('heal'),
    fetch,
    value: (fetched: Fetched) => leaf(fetched).exposeText('file'),
    bytes: (fetched: Fetched) => Uint8Array.from(leaf(fetched).exposeBytes('file')),
    /** Code and place of the failure. */
    async code(name: string, last?: Fetched) {
      const { code, place: at } = await failure(fetch(name, last));
      return [code, at] as const;
    },
    /** The code of a fetch that is cancelled right after its start. */
    async cancelled(name: string, signal?: AbortSignal) {
      const stop = new AbortController();
      const running = failure(fetch(name, undefined, signal ?? stop.signal));
      stop.abort();
      return (await running).code;
    },
  };
}

function changed(fetched: Fetch): Fetched {
  if (fetched.state === 'unchanged') throw new Error('unchanged');
  return fetched.value;
}
