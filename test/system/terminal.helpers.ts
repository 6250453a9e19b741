import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

export interface OnTerminal {
  readonly status: number;
  readonly stdout: string;
  /** All bytes that came to the terminal, with `\n` for `\r\n`. */
  readonly written: string;
  /** The lines that are left on the terminal at the end. */
  readonly screen: readonly string[];
}

/** Runs the built program with standard error on a real pseudo-terminal, 100 columns wide. */
export async function runOnTerminal(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<OnTerminal> {
  const command = ['test/fixtures/terminal/on-terminal.py', process.execPath, resolve('dist/pannier.js'), ...args];
  const inherited = { PATH: process.env['PATH'], TERM: 'xterm', TZ: 'UTC' };
  const { stdout } = await promisify(execFile)('python3', command, { env: { ...inherited, ...env } });
  const result = JSON.parse(stdout);
  const decode = (text: string) => Buffer.from(text, 'base64').toString();
  const written = decode(result.terminal).replaceAll('\r\n', '\n');
  return { status: result.status, stdout: decode(result.stdout), written, screen: screenOf(written) };
}

/** Line ends, the two control sequences that the program uses, and text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what the pattern is for
const PARTS = /\n|\r|\x1b\[2K|\x1b\[\d*m|[^\n\r\x1b]+/g;

/** What a terminal shows of a text with carriage returns and cleared lines; colours are left out. */
export function screenOf(written: string): readonly string[] {
  const lines = ['']; // the last one is where the cursor is
  for (const [part] of written.matchAll(PARTS)) {
    if (part === '\n') lines.push('');
    else if (part === '\x1b[2K') lines[lines.length - 1] = '';
    else if (part !== '\r' && !part.startsWith('\x1b')) lines[lines.length - 1] += part;
  }
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
