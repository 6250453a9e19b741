import { type Cut, cutIn } from './cut.ts';

const supervised = cutIn('src/process/supervised-child.ts');
const child = cutIn('src/process/child.ts');
const sink = cutIn('src/deliver/env/env-sink.ts');
const execution = cutIn('src/agent/execution.ts');
const run = cutIn('src/agent/run.ts');
const forward = cutIn('src/cli/forward-signals.ts');
const command = cutIn('src/cli/exec.ts');

export const EXEC: readonly Cut[] = [
  run('child-starts-when-all-is-there', 'if (signal.aborted || !areAllPublished(pipeline)) return;', ''),
  run('child-starts-when-all-is-there', 'if (execution !== undefined && pipeline.outputs.areBehind()) return;', ''),
  cutIn('src/agent/output/loop.ts')(
    'child-new-before-old',
    "if (result.kind === 'failed') return void this.#failed(result.why);",
    "if (result.kind === 'failed') {\n        void this.#options.reloads[0]?.run(99, new AbortController().signal);\n        return void this.#failed(result.why);\n      }",
  ),
  cutIn('src/config/sections/exec/resolve.ts')('child-one-restart', 'msOf(shape.quiet) ?? QUIET_MS', '1'),
  cutIn('src/reload/child-step.ts')(
    'child-one-restart',
    'child.hasRead(wanted) ? undefined : act(child, wanted)',
    'act(child, wanted)',
    { by: 'after the generation was published' },
  ),
  supervised('child-one-restart', 'await this.#deps.untilSettled?.(wanted?.output);', '', {
    by: 'of files and variables',
  }),
  supervised('child-one-restart', 'if (run.isReplaced) {', 'if (this.#starts < 0) {', { by: 'two restarts' }),
  supervised('child-never-two', 'await this.#endGroup(run);\n      if (retryInMs', 'if (retryInMs'),
  child('child-killed-after-grace', "this.signalAll('SIGKILL');", ''),
  supervised('child-killed-after-grace', 'void run.child.goneWithin(graceMs,', 'void run.child.goneWithin(30_000,', {
    by: 'ignores the stop',
  }),
  execution('child-database', 'variables?.byName ?? new Map()', 'new Map()', { slow: true }),
  child(
    'child-status',
    "if (end.kind === 'killed') return signalExitStatus(end.signal);",
    "if (end.kind === 'killed') return 1;",
  ),
  child('child-status', "end.errno === 'ENOENT' ? 127 : 126", '1', { by: 'status of shells' }),
  supervised(
    'child-our-exit',
    'if (!pauses && !run.isReplaced) this.#isEnding = true;',
    'if (!pauses) this.#isEnding = true;',
  ),
  supervised('child-backoff', 'exits = livedMs >= SETTLED_MS ? 1 : exits + 1;', 'exits++;'),
  supervised('child-backoff', 'run.isReplaced = true;\n    this.#pause.abort();', 'run.isReplaced = true;', {
    by: 'end the pause',
  }),
  forward('child-signals', 'if (!stops) return child.forward(signal);', 'if (!stops) return;'),
  forward('child-signals', 'if (child.isStarted) child.stop(signal);', "if (child.isStarted) child.stop('SIGHUP');", {
    by: 'ends with the child',
  }),
  child(
    'child-signals',
    'return this.#group === undefined ? this.signal(name) : signalGroup(this.#group, name);',
    'return this.signal(name);',
    {
      by: 'alone, or with all',
    },
  ),
  command('child-terminal', 'ownGroup: !onTerminal', 'ownGroup: true'),
  forward('child-terminal', 'if (onTerminal && child.isRunning && BY_TERMINAL.has(signal)) return;', '', {
    by: 'Ctrl-C',
  }),
  supervised('child-deaf', 'if (await wouldEnd(pid, name)) {', 'if (await wouldEnd(-1, name)) {'),
  supervised('child-leaves-nothing', 'if (!(await run.child.isLeft())) return;', 'return;'),
  cutIn('src/process/command-environment.ts')('child-not-our-logins', 'CREDENTIALS.has(name) || ', ''),
  cutIn('src/agent/without-tokens.ts')('child-not-our-logins', '!isToken(text)', 'true'),
  execution('child-pristine', 'pristine ? {} : inheritable', 'inheritable'),
  sink(
    'child-values-hidden',
    "'the value holds a NUL character, which no variable can hold'",
    "`holds ${value.exposeText('env')}`",
  ),
  sink(
    'child-values-hidden',
    "'the value holds a NUL character, which no variable can hold'",
    "`holds ${value.exposeText('env')}`",
    {
      by: 'names the variable',
    },
  ),
];
