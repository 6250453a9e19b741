import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually, type Place } from './agent.helpers.ts';
import { fileBackend } from './file-backend.helpers.ts';

const PROGRAM = resolve('test/fixtures/programs/exec-app.py');

/** The application that exec runs in a place, and the events that it recorded. */
export interface ExecApp {
  readonly command: readonly string[];
  /** Each start and signal so far: `[pid, event]`. */
  events(): readonly (readonly [pid: number, event: string])[];
  /** Resolves with the environment of the application's n-th start. */
  environment(start?: number): Promise<Readonly<Record<string, string>>>;
  /** Resolves with the application's pid at the n-th start. */
  pid(start?: number): Promise<number>;
}

/** @param ignored signals that do not end the application. */
export function execAppIn({ dir }: Pick<Place, 'dir'>, ...ignored: readonly string[]): ExecApp {
  const file = join(dir, 'events');
  const events = () => {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    return lines.map((line): [number, string] => [Number.parseInt(line, 10), line.slice(line.indexOf(' ') + 1)]);
  };
  const start = (count: number) =>
    eventually(() => {
      const line = events().filter(([, event]) => event.startsWith('start '))[count - 1];
      if (line === undefined) throw new Error(`no start ${count} yet`);
      return line;
    });
  return {
    command: ['python3', PROGRAM, dir, ...ignored],
    events,
    environment: async (count = 1) => JSON.parse((await start(count))[1].slice('start '.length)),
    pid: async (count = 1) => (await start(count))[0],
  };
}

/** A configuration on the file backend with the secret `app`, with a detailed log; a change is taken at once. */
export function execOf(exec: object, more: object = {}): object {
  return {
    log: { level: 'debug' },
    backends: fileBackend,
    secrets: { app: { key: 'app' } },
    exec: { quiet: '50ms', ...exec },
    ...more,
  };
}
