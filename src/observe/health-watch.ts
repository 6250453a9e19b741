import { type Failure, failure } from '../base/errors.ts';
import type { Fact } from '../base/fact.ts';
import { nameOnDemand } from '../deliver/sds/on-demand-secret.ts';
import { type Readings, readiness, type SecretStanding, startProblems, type Verdict } from './health.ts';
import { type BackendSigns, lifeProblems } from './liveness.ts';
import type { Observed } from './observed.ts';
import { Pulse } from './pulse.ts';

/** `startup`: everything was published once. `ready`: secrets and outputs can be relied on. `live`: nothing stalls. */
export type Check = 'startup' | 'ready' | 'live';

/** The timeout that is assumed for a backend without a configured one. */
const DEFAULT_TIMEOUT_MS = 30_000;

const BEGINNING = failure('OUTPUT_WAITING', 'configuration', 'the configuration is being applied');

/**
 * Answers checks of health. It keeps what they need to know of the past: which outputs were published, and when each
 * backend last gave a sign of life. It lives as long as the agent, over all configurations.
 */
export class HealthWatch implements Disposable {
  readonly pulse: Pulse;
  readonly #agent: Observed;
  readonly #published = new Set<string>();
  /** The last sign of life of each backend, or the moment for which it announced its next try. */
  readonly #signMs = new Map<string, number>();
  readonly #listening: readonly Disposable[];
  #isStarted = false;

  constructor(agent: Observed) {
    this.#agent = agent;
    this.pulse = new Pulse(agent.clock);
    this.#listening = [
      agent.onProgress((output) => this.#notePublished(output)),
      agent.onFact((fact) => this.#notice(fact)),
    ];
  }

  check(check: Check): Verdict {
    if (check !== 'live' && !this.#agent.isApplied()) return { problems: [BEGINNING], warnings: [] };
    if (check === 'ready') return readiness(this.#readings());
    return { problems: check === 'startup' ? this.#startup() : this.#life(), warnings: [] };
  }

  [Symbol.dispose](): void {
    for (const one of this.#listening) one[Symbol.dispose]();
    this.pulse[Symbol.dispose]();
  }

  #startup(): readonly Failure[] {
    if (this.#isStarted) return [];
    this.#notePublished();
    const problems = startProblems(this.#readings(), this.#published);
    this.#isStarted = problems.length === 0;
    return problems;
  }

  #readings(): Readings {
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
      failure(
        'AUTH_UNUSABLE',
        `backends.${proxy.backend}.auth`,
        'the first attempt to log in has not been answered yet',
      );
  }

  *#secrets(): Iterable<SecretStanding> {
    const agent = this.#agent;
    const { secrets } = agent.plan().config;
    for (const name of agent.secrets.names()) {
      const configured = secrets.get(name);
      // Clients choose the names on demand, and none of these may make the agent look unready.
      if (configured === undefined && nameOnDemand(name) !== undefined) continue;
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
        signMs: this.#signMs.get(name) ?? Number.NEGATIVE_INFINITY,
        timeoutMs: config?.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        loginDueMs: backend.login?.().nextMonoMs,
      };
    }
  }

  /** Notes which outputs are published. @param output undefined: all outputs. */
  #notePublished(output?: string): void {
    const outputs = this.#agent.outputs.states();
    for (const name of output === undefined ? outputs.keys() : [output]) {
      const kind = outputs.get(name)?.kind;
      if (kind === 'settled' || kind === 'owed') this.#published.add(name);
    }
  }

  /** Notes a sign of life of a backend. A failure that announces its next try counts until then. */
  #notice(fact: Fact): void {
    const now = this.#agent.clock.monoMs();
    if (fact.kind === 'proxy-answered') return; // clients' requests may go on while the agent's own stall
    if ('backend' in fact) this.#signMs.set(fact.backend, 'retryInMs' in fact ? now + fact.retryInMs : now);
    else if ('secrets' in fact && Array.isArray(fact.secrets)) {
      const backend = this.#agent.plan().config.secrets.get(fact.secrets[0] ?? '')?.backend;
      if (backend !== undefined) this.#signMs.set(backend, Math.max(now, this.#signMs.get(backend) ?? now));
    }
  }
}
