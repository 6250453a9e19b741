import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { allProblems, planOf } from '../agent/create-plan.ts';
import { BACKEND_KINDS } from '../backend/registry.ts';
import { formatFailure, PannierError, ProblemsError } from '../base/errors.ts';
import { ConfigProblemsError } from '../config/problems/config-problems.ts';
import type { Imported } from './convert-config.ts';

/** Stands for what a variable or a file of the machine would give, which may not be there now. */
const REFERENCE = /(?<!\$)\$\{(?:env|file):[^}]*\}/g;

/**
 * What `pannier validate` will say of a configuration, when the variables and files that it names are there. It is read
 * from a directory of its own, without the values of variables.
 */
export async function problemsOfResult({ yaml, templates }: Imported): Promise<readonly string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'pannier-import-'));
  try {
    const path = join(dir, 'pannier.yaml');
    await writeFile(path, yaml.replace(REFERENCE, 'x'), { mode: 0o600 });
    for (const [name, text] of templates) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), text, { mode: 0o600 });
    }
    const env = { VAULT_ADDR: 'https://vault.example:8200', VAULT_TOKEN: 'x', AWS_REGION: 'us-east-1' };
    const { loadConfig } = await import('../config/load.ts');
    const config = await loadConfig({ paths: [path], env, kinds: BACKEND_KINDS, cwd: dir });
    await planOf(config, 0);
    return [];
  } catch (error) {
    const all = error instanceof ConfigProblemsError ? await allProblems(error) : error;
    if (all instanceof ProblemsError) return all.failures.map((one) => formatFailure(one).replaceAll(`${dir}/`, ''));
    if (all instanceof PannierError) return [all.message.replaceAll(`${dir}/`, '')];
    throw all;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
