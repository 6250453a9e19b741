import type { Clock } from '../../../../base/clock.ts';
import type { Emit } from '../../../../base/fact.ts';
import { Secret } from '../../../../base/secret.ts';
import type { Environment } from '../../../../config/environment.ts';
import { AwsCredentials } from '../../../aws/auth/credentials.ts';
import { AwsHttp } from '../../../aws/client/http.ts';
import { signCallerIdentity } from '../../../aws/client/sign-caller-identity.ts';
import type { AwsBackendConfig } from '../../../aws/config/config.ts';
import { type LoginDeps, logInAt } from '../log-in-at.ts';
import type { AuthMethod } from '../method.ts';

export interface AwsLogin {
  readonly mount: string;
  /** Absent: the server takes the name of the IAM role or user. */
  readonly role?: string;
  /**
   * Must equal the server's `iam_server_id_header_value`. It is signed, so the signed request is of no use to another
   * server. Absent: the server requires none.
   */
  readonly serverId?: string;
  /** The sources of the keys, and the region of STS. */
  readonly account: AwsBackendConfig;
}

export interface AwsLoginDeps extends LoginDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  /** For proxies on the way to STS, from which temporary keys may come. */
  readonly env: Environment;
}

/**
 * Logs in with an AWS identity: signs a GetCallerIdentity request to STS and gives it to the server, which sends it to
 * AWS and takes the identity from the answer. POST auth/MOUNT/login {role, iam_http_request_method, iam_request_url,
 * iam_request_body, iam_request_headers}. Pannier itself never sends the signed request to AWS; it is valid for some
 * minutes. https://developer.hashicorp.com/vault/docs/auth/aws#iam-auth-method (OpenBao has no such plugin.)
 *
 * The keys are found as for an AWS backend, again at each login; this may take requests to STS.
 */
export function createAwsMethod({ mount, role, serverId, account }: AwsLogin, deps: AwsLoginDeps): AuthMethod {
  const { clock, emit, env } = deps;
  const http = new AwsHttp({ config: account, clock, emit, env });
  // The facts of the AWS keys are dropped: only the login at the Vault server is a login of this backend.
  const credentials = new AwsCredentials({ config: account, http, clock, emit: () => {} });
  return {
    kind: 'aws',
    trouble: () => credentials.trouble(),
    async login(signal) {
      credentials.forget();
      const keys = await credentials.keysFor({}, signal).finally(() => http[Symbol.asyncDispose]());
      const request = await signCallerIdentity({ account, serverId, keys, nowMs: clock.wallMs() });
      const body = {
        ...(role === undefined ? {} : { role }),
        iam_http_request_method: 'POST',
        iam_request_url: base64(request.url),
        iam_request_body: base64(request.body),
        // The headers hold the signature, with which anyone could log in.
        iam_request_headers: Secret.text(base64(JSON.stringify(request.headers))),
      };
      return logInAt({ ...deps, mount, body }, signal);
    },
  };
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
