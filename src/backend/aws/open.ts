import type { Backend } from '../backend.ts';
import type { BackendContext } from '../kind.ts';
import { AwsCredentials } from './auth/credentials.ts';
import { createAwsBackend } from './backend.ts';
import { createAwsClient } from './client/client.ts';
import { AwsHttp } from './client/http.ts';
import type { AwsBackendConfig } from './config/config.ts';

/** Opens a backend with its own connections and its own credentials. */
export function openAwsBackend(config: AwsBackendConfig, { clock, emit, env, version }: BackendContext): Backend {
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
