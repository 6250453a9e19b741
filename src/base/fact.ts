import type { Failure } from './errors.ts';

/** What a client may ask of an output. */
export type OutputAction = 'reload-output' | 'roll-back' | 'resume';

/**
 * Everything that the agent reports about itself. Logs, the audit, metrics and health are made of facts and snapshots,
 * and of nothing else. No member holds a Secret: strings are names, paths and words of Pannier.
 */
export type Fact =
  // ---- agent and configuration
  | {
      readonly kind: 'agent-started';
      readonly version: string;
      readonly command: string;
      readonly secrets: number;
      readonly outputs: number;
    }
  | { readonly kind: 'agent-stopping'; readonly reason: string }
  | { readonly kind: 'agent-warning'; readonly warning: Failure }
  | { readonly kind: 'task-crashed'; readonly task: string; readonly failure: Failure }
  | { readonly kind: 'log-level-changed'; readonly level: string }
  | { readonly kind: 'clock-jumped'; readonly byMs: number }
  | { readonly kind: 'config-applied'; readonly secrets: number; readonly outputs: number }
  /** A configuration was not applied: one fact for each of its problems, numbered from 1. */
  | {
      readonly kind: 'config-rejected';
      readonly failure: Failure;
      readonly problem: number;
      readonly problems: number;
    }
  /** `init` has done all. `outputs` are the first ones; an output without `files` was unchanged. */
  | {
      readonly kind: 'init-done';
      readonly published: number;
      readonly unchanged: number;
      readonly durationMs: number;
      readonly outputs: readonly { readonly output: string; readonly dir?: string; readonly files?: number }[];
    }
  // ---- logins; `backend` is the configured name, `login` the number of the login in this process
  | {
      readonly kind: 'login-made';
      readonly backend: string;
      readonly method: string;
      readonly ttlMs: number | 'forever';
      readonly renewable: boolean;
      readonly login: number;
    }
  | {
      readonly kind: 'login-failed';
      readonly backend: string;
      readonly method: string;
      readonly failure: Failure;
      readonly retryInMs: number;
    }
  /** Requests carry the credential, and no token is made. `failure`: why that cannot be, so a login is made. */
  | { readonly kind: 'login-inline'; readonly backend: string; readonly failure?: Failure }
  /** The login of an earlier process is used. `failure`: the server has not said yet whether it is still alive. */
  | {
      readonly kind: 'login-resumed';
      readonly backend: string;
      readonly login: number;
      readonly failure?: Failure;
    }
  | { readonly kind: 'login-renewed'; readonly backend: string; readonly ttlMs: number; readonly login: number }
  | {
      readonly kind: 'login-renew-failed';
      readonly backend: string;
      readonly failure: Failure;
      readonly retryInMs: number;
    }
  | {
      readonly kind: 'login-replaced';
      readonly backend: string;
      readonly login: number;
      readonly reason: 'ending' | 'dead' | 'credential';
    }
  | { readonly kind: 'login-revoked'; readonly backend: string; readonly failure?: Failure }
  // ---- one request to a backend; `call` is method and path
  | {
      readonly kind: 'backend-answered';
      readonly backend: string;
      readonly call: string;
      readonly status: number;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'backend-failed';
      readonly backend: string;
      readonly call: string;
      readonly failure: Failure;
      readonly durationMs: number;
    }
  /** The circuit breaker of a backend. `open`: nothing is sent for `probeInMs`, then one request after each pause. */
  | {
      readonly kind: 'backend-circuit';
      readonly backend: string;
      readonly state: 'closed' | 'open';
      readonly failure?: Failure;
      readonly probeInMs?: number;
    }
  /** From now on the backend tells of each change. */
  | { readonly kind: 'feed-up'; readonly backend: string }
  | { readonly kind: 'feed-down'; readonly backend: string; readonly failure: Failure }
  // ---- secrets; `secrets` are the names of all secrets that share the fetch
  | {
      readonly kind: 'secret-changed';
      readonly secrets: readonly string[];
      readonly life: string;
      readonly lifeMs?: number;
      readonly first: boolean;
    }
  /** The value that an earlier process had, `ageMs` ago, is used: nothing was fetched. */
  | {
      readonly kind: 'secret-kept';
      readonly secrets: readonly string[];
      readonly life: string;
      readonly lifeMs?: number;
      readonly ageMs: number;
    }
  | { readonly kind: 'secret-unchanged'; readonly secrets: readonly string[] }
  /** A value that was replaced, or is not needed any more, is refused by the backend from now on. */
  | { readonly kind: 'secret-revoked'; readonly secrets: readonly string[]; readonly life: string }
  | { readonly kind: 'secret-renewed'; readonly secrets: readonly string[]; readonly ttlMs: number }
  | {
      readonly kind: 'secret-failed';
      readonly secrets: readonly string[];
      readonly doing: 'fetch' | 'renew';
      readonly failure: Failure;
      readonly retryInMs: number;
    }
  /** An optional secret does not exist. `again`: the fetch before this one said so too. */
  | {
      readonly kind: 'secret-absent';
      readonly secrets: readonly string[];
      readonly failure: Failure;
      readonly again: boolean;
      readonly nextInMs: number;
    }
  | {
      readonly kind: 'secret-state';
      readonly secrets: readonly string[];
      readonly state: 'fresh' | 'stale' | 'expired';
      readonly reason?: string;
    }
  | { readonly kind: 'secret-dropped'; readonly secrets: readonly string[] }
  // ---- outputs
  | { readonly kind: 'output-waiting'; readonly output: string; readonly missing: readonly string[] }
  /** The templates of an output were rendered. `waits`: a secret that they need has no value yet. */
  | {
      readonly kind: 'output-rendered';
      readonly output: string;
      readonly result: 'files' | 'waits' | 'failed';
      readonly durationMs: number;
    }
  /** The check of a candidate ended. */
  | {
      readonly kind: 'output-checked';
      readonly output: string;
      readonly durationMs: number;
      readonly failure?: Failure;
    }
  | {
      readonly kind: 'output-published';
      readonly output: string;
      /** Absent for the environment of exec; `files` is the number of its variables then. */
      readonly dir?: string;
      readonly generation: number;
      readonly files: number;
      readonly durationMs: number;
    }
  | { readonly kind: 'output-unchanged'; readonly output: string }
  /** The files before were published again, as `generation`; the generation `held` is held back for `failure`. */
  | {
      readonly kind: 'output-rolled-back';
      readonly output: string;
      readonly generation: number;
      readonly held: number;
      readonly failure: Failure;
    }
  | { readonly kind: 'output-failed'; readonly output: string; readonly failure: Failure; readonly retryInMs?: number }
  /** Somebody else has changed what is published. */
  | {
      readonly kind: 'output-drifted';
      readonly output: string;
      readonly failure: Failure;
      /** When it is put right; absent: it is only told. */
      readonly restoreInMs?: number;
    }
  /** What is published is again what it was, and Pannier did not do that. */
  | { readonly kind: 'output-drift-over'; readonly output: string }
  | {
      readonly kind: 'output-recovered';
      readonly output: string;
      readonly generation: number;
      readonly removed: number;
    }
  | { readonly kind: 'reload-skipped'; readonly output: string; readonly generation: number }
  /** The reload for a generation waits for the turn of this replica. */
  | { readonly kind: 'reload-planned'; readonly output: string; readonly generation: number; readonly inMs: number }
  /** One step of a reload ended. The steps after a failed one are not run. */
  | {
      readonly kind: 'reload-step';
      readonly output: string;
      readonly generation: number;
      /** Counted from 1. */
      readonly step: number;
      readonly how: string;
      readonly durationMs: number;
      readonly failure?: Failure;
    }
  /** The last lines that a failing command wrote to standard error; only with `captureOutput: true`. */
  | {
      readonly kind: 'reload-output';
      readonly output: string;
      readonly generation: number;
      readonly place: string;
      readonly lines: readonly string[];
    }
  | {
      readonly kind: 'reload-done';
      readonly output: string;
      readonly generation: number;
      readonly steps: number;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'reload-failed';
      readonly output: string;
      readonly generation: number;
      readonly step: string;
      readonly failure: Failure;
      readonly retryInMs?: number;
    }
  // ---- the child of exec
  | { readonly kind: 'child-started'; readonly pid: number; readonly why: 'first' | 'changed' | 'exited' }
  | { readonly kind: 'child-failed'; readonly failure: Failure; readonly retryInMs?: number }
  | { readonly kind: 'child-signalled'; readonly pid: number; readonly signal: string }
  | {
      readonly kind: 'child-stopping';
      readonly pid: number;
      readonly signal: string;
      /** `exited`: the child has ended, and other processes of its group still run. */
      readonly why: 'changed' | 'asked' | 'exited';
    }
  /** The child did not stop within the grace and was sent SIGKILL. */
  | { readonly kind: 'child-killed'; readonly pid: number; readonly graceMs: number }
  | {
      readonly kind: 'child-ended';
      readonly pid: number;
      /** The exit status as `exec` passes it on: 128+n after signal n. */
      readonly status: number;
      readonly livedMs: number;
      /** Absent: the child is not started again, or is started again at once. */
      readonly retryInMs?: number;
    }
  // ---- local listeners; `where` is `unix:///path` or `host:port`
  | { readonly kind: 'listener-opened'; readonly service: string; readonly where: string }
  | { readonly kind: 'listener-closed'; readonly service: string; readonly where: string }
  /** A request to the local API and its outcome, never the answer itself. */
  | {
      readonly kind: 'api-audit';
      readonly audit: true;
      /** The listener that the caller connected to. */
      readonly where: string;
      readonly action:
        | 'enter'
        | 'read'
        | 'read-on-demand'
        | 'watch'
        | 'refresh'
        | OutputAction
        | 'reload-config'
        | 'log-level'
        | 'stop';
      readonly outcome: 'done' | 'unknown' | 'absent' | 'failed' | 'refused';
      readonly secret?: string;
      readonly field?: string;
      readonly output?: string;
      /** The version of the value that was read. */
      readonly version?: string;
      readonly code?: string;
      /** How many more requests of this sort were left out in the last ten seconds; absent: the fact is about one. */
      readonly count?: number;
    }
  // ---- the server of secrets for Envoy; `names` are those that clients ask for, at most ten of them
  /** An answer was sent; `how`: over a stream of one of the two protocols, or once. */
  | {
      readonly kind: 'sds-sent';
      readonly how: 'sotw' | 'delta' | 'fetch';
      readonly names: readonly string[];
      readonly secrets: number;
    }
  | { readonly kind: 'sds-accepted'; readonly names: readonly string[]; readonly secrets: number }
  /** A client refused an answer and goes on with what it had. The failure repeats the client's own words. */
  | {
      readonly kind: 'sds-refused';
      readonly names: readonly string[];
      /** How the client calls itself. */
      readonly node: string;
      readonly failure: Failure;
    }
  /** A client asked for a name that there is not. Told once for each name. */
  | { readonly kind: 'sds-unknown'; readonly name: string }
  /** A secret has not what its name needs; what was served before goes on being served. */
  | { readonly kind: 'sds-unusable'; readonly name: string; readonly failure: Failure }
  /** The proxy could not renew a lease or token that it keeps; `call` is the path that made it. */
  | {
      readonly kind: 'proxy-renew-failed';
      readonly backend: string;
      readonly call: string;
      readonly failure: Failure;
      /** Absent: the backend refused to renew it, so the proxy drops it. */
      readonly retryInMs?: number;
    }
  /** A request through the proxy ended. */
  | {
      readonly kind: 'proxy-answered';
      readonly backend: string;
      readonly where: string;
      /** Method and path, without the query, and without what follows a path that takes tokens or lease ids. */
      readonly call: string;
      /** The status that the client got; 0: it left before there was one. */
      readonly status: number;
      /** `off`: no cache took part. */
      readonly cache: 'hit' | 'miss' | 'off';
      readonly durationMs: number;
      /** Why the proxy refused the request, or did not pass the whole answer on. */
      readonly failure?: Failure;
    }
  // ---- traces; `spans` is how many
  | { readonly kind: 'traces-sent'; readonly spans: number }
  /** `again`: nothing was sent since spans were dropped before. */
  | { readonly kind: 'traces-dropped'; readonly spans: number; readonly failure: Failure; readonly again: boolean }
  // ---- log lines that go to a receiver, and lines of the audit; `lines` is how many
  | { readonly kind: 'logs-sent'; readonly lines: number }
  /** `again`: nothing was sent since lines were dropped before. */
  | { readonly kind: 'logs-dropped'; readonly lines: number; readonly failure: Failure; readonly again: boolean }
  /**
   * Lines of the audit found no place. `again`: others were lost before, and the rest has not been written since. With
   * `audit` it is a line of the audit itself, which stands where the lost ones would.
   */
  | {
      readonly kind: 'audit-lost';
      readonly audit?: true;
      readonly lines: number;
      readonly failure: Failure;
      readonly again: boolean;
    }
  // ---- the relay of `pannier notify`; `file` is the audit log
  | { readonly kind: 'relay-listening'; readonly where: string }
  | { readonly kind: 'relay-live'; readonly file: string }
  | { readonly kind: 'relay-down'; readonly file: string; readonly failure: Failure }
  // ---- the injector; `pod` is what is known of the name of a pod that is created
  | { readonly kind: 'injector-listening'; readonly where: string }
  | { readonly kind: 'injector-certificate' }
  | {
      readonly kind: 'pod-injected';
      readonly namespace: string;
      readonly pod: string;
      /** Those of the answer, which nobody sees whose pods a controller makes. */
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'pod-denied'; readonly namespace: string; readonly pod: string; readonly reason: string };

/** Reports a fact to everything that logs or counts. */
export type Emit = (fact: Fact) => void;
