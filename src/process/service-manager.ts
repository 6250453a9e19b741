import type { Clock } from '../base/clock.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { Environment } from '../config/environment.ts';
import { type CommandOutcome, runCommand } from './command.ts';
import { commandEnvironment } from './command-environment.ts';

/** The service manager that started Pannier and is kept informed about its state: systemd, by sd_notify(3). */
export interface ServiceManager extends AsyncDisposable {
  /** Everything is published for the first time. Later calls send nothing. */
  ready(): void;
  /** Pannier begins to apply another configuration. Sends nothing before `ready`. */
  reloading(): void;
  /** The other configuration was applied or refused. Sends nothing before `ready`. */
  reloaded(): void;
  /** Pannier begins to stop. */
  stopping(): void;
}

export interface ServiceManagerOptions {
  readonly env: Environment;
  readonly clock: Clock;
  /** Whether Pannier made progress within this time; asked before each watchdog message. */
  readonly isAlive: (withinMs: number) => boolean;
  /** Called once, when a message could not be sent; no further one is tried. */
  readonly warn: (warning: Failure) => void;
}

/** `systemd-notify` waits until the manager has read the message; Pannier must not wait for a manager that does not. */
const SEND_MS = 2_000;
const NEVER = new AbortController().signal;

/**
 * The service manager that NOTIFY_SOCKET names, or undefined when there is none.
 *
 * Node has no unix datagram sockets, so each message is sent by `systemd-notify`; see docs/decisions. Messages are sent
 * one after the other. With WATCHDOG_USEC a watchdog message is sent each half of that time, as long as `isAlive`.
 */
export function findServiceManager(options: ServiceManagerOptions): ServiceManager | undefined {
  return (options.env['NOTIFY_SOCKET'] ?? '') === '' ? undefined : new Systemd(options);
}

class Systemd implements ServiceManager {
  readonly #options: ServiceManagerOptions;
  readonly #env: Environment;
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isReady = false;
  #hasFailed = false;
  #stopWatchdog = () => {};

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    const { env } = options;
    this.#env = commandEnvironment(env, { NOTIFY_SOCKET: env['NOTIFY_SOCKET'] ?? '' });
    const watchdogMs = watchdogOf(env);
    if (watchdogMs !== undefined) this.#planWatchdog(watchdogMs);
  }

  ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#send('READY=1');
  }

  reloading(): void {
    const now = process.hrtime.bigint() / 1000n; // CLOCK_MONOTONIC
    if (this.#isReady) this.#send('RELOADING=1', `MONOTONIC_USEC=${now}`);
  }

  reloaded(): void {
    if (this.#isReady) this.#send('READY=1');
  }

  stopping(): void {
    this.#send('STOPPING=1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopWatchdog();
    await this.#queue;
  }

  #planWatchdog(watchdogMs: number): void {
    this.#stopWatchdog = this.#options.clock.after(watchdogMs / 2, () => {
      // While messages wait, the last watchdog message may still be among them.
      if (this.#waiting === 0 && this.#options.isAlive(watchdogMs)) this.#send('WATCHDOG=1');
      this.#planWatchdog(watchdogMs);
    });
  }

  #send(...message: readonly string[]): void {
    this.#waiting++;
    this.#queue = this.#queue.then(async () => {
      if (!this.#hasFailed) {
        const command = { argv: ['systemd-notify', ...message], env: this.#env, timeoutMs: SEND_MS };
        this.#check(await runCommand(command, NEVER));
      }
      this.#waiting--;
    });
  }

  #check(outcome: CommandOutcome): void {
    if (outcome.kind === 'ended' && outcome.status === 0) return;
    const seen =
      outcome.kind === 'not-started'
        ? `systemd-notify cannot be started (${outcome.errno})`
        : 'systemd-notify could not send a message';
    this.#hasFailed = true;
    this.#options.warn(failure('AGENT_NOTIFY', 'NOTIFY_SOCKET', seen));
  }
}

/** The time of the watchdog; undefined without one, or when it watches another process. */
function watchdogOf(env: Environment): number | undefined {
  const ms = Number(env['WATCHDOG_USEC'] ?? '') / 1000;
  const pid = env['WATCHDOG_PID'] ?? '';
  return ms > 0 && Number.isFinite(ms) && (pid === '' || pid === String(process.pid)) ? ms : undefined;
}
