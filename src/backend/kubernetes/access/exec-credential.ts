import type { Clock } from '../../../base/clock.ts';
import { type Failure, fail, failure } from '../../../base/errors.ts';
import { isHeaderToken } from '../../../base/header-text.ts';
import { parseJson } from '../../../base/json.ts';
import { onAbort } from '../../../base/on-abort.ts';
import { Secret } from '../../../base/secret.ts';
import { SingleFlight } from '../../../base/single-flight.ts';
import { lookUp, plainText, type Value } from '../../../base/value.ts';
import type { Environment } from '../../../config/environment.ts';
import type { ExecPlugin } from './kubeconfig.ts';
import { runPlugin } from './run-plugin.ts';

/** What a plugin gave: a token, a client certificate, or both. */
export interface ExecCredential {
  readonly token?: Secret;
  readonly pair?: { readonly cert: string; readonly key: Secret };
  /** On the wall clock; absent: until the API server refuses it. */
  readonly expiresWallMs?: number;
}

/** A person may have to be asked by a browser in front of a plugin, but not in front of an agent. */
const PLUGIN_MS = 30_000;

/** A plugin that asks a cloud takes a second or two, which is no trouble. */
const SLOW_MS = 1_500;

/** A credential is not used in its last seconds: it would end on the way. */
const EARLY_MS = 10_000;

export interface ExecDeps {
  readonly clock: Clock;
  readonly env: Environment;
  /** Aborted when nobody needs a credential any more: a plugin that still runs is ended. */
  readonly closing: AbortSignal;
}

/** Keeps the credential of a plugin until it ends or is refused; callers that come together share one run. */
export class ExecCredentials {
  readonly #plugin: ExecPlugin;
  readonly #deps: ExecDeps;
  readonly #flights = new SingleFlight<'run', ExecCredential>();
  #kept: ExecCredential | undefined;
  #startedMonoMs: number | undefined;

  constructor(plugin: ExecPlugin, deps: ExecDeps) {
    this.#plugin = plugin;
    this.#deps = deps;
  }

  /** @throws PannierError AUTH_NO_CREDENTIALS, AUTH_EXPIRED, or CANCELLED when `signal` aborts. */
  async current(place: string, signal: AbortSignal): Promise<ExecCredential> {
    const { expiresWallMs = Number.POSITIVE_INFINITY } = this.#kept ?? { expiresWallMs: 0 };
    if (this.#kept !== undefined && this.#deps.clock.wallMs() < expiresWallMs - EARLY_MS) return this.#kept;
    const { promise: cancelled, reject } = Promise.withResolvers<never>();
    const unlisten = onAbort(signal, () => reject(fail('CANCELLED', place, 'the call was cancelled')));
    const run = this.#flights.run('run', () => this.#run(place));
    return await Promise.race([run, cancelled]).finally(unlisten);
  }

  /** Names a plugin that takes long; undefined when none does. */
  trouble(place: string): Failure | undefined {
    if (this.#startedMonoMs === undefined) return undefined;
    if (this.#deps.clock.monoMs() - this.#startedMonoMs < SLOW_MS) return undefined;
    const seen = `the credential plugin ${this.#plugin.argv[0]}: no answer yet`;
    return failure('AUTH_SERVICE_DOWN', place, seen, { hint: HINT });
  }

  forget(): void {
    this.#kept = undefined;
  }

  async #run(place: string): Promise<ExecCredential> {
    const { apiVersion, argv, env: added, cluster } = this.#plugin;
    const { clock, env, closing } = this.#deps;
    const info = {
      apiVersion,
      kind: 'ExecCredential',
      spec: { interactive: false, ...(cluster === undefined ? {} : { cluster }) },
    };
    const all = { ...env, ...added, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
    this.#startedMonoMs = clock.monoMs();
    // Callers share the run, so none of them ends it.
    const run = await runPlugin({ argv, env: all, timeoutMs: PLUGIN_MS }, clock, closing);
    this.#startedMonoMs = undefined;
    if ('wrong' in run) throw fail('AUTH_NO_CREDENTIALS', place, `the credential plugin ${run.wrong}`, { hint: HINT });
    const found = credentialIn(run.printed, apiVersion);
    if (typeof found === 'string') {
      throw fail('AUTH_NO_CREDENTIALS', place, `the credential plugin ${argv[0]} ${found}`, { hint: HINT });
    }
    if (found.expiresWallMs !== undefined && found.expiresWallMs <= clock.wallMs()) {
      throw fail('AUTH_EXPIRED', place, `the credential plugin ${argv[0]} gave a credential that has expired`);
    }
    this.#kept = found;
    return found;
  }
}

const HINT = 'Run the command of users[].user.exec by hand, with the environment of the agent.';

/** Reads an ExecCredential; a text says what is wrong with it. */
function credentialIn(printed: Buffer, apiVersion: string): ExecCredential | string {
  let value: Value;
  try {
    value = parseJson(printed.toString('utf8'));
  } catch {
    return 'printed no JSON';
  }
  const text = (...path: string[]) => plainText(lookUp(value, ...path)) || undefined;
  if (text('kind') !== 'ExecCredential') return 'printed no ExecCredential';
  if (text('apiVersion') !== apiVersion) return 'printed an ExecCredential of another apiVersion than it was asked for';
  const token = text('status', 'token');
  const cert = text('status', 'clientCertificateData');
  const key = text('status', 'clientKeyData');
  if ((cert === undefined) !== (key === undefined)) return 'printed half of a certificate and its key';
  if (token === undefined && cert === undefined) return 'printed an ExecCredential without a credential';
  if (token !== undefined && !isHeaderToken(token)) return 'printed a token that no header can carry';
  const expires = text('status', 'expirationTimestamp');
  const expiresWallMs = expires === undefined ? undefined : Date.parse(expires);
  if (expiresWallMs !== undefined && Number.isNaN(expiresWallMs))
    return 'printed an expirationTimestamp that is no time';
  return {
    ...(token === undefined ? {} : { token: Secret.text(token) }),
    ...(cert === undefined || key === undefined ? {} : { pair: { cert, key: Secret.text(key) } }),
    ...(expiresWallMs === undefined ? {} : { expiresWallMs }),
  };
}
