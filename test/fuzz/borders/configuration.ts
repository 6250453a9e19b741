import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { allProblems, planOf } from '../../../src/agent/create-plan.ts';
import { BACKEND_KINDS } from '../../../src/backend/registry.ts';
import { type Failure, ProblemsError } from '../../../src/base/errors.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { ConfigProblemsError } from '../../../src/config/problems/config-problems.ts';
import { loadWords } from '../../../src/config/words/all-words.ts';
import { exampleOf } from '../../../src/config/words/words.ts';
import { createPlace } from '../../system/agent.helpers.ts';
import { type Border, CANARY } from '../border.ts';
import { damaged, nasty } from '../inputs.ts';

/** References whose values are secret, files that are none, and references that are none. */
const REFERENCES = [
  '${env:CANARY}',
  '${file:secret}',
  'a${env:CANARY}b',
  '${env:CANARY}${file:secret}',
  '${file:/dev/zero}',
  '${file:/proc/self/environ}',
  '${file:.}',
  '${file:nothing}',
  '${env:',
  '${x:y}',
];

type Tree = Record<string, unknown>;
type Key = readonly [path: string, value: unknown];

/** Puts keys into a tree, each in its place: `secrets.NAME.kv` below a name of `names`, `x[].y` in a list. */
function treeOf(keys: readonly Key[], names: readonly string[]): Tree {
  const tree: Tree = { version: 1 };
  for (const [i, [path, example]] of keys.entries()) {
    const value = structuredClone(example); // later keys may be put into it
    const steps = path.replaceAll('[]', '.[]').split('.');
    let at: Tree = tree;
    for (const [depth, step] of steps.entries()) {
      const key = step === 'NAME' ? (names[(i >> 2) % names.length] ?? 'x') : step === '[]' ? '0' : step;
      if (depth === steps.length - 1)
        Object.defineProperty(at, key, { value, enumerable: true, configurable: true, writable: true });
      else {
        const next = Object.hasOwn(at, key) ? at[key] : undefined;
        const below = typeof next === 'object' && next !== null ? (next as Tree) : steps[depth + 1] === '[]' ? [] : {};
        Object.defineProperty(at, key, { value: below, enumerable: true, configurable: true, writable: true });
        at = below as Tree;
      }
    }
  }
  return tree;
}

/** A path that cannot be read is named, also when a reference was in it. */
const withoutPaths = (failures: readonly Failure[]) => failures.filter(({ code }) => code !== 'TEMPLATE_UNREADABLE');

/** Configurations of whoever writes them: keys of the schema with good, bad and secret values, in JSON and YAML. */
export const configurations: Border<{ readonly name: string; readonly bytes: Buffer }> = {
  name: 'the configuration',
  share: 14_000,
  async open() {
    const place = await createPlace();
    await writeFile(join(place.dir, 'secret'), CANARY);
    const examples = Object.entries(await loadWords(BACKEND_KINDS)).map(([path, one]): Key => [path, exampleOf(one)]);
    const odd = fc.oneof(
      nasty,
      fc.constantFrom(...REFERENCES),
      fc.constantFrom<unknown>(0, -1, 1.5, 2 ** 53, true, null, [], {}, ['a'], { a: 1 }, '0400', 400),
    );
    const key = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...examples) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...examples.map(([path]) => path)), odd) },
      { weight: 1, arbitrary: fc.tuple(nasty, odd) },
    );
    const names = fc.array(fc.oneof(fc.constantFrom('bao', 'app', 'shop', 'app.env'), nasty), {
      minLength: 1,
      maxLength: 3,
    });
    const tree = fc.tuple(fc.array(key, { maxLength: 24 }), names).map(([keys, given]) => treeOf(keys, given));
    const json = tree.map((one) => JSON.stringify(one));
    const yaml = tree.map((one) => stringify(one));
    const text = (whole: fc.Arbitrary<string>) =>
      fc.oneof(
        { weight: 3, arbitrary: whole.map((one) => Buffer.from(one)) },
        { weight: 1, arbitrary: damaged(whole, REFERENCES) },
      );
    return {
      inputs: fc.oneof(
        fc.record({ name: fc.constant('c.json'), bytes: text(json) }),
        fc.record({ name: fc.constant('c.yaml'), bytes: text(yaml) }),
      ),
      async feed({ name, bytes }) {
        await writeFile(join(place.dir, name), bytes);
        const options = { kinds: BACKEND_KINDS, paths: [name], cwd: place.dir, env: { CANARY, PATH: '/usr/bin' } };
        try {
          const plan = await planOf(await loadConfig(options), 0);
          return withoutPaths(plan.warnings);
        } catch (error) {
          if (error instanceof ConfigProblemsError) return withoutPaths((await allProblems(error)).failures);
          if (error instanceof ProblemsError) return withoutPaths(error.failures);
          throw error;
        }
      },
      [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
    };
  },
};
