import type { Clock } from '../../../base/clock.ts';
import { fail } from '../../../base/errors.ts';
import type { AwsKeys } from '../client/client.ts';
import { awsError } from '../client/error.ts';
import type { AwsHttp } from '../client/http.ts';
import { signCallerIdentity } from '../client/sign-caller-identity.ts';
import type { AwsBackendConfig } from '../config/config.ts';

export interface CallerDeps {
  readonly config: AwsBackendConfig;
  readonly region: string;
  readonly http: AwsHttp;
  readonly keys: AwsKeys;
  readonly clock: Clock;
}

/**
 * Asks STS whose keys these are: GetCallerIdentity, which every identity may call.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export async function askCallerIdentity(
  { config, region, http, keys, clock }: CallerDeps,
  signal: AbortSignal,
): Promise<string> {
  const place = `backends.${config.name}`;
  const account = { ...config, region };
  const { url, body, headers } = await signCallerIdentity({ account, keys, nowMs: clock.wallMs() });
  const { protocol, hostname, port, pathname: path } = new URL(url);
  const request = { method: 'POST', protocol, hostname, path, headers, body };
  const to = port === '' ? request : { ...request, port: Number(port) };
  const { response } = await http.handle(to, { abortSignal: signal });
  const text = Buffer.from(response.body).toString('utf8');
  const of = (tag: string) => new RegExp(`<${tag}>([\\w:/@+=,.-]{1,2048})</${tag}>`).exec(text)?.[1];
  if (response.statusCode === 200) {
    const [arn, owner] = [of('Arn'), of('Account')];
    if (arn === undefined) throw fail('BACKEND_MALFORMED', place, 'the answer of STS names no identity');
    return `AWS knows the keys as ${arn} of the account ${owner ?? 'unknown'}`;
  }
  const foreign = { name: of('Code') ?? '', message: '', $metadata: { httpStatusCode: response.statusCode } };
  const call = { operation: 'sts GetCallerIdentity', region, place, nowMs: clock.wallMs() };
  throw awsError(foreign, call);
}
