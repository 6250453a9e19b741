import * as z from 'zod/mini';
import { makeNearest } from '../../base/nearest.ts';
import { isTree } from '../load/source-file.ts';
import type { ConfigPath } from '../place.ts';
import { knownKeys, schemaAt } from '../problems/schema-keys.ts';

type Schema = z.core.$ZodType;

/** An entry as it might be once its wrong parts are corrected. */
export interface StandIn {
  readonly shape: unknown;
  /** The paths whose values are made up. */
  readonly lost: readonly ConfigPath[];
}

/** Correcting one part can bring up another, such as the keys that another kind of login wants. */
const MAX_ROUNDS = 6;

/** More stand-ins tell no more: two are enough for what a value decides by itself. */
const MAX_STAND_INS = 8;

/** Of more unknown keys in one map it is not looked for what each of them means. */
const MAX_MISSPELT = 50;

/**
 * Entries that fit the schema and are otherwise the given one: in each of them every wrong part has another value that
 * the schema takes there. What is wrong with all of them is wrong whatever the wrong parts are meant to be, so it can
 * be told beside them; what is wrong with some of them only comes from the made-up values. Empty when no such entry is
 * found.
 * @param unfilled paths of values that are not known, since a reference could not be filled.
 */
export function standInsFor(schema: Schema, entry: unknown, unfilled: readonly ConfigPath[]): readonly StandIn[] {
  const first = standIn(schema, entry, unfilled, 0);
  if (first === undefined) return [];
  const more = Array.from({ length: Math.min(first.choices, MAX_STAND_INS) - 1 }, (_, turn) =>
    standIn(schema, entry, unfilled, turn + 1),
  );
  return [first, ...more.filter((one) => one !== undefined)];
}

function standIn(
  schema: Schema,
  entry: unknown,
  unfilled: readonly ConfigPath[],
  turn: number,
): (StandIn & { readonly choices: number }) | undefined {
  const root = { value: structuredClone(entry) };
  const lost: ConfigPath[] = [];
  let choices = 1;
  const replace = (path: ConfigPath, mayBeAbsent = false) => {
    const below = schemaAt(schema, path, root.value);
    const samples = [...(below === undefined ? [] : samplesOf(below)), ...(mayBeAbsent ? [undefined] : [])];
    if (samples.length === 0) return;
    choices = Math.max(choices, samples.length);
    lost.push(path);
    const sample = samples[turn % samples.length];
    if (sample !== undefined) put(root, path, structuredClone(sample));
  };
  for (const path of unfilled) replace(path);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const result = z.safeParse(schema, root.value, { jitless: true });
    if (result.success) return { shape: result.data, lost, choices };
    for (const issue of result.error.issues) {
      const path = issue.path as ConfigPath;
      if (issue.code !== 'unrecognized_keys') {
        replace(path);
        continue;
      }
      const map = at(root.value, path);
      if (!isTree(map)) continue;
      const nearest = makeNearest(knownKeys(schema, path, root.value));
      for (const [index, key] of issue.keys.entries()) {
        delete (map as Record<string, unknown>)[key];
        if (index >= MAX_MISSPELT) continue;
        // In `{token:hunter2}`, without a space, the key is `token:hunter2`.
        const meant = nearest(key) ?? nearest(key.replace(/:.*$/s, ''));
        // A misspelt key may stand for the one that it looks like: then nothing may call that one missing.
        if (meant !== undefined && map[meant] === undefined) replace([...path, meant], true);
      }
    }
  }
  return undefined;
}

function at(tree: unknown, path: ConfigPath): unknown {
  let here = tree;
  for (const step of path) here = (here as Record<string | number, unknown> | undefined)?.[step];
  return here;
}

function put(root: { value: unknown }, path: ConfigPath, value: unknown): void {
  const step = path.at(-1);
  if (step === undefined) root.value = value;
  const map = at(root.value, path.slice(0, -1));
  if (step !== undefined && typeof map === 'object' && map !== null) {
    (map as Record<string | number, unknown>)[step] = value;
  }
}

/** Values of all sorts that scalars of a configuration take. Of durations a very short one and a very long one. */
const SCALARS: readonly unknown[] = [
  ...['1ms', '3650d', 'a', 'x/y', '/x/y', '0400', '0666', 'eu-west-1', 'SIGHUP', 'SIGUSR1'],
  ...['http://127.0.0.1:1', 'https://a.example', '127.0.0.1:1', '127.0.0.1:2', '1', '2'],
  ...[0, 1, 1000, 65_535, true, false],
];

/** How many samples of one scalar are of use. */
const MAX_SAMPLES = 4;

/** Values that a schema takes; empty when none is known. */
function samplesOf(schema: Schema): readonly unknown[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const made = (() => {
    switch (def.type) {
      case 'optional':
        return samplesOf(def.innerType);
      case 'literal':
        return def.values;
      case 'enum':
        return Object.values(def.entries);
      case 'union':
        return def.options.flatMap(samplesOf);
      case 'array': {
        const [element] = samplesOf(def.element);
        return element === undefined ? [[]] : [[], [element], [element, element]];
      }
      case 'record':
        return [{}];
      case 'object': {
        const required = Object.entries(def.shape).filter(
          ([, member]) => (member as z.core.$ZodTypes)._zod.def.type !== 'optional',
        );
        return [Object.fromEntries(required.map(([key, member]) => [key, samplesOf(member)[0]]))];
      }
      default:
        return SCALARS;
    }
  })();
  const fitting = made.filter((value) => z.safeParse(schema, value, { jitless: true }).success);
  return made === SCALARS ? fitting.slice(0, MAX_SAMPLES) : fitting;
}
