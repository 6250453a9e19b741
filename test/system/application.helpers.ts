import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually } from './agent.helpers.ts';

export interface Application extends AsyncDisposable {
  readonly pidFile: string;
  /** How many SIGHUPs the application got so far. */
  reloads(): number;
}

/** Starts an application beside the agent, which writes its pid file and counts its SIGHUPs. */
export async function startApplication(dir: string, name = 'app'): Promise<Application> {
  const pidFile = join(dir, `${name}.pid`);
  const countFile = join(dir, `${name}.count`);
  const program = resolve('test/fixtures/programs/counting-app.ts');
  const child = spawn(process.execPath, [program, pidFile, countFile], { stdio: 'ignore' });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  await eventually(() => {
    if (readFileSync(pidFile, 'utf8') !== `${child.pid}\n`) throw new Error('no pid file yet');
  });
  return {
    pidFile,
    reloads: () => readFileSync(countFile, 'utf8').split('\n').length - 1,
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      child.kill('SIGKILL');
    },
  };
}
