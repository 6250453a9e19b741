import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { openSink, outputIn, program, publish, startProgram, useScratch } from './file-sink.helpers.ts';

const scratch = useScratch();
const READS = 100_000;
const GENERATIONS = 200;
const names = Array.from({ length: 20 }, (_, i) => (i % 4 === 0 ? `sub${i}/file` : `file${i}`));

it('a reader that opens ..data once never sees a mix: 100,000 file reads across 200 generations', async () => {
  const dir = scratch();
  const sink = await openSink(outputIn(dir), systemClock);
  const write = (generation: number) => {
    // The lengths differ, so that a truncated file would be noticed.
    const body = `${generation} ${'x'.repeat((generation * 37) % 3000)}.`;
    return publish(sink, Object.fromEntries(names.map((name) => [name, body])));
  };
  await write(1);

  const reader = startProgram(program('read-generations.ts'), {
    dir,
    names,
    reads: READS,
    pauseEvery: 100,
    pauseMs: 40,
  });
  const printed = text(reader.stdout);
  const ended = once(reader, 'exit').then(() => 'ended');
  let published = 1;
  for (let over: unknown; over !== 'ended' || published < GENERATIONS; ) {
    await write(++published);
    await sink.sweep();
    over = await Promise.race([ended, sleep(8)]);
  }

  const seen = JSON.parse(await printed);
  expect(seen).toMatchObject({ torn: 0, mixed: [], missing: [] });
  expect(seen.reads).toBeGreaterThanOrEqual(READS);
  expect(published).toBeGreaterThanOrEqual(GENERATIONS);
  expect(seen.generations).toBeGreaterThan(GENERATIONS / 4);
}, 60_000);
