import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { SupervisedChild } from '../../src/process/supervised-child.ts';
import { createReload } from '../../src/reload/create-reload.ts';
import { expectNoLeaks } from '../faults/leaks.ts';

expectNoLeaks();
const never = new AbortController().signal;
const place = 'outputs.o.reload[0]';
const output = { name: 'o', dir: '/run/o' };

/** A child that does not handle SIGHUP. @param published the output's generation at each start. */
function startSleep(published: { generation: number }): SupervisedChild {
  const launch = () => ({
    argv: ['sleep', '60'],
    env: { PATH: '/usr/bin:/bin' },
    stdio: 'ignore' as const,
    ownGroup: true,
    generations: new Map([[output.dir, published.generation]]),
    stopSignal: 'SIGTERM' as const,
    graceMs: 10_000,
    onExit: 'end' as const,
  });
  const child = new SupervisedChild({
    launch,
    graceMs: () => 10_000,
    clock: systemClock,
    random: () => 0.5,
    emit: () => {},
  });
  const over = child.start();
  ends.push(async () => {
    child.stop('SIGKILL');
    await over;
  });
  return child;
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

it.runIf(process.platform === 'linux')(
  'a signal is not sent to a child that was started after the generation was published: it has read it',
  async () => {
    const published = { generation: 1 };
    const child = startSleep(published);
    const config = { kind: 'signal', name: 'SIGHUP', child: true, place } as const;
    const step = createReload(config, output, {}, undefined, child);
    expect(await step.run(2, never)).toMatchObject({ code: 'RELOAD_NO_HANDLER', place });
    published.generation = 2;
    await child.restart(place);
    expect(await step.run(2, never)).toBeUndefined();
    expect(await step.run(3, never)).toMatchObject({ code: 'RELOAD_NO_HANDLER' });
  },
);

it('a restart of the child is done once for a generation, and again when a client asks for it', async () => {
  const published = { generation: 6 };
  const child = startSleep(published);
  published.generation = 7;
  const step = createReload({ kind: 'restart', place }, output, {}, undefined, child);
  expect([step.kind, step.place, step.timeoutMs]).toEqual(['restart', place, 10_000]);
  for (const [isAskedFor, starts] of [
    [false, 2],
    [false, 2],
    [true, 3],
  ] as const) {
    expect(await step.run(7, never, isAskedFor)).toBeUndefined();
    expect(child.starts).toBe(starts);
  }
});

it('where there is no child, the steps are done at once', async () => {
  const config = { kind: 'signal', name: 'SIGHUP', child: true, place } as const;
  expect(await createReload(config, output, {}).run(1, never)).toBeUndefined();
  expect(await createReload({ kind: 'restart', place }, output, {}).run(1, never)).toBeUndefined();
});
