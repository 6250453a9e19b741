import { held, inFile, type Section } from './promise.ts';

const loop = inFile('test/agent/output/loop.test.ts', 'an output');
const pipeline = inFile('test/agent/pipeline.test.ts', 'the pipeline');
const init = inFile('test/agent/init.test.ts', 'init');
const mark = inFile('test/deliver/file/recover.test.ts', 'the reload mark');
const pidFile = inFile('test/process/pid-file.test.ts', 'a pid file');
const reused = inFile('test/process/pid-file.test.ts', 'a reused pid');
const stat = inFile('test/process/proc-stat.test.ts', '/proc/PID/stat');
const names = inFile('test/process/find-process.test.ts', 'the processes of a name');
const signal = inFile('test/reload/signal.test.ts', 'a reload by signal');
const system = inFile('test/system/reloads.test.ts', 'reloads of a running agent');
const command = inFile('test/reload/command.test.ts', 'a reload by command');

export const reload: Section = {
  name: 'Reload',
  promises: [
    held(
      'first-generation-reloads-nobody',
      'The first generation of an output reloads nothing, since it has had no readers.',
      loop('publishes its first generation once, and reloads nothing'),
    ),
    held('reload-on-first', 'With `reloadOnFirst` it does.', loop('reloads on the first generation when asked to')),
    held(
      'replaced-generation-owed',
      'A replaced generation is always owed a reload, also on the first publish of a start.',
      loop('a generation replaced on the first publish of a start is owed a reload'),
    ),
    held(
      'mark-on-disk',
      'A mark beside the generations names the last one taken up; a reload is owed when it differs from `..data`.',
      mark('owes nothing before the first publish, then each generation until it is settled'),
      mark('that holds %j says nothing, so a reload is owed'),
    ),
    held(
      'owed-survives',
      'Neither equal bytes nor a crash can lose an owed reload.',
      loop('a reload that was owed when the last process died is done by the next one, also on equal bytes'),
      mark('is kept when the process ends'),
    ),
    held(
      'retried',
      'An owed reload is retried with backoff until it is done.',
      loop('a failed reload stays owed and is tried again with backoff; it causes no fetch'),
    ),
    held(
      'overtaken',
      'A newer generation takes the place of one whose reload is owed.',
      loop('a new generation overtakes a reload that keeps failing, at once'),
    ),
    held(
      'from-the-failed-step',
      'A retry begins at the step that failed: the steps before it are not run again, neither at once nor after a restart.',
      loop('a step that is done is not run again when a later one fails, neither here nor after a restart'),
      mark('names the steps that are done for the published generation, also to the next process'),
      system('a step that is done is not run again while a later one fails, nor by the next agent'),
    ),
    held(
      'told-once',
      'A reload that was done is not repeated because the mark cannot be written.',
      loop('its application is told once of a generation, also when the mark cannot be written'),
      loop('a first generation is not told to the application, also when the mark cannot be written'),
    ),
    held(
      'pid-file-ends-backoff',
      'A change of the pid file or socket ends the backoff.',
      loop('is reloaded at once, with a new backoff, when what the last reload failed for has changed'),
      signal('finds out when the pid file that it failed for appears or is replaced'),
    ),
    held(
      'reload-never-fetches',
      'A reload never causes a fetch.',
      loop('a failed reload stays owed and is tried again with backoff; it causes no fetch'),
    ),
    held(
      'init-tries-once',
      '`init` tries an owed reload once; when it fails, it stays owed and `init` exits with 1.',
      init('tries an owed reload once; a failing one stays owed and ends with status 1'),
    ),
    held(
      'coalesced',
      'Ten secrets that change together are one generation and one reload.',
      loop('waits for the quiet period: secrets changed together are one generation and one reload'),
      pipeline('ten secrets changed together are one generation and one reload, although one alone was due'),
    ),
    held(
      'pid-file-read-each-time',
      'The pid file is read at each signal.',
      pidFile('is read anew each time'),
      signal('reaches the new process after a restart of the application'),
    ),
    held(
      'pid-refused',
      "A pid file that names a pid ≤ 1 or the agent's own, or holds no plain number, is refused.",
      pidFile('that holds %j is %s'),
      signal('a pid file with %j is %s'),
    ),
    held(
      'pid-reused',
      'A process that started after its pid file was written has a reused pid, and is not signalled.',
      reused('is refused when the file was written before the process started'),
      signal('a reused pid is not signalled'),
    ),
    held(
      'pid-file-of-its-owner',
      'A pid file that belongs neither to root nor to the agent must name a process of its owner.',
      inFile(
        'test/process/pid-file.test.ts',
        'a pid file of another user',
      )('is RELOAD_PID_REFUSED when it names a process of root'),
    ),
    held(
      'proc-stat',
      'The start of a process is field 22 of `/proc/PID/stat`, counted after the last `)`.',
      stat('is counted after the last bracket: %s'),
      inFile('test/process/proc-stat.test.ts', 'on Linux')('a real process has its start time, whatever its name'),
    ),
    held(
      'pid-reused-in-status',
      'The status of the agent says that a pid was reused.',
      inFile(
        'test/system/api.test.ts',
        'the local API of a running agent',
      )('status says that the pid of an output belongs to a younger process'),
    ),
    held(
      'process-by-name',
      '`process:` matches `comm` or the basename of `exe`.',
      names('%s', 'one by comm'),
      names('%s', 'one by its program'),
      inFile(
        'test/process/find-process.test.ts',
        'on Linux',
      )(
        'a real process is found by its comm and its program, also when the program was replaced; a child of the agent is not',
      ),
    ),
    held(
      'several-processes',
      'Several processes that match are an error unless `all: true`.',
      names('%s', 'two that are not related'),
      names('are the topmost of each tree with all: true'),
    ),
    held(
      'vanished-process',
      'A process that has vanished is a failed step, not a crash.',
      signal('a process that is gone is RELOAD_NO_PROCESS'),
      command('%j is %s'),
    ),
  ],
};
