import type { Script } from 'node:vm';
import type * as Main from './main.ts';

/**
 * What `scripts/build.ts` makes of `main.ts`: one script whose value is a function like that around a CommonJS module.
 */
type Wrapped = (exports: object, require: Require, module: { exports: object }, __dirname: string) => void;

type Require = (name: string) => unknown;

/**
 * Compiles `main.js` of a `dist` folder, or its text when that is at hand. V8 takes the bytecode of an earlier run
 * instead, if it is of the same V8 with the same flags and of a source as long as this one; else it is as if there were
 * none.
 */
export function compileMain(dist: string, bytecode?: Buffer, text?: string): Script {
  const { readFileSync } = process.getBuiltinModule('node:fs');
  const { constants, Script } = process.getBuiltinModule('node:vm');
  const filename = `${dist}/main.js`;
  return new Script(text ?? readFileSync(filename, 'latin1'), {
    filename,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(bytecode === undefined ? {} : { cachedData: bytecode }),
  });
}

/**
 * Evaluates a compiled `main.js`, up to what it exports. What it requires is in `dist`, unless somebody knows better.
 */
export function evaluateMain(
  script: Script,
  dist: string,
  require: Require = process.getBuiltinModule('node:module').createRequire(`${dist}/main.js`),
): Pick<typeof Main, 'main' | 'library'> {
  const module = { exports: {} };
  (script.runInThisContext() as Wrapped)(module.exports, require, module, dist);
  return module.exports as typeof Main;
}

/**
 * Reads the bytecode that the build made for this Node on this processor; undefined when it made none. Nothing writes
 * it at run time, and it lies where `main.js` does and not, as Node's own compile cache, in a folder for temporary
 * files: whoever could plant other bytecode could as well change `main.js`.
 */
export function readBytecode(dist: string, build: string): Buffer | undefined {
  try {
    return process.getBuiltinModule('node:fs').readFileSync(bytecodeFile(dist, build));
  } catch {
    return undefined;
  }
}

/** @param build a hash of `main.js`: its bytecode never meets another one. */
export function bytecodeFile(dist: string, build: string): string {
  return `${dist}/main-${build}-${process.version}-${process.arch}.bytecode`;
}
