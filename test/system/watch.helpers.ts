import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';

export interface Watching {
  /** The lines that the terminal shows now, without colours. */
  screen(): readonly string[];
  /** All that came to the terminal. */
  written(): string;
  resize(columns: number, rows: number): void;
  type(keys: string): void;
  /** Resolves when the command has ended. */
  ended(): Promise<{ readonly status: number; readonly isSame: boolean }>;
}

/** Runs the built program on a pseudo-terminal. */
export function watchOnTerminal(args: readonly string[], columns: number, rows: number, env = {}): Watching {
  const program = [process.execPath, resolve('dist/pannier.js'), ...args];
  const command = ['test/fixtures/terminal/watch.py', String(columns), String(rows), ...program];
  const inherited = { PATH: process.env['PATH'], TERM: 'xterm-256color', LANG: 'C.UTF-8' };
  const child = spawn('python3', command, { env: { ...inherited, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let written = '';
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    written += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    told += text;
  });
  const closed = once(child, 'close');
  return {
    written: () => written,
    screen: () => linesOf(written).map((line) => line.replace(CONTROLS, '')),
    resize: (wide, high) => void child.stdin.write(`size ${wide} ${high}\n`),
    type: (keys) => void child.stdin.write(`type ${Buffer.from(keys).toString('hex')}\n`),
    async ended() {
      await closed;
      return JSON.parse(told.trim().split('\n').at(-1) ?? '');
    },
  };
}

/** Colours of the pieces of a line, as CSS for a dark terminal. */
const CSS: Readonly<Record<string, string>> = {
  '1': 'font-weight:bold;color:#fff',
  '2': 'color:#98a2ad',
  '31': 'color:#ff7b72',
  '32': 'color:#56d364',
  '33': 'color:#e3b341',
};

const ESCAPE = '\x1b';
const CONTROLS = new RegExp(`${ESCAPE}\\[[?\\d;]*[A-Za-z]`, 'g');
const NO_COLOURS = new RegExp(`${ESCAPE}\\[[?\\d]*[A-Zhl]`, 'g');
const COLOURED = new RegExp(`${ESCAPE}\\[(\\d+)m(.*?)${ESCAPE}\\[0m`, 'g');

/** The lines of the last frame; the terminal adds a carriage return to each line end. */
function linesOf(written: string): readonly string[] {
  const [frame = ''] = written.split(`${ESCAPE}[?2026h${ESCAPE}[H`).slice(-1);
  return frame.replace(NO_COLOURS, '').trimEnd().split(/\r+\n/);
}

/** The last frame of a terminal as a page for a browser, which takes the picture of the documentation. */
export function frameAsHtml(written: string): string {
  const lines = linesOf(written).map((line) =>
    line
      .replace(/[&<>]/g, (found) => `&#${found.charCodeAt(0)};`)
      .replace(COLOURED, (_, code, text) => `<span style="${CSS[code]}">${text}</span>`),
  );
  const style = 'margin:0;padding:14px 18px;background:#14171a;color:#d5dae0;font:14px/1.35 DejaVu Sans Mono,monospace';
  return `<!doctype html><meta charset="utf-8"><body style="margin:0"><pre style="${style}">${lines.join('\n')}</pre>`;
}
