import { fail, PannierError } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import { findProgram } from '../../base/find-program.ts';
import type { Config, HttpReloadConfig, ReloadConfig, SignalReloadConfig } from '../../config/config.ts';
import { readEnvironment } from '../../config/environment.ts';
import { connect } from '../../http/connect.ts';
import { describeWire, WireError } from '../../http/wire-error.ts';

/** Looks at what checks, reloads and verifies, and at the command of exec, without doing either. */
export async function checkCommands(examination: Examination, { outputs, exec }: Config): Promise<void> {
  for (const { reload, check, verify } of outputs.values()) {
    if (check !== undefined) await checkStep(examination, 'check', check);
    for (const step of reload) await checkStep(examination, 'reload', step);
    if (verify !== undefined) await checkStep(examination, 'verify', verify.ask);
  }
  const [program] = exec.command ?? [];
  if (program !== undefined) {
    const place = 'exec.command';
    await examination.run('exec', place, () =>
      findProgram(program, readEnvironment(), { code: 'EXEC_NOT_STARTED', place }),
    );
  }
}

async function checkStep(examination: Examination, name: string, step: ReloadConfig): Promise<void> {
  const { place } = step;
  const look = lookFor(step);
  if (look !== undefined) await examination.run(name, place, look);
  else examination.skip(name, place, 'the application is the child of pannier exec, which does not run here');
}

/** How to find what a step needs; undefined when it is the child of exec. */
function lookFor(step: ReloadConfig): ((signal: AbortSignal) => Promise<string>) | undefined {
  if (step.kind === 'restart') return undefined;
  if (step.kind === 'command')
    return () =>
      findProgram(step.argv[0] ?? '', readEnvironment(), { code: 'RELOAD_COMMAND_MISSING', place: step.place });
  if (step.kind === 'http') return (signal) => findServer(step, signal);
  return 'child' in step ? undefined : () => findProcess(step);
}

/** The processes that would get the signal; whether they may get it is asked with signal 0, which does nothing. */
async function findProcess(step: Exclude<SignalReloadConfig, { readonly child: true }>): Promise<string> {
  // By a module that an agent's reload is behind as well: a chunk of their own would make each start a little dearer.
  const { findProcesses, readPidFile } = await import('../render.ts');
  const { place, name } = step;
  const found =
    'process' in step ? await findProcesses(step.process, step.all, place) : await readPidFile(step.pidFile, place);
  if ('failure' in found) throw new PannierError(found.failure);
  const pids = 'pids' in found ? found.pids : [found.pid];
  for (const pid of pids) {
    try {
      process.kill(pid, 0);
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === 'ESRCH';
      if (isGone) throw fail('RELOAD_NO_PROCESS', place, `there is no process ${pid}`);
      throw fail('RELOAD_NOT_PERMITTED', place, `Pannier may not send ${name} to process ${pid}`);
    }
  }
  return `${name} can be sent to process ${pids.join(', ')}`;
}

/** Whether something listens where the request would go; the request itself is not sent. */
async function findServer({ place, url, socket }: HttpReloadConfig, signal: AbortSignal): Promise<string> {
  const { hostname, port, protocol } = new URL(url);
  const standard = protocol === 'https:' ? 443 : 80;
  const host = hostname.replace(/^\[|\]$/g, '');
  const where = socket === undefined ? { host, port: port === '' ? standard : Number(port) } : { path: socket };
  const shown = socket ?? `${host}:${port || standard}`;
  await connect(where, signal, (error) => {
    const { seen } = describeWire(new WireError(error, { stale: false, midway: false }).code);
    return fail('RELOAD_HTTP_UNREACHABLE', place, `${seen} at ${shown}`);
  });
  return `a process listens on ${shown}`;
}
