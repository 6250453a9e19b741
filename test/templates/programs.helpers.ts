/** Programs that read what a builtin wrote. */
import { run } from '../render/formats/installed.helpers.ts';

export { pythonPackage, run, withPaths } from '../render/formats/installed.helpers.ts';

/** Whether a program is on PATH, started with arguments that only make it tell about itself. */
export async function isHere(program: string, ...args: readonly string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    (error: { code?: unknown }) => error.code !== 'ENOENT',
  );
}

/** What a Python script prints as JSON; the paths are its arguments. */
export async function python<T>(script: string, ...args: readonly string[]): Promise<T> {
  const { stdout } = await run('python3', ['-c', `import sys, json\n${script}`, ...args], { maxBuffer: 1 << 28 });
  return JSON.parse(stdout) as T;
}
