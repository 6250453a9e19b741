/** One server as a child process that never outlives the test process, however that process ends. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface ServerProcessOptions {
  /** The server's name in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The server's whole environment; it gets none of the test's variables. */
  readonly env: Readonly<Record<string, string>>;
  /** File to which stdout and stderr are appended, over restarts too. */
  readonly logFile: string;
  /** The server's working directory. Removed when the test process ends without stopping the server. */
  readonly dir: string;
  /** Ends the server at once, without leaving shared memory or the like behind. */
  readonly endSignal: NodeJS.Signals;
  /** Numeric user and group to run as; only root may set it. */
  readonly runAs?: number | undefined;
}

/**
 * A started child. It writes to a file rather than a pipe, so a full or broken pipe cannot disturb it, and it has its
 * own process group, so Ctrl-C at the terminal reaches the test runner alone.
 *
 * A watchdog shell ends the server with the test process, also after a crash or SIGKILL: the shell reads a pipe that
 * only the test process holds open, and when the pipe closes it ends the server and removes `dir`.
 */
export class ServerProcess {
  readonly pid: number;
  readonly #options: ServerProcessOptions;
  readonly #child: ChildProcess;
  readonly #watchdog: ChildProcess;
  readonly #ended: Promise<void>;
  #isRunning = true;

  /** Throws when the command cannot be started at all (missing, not executable, not readable for `runAs`). */
  constructor(options: ServerProcessOptions) {
    this.#options = options;
    const log = openSync(options.logFile, 'a', 0o600);
    try {
      this.#child = spawn(options.command, options.args, {
        cwd: options.dir,
        env: options.env,
        stdio: ['ignore', log, log],
        detached: true,
        ...(options.runAs === undefined ? {} : { uid: options.runAs, gid: options.runAs }),
      });
    } finally {
      closeSync(log);
    }
    this.#child.on('error', () => undefined); // Reported below, or by the wait for readiness, which fails.
    if (this.#child.pid === undefined) throw new Error(`${options.name}: ${options.command} cannot be started`);
    this.pid = this.#child.pid;
    this.#watchdog = startWatchdog(this.pid, options);
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => {
        this.#isRunning = false;
        this.#watchdog.kill('SIGKILL');
        resolve();
      });
    });
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Everything the server has written so far, over all its starts. */
  log(): string {
    return readFileSync(this.#options.logFile, 'utf8');
  }

  /** Sends a signal to the server alone; does nothing when it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(signal);
  }

  /** Ends the server, suspended or not, and resolves when the system has reaped it. */
  async end(signal: NodeJS.Signals = this.#options.endSignal): Promise<void> {
    this.signal(signal);
    this.signal('SIGCONT');
    await this.#ended;
  }

  /**
   * Resolves when `isReady` first answers true. Rejects with the end of the log when the server exits before that or
   * `timeoutMs` passes.
   */
  async waitUntil(isReady: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await isReady())) {
      if (!this.isRunning) throw new Error(`${this.#options.name} ended while starting:\n${this.log().slice(-2000)}`);
      if (performance.now() > deadline) {
        throw new Error(`${this.#options.name} was not ready in ${timeoutMs} ms:\n${this.log().slice(-2000)}`);
      }
      await sleep(15);
    }
  }
}

/** Resolves when the system has stopped a process that SIGSTOP was sent to: until then it may still answer. */
export async function untilStopped(pid: number): Promise<void> {
  for (;;) {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]);
    if (stdout.startsWith('T')) return;
    await sleep(10);
  }
}

function startWatchdog(pid: number, { endSignal, dir }: ServerProcessOptions): ChildProcess {
  const script = `trap '' INT TERM HUP; read -r _; kill -s "$1" "$2"; kill -s CONT "$2"; sleep 0.3; rm -rf "$3"`;
  const watchdog = spawn('/bin/sh', ['-c', script, 'watchdog', endSignal.slice('SIG'.length), String(pid), dir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watchdog.unref();
  const pipe = watchdog.stdin as (NodeJS.WritableStream & { unref?(): void }) | null;
  pipe?.unref?.();
  pipe?.on('error', () => undefined); // Nothing is written to the pipe; a watchdog that ends may still reset it.
  return watchdog;
}
