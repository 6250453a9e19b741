/**
 * Preloaded (`node --require`) into a process whose work is counted. At its end it writes what was counted to the path
 * in COUNTED_TO; with an IPC channel it answers each message with the number of event-loop turns so far.
 */
const fs = require('node:fs');
const { basename, dirname, sep } = require('node:path');
const { performance } = require('node:perf_hooks');

const dist = dirname(process.argv[1] ?? '') + sep;
const { readFileSync } = fs;
let distBytes = 0;
const scripts = [];
fs.readFileSync = (path, ...rest) => {
  const content = readFileSync(path, ...rest);
  if (typeof path === 'string' && path.startsWith(dist)) {
    distBytes += Buffer.byteLength(content, 'latin1');
    if (path.endsWith('.js')) scripts.push(basename(path));
  }
  return content;
};
const turns = () => performance.nodeTiming.uvMetricsInfo.loopCount;

process.on('exit', () => {
  const nodeModules = process.moduleLoadList.filter((name) => name.startsWith('NativeModule ')).length;
  const { COUNTED_TO } = process.env;
  if (COUNTED_TO !== undefined)
    fs.writeFileSync(COUNTED_TO, JSON.stringify({ distBytes, scripts, nodeModules, turns: turns() }));
});

if (process.channel !== undefined) {
  process.on('message', () => process.send?.(turns()));
  process.channel.unref();
}
