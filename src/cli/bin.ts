#!/usr/bin/env node
import { compileMain, evaluateMain, readBytecode } from './load-main.ts';
import { startOverWithoutNodeDebug } from './start-over.ts';

/** A hash of `main.js`, put in by the bundler. */
declare const PANNIER_BUILD: string;

// Before anything else: with a listener, SIGUSR1 does not open Node's inspector, which would show every value.
process.on('SIGUSR1', () => {});

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(`pannier needs Node 22.22 or newer; this is ${process.versions.node}\n`);
  process.exit(2);
}

// The command line is ours then, so a flag keeps the inspector shut from the start.
startOverWithoutNodeDebug([...process.execArgv, '--disable-sigusr1', ...process.argv.slice(1)]);

// Compiled here and not imported: an older Node would fail on the syntax in there before it reaches the lines above,
// and only this way does V8 take the bytecode that the build left beside it, which is half of the start.
const dist = import.meta.dirname;
const { main } = evaluateMain(compileMain(dist, readBytecode(dist, PANNIER_BUILD)), dist);
void main();
