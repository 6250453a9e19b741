import { pino } from 'pino';
import { expect, it } from 'vitest';
import { jsonLine } from '../../src/log/json-line.ts';
import type { Level, Line } from '../../src/log/lines.ts';

const WALL_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

/** The line that pino writes under the settings whose form is documented in docs/agent.md. */
function byPino({ level, message, fields }: Line): string {
  const lines: string[] = [];
  const options = {
    level: 'trace',
    base: null,
    timestamp: () => `,"time":"${new Date(WALL_MS).toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  pino(options, { write: (line: string) => lines.push(line) })[level](fields, message);
  return lines.join('');
}

it('a JSON log line is byte for byte that of pino', () => {
  const texts = ['', 'plain', 'a "quoted" \\ one', 'tab\tline\nend\u0000\u001f\u007f', 'ä€😀', '\u2028'];
  const values: unknown[] = [
    ...texts,
    ...texts.map((text) => text.padEnd(120, '.')),
    ...[0, -0, 1, -1, 1.5, 1e21, Number.NaN, Number.POSITIVE_INFINITY, true, false, null, undefined],
    ...[
      [],
      ['a', 'b "c"'],
      [{ name: 'a', at: [1, null, undefined] }],
      { deep: { er: { text: '\n' } }, gone: undefined },
    ],
  ];
  const levels: readonly Level[] = ['debug', 'info', 'warn', 'error'];
  for (const level of levels) {
    for (const [index, value] of values.entries()) {
      const fields = { fact: 'test', value, 'a "name"': index, msg: 'in a field', level: 3, last: value };
      const line = { level, message: 'constant', fields };
      expect(jsonLine(line, WALL_MS)).toBe(byPino(line));
    }
  }
  const none = { level: 'info', message: 'no "fields"', fields: {} } as const;
  expect(jsonLine(none, WALL_MS)).toBe(byPino(none));
});
