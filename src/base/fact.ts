import type { Failure } from './errors.ts';

/**
 * Everything the agent tells about itself: logs, audit, metrics and health are fed by these and by snapshots, nothing
 * else. No member holds a Secret; strings are names, paths and our own words.
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
  | { readonly kind: 'clock-jumped'; readonly byMs: number }
  | { readonly kind: 'config-applied'; readonly secrets: number; readonly outputs: number }
  /** One for each problem of it, counted from 1 on. */
  | {
      readonly kind: 'config-rejected';
      readonly failure: Failure;
      readonly problem: number;
      readonly problems: number;
    }
  // ---- logins; `backend` is the configured name
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
  // ---- secrets; `secrets` are all names that share the fetch
  | {
      readonly kind: 'secret-changed';
      readonly secrets: readonly string[];
      readonly life: string;
      readonly lifeMs?: number;
      readonly first: boolean;
    }
  | { readonly kind: 'secret-unchanged'; readonly secrets: readonly string[] }
  | { readonly kind: 'secret-renewed'; readonly secrets: readonly string[]; readonly ttlMs: number }
  | {
      readonly kind: 'secret-failed';
      readonly secrets: readonly string[];
      readonly doing: 'fetch' | 'renew';
      readonly failure: Failure;
      readonly retryInMs: number;
    }
  /** It is not there, which is an answer where it need not be; `again`: as at the last time. */
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
  /** `waits`: a secret has no value yet. */
  | {
      readonly kind: 'output-rendered';
      readonly output: string;
      readonly result: 'files' | 'waits' | 'failed';
      readonly durationMs: number;
    }
  | {
      readonly kind: 'output-published';
      readonly output: string;
      /** Absent for the environment of exec, whose variables are counted as files. */
      readonly dir?: string;
      readonly generation: number;
      readonly files: number;
      readonly durationMs: number;
    }
  | { readonly kind: 'output-unchanged'; readonly output: string }
  | { readonly kind: 'output-failed'; readonly output: string; readonly failure: Failure; readonly retryInMs?: number }
  | {
      readonly kind: 'output-recovered';
      readonly output: string;
      readonly generation: number;
      readonly removed: number;
    }
  | { readonly kind: 'reload-skipped'; readonly output: string; readonly generation: number }
  /** One step of a reload ended; steps that come after a failed one are not run. */
  | {
      readonly kind: 'reload-step';
      readonly output: string;
      readonly generation: number;
      /** From 1 on. */
      readonly step: number;
      readonly how: string;
      readonly durationMs: number;
      readonly failure?: Failure;
    }
  /** The last lines that a failing command wrote to its standard error; only where the configuration wants them. */
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
      /** `exited`: it has ended, and something of its process group has not. */
      readonly why: 'changed' | 'asked' | 'exited';
    }
  /** SIGKILL to what did not stop within the grace. */
  | { readonly kind: 'child-killed'; readonly pid: number; readonly graceMs: number }
  | {
      readonly kind: 'child-ended';
      readonly pid: number;
      /** As exec gives it: 128+n after a signal. */
      readonly status: number;
      readonly livedMs: number;
      /** Absent: it is not started again, or at once. */
      readonly retryInMs?: number;
    }
  // ---- local listeners; `where` is `unix:///path` or `host:port`
  | { readonly kind: 'listener-opened'; readonly service: string; readonly where: string }
  | { readonly kind: 'listener-closed'; readonly service: string; readonly where: string }
  /** Who asked for what over the local API, and what became of it; never what was answered. */
  | {
      readonly kind: 'api-audit';
      readonly audit: true;
      /** The listener, by which the caller is known. */
      readonly where: string;
      readonly action: 'enter' | 'read' | 'watch' | 'refresh' | 'reload-output' | 'reload-config' | 'stop';
      readonly outcome: 'done' | 'unknown' | 'absent' | 'failed' | 'refused';
      readonly secret?: string;
      readonly field?: string;
      readonly output?: string;
      /** Of the value that was read. */
      readonly version?: string;
      readonly code?: string;
      /** So many more that are alike were left out in the last ten seconds; absent: it tells one request. */
      readonly count?: number;
    }
  /** A lease or a token that the proxy keeps was not renewed; `call` is the path that made it. */
  | {
      readonly kind: 'proxy-renew-failed';
      readonly backend: string;
      readonly call: string;
      readonly failure: Failure;
      /** Absent: it was refused, and is dropped. */
      readonly retryInMs?: number;
    }
  /** A request through the proxy is over. */
  | {
      readonly kind: 'proxy-answered';
      readonly backend: string;
      readonly where: string;
      /** Method and path; without its query, nor what follows a path that takes tokens or lease ids. */
      readonly call: string;
      /** 0: the client left before there was one. */
      readonly status: number;
      /** `off`: no cache had a part in it. */
      readonly cache: 'hit' | 'miss' | 'off';
      readonly durationMs: number;
      /** Why it was refused here, or not passed on to its end. */
      readonly failure?: Failure;
    };

export type Emit = (fact: Fact) => void;
