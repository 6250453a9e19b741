import type { Protection } from '../../http/transport.ts';
import type { Backend } from '../backend.ts';
import type { BackendContext } from '../kind.ts';
import { protectionOf } from '../protection.ts';
import { AwsCredentials } from './auth/credentials.ts';
import { createAwsBackend } from './backend.ts';
import { createAwsClient } from './client/client.ts';
import { AwsHttp } from './client/http.ts';
import type { AwsBackendConfig } from './config/config.ts';

/** Opens the client of an account, its keys and its connections, which the caller disposes of. Nothing is sent yet. */
export function openAwsClient(
  config: AwsBackendConfig,
  { clock, emit, env, version }: BackendContext,
  protection?: Protection,
) {
  const http = new AwsHttp({ config, clock, emit, env, protection });
  const keys = new AwsCredentials({ config, http, clock, emit });
  return { http, keys, api: createAwsClient({ config, http, keys, clock, version }) };
}

/** Opens a backend with its own connections and its own credentials. */
export function openAwsBackend(config: AwsBackendConfig, context: BackendContext): Backend {
  const { clock, emit, random } = context;
  const protection = protectionOf(config, context);
  const { http, keys, api } = openAwsClient(config, context, protection);
  const backend = createAwsBackend(config, {
    api,
    clock,
    emit,
    circuit: () => http.circuit,
    random,
    trouble: () => keys.trouble(),
    close: () => http[Symbol.asyncDispose](),
  });
  return { ...backend, onRecovered: protection.onRecovered };
}
