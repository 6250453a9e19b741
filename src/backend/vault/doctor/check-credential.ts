import { fail } from '../../../base/errors.ts';
import type { Examination } from '../../../base/examination.ts';
import { statInTime } from '../../../base/read-file.ts';
import { formatRoughly } from '../../../base/rough-duration.ts';
import { readCredential } from '../../credential-file.ts';
import { describeDenied, forWhom, type JwtCredential, readJwt } from '../auth/jwt-credential.ts';
import type { AuthConfig } from '../config/config.ts';

/** A file that a login reads. */
interface CredentialFile {
  readonly key: string;
  readonly path: string;
  readonly isJwt: boolean;
}

/** The files that a login reads, by the key that names each. */
function filesOf(auth: AuthConfig): readonly CredentialFile[] {
  const file = (key: string, path: string | undefined, isJwt = false) =>
    path === undefined ? [] : [{ key, path, isJwt }];
  switch (auth.method) {
    case 'kubernetes':
    case 'jwt':
      return file('tokenFile', auth.tokenFile, true);
    case 'token':
      return file('tokenFile', auth.tokenFile);
    case 'approle':
      return [...file('roleIdFile', auth.roleIdFile), ...file('secretIdFile', auth.secretIdFile)];
    case 'userpass':
    case 'ldap':
      return file('passwordFile', auth.passwordFile);
    case 'cert':
    case 'aws':
    case 'none':
      return [];
  }
}

/** Looks at the files that the login reads. Resolves to whether a login with them is worth a try. */
export async function checkCredential(
  examination: Examination,
  auth: AuthConfig,
  backendPlace: string,
): Promise<boolean> {
  let isGood = true;
  for (const { key, path, isJwt } of filesOf(auth)) {
    const place = `${backendPlace}.auth.${key}`;
    const passed = await examination.run('credential', place, async (signal) => {
      const credential = await readCredential(path, place, signal);
      const nowMs = examination.clock.wallMs();
      const age = `written ${formatRoughly(nowMs - (await statInTime(path)).mtimeMs)} ago`;
      if (!isJwt) return `${path}, ${age}`;
      const jwt = readJwt(credential);
      const isOver = jwt?.expiresWallMs !== undefined && jwt.expiresWallMs <= nowMs;
      if (jwt === undefined || isOver) {
        const hint = 'Put a JWT there: three parts with dots between them.';
        const { code, seen, hint: next } = describeDenied(jwt, { file: path, hint, nowWallMs: nowMs });
        throw fail(code, place, `${seen}, ${age}`, { hint: next });
      }
      return `${path}, ${age}, is a JWT ${describeJwt(jwt, nowMs)}`;
    });
    isGood &&= passed;
  }
  return isGood;
}

/** What a JWT says about itself. Its signature is not checked. */
function describeJwt(jwt: JwtCredential, nowMs: number): string {
  const { issuer, serviceAccount, expiresWallMs } = jwt;
  return [
    ...(serviceAccount === undefined ? [] : [`of the service account ${serviceAccount}`]),
    ...(issuer === undefined ? [] : [`by ${issuer}`]),
    forWhom(jwt),
    expiresWallMs === undefined ? 'without an end' : `good for ${formatRoughly(expiresWallMs - nowMs)}`,
  ].join(', ');
}
