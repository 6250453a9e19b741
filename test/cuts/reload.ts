import { type Cut, cutIn } from './cut.ts';

const loop = cutIn('src/agent/output/loop.ts');
const takeUp = cutIn('src/agent/output/take-up.ts');
const publisher = cutIn('src/agent/output/publisher.ts');
const round = cutIn('src/agent/output/reload-round.ts');
const mark = cutIn('src/deliver/file/mark.ts');
const replaceFile = cutIn('src/deliver/file/replace-file.ts');
const pidFile = cutIn('src/process/pid-file.ts');
const stat = cutIn('src/process/proc-stat.ts');
const byName = cutIn('src/process/find-process.ts');

const FIRST = 'if (first && !output.reloadOnFirst)';
const YOUNGER = 'if (isYounger(stat.startTicks, bootSeconds, mtimeMs)) {';
const progress = cutIn('src/agent/output/reload-progress.ts');

export const RELOAD: readonly Cut[] = [
  publisher('first-generation-reloads-nobody', FIRST, 'if (first && generation === 0)'),
  publisher('reload-on-first', FIRST, 'if (first)'),
  publisher('replaced-generation-owed', FIRST, 'if (startedMs === 0 && !output.reloadOnFirst)'),
  mark('mark-on-disk', 'if (mark?.takenUp === generation) return undefined;', 'return undefined;'),
  mark('mark-on-disk', '.exec(buffer.toString(', '.exec(`1\\n` || buffer.toString(', { by: 'says nothing' }),
  progress('from-the-failed-step', 'step.id === this.#done[at]', 'step.id === this.#done[at + 99]'),
  progress('from-the-failed-step', 'this.#done = owed.done;', ''),
  mark('from-the-failed-step', 'mark?.begun?.generation === generation ? mark.begun', 'false ? mark.begun', {
    by: 'names the steps',
  }),
  progress('told-once', 'return this.#isTakenUp ? undefined : this.#generation;', 'return this.#generation;', {
    by: 'a first generation',
  }),
  progress('told-once', 'this.#isTakenUp = true;', 'this.#done = [];'),
  publisher('told-once', 'if (first && !output.reloadOnFirst) await this.#skipReload(generation);', '', {
    by: 'a first generation',
  }),
  round('pid-file-ends-backoff', 'this.#lookOut(step);', ''),
  cutIn('src/reload/path-look.ts')('pid-file-ends-backoff', '=== this.#before', "!== ''", { by: 'finds out when' }),
  loop(
    'owed-survives',
    'else await this.#owe(this.#published ?? this.#recovered);',
    "else this.#standing.enter({ kind: 'settled', generation: 0 });",
  ),
  replaceFile('owed-survives', 'await disk.rename(made, folder.at(own.name));', '', {
    by: 'is kept when the process ends',
  }),
  round('retried', 'retry.failed(why.retryAfterMs);', 'retry.countFailure();\n    retry.cancel();'),
  takeUp('overtaken', 'retry.at(dueMonoMs);', 'retry.failed();'),
  takeUp(
    'reload-never-fetches',
    'await this.#round?.run(generation, signal);',
    'await this.#round?.run(generation, signal);\n    for (const name of this.#deps.names()) void this.#deps.manager.refresh(name);',
  ),
  cutIn('src/agent/output/outcome.ts')(
    'init-tries-once',
    "if ('why' in state && state.why !== undefined) failures.add(state.why);",
    "if (state.kind === 'failed') failures.add(state.why);",
  ),
  cutIn('src/base/codes.ts')('init-tries-once', 'RELOAD_COMMAND_FAILED: row(1', 'RELOAD_COMMAND_FAILED: row(3'),
  cutIn('src/agent/output/publish-timer.ts')(
    'coalesced',
    'Math.min(latestMs, this.#lastChangeMs + quietMs)',
    'this.#changedSinceMs',
  ),
  cutIn('src/lease/refresh-together.ts')('coalesced', 'if (!names.has(other)) manager', 'if (false) manager', {
    by: 'ten secrets',
  }),
  pidFile(
    'pid-file-read-each-time',
    'const file = await readStart(path);',
    'const file = ((globalThis as any).start ??= await readStart(path));',
  ),
  cutIn('src/reload/signal.ts')(
    'pid-file-read-each-time',
    'const found = await find(config);',
    'const found = ((globalThis as any).found ??= await find(config));',
    { by: 'after a restart' },
  ),
  pidFile('pid-refused', 'if (pid <= 1)', 'if (pid < 1)'),
  pidFile('pid-refused', 'if (pid === process.pid)', 'if (pid === -1)'),
  pidFile('pid-refused', '!/^-?\\d+$/.test(text)', '!/^-?\\d+/.test(text)'),
  pidFile('pid-reused', YOUNGER, 'if (stat.startTicks < 0) {'),
  pidFile('pid-reused', YOUNGER, 'if (stat.startTicks < 0) {', { by: 'is not signalled' }),
  cutIn('src/agent/serve/status.ts')(
    'pid-reused-in-status',
    'const why = state.why !== undefined ? { failure',
    "const why = kind === ('none' as string) && state.why !== undefined ? { failure",
    { slow: true },
  ),
  stat('proc-stat', "text.lastIndexOf(')')", "text.indexOf(')')"),
  stat('proc-stat', 'fields[22 - 3]', 'fields[21 - 3]', { by: 'a real process' }),
  byName('process-by-name', 'comm === name || exe === name', 'exe === name'),
  byName('process-by-name', 'comm === name || exe === name', 'comm === name', { by: 'one by its program' }),
  byName('several-processes', 'if (tops.size > 1 && !all) {', 'if (tops.size < 0) {'),
  byName('several-processes', 'if (tops.size > 1 && !all) {', 'if (tops.size > 1) {', { by: 'with all' }),
  pidFile('vanished-process', ': { failure: noProcess(pid, place) };', ': Promise.reject(new Error());'),
  cutIn('src/process/child.ts')(
    'vanished-process',
    "child.once('error', (error) => resolve({ kind: 'not-started', errno: errnoWord(error) }));",
    '',
    { by: 'a reload by command' },
  ),
  pidFile('pid-file-of-its-owner', 'if (!isOwn(uid) && users?.includes(uid) !== true) {', 'if (uid < 0) {'),
];
