import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import type { FileContent } from '../../src/config/config.ts';
import { createRenderer } from '../../src/render/renderer.ts';
import { fieldsOf, format, outputOf, snapshotOf } from './render.helpers.ts';

const names = (count: number) => Array.from({ length: count }, (_, i) => `s${i}`);

const shapes: readonly (readonly [name: string, make: (names: readonly string[]) => string | FileContent])[] = [
  ['json', (all) => format('json', ...all)],
  ['json of single fields of one secret', (all) => format('json', ...all.map((_, i) => `s0.f${i}`))],
  ['dotenv', (all) => format('dotenv', ...all)],
  ['yaml', (all) => format('yaml', ...all)],
  [
    'flat json with renamed keys',
    (all) => ({
      ...format('json', ...all),
      options: { flat: true, rename: all.map((name, i) => [`${name}.f${i}`, `g${i}`]) },
    }),
  ],
  [
    'a template',
    (all) => all.map((name, i) => `${name}={{#if ${name}.f${i}}}{{upper ${name}.f${i}}}{{/if}}\n`).join(''),
  ],
];

describe('the work of one output', () => {
  // Retried, since a busy machine fails it by chance; quadratic work fails it each time.
  it.each(shapes)('as %s grows no faster than the number of secrets', { retry: 2 }, async (_, make) => {
    const small = await cheapestOf(5, () => milliseconds(make, 1000));
    const large = await cheapestOf(5, () => milliseconds(make, 8000));
    // Eight times the secrets, and a factor of two for a busy machine. Quadratic work would take 64 times as long.
    expect(large).toBeLessThan(16 * Math.max(small, 2));
  });
});

async function cheapestOf(times: number, measure: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) least = Math.min(least, await measure());
  return least;
}

async function milliseconds(make: (names: readonly string[]) => string | FileContent, count: number): Promise<number> {
  const all = names(count);
  const whole = fieldsOf(Object.fromEntries(all.map((_, i) => [`f${i}`, Secret.text(`value ${i}`)])));
  const given = all.map(
    (name, i) => [name, i === 0 ? whole : fieldsOf({ [`f${i}`]: Secret.text(`value ${i}`) })] as const,
  );
  const first = fieldsOf({ f0: Secret.text('value') });
  const isOfOne = typeof make(all) === 'object' && JSON.stringify(make(all)).includes('["s0","f1"]');
  const snapshot = snapshotOf({ ...Object.fromEntries(given), s0: isOfOne ? whole : first });
  const renderer = await createRenderer(outputOf({ f: make(all) }), { secrets: new Set(all), backends: new Map() });
  const start = process.cpuUsage();
  const rendered = await renderer.render(snapshot);
  const took = process.cpuUsage(start).user / 1000;
  expect(rendered.kind).toBe('files');
  return took;
}
