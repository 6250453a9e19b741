import { resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { type Failure, fail, failure, ProblemsError } from '../base/errors.ts';
import { holdsCertificate } from '../base/holds-certificate.ts';
import { parseAddress } from '../config/address.ts';
import { readEnvironment } from '../config/environment.ts';
import { isLoopback, parseHostPort } from '../config/host-port.ts';
import { readCapped } from '../config/read-capped.ts';
import { TokenFile } from '../deliver/http/token-file.ts';
import { certificateOfFiles } from '../http/serving/pair-of-files.ts';
import { runRelay } from '../relay/run-relay.ts';
import { openLog } from './open-log.ts';
import { spareMemory } from './sparing.ts';
import { listenForStop } from './stop-signals.ts';

export interface NotifyCommandOptions {
  readonly auditFile?: string;
  readonly address?: string;
  readonly listen: string;
  readonly caFile?: string;
  readonly tlsCertFile?: string;
  readonly tlsKeyFile?: string;
  readonly tokenFile: readonly string[];
  readonly clientCaFile?: string;
}

/** `pannier notify`: tells agents what the audit log of a server says, until it is told to stop. */
export async function notifyCommand(options: NotifyCommandOptions): Promise<number> {
  const { caFile, tlsCertFile, tlsKeyFile, clientCaFile } = options;
  const { where, address, auditFile } = checked(options);
  const clock = systemClock;
  const log = await openLog({ level: 'info', format: 'auto', schema: 'pannier' }, { clock, random: Math.random });
  const { emit } = log;
  const tokens = options.tokenFile.map((path) => new TokenFile(resolve(path), '--token-file', clock));
  for (const token of tokens) {
    const warning = await token.check();
    if (warning !== undefined) emit({ kind: 'agent-warning', warning });
  }
  const clientCa = clientCaFile === undefined ? undefined : await readCapped(resolve(clientCaFile), { pipes: false });
  if (clientCa !== undefined && typeof clientCa !== 'string') {
    throw fail('CONFIG_UNREADABLE', '--client-ca-file', `${clientCaFile}: ${clientCa.why}`);
  }
  if (clientCa !== undefined && !holdsCertificate(clientCa)) {
    throw fail('CONFIG_UNREADABLE', '--client-ca-file', `${clientCaFile}: it holds no certificate in PEM`);
  }
  const certificate =
    tlsCertFile === undefined || tlsKeyFile === undefined
      ? undefined
      : certificateOfFiles({ certFile: resolve(tlsCertFile), keyFile: resolve(tlsKeyFile), clock, emit });
  using stop = listenForStop();
  await runRelay({
    ...where,
    auditFile: resolve(auditFile),
    address,
    tls: { skipVerify: false, ...(caFile === undefined ? {} : { caFile: resolve(caFile) }) },
    certificate,
    clientCa,
    accepts: tokens.length === 0 ? undefined : (given) => acceptsOne(tokens, given),
    clock,
    env: readEnvironment(),
    emit,
    signal: stop.signal,
    onListening: spareMemory,
  });
  return 0;
}

/** A file that cannot be read now accepts nothing; the others do. */
async function acceptsOne(tokens: readonly TokenFile[], given: string): Promise<boolean> {
  const answers = await Promise.all(
    tokens.map(async (token) => {
      try {
        return await token.accepts(given);
      } catch {
        return false;
      }
    }),
  );
  return answers.includes(true);
}

/** @throws ProblemsError with all that is wrong at once. */
function checked(options: NotifyCommandOptions) {
  const { auditFile, address, listen, tlsCertFile, tlsKeyFile, tokenFile, clientCaFile } = options;
  const problems: Failure[] = [];
  const needs = (name: string, value: string | undefined, hint: string) => {
    if (value === undefined) problems.push(failure('CONFIG_MISSING', name, 'it is not named', { hint }));
  };
  needs('--audit-file', auditFile, 'Name the file audit log of the server.');
  needs('--address', address, 'Name the server that writes the log, such as https://127.0.0.1:8200.');
  const where = parseHostPort(listen);
  if (where === undefined) {
    problems.push(failure('CONFIG_INVALID', '--listen', 'it is not HOST:PORT', { hint: 'Such as 0.0.0.0:8271.' }));
  }
  const parsed = address === undefined ? {} : parseAddress(address);
  if (parsed.wrong !== undefined) problems.push(failure('CONFIG_INVALID', '--address', parsed.wrong));
  if ((tlsCertFile === undefined) !== (tlsKeyFile === undefined)) {
    const name = tlsCertFile === undefined ? '--tls-cert-file' : '--tls-key-file';
    problems.push(failure('CONFIG_MISSING', name, 'it is not named', { hint: 'Name both files.' }));
  } else if (tlsCertFile === undefined && where !== undefined && !isLoopback(where.host)) {
    const seen = `${listen} is open to other machines, and without a certificate tokens go there in clear`;
    const hint = 'Name --tls-cert-file and --tls-key-file, or listen on 127.0.0.1.';
    problems.push(failure('CONFIG_MISSING', '--tls-cert-file', seen, { hint }));
  }
  if (clientCaFile !== undefined && tlsCertFile === undefined) {
    const hint = 'Name --tls-cert-file and --tls-key-file.';
    problems.push(failure('CONFIG_MISSING', '--tls-cert-file', 'client certificates need TLS', { hint }));
  }
  if (tokenFile.length === 0 && clientCaFile === undefined) {
    const seen = 'neither it nor --client-ca-file is named, so everybody could listen';
    problems.push(failure('CONFIG_MISSING', '--token-file', seen, { hint: 'Name one of them.' }));
  }
  if (problems.length > 0 || where === undefined || parsed.address === undefined || auditFile === undefined) {
    throw new ProblemsError(problems);
  }
  return { where, address: parsed.address, auditFile };
}
