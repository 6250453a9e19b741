import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentContext } from '../../agent/context.ts';
import { planOf } from '../../agent/create-plan.ts';
import { dryRun } from '../../agent/dry-run.ts';
import { BACKEND_KINDS } from '../../backend/registry.ts';
import type { Failure } from '../../base/errors.ts';
import type { Environment } from '../../config/environment.ts';
import { EXEC_ENVIRONMENT } from '../../config/place.ts';
import type { FiledItem } from '../config/stanza.ts';
import type { Imported } from '../convert-config.ts';
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

/**
 * Renders a configuration by the program that it was written for, and its conversion by Pannier, on the same server.
 * @throws PannierError or ProblemsError
 */
export async function compareRenders(
  items: readonly FiledItem[],
  imported: Imported,
  { context, cwd, signal, ...other }: OtherOptions & { context: AgentContext; cwd: string; signal: AbortSignal },
): Promise<Comparison> {
  const { program, files: theirs } = await renderByOther(items, other);
  const dir = await mkdtemp(join(await privateFolder(), 'pannier-compare-'));
  try {
    const path = join(dir, 'pannier.yaml');
    await writeFile(path, imported.yaml, { mode: 0o600 });
    const { loadConfig } = await import('../../config/load.ts');
    const config = await loadConfig({ paths: [path], env: other.env as Environment, kinds: BACKEND_KINDS, cwd });
    const plan = await planOf(config, 0);
    const { outputs, failures } = await dryRun(plan, context, { timeoutMs: other.timeoutMs, signal });
    const renders = new Map<string, ComparedRender>(
      [...theirs].map(([name, bytes]) => [name, { ...NOTHING, name, theirs: bytes }]),
    );
    for (const { output, files, masked } of outputs) {
      for (const [file, ours] of files) {
        const name = output.name === EXEC_ENVIRONMENT ? `exec.env.${file}` : join(output.dir, file);
        renders.set(name, { ...NOTHING, ...renders.get(name), name, ours, masked: masked.get(file) });
      }
    }
    return { renders: [...renders.values()], program, failures };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const NOTHING = { theirs: undefined, ours: undefined, masked: undefined };
