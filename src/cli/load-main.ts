import type { Script } from 'node:vm';
import type * as Main from './main.ts';

/** What `scripts/chunks.ts` makes of a chunk: a function that returns its exports. */
type Chunk = (require: Require, later: (name: string) => Promise<object>, __dirname: string) => object;

type Require = (name: string) => unknown;

/** Where the scripts of the build are read from. */
export interface Dist {
  /** The folder, also where there is none and the scripts lie in the executable. */
  readonly folder: string;
  readonly text: (script: string) => string;
  /** Of an earlier run, if there is any of this script for this Node on this processor. */
  readonly bytecode: (script: string) => Buffer | undefined;
  /** What is no chunk: Node's own modules, and the scripts that are CommonJS modules. */
  readonly require: Require;
  /** Called with each script that was compiled. */
  readonly onCompile?: (script: string, compiled: Script) => void;
}

/**
 * Loads `main.js`, up to what it exports. Chunks in other scripts are loaded when they are required for the first time,
 * and each only once: all meet the same classes.
 */
export function loadMain(dist: Dist): Pick<typeof Main, 'main' | 'library'> {
  const scripts = new Map<string, Readonly<Record<string, Chunk>>>();
  const loaded = new Map<string, object>();
  const load = (name: string): unknown => {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const [, script, number] = /^\.\/(\w+)\.js#(\d+)$/.exec(name) ?? [];
    if (script === undefined || number === undefined) return dist.require(name);
    let chunks = scripts.get(script);
    if (chunks === undefined) {
      const compiled = compileScript(dist, script);
      dist.onCompile?.(script, compiled);
      chunks = compiled.runInThisContext() as Readonly<Record<string, Chunk>>;
      scripts.set(script, chunks);
    }
    const exports = chunks[number]?.(load, later, dist.folder) ?? {};
    loaded.set(name, exports);
    return exports;
  };
  // What `import()` became, so that a chunk is evaluated no earlier than an import would be.
  const later = (name: string) => Promise.resolve().then(() => namespaceOf(load(name) as object));
  return load(MAIN) as typeof Main;
}

/** The chunk of main.ts. */
const MAIN = './main.js#0';

/** A library of CommonJS has one export, its default: for `import()` its members are exports as well. */
function namespaceOf(exports: object): object {
  const { default: library, ...others } = exports as { readonly default?: object };
  if (library !== undefined && Object.keys(others).length === 0) return { ...library, default: library };
  return exports;
}

/**
 * Compiles a script. V8 takes the bytecode of an earlier run instead, if it is of the same V8 with the same flags and
 * of a source as long as this one; else it is as if there were none.
 */
export function compileScript({ folder, text, bytecode }: Omit<Dist, 'require'>, script: string): Script {
  const { constants, Script } = process.getBuiltinModule('node:vm');
  const cachedData = bytecode(script);
  return new Script(text(script), {
    filename: `${folder}/${script}.js`,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
}

/**
 * The `dist` folder of a build. Nothing writes bytecode at run time, and it lies where the scripts do and not, as
 * Node's own compile cache, in a folder for temporary files: whoever could plant other bytecode could as well change a
 * script.
 */
export function distFolder(folder: string, build: string): Dist {
  const { readFileSync } = process.getBuiltinModule('node:fs');
  return {
    folder,
    text: (script) => readFileSync(`${folder}/${script}.js`, 'latin1'),
    bytecode(script) {
      try {
        return readFileSync(bytecodeFile(folder, script, build));
      } catch {
        return undefined;
      }
    },
    require: process.getBuiltinModule('node:module').createRequire(`${folder}/main.js`),
  };
}

/** @param build a hash of all scripts: bytecode never meets another build. */
export function bytecodeFile(folder: string, script: string, build: string): string {
  return `${folder}/${script}-${build}-${process.version}-${process.arch}.bytecode`;
}
