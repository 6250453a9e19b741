import type { Fact } from '../../base/fact.ts';
import { printable } from '../../base/printable.ts';
import { type Told, tell } from './sentences.ts';

/** The start of a line of each level, and its colour as of ECMA-48, section 8.3.117. */
const MARKS: Readonly<Record<Told['level'], readonly [word: string, colour: string]>> = {
  debug: ['debug: ', '\x1b[2m'],
  info: ['', ''],
  warn: ['warning: ', '\x1b[33m'],
  error: ['error: ', '\x1b[31m'],
};

const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';

/** As wide as a time and the space after it. */
const INDENT = ' '.repeat('00:00:00 '.length);

/**
 * A fact for people: the local time and a sentence, and below it, each on a line of its own, what to do next. A name
 * that holds control characters cannot move the cursor.
 */
export function prettyText(fact: Fact, wallMs: number, hasColours: boolean): string {
  const { level, sentence, below } = tell(fact);
  const [word, colour] = MARKS[level];
  const paint = (text: string, how: string) => (hasColours && how !== '' ? `${how}${text}${PLAIN}` : text);
  const head = `${timeOf(wallMs)} ${paint(`${word}${printable(sentence)}`, colour)}\n`;
  return head + below.map((line) => `${INDENT}${paint(printable(line), DIM)}\n`).join('');
}

/** Colours are for a terminal that has some and whose user wants them, see https://no-color.org. */
export function wantsColours(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

function timeOf(wallMs: number): string {
  const date = new Date(wallMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
