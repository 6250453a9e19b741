#!/usr/bin/env node
import { distFolder, loadMain } from './load-main.ts';
import type * as Probe from './probe.ts';
import { startOver } from './start-over.ts';

/** A hash of the scripts, put in by the bundler. */
declare const PANNIER_BUILD: string;

/** The bundler makes a script of this. */
declare const require: (name: string) => unknown;

// Before anything else: with a listener, SIGUSR1 does not open Node's inspector, which would show every value.
process.on('SIGUSR1', () => {});

// No library of ours needs it, and with it a key `__proto__` of foreign data could change every object.
Reflect.deleteProperty(Object.prototype, '__proto__');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(`pannier needs Node 22.22 or newer; this is ${process.versions.node}\n`);
  process.exit(2);
}

// The command line is ours then, so a flag keeps the inspector shut from the start.
startOver([...process.execArgv, '--disable-sigusr1', ...process.argv.slice(1)]);

// Health is asked every few seconds: what asks for it is a small script of its own.
const probing =
  process.argv[2] === 'probe' ? (require('./probe.cjs') as typeof Probe).quickProbe(process.argv.slice(3)) : undefined;
if (probing === undefined) runMain();
else void probing.then((status) => process.exit(status));

// Compiled here and not imported: an older Node would fail on the syntax in there before it reaches the lines above,
// and only this way does V8 take the bytecode that the build left beside it, which is half of the start.
function runMain(): void {
  void loadMain(distFolder(import.meta.dirname, PANNIER_BUILD)).main();
}
