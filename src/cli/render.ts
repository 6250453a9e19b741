import { join, resolve } from 'node:path';
import { type DryOutput, dryRun } from '../agent/dry-run.ts';
import type { Plan } from '../agent/plan.ts';
import { systemClock } from '../base/clock.ts';
import { exitStatus, failure, failuresOf, formatFailure, PannierError, ProblemsError } from '../base/errors.ts';
import { makeNearest, thereIsNo } from '../base/nearest.ts';
import { EXEC_ENVIRONMENT } from '../config/place.ts';
import { print, tell } from './print.ts';
import { progressOnTerminal } from './progress.ts';
import { differencesOf } from './render/difference.ts';
import type { RenderedOutput } from './render/document.ts';
import { type CommonOptions, setUp } from './setup.ts';
import { exitStatusOf, listenForStop } from './stop-signals.ts';

// For doctor, which looks for processes as a reload does.
export { findProcesses } from '../process/find-process.ts';
export { readPidFile } from '../process/pid-file.ts';

export interface RenderCommandOptions extends CommonOptions {
  readonly timeoutMs: number;
  /** Names of outputs; all when empty. */
  readonly output: readonly string[];
  /** Shows values instead of marks. */
  readonly reveal: boolean;
  /** Shows what would change in the published files. */
  readonly diff: boolean;
  /** With `diff`: says by the exit status whether something would change. */
  readonly exitCode?: boolean;
  /** Prints one JSON document for programs. */
  readonly json?: boolean;
  /** Writes the files below this directory instead of standard output. */
  readonly out?: string;
}

/**
 * `pannier render`: shows what `init` would publish and the child of `exec` would get, on standard output or in a
 * directory, and publishes nothing. Values are masked unless `reveal`. Returns the exit status that `init` would, or
 * WOULD_CHANGE.
 */
export async function renderCommand(options: RenderCommandOptions): Promise<number> {
  if (options.json !== true) return await renderPlain(options);
  try {
    return await renderPlain(options);
  } catch (error) {
    if (!(error instanceof ProblemsError || error instanceof PannierError)) throw error;
    const problems = failuresOf(error, 'configuration');
    await print((await import('./render/document.ts')).renderDocument([], problems, false));
    return exitStatus(problems);
  }
}

async function renderPlain(options: RenderCommandOptions): Promise<number> {
  using progress = await progressOnTerminal();
  await using setup = await setUp('render', options, progress);
  const { plan, context } = setup;
  const chosen = choose(plan, options.output);
  using stop = listenForStop();
  const { outputs, failures } = await dryRun(chosen, context, { timeoutMs: options.timeoutMs, signal: stop.signal });
  progress?.end();
  const received = stop.received();
  if (received !== undefined) return exitStatusOf(received);
  const all = [...failures];
  const rendered: RenderedOutput[] = [];
  for (const dry of outputs) {
    try {
      if (options.out !== undefined) await write(dry, options.out, options.reveal);
      const isCompared = options.diff && !isEnvironment(dry);
      rendered.push({ dry, differences: isCompared ? await differencesOf(dry, options.reveal) : undefined });
    } catch (error) {
      all.push(...failuresOf(error, `outputs.${dry.output.name}`));
    }
  }
  if (options.json === true) {
    await print((await import('./render/document.ts')).renderDocument(rendered, all, options.reveal));
  } else {
    for (const { dry, differences = [] } of rendered) {
      if (options.diff) await print(differences.map(({ text }) => text).join(''));
      else if (options.out === undefined) await print(show(dry, options.reveal));
    }
    for (const failed of all) tell(`render: ${formatFailure(failed)}\n`);
  }
  if (all.length > 0) return exitStatus(all);
  const isChanged = rendered.some(({ differences = [] }) => differences.some(({ change }) => change !== 'same'));
  return isChanged && options.exitCode === true ? WOULD_CHANGE : 0;
}

/** A status that no failure has. */
const WOULD_CHANGE = 5;

/** The plan with these outputs only. @throws PannierError CONFIG_INVALID when an output is not configured. */
function choose(plan: Plan, names: readonly string[]): Plan {
  if (names.length === 0) return plan;
  const { env, ...rest } = plan;
  const known = new Set([...plan.config.outputs.keys(), ...(env === undefined ? [] : [EXEC_ENVIRONMENT])]);
  for (const name of names) {
    if (known.has(name)) continue;
    const seen = thereIsNo('output', name, makeNearest(known)(name));
    const hint = known.size === 0 ? 'Add it to outputs.' : `Configured: ${[...known].slice(0, 10).join(', ')}.`;
    throw new PannierError(failure('CONFIG_INVALID', `--output ${name}`, seen, { hint }));
  }
  const outputs = plan.outputs.filter(({ output }) => names.includes(output.name));
  return { ...rest, outputs, ...(env !== undefined && names.includes(EXEC_ENVIRONMENT) ? { env } : {}) };
}

/** Variables are not published, so `--diff` has nothing to compare them with. */
const isEnvironment = ({ output }: DryOutput): boolean => output.name === EXEC_ENVIRONMENT;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Each file below a line with its path, as `head` and `tail` print it. */
function show({ output, files, masked }: DryOutput, reveal: boolean): string {
  const parts = [...(reveal ? files : masked)].map(([name, bytes]) => {
    let text: string;
    try {
      text = strictUtf8.decode(bytes);
    } catch {
      text = `(${bytes.length} bytes that are not text; --out writes them)`;
    }
    return `==> ${join(output.dir, name)} <==\n${text}${text === '' || text.endsWith('\n') ? '' : '\n'}\n`;
  });
  return parts.join('');
}

/** Writes `OUT/OUTPUT/FILE` as an output is published: all files at once, readable for the owner only. */
async function write({ output, files, masked }: DryOutput, out: string, reveal: boolean): Promise<void> {
  const { createFileSink } = await import('../deliver/file/file-sink.ts');
  const { uid, gid, dirMode, ...rest } = output;
  const plain = new Map([...output.files].map(([name, { place, content }]) => [name, { place, content }]));
  const dir = resolve(out, output.name);
  const sink = createFileSink({ ...rest, dir, mode: 0o400, requireTmpfs: false, files: plain }, systemClock);
  await sink.recover();
  const staged = await sink.stage(reveal ? files : masked);
  if (typeof staged !== 'string') await staged.commit();
}
