import type { Clock } from '../base/clock.ts';
import { Secret } from '../base/secret.ts';
import type { Supervisor } from '../base/supervisor.ts';
import type { Config, OutputConfig } from '../config/config.ts';
import { createFileSink } from '../deliver/file/file-sink.ts';
import type { Sink } from '../deliver/sink.ts';
import type { LeaseManager } from '../lease/manager.ts';
import { createReload } from '../reload/create-reload.ts';
import { OutputLoop, type OutputState } from './output-loop.ts';
import type { Plan, PlannedOutput } from './plan.ts';
import type { Surroundings } from './surroundings.ts';
import type { Needs } from './wants.ts';

export type CreateSink = (output: OutputConfig, clock: Clock) => Sink;

export interface OutputLoopsParts {
  readonly around: Surroundings;
  readonly manager: LeaseManager;
  /** Runs the loops, and ends them. */
  readonly supervisor: Supervisor;
  /** `createFileSink` when absent. */
  readonly createSink?: CreateSink;
  readonly onState: () => void;
  /** What `needs` answers has changed. */
  readonly onNeeds: () => void;
}

interface Running {
  readonly loop: OutputLoop;
  readonly ended: Promise<void>;
}

/**
 * A loop per output of the present plan. An output's identity is its directory: a new plan's loop for the same directory
 * begins when the old one has ended what it was doing, so there is never more than one writer.
 */
export class OutputLoops {
  readonly #parts: OutputLoopsParts;
  #byDir: ReadonlyMap<string, Running> = new Map();
  #byOutput: ReadonlyMap<string, OutputLoop> = new Map();
  #bySecret: ReadonlyMap<string, readonly OutputLoop[]> = new Map();

  constructor(parts: OutputLoopsParts) {
    this.#parts = parts;
  }

  /** Retires the loops of the last plan and starts those of this one. The files of an output that is gone stay. */
  replace({ config, outputs }: Plan): void {
    const before = this.#byDir;
    const byDir = new Map<string, Running>();
    const byOutput = new Map<string, OutputLoop>();
    for (const { loop } of before.values()) loop.retire();
    for (const planned of outputs) {
      const { output } = planned;
      const loop = this.#create(planned, config);
      const ended = this.#start(output.name, loop, before.get(output.dir)?.ended);
      byDir.set(output.dir, { loop, ended });
      byOutput.set(output.name, loop);
    }
    this.#byDir = byDir;
    this.#byOutput = byOutput;
    this.#indexSecrets();
  }

  /** What each output needs now. */
  needs(): readonly Needs[] {
    return [...this.#byOutput.values()].map((loop) => loop.needs);
  }

  /** Wakes the outputs that need one of these secrets, each once. */
  wake(names: ReadonlySet<string>, changed: boolean): void {
    const woken = new Set<OutputLoop>();
    for (const name of names) for (const loop of this.#bySecret.get(name) ?? []) woken.add(loop);
    for (const loop of woken) loop.wake(changed);
  }

  /** Runs an output's reload once more. False: there is no such output, or its published generation is not known good. */
  reload(name: string): boolean {
    return this.#byOutput.get(name)?.reloadAgain() ?? false;
  }

  states(): ReadonlyMap<string, OutputState> {
    return new Map([...this.#byOutput].map(([name, loop]) => [name, loop.state]));
  }

  #create({ output, renderer, requests }: PlannedOutput, config: Config): OutputLoop {
    const { around, manager, onState, createSink = createFileSink } = this.#parts;
    const onNeeds = () => {
      this.#indexSecrets();
      this.#parts.onNeeds();
    };
    const { clock, random, emit } = around;
    const env = commandEnvironment(around.env, config);
    const sink = createSink(output, clock);
    const reloads = output.reload.map((step) => {
      const request = requests.get(step.place);
      const render = request && (() => request.render(manager.snapshot(request.wants)));
      return createReload(step, output, env, render);
    });
    return new OutputLoop({ output, renderer, sink, reloads, manager, clock, random, emit, onState, onNeeds });
  }

  #indexSecrets(): void {
    const bySecret = new Map<string, OutputLoop[]>();
    for (const loop of this.#byOutput.values()) {
      const { names, computed } = loop.needs;
      for (const name of [...names, ...computed.keys()]) {
        const loops = bySecret.get(name);
        if (loops === undefined) bySecret.set(name, [loop]);
        else loops.push(loop);
      }
    }
    this.#bySecret = bySecret;
  }

  #start(name: string, loop: OutputLoop, previous: Promise<void> | undefined): Promise<void> {
    const { supervisor, around } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    supervisor.keep(`output ${name}`, around.clock, async (signal) => {
      await previous;
      await loop.run(signal);
      resolve();
    });
    return promise;
  }
}

/** What commands inherit: not a token that the configuration took from a variable of any name. */
function commandEnvironment(env: Surroundings['env'], { backends }: Config): Surroundings['env'] {
  const tokens = [...backends.values()].flatMap((backend) =>
    backend.kind === 'vault' && backend.auth.method === 'token' && backend.auth.token !== undefined
      ? [backend.auth.token]
      : [],
  );
  const isToken = (text = '') => tokens.some((token) => token.equals(Secret.text(text)));
  return Object.fromEntries(Object.entries(env).filter(([, text]) => !isToken(text)));
}
