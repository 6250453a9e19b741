import { describe, expect, it } from 'vitest';
import { failure } from '../../src/base/errors.ts';
import type { Fact } from '../../src/base/fact.ts';
import { createLogger, type LogSchema } from '../../src/log/logger.ts';

/** What Docker, containerd and CRI-O take as one line, with its end. */
const MAX_BYTES = 16 * 1024;

/** Facts of a large or a strange configuration, and of a client that asks for the longest path. */
const LONG: Readonly<Record<string, Fact>> = {
  'many names': {
    kind: 'output-waiting',
    output: 'o',
    missing: Array.from({ length: 5_000 }, (_, n) => `secret-${n}`),
  },
  'one long name': { kind: 'secret-dropped', secrets: ['\u{1f600}'.repeat(20_000)] },
  'a long path': {
    ...{ kind: 'proxy-answered', backend: 'bao', where: 'unix:///p', call: `GET /v1/${'"'.repeat(16_000)}` },
    ...{ status: 404, cache: 'off', durationMs: 1 },
  },
  'a long field that is no text and no list': {
    ...{ kind: 'output-waiting', output: 'o' },
    missing: { names: ['x'.repeat(20_000)] } as unknown as string[],
  },
  'several long fields': {
    ...{ kind: 'output-failed', output: '\u0001'.repeat(9_000) },
    failure: failure('RENDER_MISSING_FIELD', 'p'.repeat(20_000), 's'.repeat(20_000), { hint: 'ä'.repeat(20_000) }),
  },
};

async function lineOf(fact: Fact, schema: LogSchema): Promise<string> {
  const lines: string[] = [];
  const log = await createLogger({ level: 'debug', format: 'json', schema, write: (line) => lines.push(line) });
  log(fact);
  expect(lines.length).toBe(1);
  return lines[0] ?? '';
}

describe.each(['pannier', 'ecs', 'otel'] as const)('a line of the schema %s', (schema) => {
  it.each(Object.keys(LONG))('is never longer than container runtimes take: %s', async (name) => {
    const line = await lineOf(LONG[name] as Fact, schema);
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(MAX_BYTES);
    if (name === 'many names') expect(line).toContain('"secret-0","secret-1",');
    expect(line).toContain(`${LONG[name]?.kind}"`);
    expect(JSON.stringify(JSON.parse(line))).toContain('shortened":true');
  });

  it('is whole when it is short enough', async () => {
    const missing = Array.from({ length: 1_000 }, (_, n) => `secret-${n}`);
    const line = await lineOf({ kind: 'output-waiting', output: 'o', missing }, schema);
    expect(line).toContain(JSON.stringify(missing));
    expect(line).not.toContain('shortened');
  });
});
