import { type Failure, failure, PannierError } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import type { OwedReload, Recovered, Sink, Staged } from '../sink.ts';

/** The variables that a child gets when it is started. */
export interface ChildVariables {
  readonly generation: number;
  readonly byName: ReadonlyMap<string, Secret>;
}

/** A sink that keeps its generations in memory: only the agent reads them, and a new agent starts a new child. */
export interface EnvSink extends Sink {
  /** The published generation; undefined before the first. */
  current(): ChildVariables | undefined;
}

/** `MAX_ARG_STRLEN` of Linux, execve(2): one `NAME=value` with its NUL is at most 32 pages of 4 KiB. */
const MAX_BYTES = 131_072;

/**
 * Makes a sink for the environment of a child; each file is a variable.
 *
 * `stage` refuses values that no environment can carry (EXEC_VARIABLE), all in one error: with a NUL, with bytes that
 * are not UTF-8 (Node would alter them), or of more than 128 KiB. Whether all variables together are too large shows
 * only when the child is started.
 * @param place configuration path of the variables.
 */
export function createEnvSink(place: string): EnvSink {
  let published: ChildVariables | undefined;
  let settled: number | undefined;
  let advanced: OwedReload | undefined;
  return {
    current: () => published,
    recover: async (): Promise<Recovered> => ({ generation: published?.generation, removed: 0, tmpfs: undefined }),
    earlier: async () => undefined,
    kept: async () => [],
    hold: async () => {},
    async stage(files): Promise<Staged | 'equal'> {
      const byName = variablesOf(files, place);
      if (published !== undefined && isSame(published.byName, byName)) return 'equal';
      const first = published === undefined;
      const generation = (published?.generation ?? 0) + 1;
      return {
        dir: '',
        generation,
        async commit() {
          published = Object.freeze({ generation, byName });
          return { generation, first };
        },
        isIntact: async () => true,
        discard: async () => {},
      };
    },
    mark: {
      async owed() {
        if (published === undefined || published.generation === settled) return undefined;
        const { generation } = published;
        return advanced?.generation === generation ? advanced : { generation, done: [] };
      },
      advance: async (generation, done) => {
        advanced = { generation, done };
      },
      settle: async (generation) => {
        settled = generation;
      },
    },
    sweep: async () => undefined,
  };
}

function variablesOf(files: ReadonlyMap<string, Uint8Array>, place: string): ReadonlyMap<string, Secret> {
  const byName = new Map([...files].map(([name, bytes]) => [name, Secret.bytes(bytes)]));
  const failed: Failure[] = [];
  for (const [name, value] of byName) {
    const length = Buffer.byteLength(name) + '='.length + (files.get(name)?.length ?? 0) + '\0'.length;
    const problem = problemOf(value, length);
    if (problem !== undefined) failed.push(failure('EXEC_VARIABLE', `${place}.${name}`, problem));
  }
  const [first, ...others] = failed;
  if (first === undefined) return byName;
  const also = others.map((other) => `${other.place}: ${other.seen}`).join('; ');
  const seen = others.length === 0 ? first.seen : `${first.seen}; also ${also}`;
  throw new PannierError(failure('EXEC_VARIABLE', first.place, seen));
}

/** Why no environment can carry a value; undefined: it can. */
function problemOf(value: Secret, length: number): string | undefined {
  if (value.type === 'bytes') return 'the value holds bytes that are not UTF-8';
  if (value.exposeText('env').includes('\0')) return 'the value holds a NUL character, which no variable can hold';
  if (length > MAX_BYTES) return `name and value have ${length} bytes; the limit is ${MAX_BYTES}`;
  return undefined;
}

function isSame(one: ReadonlyMap<string, Secret>, other: ReadonlyMap<string, Secret>): boolean {
  return one.size === other.size && [...one].every(([name, value]) => other.get(name)?.equals(value) === true);
}
