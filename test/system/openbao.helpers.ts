import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { startWorld, type World, type WorldOptions } from '../servers/index.ts';
import { type Agent, type AgentOptions, createPlace, type Place, runAgent, startAgent } from './agent.helpers.ts';
import { type Application, startApplication } from './application.helpers.ts';

/** Makes what a system test needs. Agents are stopped and files removed after the test. */
export interface Scene {
  /** A private directory. */
  place(): Promise<Place>;
  /** An application that counts its SIGHUPs. */
  application(dir: string, name?: string): Promise<Application>;
  /** Starts `pannier run`. */
  run(config: string, options?: AgentOptions): Agent;
  /** Starts `pannier run` without `-c`. */
  runBare(options: AgentOptions): Agent;
  /** Starts `pannier exec -- COMMAND`. */
  exec(config: string, command: readonly string[], options?: ExecOptions): Agent;
  /** Starts `pannier init`, for a test that acts while it runs. */
  startInit(config: string, timeout?: string, options?: AgentOptions): Agent;
  /** Runs `pannier init` to its end. */
  init(config: string, timeout?: string, options?: AgentOptions): Promise<Agent & { readonly status: number }>;
  /** Disposes of a thing after the test. */
  keep<Thing extends AsyncDisposable>(thing: Thing): Thing;
}

export interface ExecOptions extends AgentOptions {
  /** Further arguments, before the command. */
  readonly args?: readonly string[];
}

/** To be called once, outside of tests. */
export function useScene(): Scene {
  const kept: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const thing of kept.splice(0).reverse()) await thing[Symbol.asyncDispose]();
  });
  const keep: Scene['keep'] = (thing) => {
    kept.push(thing);
    return thing;
  };
  const started = (args: readonly string[], options?: AgentOptions) => {
    const agent = startAgent(args, options);
    keep({ [Symbol.asyncDispose]: async () => void (await agent.stop()) });
    return agent;
  };
  const initArgs = (config: string, timeout = '20s') => ['init', '-c', config, '--timeout', timeout];
  return {
    keep,
    place: async () => keep(await createPlace()),
    application: async (dir, name) => keep(await startApplication(dir, name)),
    run: (config, options) => started(['run', '-c', config], options),
    runBare: (options) => started(['run'], options),
    exec: (config, command, { args = [], ...options } = {}) =>
      started(['exec', '-c', config, ...args, '--', ...command], options),
    startInit: (config, timeout, options) => started(initArgs(config, timeout), options),
    init: (config, timeout, options) => runAgent(initArgs(config, timeout), options),
  };
}

/** Starts one world for all tests of a file. To be called outside of tests; the returned function is for tests. */
export function useWorld(options?: WorldOptions): () => World {
  let world: World | undefined;
  beforeAll(async () => {
    world = await startWorld(options);
  });
  afterAll(() => world?.stop());
  return () => {
    if (world === undefined) throw new Error('the world starts with the first test');
    return world;
  };
}

/** The backend `bao`, with the shop's service account; `auth` replaces parts of the login. */
export function baoOf(world: World, auth: object = {}): object {
  const login = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile, ...auth };
  return { kind: 'vault', address: world.bao.address, auth: login };
}

/** One failure as the agent printed it on standard error. */
export interface PrintedFailure {
  readonly code: string;
  readonly place: string;
  readonly seen: string;
  readonly hint: string;
  /** Where it stands in a configuration file. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** The failures that a command ended with, in order. */
export function failuresOf(agent: Agent): readonly PrintedFailure[] {
  return agent
    .stderr()
    .split('\n')
    .flatMap((line) => {
      const match = /^(?:(?:exec|init|run|render|warning): )?(.+?): (.+) \(([A-Z_]+)\)\. (.+)$/.exec(line);
      if (line.startsWith('{') || match === null) return [];
      const [, place = '', seen = '', code = '', hint = ''] = match;
      // The place of a template's problem ends so too, behind a comma.
      const position = /^([^,]+):(\d+):(\d+)$/.exec(place);
      if (position === null) return [{ code, place, seen, hint }];
      const [, file = '', row, column] = position;
      const at = { file, line: Number(row), column: Number(column) };
      // The place of a syntax error is its position.
      const [, placed = '', rest = ''] =
        code === 'CONFIG_MALFORMED' ? ['', place, seen] : (/^(.+?): (.+)$/.exec(seen) ?? []);
      return [{ code, place: placed, seen: rest, hint, ...at }];
    });
}

/** The current files of an output, by name; undefined before the first publish. */
export function published(dir: string): Readonly<Record<string, string>> | undefined {
  try {
    const names = readdirSync(join(dir, '..data'));
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(dir, '..data', name), 'utf8')]));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
