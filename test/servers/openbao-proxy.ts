/** A real `bao proxy` in front of a server, which logs in by itself and lends its token to requests without one. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureOpenBao } from './cache.ts';
import { findFreePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';

export interface OpenBaoProxyOptions {
  /** The server's address. */
  readonly address: string;
  /** The login with which it asks. */
  readonly login: { readonly role: string; readonly tokenFile: string };
  readonly namespace?: string;
  /** Keeps and renews leases and tokens. */
  readonly cache?: boolean;
  /** Refuses requests without `X-Vault-Request: true`. */
  readonly requireRequestHeader?: boolean;
  /** Further lines of `api_proxy`. */
  readonly apiProxy?: string;
}

export interface OpenBaoProxy extends AsyncDisposable {
  readonly address: string;
  /** What it has written to its log. */
  log(): string;
}

/** Resolves once it answers and has logged in. */
export async function startOpenBaoProxy(options: OpenBaoProxyOptions): Promise<OpenBaoProxy> {
  const { address, login, namespace, cache = false, requireRequestHeader = false, apiProxy = '' } = options;
  const [command, dir, port] = await Promise.all([
    ensureOpenBao(),
    mkdtemp(join(tmpdir(), 'pannier-bao-proxy-')),
    findFreePort(),
  ]);
  const config = `
    vault { address = "${address}" ${namespace === undefined ? '' : `\n namespace = "${namespace}"`} }
    auto_auth {
      method "kubernetes" {
        ${namespace === undefined ? '' : 'namespace = "/"'}
        config = { role = "${login.role}" token_path = "${login.tokenFile}" }
      }
    }
    api_proxy {
      use_auto_auth_token = true
      ${apiProxy}
    }
    ${cache ? 'cache {}' : ''}
    listener "tcp" {
      address = "127.0.0.1:${port}"
      tls_disable = true
      require_request_header = ${requireRequestHeader}
    }`;
  await writeFile(join(dir, 'proxy.hcl'), config);
  const server = new ServerProcess({
    name: 'bao proxy',
    command,
    args: ['proxy', `-config=${join(dir, 'proxy.hcl')}`],
    env: { HOME: dir, PATH: process.env['PATH'] ?? '' },
    logFile: join(dir, 'log'),
    dir,
    endSignal: 'SIGKILL',
  });
  const at = `http://127.0.0.1:${port}`;
  const headers = { 'X-Vault-Request': 'true' };
  await server.waitUntil(() =>
    fetch(`${at}/v1/auth/token/lookup-self`, { headers }).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return {
    address: at,
    log: () => server.log(),
    async [Symbol.asyncDispose]() {
      await server.end();
    },
  };
}
