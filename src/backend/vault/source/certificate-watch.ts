import type { Clock } from '../../../base/clock.ts';
import { type Failure, failure } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { plainNumber, plainText } from '../../../base/value.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { Want, Watching } from '../../backend.ts';
import { lookAtRefresh } from '../../look-at-refresh.ts';
import type { Authorized } from '../auth/authorized.ts';
import type { CertificateRequest } from '../config/request.ts';
import { readFields } from './answer.ts';

/** What is known of the certificate that a want has now. */
export interface HeldCertificate {
  readonly serial: string;
  /** The issuing CA in PEM, empty when the answer named none. */
  readonly issuingCa: string;
}

export interface CertificateWatchDeps {
  readonly vault: Authorized;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** The certificate of a want; undefined before the first one. */
  held(want: Want): HeldCertificate | undefined;
}

/** For how long the answer about a CA serves all certificates of it, unless they are looked at more often. */
const SHARED_MS = 60_000;

/**
 * Looks at certificates at their `refresh`: whether the server has revoked one, and whether the mount issues by another
 * CA than before. Both are read (https://openbao.org/api-docs/secret/pki/#read-certificate, a path without login) and
 * make nothing. What cannot be read says nothing: a certificate in use is not given up for it.
 */
export class CertificateWatch {
  readonly #deps: CertificateWatchDeps;
  /** By path: the CA and when it was asked for. */
  readonly #authorities = new Map<string, { readonly atMonoMs: number; readonly pem: Promise<string> }>();

  constructor(deps: CertificateWatchDeps) {
    this.#deps = deps;
  }

  /** Calls `changed` when the certificate of the want must be replaced before its time. */
  watch(wanted: Want, request: CertificateRequest, changed: () => void): Watching {
    /** The CA of the mount, and the issuing CA of the certificate at that time, which a role may choose otherwise. */
    let before: { readonly current: string; readonly issuing: string } | undefined;
    return lookAtRefresh(wanted, this.#deps, async (want, signal) => {
      const held = this.#deps.held(want);
      if (held === undefined) return;
      const current = await this.#authority(request, want, signal);
      const isOther = before?.issuing === held.issuingCa && before.current !== current && current !== '';
      if (current !== '') before = { current, issuing: held.issuingCa };
      const why = isOther ? caChanged(want, request) : await this.#revoked(request, want, held, signal);
      if (signal.aborted || why === undefined) return;
      this.#deps.emit({ kind: 'agent-warning', warning: why });
      changed();
    });
  }

  async #authority({ issuer, issuerRef }: CertificateRequest, want: Want, signal: AbortSignal): Promise<string> {
    const mount = trimSlashes(issuer);
    const path = issuerRef === undefined ? `${mount}/cert/ca` : `${mount}/issuer/${issuerRef}/json`;
    const known = this.#authorities.get(path);
    const now = this.#deps.clock.monoMs();
    if (known !== undefined && now - known.atMonoMs < Math.min(SHARED_MS, want.refreshMs / 2)) return await known.pem;
    const pem = this.#read(path, want, signal).then((fields) => plainText(fields?.get('certificate'))?.trim() ?? '');
    this.#authorities.set(path, { atMonoMs: now, pem });
    return await pem;
  }

  async #revoked(
    { issuer }: CertificateRequest,
    want: Want,
    { serial }: HeldCertificate,
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    const path = `${trimSlashes(issuer)}/cert/${serial.replaceAll(':', '-')}`;
    const fields = await this.#read(path, want, signal);
    if ((plainNumber(fields?.get('revocation_time')) ?? 0) === 0) return undefined;
    return failure('CERTIFICATE_REVOKED', want.place, 'the certificate was revoked; another one is issued');
  }

  async #read(path: string, { place }: Want, signal: AbortSignal) {
    try {
      const answer = await this.#deps.vault.call({ method: 'GET', path, place, idempotent: true }, signal);
      return readFields(answer.body, place);
    } catch {
      return undefined;
    }
  }
}

function caChanged({ place }: Want, { issuer }: CertificateRequest): Failure {
  return failure('CERTIFICATE_CA_CHANGED', place, `${issuer} has another CA now; another certificate is issued`);
}
