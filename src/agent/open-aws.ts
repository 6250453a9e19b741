import { AwsCredentials } from '../auth/aws-credentials.ts';
import { createAwsClient } from '../client/aws.ts';
import { AwsHttp } from '../client/aws-http.ts';
import type { AwsBackendConfig } from '../config/config.ts';
import { createAwsBackend } from '../source/aws.ts';
import type { Backend } from '../source/source.ts';
import type { Opening } from './registry.ts';

/** An account of AWS with its own connections and its own credentials. */
export function openAwsBackend(config: AwsBackendConfig, { clock, emit, env, version }: Opening): Backend {
  const http = new AwsHttp({ config, clock, emit, env });
  const keys = new AwsCredentials({ config, http, clock, emit });
  const api = createAwsClient({ config, http, keys, clock, version });
  return createAwsBackend(config, {
    api,
    clock,
    emit,
    trouble: () => keys.trouble(),
    close: () => http[Symbol.asyncDispose](),
  });
}
