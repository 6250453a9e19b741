import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fail } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import type { Config } from '../../config/config.ts';
import { DEFAULT_FILE, lookForDefaultFile } from '../../config/load/default-file.ts';
import { readConfig } from '../setup.ts';

/** An agent that runs in the same PID namespace. */
interface RunningAgent {
  readonly pid: number;
  /** The paths behind `-c`, else in its PANNIER_CONFIG, else its `pannier.yaml`; empty when none can be seen. */
  readonly configs: readonly string[];
}

/** Looks for agents that run, and whether one with another configuration publishes to a directory of this one. */
export async function checkAgents(examination: Examination, config: Config): Promise<void> {
  await examination.run('agents', 'process', async () => {
    const agents = await findAgents();
    const own = new Set([...config.files, ...config.folders]);
    const dirs = new Map([...config.outputs.values()].map(({ dir, name }) => [dir, name]));
    const others = agents.filter(({ configs }) => configs.length > 0 && !configs.every((path) => own.has(path)));
    for (const { pid, configs } of others) {
      const other = await readConfig({ config: configs }).catch(() => undefined);
      for (const { dir } of other?.outputs.values() ?? []) {
        const name = dirs.get(dir);
        if (name === undefined) continue;
        const seen = `another agent, process ${pid}, publishes to ${dir} by another configuration`;
        const hint = 'Stop one of the two, or give each a directory of its own.';
        throw fail('OUTPUT_OCCUPIED', `outputs.${name}.dir`, seen, { hint });
      }
    }
    return agents.length === 0
      ? 'no agent runs here'
      : `running here: process ${agents.map(({ pid }) => pid).join(', process ')}`;
  });
}

/** Agents by their command lines in /proc; none where there is no /proc. */
async function findAgents(): Promise<readonly RunningAgent[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.filter((pid) => pid !== process.pid).map(agentOf));
  return found.filter((agent) => agent !== undefined);
}

async function agentOf(pid: number): Promise<RunningAgent | undefined> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const argv = line.split('\0').slice(0, 200);
  const at = argv.slice(0, 4).findIndex((word) => /^pannier(?:\.js)?$/.test(basename(word)));
  const command = at === -1 ? undefined : argv[at + 1];
  if (command !== 'run' && command !== 'exec') return undefined;
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (cwd === undefined) return { pid, configs: [] };
  const end = argv.indexOf('--', at);
  const named = namedIn(argv.slice(at + 2, end === -1 ? undefined : end));
  const paths = named.length > 0 ? named : await unnamedOf(pid, cwd);
  return { pid, configs: paths.map((path) => resolve(cwd, path)) };
}

/** The values of `-c`, in each way to write it. */
function namedIn(args: readonly string[]): readonly string[] {
  return args.flatMap((word, index) => {
    if (word === '-c' || word === '--config') return args[index + 1] ?? [];
    return /^(?:--config=|-c)(.+)$/.exec(word)?.[1] ?? [];
  });
}

/** The configuration of an agent whose command line names none. */
async function unnamedOf(pid: number, cwd: string): Promise<readonly string[]> {
  const variables = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  const named = /(?:^|\0)PANNIER_CONFIG=([^\0]+)/.exec(variables)?.[1];
  if (named !== undefined) return named.split(':').filter((path) => path !== '');
  return (await lookForDefaultFile(cwd)) === 'own' ? [DEFAULT_FILE] : [];
}
