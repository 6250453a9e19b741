import { describe, expect, it } from 'vitest';
import type { WatchAnswer } from '../../../src/backend/kubernetes/client/client.ts';
import { ObjectWatch } from '../../../src/backend/kubernetes/watch/object-watch.ts';
import { fail } from '../../../src/base/errors.ts';
import { FakeClock } from '../../fake-clock.ts';

const OBJECT = { resource: 'secrets', namespace: 'shop', name: 'db' } as const;

/** A watch whose every try ends as `end` says; `tries` are the queries. */
function watchOf(end: (clock: FakeClock) => Promise<Partial<WatchAnswer>>, random = () => 0.5) {
  const clock = new FakeClock();
  const tries: Readonly<Record<string, string>>[] = [];
  const watch = new ObjectWatch(OBJECT, 'secrets.db.kubernetesSecret', {
    clock,
    random,
    denied: () => {},
    client: {
      async watch(_object, query) {
        tries.push(query);
        return { status: 200, chunks: once(Promise.resolve()), close: () => {}, ...(await end(clock)) };
      },
    },
  });
  let told = 0;
  watch.add({ version: () => '7', changed: () => told++ });
  return { clock, tries, watch, told: () => told };
}

/** A stream of one empty chunk, which ends when `end` resolves. */
async function* once(end: Promise<void>): AsyncGenerator<Uint8Array> {
  await end;
  yield new Uint8Array();
}

const second = (clock: FakeClock) => once(clock.sleep(1_000, new AbortController().signal));

describe('a watch that does not last', () => {
  it('since it is closed every second, begins again about every three seconds', async () => {
    const { clock, tries, watch } = watchOf(async (at) => ({ chunks: second(at) }));
    await clock.advance(600_000);
    expect(tries.length).toBeGreaterThan(600 / 5);
    expect(tries.length).toBeLessThan(600 / 3);
    watch[Symbol.dispose]();
    await clock.advance(60_000);
    expect(clock.waiting).toBe(0);
  });

  it('since the server is away, is tried with growing waits, up to half a minute', async () => {
    const { clock, tries, watch } = watchOf(async () => {
      throw fail('BACKEND_UNREACHABLE', 'backends.k8s', 'connection refused');
    });
    await clock.advance(600_000);
    expect(tries.length).toBeGreaterThan(600 / 30);
    expect(tries.length).toBeLessThan(600 / 30 + 60);
    watch[Symbol.dispose]();
  });

  it('since it is forbidden, is tried once in some minutes', async () => {
    const { clock, tries, watch } = watchOf(async () => {
      throw fail('SECRET_DENIED', 'secrets.db', 'not allowed');
    });
    await clock.advance(3_600_000);
    expect(tries.length).toBeGreaterThan(10);
    expect(tries.length).toBeLessThan(40);
    watch[Symbol.dispose]();
  });

  it('since its version is always gone, is not begun in a loop, and has the object read each time', async () => {
    const { clock, tries, watch, told } = watchOf(async () => ({ status: 410 }));
    await clock.advance(60_000);
    expect(tries.length).toBeLessThan(60);
    expect(told()).toBeGreaterThan(1);
    watch[Symbol.dispose]();
  });

  it('since the server fails twice at its version, begins at the present, and has the object read', async () => {
    const { clock, tries, watch, told } = watchOf(async () => {
      throw fail('BACKEND_UNAVAILABLE', 'backends.k8s', 'HTTP 504: the version is too large');
    });
    await clock.advance(5_000);
    expect(tries.slice(0, 3).map(({ resourceVersion }) => resourceVersion)).toEqual(['7', '7', undefined]);
    expect(told()).toBe(1);
    watch[Symbol.dispose]();
  });

  it('is asked for between five and ten minutes, so that the watches of a fleet do not end together', async () => {
    const lives = [0, 0.5, 0.999].map((share) => {
      const { tries, watch } = watchOf(
        async (at) => ({ chunks: second(at) }),
        () => share,
      );
      watch[Symbol.dispose]();
      return Number(tries[0]?.['timeoutSeconds']);
    });
    expect(lives).toEqual([300, 450, 600]);
  });

  it('ends at its limit when the server forgets to end it', async () => {
    let closed = 0;
    const { clock, watch } = watchOf(async () => {
      const ended = Promise.withResolvers<void>();
      return {
        chunks: once(ended.promise),
        close: () => {
          closed++;
          ended.resolve();
        },
      };
    });
    await clock.advance(479_000);
    expect(closed).toBe(0);
    await clock.advance(2_000);
    expect(closed).toBeGreaterThan(0);
    watch[Symbol.dispose]();
  });
});
