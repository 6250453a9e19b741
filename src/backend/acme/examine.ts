import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { accessIssue } from '../../base/access-issue.ts';
import { formatDuration } from '../../base/duration.ts';
import { errnoOf, errnoWord } from '../../base/errno.ts';
import { type Failure, fail, failure } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import { findProgram } from '../../base/find-program.ts';
import type { SecretConfig } from '../../config/config.ts';
import { checkReach } from '../../http/check-reach.ts';
import { readAuthorities } from '../certificate-authorities.ts';
import type { Examined } from '../examined.ts';
import { AcmeAccount } from './account.ts';
import { Http01 } from './challenge/http01.ts';
import { AcmeClient, type Directory } from './client/client.ts';
import type { AcmeBackendConfig, AcmeRequest } from './config/config.ts';
import { NOT_WRITABLE_HINT, ordersOf } from './order-book.ts';

/** Examines an issuer and what proves names, see `Examiner`. It makes no account, no key and no order. */
export async function examine(
  { config, secrets, context }: Examined<AcmeBackendConfig>,
  examination: Examination,
): Promise<void> {
  const place = `backends.${config.name}`;
  const { address, tls, account: accountConfig } = config;
  const isReached = await checkReach(examination, { address, tls, env: context.env, place, key: 'directory' });
  await using client = new AcmeClient(config, context);
  let directory: Directory | undefined;
  if (isReached) {
    await examination.run('directory', `${place}.directory`, async (signal) => {
      directory = await client.directory(place, signal);
      const says = directory.renewalInfo === undefined ? 'does not say' : 'says';
      return `it is an ACME server, which ${says} when certificates are to be replaced`;
    });
  } else examination.skip('directory', `${place}.directory`, 'no connection');
  if (directory === undefined) examination.skip('account', place, 'there is no directory');
  else {
    await examination.run('account', place, async (signal) => {
      const { emit } = context;
      const account = new AcmeAccount({ client, account: accountConfig, stop: signal, place, emit });
      return await lookAtAccount(account, config, signal);
    });
  }
  if (accountConfig.keyFile !== undefined) await checkOrders(examination, accountConfig.keyFile, place);
  await checkProvers(examination, config, context.env);
  for (const secret of secrets) {
    await examination.run('secret', secret.place, () => checkRequest(secret, directory));
  }
}

async function lookAtAccount(
  account: AcmeAccount,
  { name, account: { keyFile = '' } }: AcmeBackendConfig,
  signal: AbortSignal,
): Promise<string> {
  const found = await account.look(signal);
  if (found === 'used before') return 'the issuer knows the account, and has not deactivated it';
  if (found === 'no account yet') return 'the issuer has no account for this key yet; the first order makes it';
  const dir = dirname(keyFile);
  const issue = await accessIssue(dir);
  if (issue === undefined) return `${keyFile} does not exist yet; the first order makes key and account`;
  const hint = 'Provide the key, or a folder that Pannier may write to and that outlives it.';
  const seen = `${keyFile} does not exist and cannot be made in ${dir}: ${issue}`;
  throw fail('AUTH_CREDENTIAL_UNREADABLE', `backends.${name}.accountKeyFile`, seen, { hint });
}

/** Whether what was ordered and is not published will be known to the next start. */
async function checkOrders(examination: Examination, keyFile: string, backend: string): Promise<void> {
  const place = `${backend}.accountKeyFile`;
  const dir = ordersOf(keyFile);
  await examination.run('orders', place, async () => {
    const at = (await isThere(dir)) ? dir : dirname(dir);
    const issue = await accessIssue(at);
    if (issue === undefined) return `certificates that are not published yet are kept in ${dir}`;
    const seen = `a start orders what is not published yet again: nothing can be written in ${at}: ${issue}`;
    return failure('STATE_NOT_WRITABLE', place, seen, { hint: NOT_WRITABLE_HINT });
  });
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: unknown) => errnoOf(error) !== 'ENOENT',
  );

/** Whether proofs can be shown, now: the port is opened and closed again, and the program is not started. */
async function checkProvers(
  examination: Examination,
  { name, http01, dns01 }: AcmeBackendConfig,
  env: Examined['context']['env'],
): Promise<void> {
  if (http01 !== undefined) {
    const place = `backends.${name}.http01`;
    const at = `${http01.host}:${http01.port}`;
    await examination.run('http-01', place, async () => {
      try {
        await new Http01(http01).tryPort();
        return `${at} can be opened; that port 80 of the names leads there is not checked`;
      } catch (error) {
        const isTaken = errnoOf(error) === 'EADDRINUSE';
        const hint = isTaken
          ? 'Free the port, unless it is an agent that is ordering now.'
          : 'Choose another port, to which port 80 of the names leads; below 1024 needs a right.';
        throw fail('ACME_CHALLENGE_FAILED', place, `cannot listen on ${at} (${errnoWord(error)})`, { hint });
      }
    });
  }
  if (dns01 !== undefined) {
    const { place, argv } = dns01.command;
    const otherwise = { code: 'ACME_CHALLENGE_FAILED', place } as const;
    await examination.run('dns-01', place, () => findProgram(argv[0] ?? '', env, otherwise));
  }
}

/** Whether a certificate could be ordered as it is configured. */
async function checkRequest(
  { request, place }: SecretConfig,
  directory: Directory | undefined,
): Promise<string | Failure> {
  const { names, profile, caFile, upkeep } = request as AcmeRequest;
  if (caFile !== undefined) await readAuthorities(caFile, place);
  const { profiles } = directory ?? {};
  if (profile !== undefined && profiles?.includes(profile) === false) {
    const hint = profiles.length === 0 ? 'Leave profile out.' : `It offers ${profiles.join(', ')}.`;
    throw fail('CERTIFICATE_REFUSED', place, `the issuer does not offer the profile ${profile}`, { hint });
  }
  const before = upkeep?.renewal?.beforeMs;
  const when = before === undefined ? '' : `, to be replaced ${formatDuration(before)} before its end`;
  return `${names.length === 1 ? 'one name' : `${names.length} names`} can be ordered${when}; no order is made`;
}
