import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { failure, formatFailure } from '../../src/base/errors.ts';
import { printable, printableJson, printableLines } from '../../src/base/printable.ts';
import { showCheck } from '../../src/cli/doctor/show.ts';

/** Clears, moves, colours, titles, the C1 start of a command, and letters that turn the direction of writing. */
const EVIL = '\x1b[2J\x1b]0;title\x07\x9b31m\r\b\u202e\u2066\u2028\u061c';
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u202a-\u202e\u2066-\u2069]/u;

/** Which files may write to a stream of the process themselves. All others go through them. */
const WRITERS = [
  'src/cli/bin.ts',
  'src/cli/demo/stage.ts',
  'src/cli/print.ts',
  'src/cli/status/watch/watch-status.ts', // what `paint` has cleaned, and the moves of its screen
];

/** Who may ask for a writer of standard error: each cleans what it writes. */
const STDERR_USERS = [
  'src/cli/setup.ts',
  'src/log/logger.ts',
  'src/log/standard-error.ts',
  'src/log/terminal/status-line.ts',
];

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => [`src/${name}`, readFileSync(`src/${name}`, 'utf8')] as const);

describe('every way to a terminal', () => {
  it('goes through the few files that clean what they write', () => {
    const direct = sources.filter(([, text]) => /\bstd(?:out|err)\.write\(|\bconsole\.|writeSync\([12],/.test(text));
    expect(direct.map(([name]) => name).sort()).toEqual(WRITERS);
    const users = sources.filter(([, text]) => text.includes('createStderrWriter('));
    expect(users.map(([name]) => name).sort()).toEqual(STDERR_USERS);
  });

  it('shows no control character of a failure, which stays on its line', () => {
    const line = formatFailure(failure('INTERNAL', `a${EVIL}`, `b\n${EVIL}`, { hint: EVIL }));
    expect(line).not.toMatch(CONTROLS);
    expect(line).toMatch(/^a\?\[2J/);
  });

  it('shows no control character of what doctor has checked, which stays on its line', () => {
    const line = showCheck({ check: 'login', place: `b\n${EVIL}`, state: 'failure', seen: EVIL } as never);
    expect(line.slice(0, -1)).not.toMatch(CONTROLS);
    expect(line.at(-1)).toBe('\n');
  });
});

describe('a text for a terminal', () => {
  it('of one line has none, of several lines keeps their ends and tabs', () => {
    expect(printable(`a\tb\n${EVIL}`)).not.toMatch(CONTROLS);
    expect(printableLines('a\tb\r\nc\rd\n')).toBe('a\tb\r\nc?d\n');
    expect(printableLines(EVIL)).not.toMatch(CONTROLS);
    expect(printable('größe 雪 😀')).toBe('größe 雪 😀');
  });

  it('of JSON says the same', () => {
    const line = `${JSON.stringify({ name: EVIL })}\n`;
    const shown = printableJson(line);
    expect(shown.slice(0, -1)).not.toMatch(CONTROLS);
    expect(JSON.parse(shown)).toEqual({ name: EVIL });
  });
});
