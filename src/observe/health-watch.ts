import { type Failure, failure } from '../base/errors.ts';
import type { Fact } from '../base/fact.ts';
import { type Readings, readiness, type SecretStanding, startProblems, type Verdict } from './health.ts';
import { type BackendSigns, lifeProblems } from './liveness.ts';
import type { Observed } from './observed.ts';
import { Pulse } from './pulse.ts';

/** `startup`: the first publish is complete. `ready`: it can be relied on now. `live`: it goes on. */
export type Check = 'startup' | 'ready' | 'live';

/** A backend whose configuration has no timeout answers at once or never. */
const NO_TIMEOUT_MS = 30_000;

const BEGINNING = failure('OUTPUT_WAITING', 'configuration', 'it is being applied');

/**
 * Keeps what health needs to know of the past: which outputs were published, and when each backend was last heard of.
 * Lives as long as the agent, over all configurations.
 */
export class HealthWatch implements Disposable {
  readonly pulse: Pulse;
  readonly #agent: Observed;
  readonly #published = new Set<string>();
  readonly #heardMs = new Map<string, number>();
  readonly #listening: readonly Disposable[];
  #isStarted = false;

  constructor(agent: Observed) {
    this.#agent = agent;
    this.pulse = new Pulse(agent.clock);
    this.#listening = [agent.onProgress((output) => this.#look(output)), agent.onFact((fact) => this.#hear(fact))];
  }

  check(check: Check): Verdict {
    if (check !== 'live' && !this.#agent.isApplied()) return { problems: [BEGINNING], warnings: [] };
    if (check === 'ready') return readiness(this.#standing());
    return { problems: check === 'startup' ? this.#startup() : this.#life(), warnings: [] };
  }

  [Symbol.dispose](): void {
    for (const one of this.#listening) one[Symbol.dispose]();
    this.pulse[Symbol.dispose]();
  }

  #startup(): readonly Failure[] {
    if (this.#isStarted) return [];
    this.#look();
    const problems = startProblems(this.#standing(), this.#published);
    this.#isStarted = problems.length === 0;
    return problems;
  }

  #standing(): Readings {
    const outputs = [...this.#agent.outputs.states()].map(([name, state]) => ({ name, state }));
    const wallMs = this.#agent.clock.wallMs();
    return { wallMs, loginsMissing: this.#loginsMissing(), secrets: this.#secrets(), outputs };
  }

  *#loginsMissing(): Iterable<Failure> {
    const { proxy } = this.#agent.plan().config;
    if (proxy === undefined || proxy.useAutoAuthToken === false) return;
    const backend = this.#agent.backends.byName().get(proxy.backend);
    if (backend?.login?.().isUsable !== false) return;
    yield backend.trouble?.() ??
      failure('AUTH_UNUSABLE', `backends.${proxy.backend}.auth`, 'the first login has not been answered yet');
  }

  *#secrets(): Iterable<SecretStanding> {
    const agent = this.#agent;
    const { secrets } = agent.plan().config;
    for (const name of agent.secrets.names()) {
      const configured = secrets.get(name);
      const need = configured === undefined ? 'computed' : configured.optional ? 'optional' : 'required';
      yield { name, need, entry: agent.secrets.entryOf(name), reasonMissing: () => agent.reasonMissing(name) };
    }
  }

  #life(): readonly Failure[] {
    const agent = this.#agent;
    return lifeProblems({
      nowMs: agent.clock.monoMs(),
      loopLagMs: this.pulse.lagMs(),
      timersLateMs: agent.secrets.lateMs(),
      backends: this.#backends(),
      outputs: [...agent.outputs.due()].map(([name, dueMs]) => ({ name, dueMs })),
    });
  }

  *#backends(): Iterable<BackendSigns> {
    const agent = this.#agent;
    const attempts = agent.secrets.oldestAttempts();
    const { backends } = agent.plan().config;
    for (const [name, backend] of agent.backends.byName()) {
      const config = backends.get(name);
      yield {
        name,
        attemptSinceMs: attempts.get(name),
        heardMs: this.#heardMs.get(name) ?? Number.NEGATIVE_INFINITY,
        timeoutMs: config?.timeoutMs ?? NO_TIMEOUT_MS,
        loginDueMs: backend.login?.().nextMonoMs,
      };
    }
  }

  /** @param output absent: all of them. */
  #look(output?: string): void {
    const outputs = this.#agent.outputs.states();
    for (const name of output === undefined ? outputs.keys() : [output]) {
      const kind = outputs.get(name)?.kind;
      if (kind === 'settled' || kind === 'owed') this.#published.add(name);
    }
  }

  /** A failure that announces its next try is a sign of life until then. */
  #hear(fact: Fact): void {
    const now = this.#agent.clock.monoMs();
    if (fact.kind === 'proxy-answered') return; // others' requests move while ours may not
    if ('backend' in fact) this.#heardMs.set(fact.backend, 'retryInMs' in fact ? now + fact.retryInMs : now);
    else if ('secrets' in fact && Array.isArray(fact.secrets)) {
      const backend = this.#agent.plan().config.secrets.get(fact.secrets[0] ?? '')?.backend;
      if (backend !== undefined) this.#heardMs.set(backend, Math.max(now, this.#heardMs.get(backend) ?? now));
    }
  }
}
