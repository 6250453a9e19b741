/**
 * `renumber.cjs DIST/NAME-….bytecode`: has V8 load the bytecode of a script, and write it again. V8 numbers all
 * functions of a process in the order in which it meets them, which differs from run to run; here it meets only these.
 * The flags of this process, which are those that the bytecode was made under, are set back to what Node starts with
 * before it is written, since V8 refuses bytecode of other flags.
 *
 * It is CommonJS, because a loader of modules, which is asynchronous, would run before it.
 */
const { readFileSync, writeFileSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { Script, constants } = require('node:vm');

const [, , file] = process.argv;
const name = basename(file).replace(/-.*/, '.js');
const script = new Script(readFileSync(join(dirname(file), name), 'latin1'), {
  filename: name,
  cachedData: readFileSync(file),
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
if (script.cachedDataRejected) throw new Error(`V8 refuses ${file}`);
for (const flag of ['--hash-seed=0', '--random-seed=0', '--flush-bytecode', '--baseline-batch-compilation']) {
  setFlagsFromString(flag);
}
writeFileSync(file, script.createCachedData());
