import type { Clock } from '../base/clock.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { Environment } from '../config/environment.ts';
import { type CommandOutcome, runCommand } from './command.ts';
import { commandEnvironment } from './command-environment.ts';

/** Who started us and wants to know how far we are: systemd by sd_notify(3). */
export interface ServiceManager extends AsyncDisposable {
  /** Everything is published for the first time. Later calls say nothing. */
  ready(): void;
  /** A configuration is being taken, and it is done with, taken or not. Both say nothing before `ready`. */
  reloading(): void;
  reloaded(): void;
  stopping(): void;
}

export interface ServiceManagerOptions {
  readonly env: Environment;
  readonly clock: Clock;
  /** Whether work goes on; asked before each sign of life. */
  readonly isAlive: (withinMs: number) => boolean;
  /** Told once when nothing can be said. */
  readonly warn: (warning: Failure) => void;
}

/** `systemd-notify` waits until the manager has read the message; one that does not read must not hold us up. */
const SEND_MS = 2_000;
const NEVER = new AbortController().signal;

/**
 * The service manager that NOTIFY_SOCKET names, or undefined when there is none.
 *
 * Node has no unix datagram sockets, so each message is sent by `systemd-notify`; see docs/decisions. Messages go out
 * one after the other. With WATCHDOG_USEC there is a sign of life at half that time for as long as work goes on.
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
  #isUseless = false;
  #stopWatchdog = () => {};

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    const { env } = options;
    this.#env = commandEnvironment(env, { NOTIFY_SOCKET: env['NOTIFY_SOCKET'] ?? '' });
    const watchdogMs = watchdogOf(env);
    if (watchdogMs !== undefined) this.#watch(watchdogMs);
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

  #watch(watchdogMs: number): void {
    this.#stopWatchdog = this.#options.clock.after(watchdogMs / 2, () => {
      // With messages in the queue the last sign of life is still on its way.
      if (this.#waiting === 0 && this.#options.isAlive(watchdogMs)) this.#send('WATCHDOG=1');
      this.#watch(watchdogMs);
    });
  }

  #send(...message: readonly string[]): void {
    this.#waiting++;
    this.#queue = this.#queue.then(async () => {
      if (!this.#isUseless) {
        const command = { argv: ['systemd-notify', ...message], env: this.#env, timeoutMs: SEND_MS };
        this.#judge(await runCommand(command, NEVER));
      }
      this.#waiting--;
    });
  }

  #judge(outcome: CommandOutcome): void {
    if (outcome.kind === 'ended' && outcome.status === 0) return;
    const seen =
      outcome.kind === 'not-started'
        ? `systemd-notify cannot be started (${outcome.errno})`
        : 'systemd-notify could not send';
    this.#isUseless = true;
    this.#options.warn(failure('AGENT_NOTIFY', 'NOTIFY_SOCKET', seen));
  }
}

/** Undefined without a watchdog, or when it is another process's. */
function watchdogOf(env: Environment): number | undefined {
  const ms = Number(env['WATCHDOG_USEC'] ?? '') / 1000;
  const pid = env['WATCHDOG_PID'] ?? '';
  return ms > 0 && Number.isFinite(ms) && (pid === '' || pid === String(process.pid)) ? ms : undefined;
}
