import type { Clock } from '../../../base/clock.ts';
import { fail, failure } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import type { RunCommand } from '../../context.ts';
import { sha256 } from '../client/jws.ts';
import type { Dns01Config } from '../config/config.ts';
import type { Proof, Prover } from './challenge.ts';

/** How long a program may take to remove a record when the agent stops. */
const MAX_LAST_CLEANUP_MS = 5_000;

export interface Dns01Deps {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly runCommand: RunCommand;
}

/**
 * Has a program set the DNS record of dns-01 (RFC 8555, section 8.4) and remove it. The program gets in its environment
 * what to do (`PANNIER_ACME_ACTION`, `present` or `cleanup`), the name of the TXT record (`PANNIER_ACME_RECORD`), its
 * value (`PANNIER_ACME_VALUE`) and the name that is proved (`PANNIER_ACME_NAME`). One record is set at a time, since a
 * name and its wildcard have the same one.
 */
export class Dns01 implements Prover {
  readonly isParallel = false;
  readonly #config: Dns01Config;
  readonly #deps: Dns01Deps;

  constructor(config: Dns01Config, deps: Dns01Deps) {
    this.#config = config;
    this.#deps = deps;
  }

  async show(proof: Proof, signal: AbortSignal): Promise<() => Promise<void>> {
    const { command, waitMs } = this.#config;
    const cleanUp = async () => {
      // Not with the signal of the order: a record that was set is removed also when the agent stops.
      const maxMs = signal.aborted ? MAX_LAST_CLEANUP_MS : command.timeoutMs;
      const why = await this.#run('cleanup', proof, new AbortController().signal, maxMs);
      if (why === undefined) return;
      const seen = `the record of ${proof.name} was not removed: ${why}`;
      this.#deps.emit({ kind: 'agent-warning', warning: failure('ACME_CHALLENGE_LEFT', command.place, seen) });
    };
    const why = await this.#run('present', proof, signal, command.timeoutMs);
    if (why === undefined && !signal.aborted) await this.#deps.clock.sleep(waitMs, signal);
    if (why === undefined && !signal.aborted) return cleanUp;
    await cleanUp(); // the program may have got half way
    if (signal.aborted) throw fail('CANCELLED', proof.place, 'the order was cancelled');
    throw fail('ACME_CHALLENGE_FAILED', command.place, `the record of ${proof.name} was not set: ${why}`);
  }

  #run(action: 'present' | 'cleanup', { name, keyAuthorization }: Proof, signal: AbortSignal, maxMs: number) {
    const { argv } = this.#config.command;
    const added = {
      PANNIER_ACME_ACTION: action,
      PANNIER_ACME_NAME: name,
      PANNIER_ACME_RECORD: `_acme-challenge.${name}`,
      PANNIER_ACME_VALUE: sha256(keyAuthorization),
    };
    return this.#deps.runCommand({ argv, added, timeoutMs: maxMs }, signal);
  }
}
