import { dirname } from 'node:path';
import { loadMain } from './load-main.ts';
import type * as Probe from './probe.ts';
import { startOver } from './start-over.ts';

/**
 * The first lines of the single executable, which scripts/sea.ts makes: it does what bin.ts does, with its own Node and
 * all of `dist` inside it as assets.
 */
process.on('SIGUSR1', () => {});

Reflect.deleteProperty(Object.prototype, '__proto__');

startOver(process.argv.slice(2));

const { getRawAsset, getAssetKeys } = process.getBuiltinModule('node:sea');
const { compileFunction } = process.getBuiltinModule('node:vm');
const place = dirname(process.execPath);
const requireOfNode = process.getBuiltinModule('node:module').createRequire(process.execPath);

const asset = (name: string): Buffer => Buffer.from(getRawAsset(name));
const text = (name: string): string => asset(name).toString('latin1');

const loaded = new Map<string, { exports: object }>();

/** Loads a module of Node, or a script of `dist` (`./NAME`), which is an asset of the executable. */
function load(name: string): unknown {
  if (!name.startsWith('./')) return requireOfNode(name);
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  loaded.set(name, module);
  const code = compileFunction(text(name.slice(2)), ['exports', 'require', 'module'], { filename: `${place}/${name}` });
  code(module.exports, load, module);
  return module.exports;
}

const probing =
  process.argv[2] === 'probe' ? (load('./probe.cjs') as typeof Probe).quickProbe(process.argv.slice(3)) : undefined;
if (probing === undefined) runMain();
else void probing.then((status) => process.exit(status));

function runMain(): void {
  const keys = new Set(getAssetKeys());
  const bytecode = (name: string) => (keys.has(`${name}.bytecode`) ? asset(`${name}.bytecode`) : undefined);
  void loadMain({ folder: place, text: (name) => text(`${name}.js`), bytecode, require: load }).main();
}
