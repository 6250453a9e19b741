import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { allProblems, planOf } from '../agent/create-plan.ts';
import { BACKEND_KINDS } from '../backend/registry.ts';
import { type Failure, formatFailure, PannierError, ProblemsError } from '../base/errors.ts';
import { makeFolders } from '../base/make-folders.ts';
import { ConfigProblemsError } from '../config/problems/config-problems.ts';
import type { Imported } from './convert-config.ts';
import { withoutMarks } from './marks.ts';

/** Stands for what a variable or a file of the machine would give, which may not be there now. */
const REFERENCE = /(?<!\$)\$\{(?:env|file):[^}]*\}/g;

/**
 * What `pannier validate` will say of a configuration, when the variables and files that it names are there. It is read
 * from a directory of its own, without the values of variables.
 * @param isWritten false: the result has no file, so that places are those that it was made of.
 */
export async function problemsOfResult(
  { yaml, templates, sources }: Imported,
  isWritten = true,
): Promise<readonly string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'pannier-import-'));
  try {
    const path = join(dir, 'pannier.yaml');
    await writeFile(path, withoutMarks(yaml).replace(REFERENCE, 'x'), { mode: 0o600 });
    for (const [name, text] of templates) {
      await makeFolders(dirname(join(dir, name)));
      await writeFile(join(dir, name), withoutMarks(text), { mode: 0o600 });
    }
    const env = { VAULT_ADDR: 'https://vault.example:8200', VAULT_TOKEN: 'x', AWS_REGION: 'us-east-1' };
    const { loadConfig } = await import('../config/load.ts');
    const config = await loadConfig({ paths: [path], env, kinds: BACKEND_KINDS, cwd: dir });
    await planOf(config, 0);
    return [];
  } catch (error) {
    const all = error instanceof ConfigProblemsError ? await allProblems(error) : error;
    if (all instanceof ProblemsError) {
      const shown = isWritten ? formatFailure : (one: Failure) => formatAtSource(one, sources);
      return all.failures.map((one) => shown(one).replaceAll(`${dir}/`, ''));
    }
    if (all instanceof PannierError) return [all.message.replaceAll(`${dir}/`, '')];
    throw all;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A failure with the place of what its part of the result was made of, where that is known. */
function formatAtSource({ at: _at, ...failed }: Failure, sources: Imported['sources']): string {
  const known = [...sources.keys()].filter((key) => `${failed.place}.`.replace(/,/g, '.').startsWith(`${key}.`));
  const [nearest] = known.sort((a, b) => b.length - a.length);
  return `${nearest === undefined ? 'in the result' : sources.get(nearest)}: ${formatFailure(failed)}`;
}
