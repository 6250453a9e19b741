import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { AgentContext } from '../../agent/context.ts';
import { planOf } from '../../agent/create-plan.ts';
import { dryRun } from '../../agent/dry-run.ts';
import { BACKEND_KINDS } from '../../backend/registry.ts';
import type { Failure } from '../../base/errors.ts';
import type { Environment } from '../../config/environment.ts';
import { EXEC_ENVIRONMENT } from '../../config/place.ts';
import type { FiledItem } from '../config/stanza.ts';
import type { Imported } from '../convert-config.ts';
import { withoutMarks } from '../marks.ts';
import { type OtherOptions, privateFolder, renderByOther } from './other-agent.ts';

/** One file or variable, as both sides render it; undefined on the side that does not. */
export interface ComparedRender {
  readonly name: string;
  readonly theirs: Uint8Array | undefined;
  readonly ours: Uint8Array | undefined;
  /** Ours, with a mark in the place of each value. */
  readonly masked: Uint8Array | undefined;
}

export interface Comparison {
  readonly renders: readonly ComparedRender[];
  /** The program of the other side. */
  readonly program: string;
  /** What kept Pannier from rendering. */
  readonly failures: readonly Failure[];
}

export interface ComparisonContext extends OtherOptions {
  readonly context: AgentContext;
  readonly cwd: string;
  /** Called with who renders from now on. */
  readonly onPhase?: (who: string) => void;
}

/**
 * Renders a configuration by the program that it was written for, and its conversion by Pannier, on the same server.
 * @throws PannierError or ProblemsError
 */
export async function compareRenders(
  items: readonly FiledItem[],
  imported: Imported,
  { context, cwd, onPhase, ...other }: ComparisonContext,
): Promise<Comparison> {
  onPhase?.('the other program');
  const { program, files: theirs } = await renderByOther(items, other);
  onPhase?.('Pannier');
  const dir = await mkdtemp(join(await privateFolder(), 'pannier-compare-'));
  try {
    const path = join(dir, 'pannier.yaml');
    await writeFile(path, withoutMarks(imported.yaml), { mode: 0o600 });
    const { loadConfig } = await import('../../config/load.ts');
    const config = await loadConfig({ paths: [path], env: other.env as Environment, kinds: BACKEND_KINDS, cwd });
    const plan = await planOf(config, 0);
    const { outputs, failures } = await dryRun(plan, context, { timeoutMs: other.timeoutMs, signal: other.signal });
    // Both sides begin relative paths somewhere else, and a file has one name: that of the configuration.
    const keyOf = (name: string) => (name.startsWith(VARIABLE) ? name : resolve(dir, name));
    const renders = new Map<string, ComparedRender>(
      [...theirs].map(([name, bytes]) => [keyOf(name), { ...NOTHING, name, theirs: bytes }]),
    );
    for (const { output, files, masked } of outputs) {
      for (const [file, ours] of files) {
        const isVariable = output.name === EXEC_ENVIRONMENT;
        const key = isVariable ? VARIABLE + file : join(output.dir, file);
        const known = renders.get(key);
        if (known === undefined && isVariable && imported.constants.has(file)) continue;
        const name = known?.name ?? (key.startsWith(`${dir}/`) ? relative(dir, key) : key);
        renders.set(key, { ...NOTHING, ...known, name, ours, masked: masked.get(file) });
      }
    }
    const shown = failures.map((one) => ({ ...one, seen: one.seen.replaceAll(`${dir}/`, '') }));
    return { renders: [...renders.values()], program, failures: shown };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** How a variable of the child is named. */
const VARIABLE = 'exec.env.';

const NOTHING = { theirs: undefined, ours: undefined, masked: undefined };
