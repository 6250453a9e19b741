/** Runs programs that read the files of builtin templates. */
import { run } from '../render/formats/installed.helpers.ts';

export { pythonPackage, run, withPaths } from '../render/formats/installed.helpers.ts';

/** Whether a program is on PATH. The arguments must make it print something about itself and end. */
export async function isHere(program: string, ...args: readonly string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    (error: { code?: unknown }) => error.code !== 'ENOENT',
  );
}

/** Runs a Python script with arguments, and parses the JSON that it prints. */
export async function python<T>(script: string, ...args: readonly string[]): Promise<T> {
  const { stdout } = await run('python3', ['-c', `import sys, json\n${script}`, ...args], { maxBuffer: 1 << 28 });
  return JSON.parse(stdout) as T;
}
